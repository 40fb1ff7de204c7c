//! `noisescope pause`, `continue`, `stop`: a word to a running engine, and its answer.

use std::process::ExitCode;
use std::time::Duration;

use super::Refusal;
use super::say::say;
use super::signals::runtime;
use crate::link::Command;
use crate::link::client::Conversation;
use crate::session::config::Analysis;
use crate::session::run::Phase;
use crate::session::store::Store;
use crate::session::{Session, State};

/// How long the engine may take to obey: a stop writes a checkpoint first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says the command and waits until the engine has obeyed.
pub fn run(store: &Store, name: &str, command: Command) -> Result<ExitCode, Refusal> {
    if store.engine(name).is_none() {
        // A name that does not exist deserves its own words.
        store.load(name)?;
    }
    let last = runtime()?.block_on(async {
        let last = tokio::time::timeout(PATIENCE, obey(store, name, command)).await;
        last.unwrap_or_else(|_| {
            Err(Refusal::Failed(format!(
                "the engine of {name} has not obeyed within {} s; `noisescope attach {name}` shows what it does",
                PATIENCE.as_secs()
            )))
        })
    })?;
    let last = match last {
        Some(phase) => phase,
        // It hung up before its last word: the file has it.
        None => match store.load(name)?.record.state {
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

/// Waits until an engine that was just started is past its start: images read, network built.
///
/// # Errors
/// Why it could not begin.
pub fn at_work(store: &Store, name: &str) -> Result<(), Refusal> {
    let phase = runtime()?.block_on(async {
        let mut engine = Conversation::begin(store, name).await.ok()?;
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

/// The phase in which the engine has obeyed or is over; `None` where it hung up.
async fn obey(store: &Store, name: &str, command: Command) -> Result<Option<Phase>, Refusal> {
    let mut engine = Conversation::begin(store, name)
        .await
        .map_err(Refusal::failed)?;
    engine.say(command.clone()).await.map_err(Refusal::failed)?;
    loop {
        // An engine that has just ended no longer hears this; it may have told its end already.
        let _ = engine.ask().await;
        let Some(session) = engine.hear().await.map_err(Refusal::failed)? else {
            return Ok(None);
        };
        let obeyed = has_obeyed(&session, &command);
        let phase = session.run.map(|run| run.phase).unwrap_or_default();
        if phase.is_over() || obeyed {
            return Ok(Some(phase));
        }
    }
}

fn has_obeyed(session: &Session, command: &Command) -> bool {
    let phase = session.run.as_ref().map(|run| &run.phase);
    let phase = phase.unwrap_or(&Phase::Starting);
    match command {
        // The plan has it, or the log says why not.
        Command::Extend { more, .. } => {
            let has = |plan: &Analysis| {
                matches!(plan, Analysis::ClassificationImages(it)
                if it.extended.last() == Some(more))
            };
            session.config.analyses.iter().any(has)
        }
        Command::Pause => matches!(phase, Phase::Paused(_)),
        Command::Continue => matches!(phase, Phase::Working(_)),
        Command::Stop => false,
    }
}
