//! `noisescope attach`: look at a session, live where an engine runs it, else at its file.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use super::Refusal;
use super::look::{Look, PATIENCE};
use super::signals::runtime;
use crate::link::{Connection, client};
use crate::report;
use crate::session::run::Phase;
use crate::session::store::{EngineOf, timestamp};
use crate::session::{Config, Run, Session};

/// The views on the session; as a summary with `plain` or where there is no terminal.
pub fn run(look: &Look<'_>, name: &str, plain: bool) -> Result<ExitCode, Refusal> {
    let engine = look.store.engine(name);
    if plain || !std::io::stdout().is_terminal() {
        let live = match engine {
            Some(_) => runtime()?.block_on(client::now(look.store, name, PATIENCE)),
            None => None,
        };
        return match (live, engine) {
            (Some(session), _) => summary(&session),
            (None, Some(engine)) => {
                let mut session = look.store.load(name)?;
                session.run = Some(unheard(&engine, session.record.updated));
                summary(&session)
            }
            (None, None) => summary(&look.store.load(name)?),
        };
    }
    let session = match look.store.load(name) {
        // A damaged file does not matter while an engine has the good state.
        Err(_) if engine.is_some() => Session::new(name, Config::default()),
        loaded => loaded?,
    };
    let connection = match engine {
        Some(_) => Connection::Connecting,
        None => Connection::ReadOnly,
    };
    look.at(session, connection)
}

/// What is known of a run whose engine does not answer: that it runs.
pub fn unheard(engine: &EngineOf, updated: i64) -> Run {
    Run {
        phase: Phase::Working(0),
        problem: Some(format!(
            "{} runs it and cannot be reached from here: this is its checkpoint of {}. `kill -TERM {}` stops it after one more",
            engine.words(),
            timestamp(updated),
            engine.pid
        )),
        ..Run::default()
    }
}

/// Prints what the session holds.
pub fn summary(session: &Session) -> Result<ExitCode, Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(report::summary(session).as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
