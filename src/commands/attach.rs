//! `noisescope attach`: look at a session without running it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use super::{Refusal, run};
use crate::link::Link;
use crate::report;
use crate::session::Session;
use crate::session::store::Store;

/// The views on the file; as a summary with `plain` or where there is no terminal.
pub fn run(store: &Store, name: &str, plain: bool) -> Result<ExitCode, Refusal> {
    let session = store.load(name)?;
    if plain || !std::io::stdout().is_terminal() {
        return summary(&session);
    }
    run::draw(Link::read_only(session))
}

/// Prints what the session holds.
pub fn summary(session: &Session) -> Result<ExitCode, Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(report::summary(session).as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
