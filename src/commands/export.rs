//! `noisescope export`: what a session has measured, for other programs.

use std::path::Path;
use std::process::ExitCode;

use super::Refusal;
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
    export::write(&session, format, out).map_err(Refusal::failed)?;
    Ok(ExitCode::SUCCESS)
}
