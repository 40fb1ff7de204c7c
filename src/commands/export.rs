//! `noisescope export`: what a session has measured, for other programs.

use std::path::Path;
use std::process::ExitCode;

use super::{Refusal, say};
use crate::export::{self, Format};
use crate::session::store::Store;

/// Reads the session and writes the export.
pub fn run(
    store: &Store,
    name: &str,
    format: Format,
    out: Option<&Path>,
) -> Result<ExitCode, Refusal> {
    let session = store.load_whole(name)?;
    if session.record.sharding.is_some() {
        say::complain(format_args!(
            "{name} is divided, and its shards are not merged: this is the sum of what they have done so far"
        ));
    }
    export::write(&session, format, out).map_err(Refusal::failed)?;
    Ok(ExitCode::SUCCESS)
}
