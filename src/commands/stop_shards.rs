//! `noisescope pause`, `continue` and `stop`. A divided session can only be stopped: by cancelling its scheduler jobs and
//! stopping the engines on this machine.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use super::output::print_line;
use super::{CommandError, control, scheduler};
use crate::link::EngineCommand;
use crate::session::Session;
use crate::session::store::Store;

/// Sends a command to a session's engine; a divided session accepts only a stop.
pub fn run(store: &Store, name: &str, command: EngineCommand) -> Result<ExitCode, CommandError> {
    let divided = store.load_head(name).ok();
    let divided =
        divided.filter(|head| head.record.sharding.is_some() && store.engine(name).is_none());
    match (divided, command) {
        (None, command) => control::run(store, name, command),
        (Some(head), EngineCommand::Stop) => stop(store, &head),
        (Some(_), _) => Err(CommandError::Usage(format!(
            "{name} is divided into shards, which run separately; the only command for all of them is `noisescope stop {name}`"
        ))),
    }
}

/// Stops everything that works on the session's shards, after confirmation.
fn stop(store: &Store, session: &Session) -> Result<ExitCode, CommandError> {
    let name = &session.name;
    let Some(sharding) = &session.record.sharding else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut jobs: BTreeSet<String> = sharding.jobs.iter().cloned().collect();
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for file in store.shards(name, sharding.count)? {
        let Some(engine) = store.engine(&file.name) else {
            continue;
        };
        let head = store.load_head(&file.name).ok();
        let job = head.and_then(|head| head.record.shard?.job);
        match (job, engine.remote_machine) {
            // A task of an array job that is cancelled as a whole.
            (Some(job), _) if jobs.contains(job.split('_').next().unwrap_or_default()) => {}
            (Some(job), _) => {
                jobs.insert(job);
            }
            (None, None) => here.push(file.name),
            (None, Some(machine)) => elsewhere.push(format!("{} on {machine}", file.name)),
        }
    }
    let jobs: Vec<String> = jobs.into_iter().filter(|job| is_queued(job)).collect();
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
        print_line(format_args!(
            "cancelled {}; running tasks write a checkpoint first",
            jobs.join(" ")
        ));
    }
    for shard in &here {
        control::run(store, shard, EngineCommand::Stop)?;
    }
    match elsewhere.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(CommandError::Failed(format!(
            "no known job runs {}; stop them there: noisescope stop SHARD",
            elsewhere.join(", ")
        ))),
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
