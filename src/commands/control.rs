//! `noisescope pause`, `continue`, `stop`: a word to a running engine, and its answer.

use std::process::ExitCode;
use std::time::Duration;

use super::Refusal;
use super::signals::runtime;
use crate::link::Command;
use crate::link::client::Conversation;
use crate::session::run::Phase;
use crate::session::store::Store;

/// How long the engine may take to obey: a stop writes a checkpoint first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says the command and waits until the engine has obeyed.
pub fn run(store: &Store, name: &str, command: Command) -> Result<ExitCode, Refusal> {
    // A name that does not exist deserves its own words.
    store.load(name)?;
    let obeyed = async {
        let mut engine = Conversation::begin(store, name)
            .await
            .map_err(Refusal::failed)?;
        engine.say(command).await.map_err(Refusal::failed)?;
        loop {
            engine.ask().await.map_err(Refusal::failed)?;
            let Some(session) = engine.hear().await.map_err(Refusal::failed)? else {
                return Ok(());
            };
            let phase = session.run.map(|run| run.phase).unwrap_or_default();
            if phase.is_over() || has_obeyed(&phase, command) {
                return Ok(());
            }
        }
    };
    let obeyed = runtime()?.block_on(async { tokio::time::timeout(PATIENCE, obeyed).await });
    match obeyed {
        Ok(Ok(())) => {
            println!("{}", words(name, command));
            Ok(ExitCode::SUCCESS)
        }
        Ok(Err(refusal)) => Err(refusal),
        Err(_) => Err(Refusal::Failed(format!(
            "the engine of {name} has not obeyed within {} s; it may be reading images or writing to a slow disk",
            PATIENCE.as_secs()
        ))),
    }
}

fn has_obeyed(phase: &Phase, command: Command) -> bool {
    match command {
        Command::Pause => matches!(phase, Phase::Paused(_)),
        Command::Continue => matches!(phase, Phase::Working(_)),
        Command::Stop => false,
    }
}

fn words(name: &str, command: Command) -> String {
    match command {
        Command::Pause => format!("{name} stands still. Go on: noisescope continue {name}"),
        Command::Continue => format!("{name} goes on."),
        Command::Stop => {
            format!("{name} is stopped, all it has done is saved. Go on: noisescope run {name}")
        }
    }
}
