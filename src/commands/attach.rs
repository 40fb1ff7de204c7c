//! `noisescope attach`: look at a session, live where an engine runs it, else at its file.

use std::io::Write;
use std::process::ExitCode;

use super::Refusal;
use super::listing::judged;
use super::look::Look;
use crate::link::Connection;
use crate::report::{self, Standing};
use crate::session::{Config, Session};
use crate::tui::theme::can_draw;

/// The views on the session; as a summary with `plain` or where there is no terminal.
pub fn run(look: &Look<'_>, name: &str, plain: bool) -> Result<ExitCode, Refusal> {
    if plain || !can_draw() {
        let (session, standing) = judged(look.store, name)?;
        return summary(&session, &standing);
    }
    if let Ok(head) = look.store.head(name)
        && head.record.sharding.is_some()
    {
        // What the shards have measured comes as soon as it is added up.
        return look.at(look.store.load(name)?, Connection::Watched);
    }
    let engine = look.store.engine(name);
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

/// Prints what the session holds.
pub fn summary(session: &Session, standing: &Standing) -> Result<ExitCode, Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(report::summary_of(session, standing).as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
