//! `noisescope pause`, `continue`, `stop`, `extend`, `note`: sends a command to a running engine and waits for the result.
//!
//! An engine that is unreachable or takes no commands, for example one of another version of the protocol, is stopped by a
//! signal. An engine that cannot save does not stop: the user is told what would be lost and decides whether to discard it.

mod reaching;
mod sent;
mod unfinished;

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use self::reaching::connect;
use self::sent::SentCommand;
use self::unfinished::{describe_loss, left_behind, only_saving, overdue, unsaved};
use super::division_check::resume_command;
use super::output::print_line;
use super::signals::runtime;
use super::{CommandError, note_file};
use crate::files::quoted;
use crate::host;
use crate::link::EngineCommand;
use crate::link::client::{ConnectError, Conversation};
use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::Phase;
use crate::session::store::Store;
use crate::session::{SavedState, Session};

/// How long the engine may take to carry out a command: a stop writes a checkpoint first.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an engine that cannot save may retry before the user is asked.
pub const RETRY_TIME: Duration = Duration::from_secs(1);

/// Sends the command, waits until the engine has carried it out, and prints the result (except for a note).
pub fn run(store: &Store, name: &str, command: EngineCommand) -> Result<ExitCode, CommandError> {
    let answer = ask(store, name, &command)?;
    if let EngineCommand::Note(note) = &command {
        // An engine that has ended may not have received it.
        if answer.has_ended() {
            ensure_note_saved(store, name, note)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    print_result(store, name, &command, answer.phase(store, name)?)
}

/// Sends an extension of the classification images number `images`, from 0; prints `done` and the state of the run once
/// the engine has accepted it.
pub fn extend(
    store: &Store,
    name: &str,
    (images, more): (usize, Extension),
    done: &str,
) -> Result<ExitCode, CommandError> {
    let is_planned = |session: Session| session.has_extension(images, &more);
    let command = EngineCommand::Extend {
        images,
        more: more.clone(),
    };
    let answer = ask(store, name, &command)?;
    if answer.has_ended() && !is_planned(store.load(name)?) {
        return Err(CommandError::Failed(format!(
            "the engine of {name} ended before it could extend it; run the command again"
        )));
    }
    print_line(done);
    print_result(store, name, &command, answer.phase(store, name)?)
}

/// Stops an engine that has not written its session's file yet: one that waits to run a shard.
pub fn stop_waiting(store: &Store, name: &str) -> Result<(), CommandError> {
    send(store, name, &EngineCommand::Stop).map(drop)
}

/// Sends the command and waits for the answer. If the engine cannot save, asks the user whether to discard what would be
/// lost.
fn ask(store: &Store, name: &str, command: &EngineCommand) -> Result<Answer, CommandError> {
    if store.engine(name).is_none() {
        // Fails with a better message if there is no such session.
        let session = store.load(name)?;
        if !sent::adds(command) && session.record.state == SavedState::Finished {
            return Err(CommandError::Failed(format!(
                "{name} is finished, so nothing is running. View it: noisescope attach {name}"
            )));
        }
    }
    let answer = send(store, name, command)?;
    let Answer::CannotSave(words) = &answer else {
        return Ok(answer);
    };
    match discards(words)? {
        true => send(store, name, &EngineCommand::Discard),
        false => Err(CommandError::Failed(format!(
            "{words} It ends as soon as it can be saved; to discard that work: noisescope stop {name} --discard"
        ))),
    }
}

/// Prints a sentence about the phase in which a command leaves a run; if the run failed, that is the error.
fn print_result(
    store: &Store,
    name: &str,
    command: &EngineCommand,
    phase: Phase,
) -> Result<ExitCode, CommandError> {
    let resume = resume_command(name);
    match phase {
        Phase::Failed(_) if *command == EngineCommand::Discard => print_line(format_args!(
            "{name} has ended; {}. Resume: {resume}",
            left_behind(store, name)
        )),
        Phase::Failed(message) => return Err(CommandError::Failed(message)),
        Phase::Finished => print_line(format_args!(
            "{name} is finished. View it: noisescope attach {name}"
        )),
        Phase::Paused(_) => {
            print_line(format_args!(
                "{name} is paused. Resume: noisescope continue {name}"
            ));
        }
        Phase::Stopped => print_line(format_args!(
            "{name} is stopped, and everything is saved. Resume: {resume}"
        )),
        Phase::Starting | Phase::Working(_) | Phase::Stopping => {
            print_line(format_args!("{name} is running"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ensures that a note is in the file of a session whose engine has ended or is about to.
fn ensure_note_saved(store: &Store, name: &str, note: &Note) -> Result<(), CommandError> {
    let until = Instant::now() + PATIENCE;
    while store.engine(name).is_some() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    match store.load(name)?.record.has_note(note) {
        true => Ok(()),
        false => note_file::note_in_file(store, name, note.clone()),
    }
}

/// The result of a command to an engine.
enum Answer {
    /// It has carried out the command, or its run is over.
    Phase(Phase),
    /// It ended without reporting a phase.
    HungUp,
    /// It should stop but cannot save: a sentence on what would be lost.
    CannotSave(String),
}

impl Answer {
    /// Whether the engine has ended.
    fn has_ended(&self) -> bool {
        !matches!(self, Self::Phase(phase) if !phase.is_over())
    }

    /// The phase of the run.
    ///
    /// # Errors
    /// If the engine died.
    fn phase(self, store: &Store, name: &str) -> Result<Phase, CommandError> {
        match self {
            Self::Phase(phase) => Ok(phase),
            // The engine has ended, by this command or another: its file has the final state.
            Self::HungUp | Self::CannotSave(_) => match store.load(name)?.record.state {
                SavedState::Finished => Ok(Phase::Finished),
                SavedState::Stopped => Ok(Phase::Stopped),
                SavedState::Failed(message) => Ok(Phase::Failed(message)),
                SavedState::New | SavedState::Running => Err(CommandError::Failed(format!(
                    "the engine of {name} died; {}. Resume: {}",
                    left_behind(store, name),
                    resume_command(name)
                ))),
            },
        }
    }
}

/// Sends the command and waits for the result.
fn send(store: &Store, name: &str, command: &EngineCommand) -> Result<Answer, CommandError> {
    let answer = runtime()?.block_on(async {
        let mut seen = None;
        let sent = send_and_wait(store, name, command, &mut seen);
        let answer = tokio::time::timeout(PATIENCE, sent).await;
        answer.unwrap_or_else(|_| {
            let words = overdue(name, command, seen.as_ref(), PATIENCE);
            Err(SendError::Refused(CommandError::Failed(words)))
        })
    });
    match (answer, command) {
        (Err(SendError::Unreachable(error, pid)), EngineCommand::Stop) => {
            stop_by_signal(store, name, pid, &error)?;
            Ok(Answer::HungUp)
        }
        (answer, _) => answer.map_err(|error| match error {
            SendError::Refused(refusal) => refusal,
            SendError::Unreachable(error, _) => CommandError::failed(error),
        }),
    }
}

/// Stops an engine that has no usable socket, or accepts no commands through it, and waits until it has ended.
fn stop_by_signal(
    store: &Store,
    name: &str,
    pid: u32,
    error: &ConnectError,
) -> Result<(), CommandError> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let sent = number.map(|pid| kill_process(pid, Signal::TERM));
    if !matches!(sent, Some(Ok(()))) {
        return Err(CommandError::failed(error));
    }
    let why = match error {
        ConnectError::Wire { error, .. } => {
            format!("the engine of {name} does not accept commands ({error})")
        }
        _ => format!("the engine of {name} has no socket"),
    };
    print_line(format_args!(
        "{why}; sent TERM to process {pid}, which stops after a checkpoint"
    ));
    let until = Instant::now() + PATIENCE;
    while store.engine(name).is_some_and(|engine| engine.pid == pid) {
        if Instant::now() > until {
            return Err(CommandError::Failed(format!(
                "process {pid} did not end within {} s; if it cannot save, its log says why: {}",
                PATIENCE.as_secs(),
                store.folder().join(format!("{name}.log")).display()
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Asks the user whether to discard what would be lost; false without a terminal.
fn discards(words: &str) -> Result<bool, CommandError> {
    let input = std::io::stdin();
    if !input.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut output = std::io::stderr();
    let asked = write!(output, "{words} Discard it? [y/N] ").and_then(|()| output.flush());
    let mut typed = String::new();
    asked
        .and_then(|()| input.lock().read_line(&mut typed))
        .map_err(CommandError::failed)?;
    Ok(matches!(typed.trim(), "y" | "Y" | "yes"))
}

/// Waits until a newly started engine, process `pid`, has read its images and built its network. One that takes long to
/// open its socket is not waited for.
///
/// # Errors
/// Why it could not start.
pub fn wait_until_working(store: &Store, name: &str, pid: u32) -> Result<(), CommandError> {
    let phase = runtime()?.block_on(async {
        let mut engine = Conversation::connect_with_retry(store, name).await.ok()?;
        loop {
            engine.request_state().await.ok()?;
            // The very first state has no run yet.
            let run = engine.receive_state().await.ok()??.run;
            let phase = run.map(|run| run.phase).unwrap_or_default();
            if phase != Phase::Starting {
                return Some(phase);
            }
        }
    });
    match (phase, store.load(name).map(|session| session.record.state)) {
        (Some(Phase::Failed(message)), _) | (None, Ok(SavedState::Failed(message))) => {
            Err(CommandError::Failed(message))
        }
        (None, Ok(SavedState::New | SavedState::Running))
            if store.engine(name).is_none() && !host::is_alive(pid, 0) =>
        {
            Err(CommandError::Failed(format!(
                "the engine of {name} died as it started; its log may say why: {}",
                quoted(store.log_path(name))
            )))
        }
        _ => Ok(()),
    }
}

/// Why a command could not be sent or failed.
enum SendError {
    /// The engine with this process id has no usable socket, or takes no commands through it.
    Unreachable(ConnectError, u32),
    /// Anything else.
    Refused(CommandError),
}

/// Sends the command and waits until the engine has carried it out and saved what it adds, has ended, or cannot. Its phase
/// is noted in `seen`.
async fn send_and_wait(
    store: &Store,
    name: &str,
    command: &EngineCommand,
    seen: &mut Option<Phase>,
) -> Result<Answer, SendError> {
    let mut engine = match connect(store, name, command).await {
        Ok(engine) => engine,
        Err(error) => {
            return Err(match error {
                ConnectError::Gone { pid, .. }
                | ConnectError::NoSocket { pid, .. }
                | ConnectError::Wire { pid, .. } => SendError::Unreachable(error, pid),
                other => SendError::Refused(CommandError::failed(other)),
            });
        }
    };
    let failed = |error| SendError::Refused(CommandError::failed(error));
    let mut newest = None;
    if sent::adds(command) {
        let _ = engine.request_state().await;
        newest = engine.receive_state().await.map_err(failed)?;
        if newest.is_none() {
            return Ok(Answer::HungUp);
        }
    }
    let sent = SentCommand::new(command, newest.as_ref());
    engine.send_command(command.clone()).await.map_err(failed)?;
    loop {
        // An engine that has just ended does not receive this, but may have sent its final state already.
        let _ = engine.request_state().await;
        // One that is paused may send nothing for long. What is only known after a while is known of its last state.
        if let Ok(state) = tokio::time::timeout(RETRY_TIME, engine.receive_state()).await {
            newest = state.map_err(failed)?;
            if newest.is_none() {
                return Ok(Answer::HungUp);
            }
        }
        let Some(session) = &newest else {
            continue;
        };
        if let Some(refusal) = sent.refusal(session) {
            let words = format!("{name}: {refusal}");
            return Err(SendError::Refused(CommandError::Failed(words)));
        }
        let run = session.run.clone().unwrap_or_default();
        let is_obeyed = sent.is_obeyed(session);
        if run.phase.is_over() || (is_obeyed && sent.is_saved(session, store)) {
            return Ok(Answer::Phase(run.phase));
        }
        if let Some(problem) = sent.problem(&run).filter(|_| is_obeyed) {
            let words = unsaved(name, problem);
            return Err(SendError::Refused(CommandError::Failed(words)));
        }
        *seen = Some(run.phase.clone());
        // It has retried by now.
        if let (Phase::Stopping, Some(problem)) = (&run.phase, &run.problem)
            && sent.at.elapsed() > RETRY_TIME
        {
            match command {
                EngineCommand::Stop => {
                    let words = describe_loss(store, name, session, problem);
                    return Ok(Answer::CannotSave(words));
                }
                EngineCommand::Pause | EngineCommand::Continue => {
                    let words = only_saving(name, problem);
                    return Err(SendError::Refused(CommandError::Failed(words)));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
