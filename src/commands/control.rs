//! `noisescope pause`, `continue`, `stop`, `extend`, `note`: a word to a running engine, and its answer.
//!
//! An engine that cannot be reached is stopped by a signal. One that cannot save does not stop: what would be lost
//! is told, and a person says whether it is given up.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::say::say;
use super::signals::runtime;
use super::{Refusal, noted};
use crate::format::thousands;
use crate::link::Command;
use crate::link::client::{ConnectError, Conversation};
use crate::session::config::Analysis;
use crate::session::record::Note;
use crate::session::run::Phase;
use crate::session::store::{Store, timestamp};
use crate::session::{Session, State};

/// How long the engine may take to obey: a stop writes a checkpoint first.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an engine that cannot save may try once more before a person is asked.
const TRIED: Duration = Duration::from_secs(1);

/// Says the command and waits until the engine has obeyed. What came of it is told here, but for a note.
pub fn run(store: &Store, name: &str, command: Command) -> Result<ExitCode, Refusal> {
    if store.engine(name).is_none() {
        // A name that does not exist deserves its own words.
        store.load(name)?;
    }
    let mut answer = say_to(store, name, &command)?;
    if let Answer::CannotSave(words) = &answer {
        if !gives_up(words)? {
            return Err(Refusal::Failed(format!(
                "{words} It ends as soon as it can be saved; to give that up: noisescope stop {name} --discard"
            )));
        }
        answer = say_to(store, name, &Command::Discard)?;
    }
    if let Command::Note(note) = &command {
        // An engine that has ended may not have heard it any more.
        if !matches!(&answer, Answer::Phase(phase) if !phase.is_over()) {
            note_at_its_end(store, name, note)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let last = match answer {
        Answer::Phase(phase) => phase,
        // It is gone, by its own last word or another's: the file has it.
        Answer::HungUp | Answer::CannotSave(_) => match store.load(name)?.record.state {
            State::Finished => Phase::Finished,
            State::Stopped => Phase::Stopped,
            State::Failed(message) => Phase::Failed(message),
            State::New | State::Running => {
                return Err(Refusal::Failed(format!(
                    "the engine of {name} died; its file has the last checkpoint. Go on: noisescope run {name}"
                )));
            }
        },
    };
    match last {
        Phase::Failed(_) if command == Command::Discard => say(format_args!(
            "{name} has ended; its file has the last checkpoint. Go on: noisescope run {name}"
        )),
        Phase::Failed(message) => return Err(Refusal::Failed(message)),
        Phase::Finished => say(format_args!(
            "{name} is finished. Look at it: noisescope attach {name}"
        )),
        Phase::Paused(_) => {
            say(format_args!(
                "{name} stands still. Go on: noisescope continue {name}"
            ));
        }
        Phase::Stopped => say(format_args!(
            "{name} is stopped, all it has done is saved. Go on: noisescope run {name}"
        )),
        Phase::Starting | Phase::Working(_) | Phase::Stopping => {
            say(format_args!("{name} goes on."));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Sees that a note is in the file of a session whose engine has ended or is about to.
fn note_at_its_end(store: &Store, name: &str, note: &Note) -> Result<(), Refusal> {
    let until = Instant::now() + PATIENCE;
    while store.engine(name).is_some() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    match store.load(name)?.record.has_note(note) {
        true => Ok(()),
        false => noted::in_file(store, name, note.clone()),
    }
}

/// What came of a word to an engine.
enum Answer {
    /// It has obeyed, or is over.
    Phase(Phase),
    /// It ended before it said so.
    HungUp,
    /// It would end and cannot save: what would be lost, in a sentence.
    CannotSave(String),
}

/// Says the command, and waits for what comes of it.
fn say_to(store: &Store, name: &str, command: &Command) -> Result<Answer, Refusal> {
    let answer = runtime()?.block_on(async {
        let answer = tokio::time::timeout(PATIENCE, obey(store, name, command)).await;
        answer.unwrap_or_else(|_| {
            Err(Unheard::Refused(Refusal::Failed(format!(
                "the engine of {name} has not obeyed within {} s; `noisescope attach {name}` shows what it does",
                PATIENCE.as_secs()
            ))))
        })
    });
    match (answer, command) {
        (Err(Unheard::Unreachable(error, pid)), Command::Stop) => {
            stop_by_signal(store, name, pid, &error)?;
            Ok(Answer::HungUp)
        }
        (answer, _) => answer.map_err(|unheard| match unheard {
            Unheard::Refused(refusal) => refusal,
            Unheard::Unreachable(error, _) => Refusal::failed(error),
        }),
    }
}

/// Stops an engine that no socket leads to, and waits until it has ended.
fn stop_by_signal(
    store: &Store,
    name: &str,
    pid: u32,
    error: &ConnectError,
) -> Result<(), Refusal> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let sent = number.map(|pid| kill_process(pid, Signal::TERM));
    if !matches!(sent, Some(Ok(()))) {
        return Err(Refusal::failed(error));
    }
    say(format_args!(
        "{name} has no socket; TERM was sent to process {pid}, which ends after a checkpoint"
    ));
    let until = Instant::now() + PATIENCE;
    while store.engine(name).is_some_and(|engine| engine.pid == pid) {
        if Instant::now() > until {
            return Err(Refusal::Failed(format!(
                "process {pid} has not ended within {} s; if it cannot save, its log says why: {}",
                PATIENCE.as_secs(),
                store.folder().join(format!("{name}.log")).display()
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Asks the person whether what would be lost is given up; without a terminal nobody is asked.
fn gives_up(words: &str) -> Result<bool, Refusal> {
    let input = std::io::stdin();
    if !input.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut output = std::io::stderr();
    let asked = write!(output, "{words} Give it up? [y/N] ").and_then(|()| output.flush());
    let mut typed = String::new();
    asked
        .and_then(|()| input.lock().read_line(&mut typed))
        .map_err(Refusal::failed)?;
    Ok(matches!(typed.trim(), "y" | "Y" | "yes"))
}

/// What would be lost if an engine that cannot save ended now.
fn would_be_lost(store: &Store, name: &str, now: &Session, problem: &str) -> String {
    let (done, saved) = (now.trials().0, store.load(name).ok());
    let (since, lost) = match &saved {
        Some(saved) => (
            format!(
                "since the checkpoint of {}",
                timestamp(saved.record.updated)
            ),
            done.saturating_sub(saved.trials().0),
        ),
        None => ("so far, since there is no checkpoint".to_owned(), done),
    };
    let epochs = |session: &Session| {
        let training = session.record.training.as_ref();
        training.map_or(0, |it| it.epochs.len())
    };
    let trained = epochs(now).saturating_sub(saved.as_ref().map_or(0, epochs));
    let what = match (lost, trained) {
        (0, 0) => "what was done".to_owned(),
        (0, epochs) => format!("{epochs} epochs of training"),
        (trials, _) => format!("{} trials", thousands(trials)),
    };
    format!("{name} cannot be saved ({problem}). {what} {since} would be lost.")
}

/// Waits until an engine that was just started is past its start: images read, network built.
///
/// # Errors
/// Why it could not begin.
pub fn at_work(store: &Store, name: &str) -> Result<(), Refusal> {
    let phase = runtime()?.block_on(async {
        let mut engine = Conversation::begin_patiently(store, name).await.ok()?;
        loop {
            engine.ask().await.ok()?;
            // The very first state says nothing of the run yet.
            let run = engine.hear().await.ok()??.run;
            let phase = run.map(|run| run.phase).unwrap_or_default();
            if phase != Phase::Starting {
                return Some(phase);
            }
        }
    });
    match (phase, store.load(name).map(|session| session.record.state)) {
        (Some(Phase::Failed(message)), _) | (None, Ok(State::Failed(message))) => {
            Err(Refusal::Failed(message))
        }
        _ => Ok(()),
    }
}

/// Why a word was not heard.
enum Unheard {
    /// No socket leads to the engine, which is this process.
    Unreachable(ConnectError, u32),
    /// Anything else.
    Refused(Refusal),
}

/// What came of the command: once the engine has obeyed or is over, or cannot do what it asks.
async fn obey(store: &Store, name: &str, command: &Command) -> Result<Answer, Unheard> {
    let mut engine = match Conversation::begin_patiently(store, name).await {
        Ok(engine) => engine,
        Err(error) => {
            return Err(match error {
                ConnectError::Gone { pid, .. } | ConnectError::NoSocket { pid, .. } => {
                    Unheard::Unreachable(error, pid)
                }
                other => Unheard::Refused(Refusal::failed(other)),
            });
        }
    };
    let failed = |error| Unheard::Refused(Refusal::failed(error));
    engine.say(command.clone()).await.map_err(failed)?;
    let said = Instant::now();
    loop {
        // An engine that has just ended no longer hears this; it may have told its end already.
        let _ = engine.ask().await;
        let Some(session) = engine.hear().await.map_err(failed)? else {
            return Ok(Answer::HungUp);
        };
        let obeyed = has_obeyed(&session, command);
        let run = session.run.clone().unwrap_or_default();
        if run.phase.is_over() || obeyed {
            return Ok(Answer::Phase(run.phase));
        }
        // It has tried once more by now.
        if let (Command::Stop, Phase::Stopping, Some(problem)) = (command, &run.phase, &run.problem)
            && said.elapsed() > TRIED
        {
            let words = would_be_lost(store, name, &session, problem);
            return Ok(Answer::CannotSave(words));
        }
    }
}

fn has_obeyed(session: &Session, command: &Command) -> bool {
    let phase = session.run.as_ref().map(|run| &run.phase);
    let phase = phase.unwrap_or(&Phase::Starting);
    match command {
        // The plan has it, or the log says why not.
        Command::Extend { more, .. } => {
            let has = |plan: &Analysis| matches!(plan, Analysis::ClassificationImages(it) if it.extended.contains(more));
            session.config.analyses.iter().any(has)
        }
        Command::Note(note) => session.record.has_note(note),
        Command::Pause => matches!(phase, Phase::Paused(_)),
        Command::Continue | Command::Checkpoint => matches!(phase, Phase::Working(_)),
        Command::Stop | Command::Discard => false,
    }
}
