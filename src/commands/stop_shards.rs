//! `noisescope pause`, `continue` and `stop`. A divided session can only be stopped: by cancelling its scheduler jobs and
//! stopping the engines on this machine, also those that train its network or wait for it.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use super::output::print_line;
use super::{CommandError, control, scheduler};
use crate::link::EngineCommand;
use crate::session::Session;
use crate::session::store::{Store, shard_name};

/// Sends a command to a session's engine; a divided session accepts only a stop, except while its network is trained.
pub fn run(store: &Store, name: &str, command: EngineCommand) -> Result<ExitCode, CommandError> {
    let divided = store.load_head(name).ok();
    let divided = divided.filter(|head| head.record.sharding.is_some());
    match (divided, command) {
        (Some(head), EngineCommand::Stop) => stop(store, &head),
        (Some(_), _) if store.engine(name).is_none() => Err(CommandError::Usage(format!(
            "{name} is divided into shards, which run separately; the only command for all of them is `noisescope stop {name}`"
        ))),
        (_, command) => control::run(store, name, command),
    }
}

/// Stops everything that works on the session's shards, after confirmation.
fn stop(store: &Store, session: &Session) -> Result<ExitCode, CommandError> {
    let name = &session.name;
    let Some(sharding) = &session.record.sharding else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut jobs: BTreeSet<String> = sharding.jobs.iter().cloned().collect();
    let (mut here, mut elsewhere, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for index in 1..=sharding.count {
        let shard = shard_name(name, index, sharding.count);
        let Some(engine) = store.engine(&shard) else {
            continue;
        };
        let head = store.load_head(&shard).ok();
        let has_begun = head.is_some();
        let job = head.and_then(|head| head.record.shard?.job);
        match (job, engine.remote_machine) {
            // A task of an array job that is cancelled as a whole.
            (Some(job), _) if jobs.contains(job.split('_').next().unwrap_or_default()) => {}
            (Some(job), _) => {
                jobs.insert(job);
            }
            (None, None) => here.push((shard, engine.pid)),
            (None, Some(machine)) if has_begun => elsewhere.push(format!("{shard} on {machine}")),
            // It records its job when it begins.
            (None, Some(machine)) => waiting.push(format!("{shard} on {machine}")),
        }
    }
    let jobs: Vec<String> = jobs.into_iter().filter(|job| is_queued(job)).collect();
    if jobs.is_empty() {
        elsewhere.extend(waiting);
    }
    if jobs.is_empty() && here.is_empty() && elsewhere.is_empty() {
        print_line(format_args!("nothing is running on the shards of {name}"));
        return Ok(ExitCode::SUCCESS);
    }
    if !jobs.is_empty() {
        if !agreed(&jobs)? {
            return Err(CommandError::Failed(format!(
                "not stopped. To cancel without a question: scancel {}",
                jobs.join(" ")
            )));
        }
        scheduler::run_program("scancel", &jobs).map_err(CommandError::Failed)?;
        forget(store, name, &jobs);
        print_line(format_args!(
            "cancelled {}; running tasks write a checkpoint first",
            jobs.join(" ")
        ));
    }
    // The one that trains the network goes last, since any other would then train it.
    let trainer = store.engine(name).map(|engine| engine.pid);
    here.sort_by_key(|(_, pid)| Some(*pid) == trainer);
    for (shard, _) in &here {
        stop_here(store, shard)?;
    }
    match elsewhere.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(CommandError::Failed(format!(
            "no known job runs {}; on each machine, stop its shard: noisescope stop SHARD",
            elsewhere.join(", ")
        ))),
    }
}

/// Removes cancelled jobs from the session, so that nobody is told that they may wait. Left undone while an engine has the
/// session, or if it cannot be saved.
fn forget(store: &Store, name: &str, jobs: &[String]) {
    let Ok(mut lock) = store.lock(name) else {
        return;
    };
    let Ok(mut session) = lock.load() else { return };
    if let Some(sharding) = &mut session.record.sharding {
        sharding.jobs.retain(|job| !jobs.contains(job));
        let _ = lock.save(&session);
    }
}

/// Stops the engine of a shard on this machine, if it has not ended by now.
fn stop_here(store: &Store, shard: &str) -> Result<(), CommandError> {
    match (store.engine(shard).is_some(), store.exists(shard)) {
        (false, _) => Ok(()),
        (true, true) => control::run(store, shard, EngineCommand::Stop).map(drop),
        (true, false) => {
            control::stop_waiting(store, shard)?;
            print_line(format_args!("{shard} was stopped before it began"));
            Ok(())
        }
    }
}

/// Whether a job is queued or running. True if the scheduler cannot be asked.
fn is_queued(job: &str) -> bool {
    match scheduler::run_program("squeue", ["--noheader", "--jobs", job]) {
        Ok(output) => !output.trim().is_empty(),
        // A job that it no longer knows is over.
        Err(problem) => !problem.contains("Invalid job id"),
    }
}

/// Asks the user to confirm; without a terminal, the command itself is enough.
fn agreed(jobs: &[String]) -> Result<bool, CommandError> {
    let input = std::io::stdin();
    if !input.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(true);
    }
    let mut output = std::io::stderr();
    let asked =
        write!(output, "Cancel job {}? [y/N] ", jobs.join(", ")).and_then(|()| output.flush());
    let mut typed = String::new();
    asked
        .and_then(|()| input.lock().read_line(&mut typed))
        .map_err(CommandError::failed)?;
    Ok(matches!(typed.trim(), "y" | "Y" | "yes"))
}
