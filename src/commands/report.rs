//! `noisescope report`: writes a session as a single HTML page, for readers without a terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CommandError, export::check_ending_for, output};
use crate::comparison::{ComparisonRequest, SessionPair};
use crate::export;
use crate::report::SessionStatus;
use crate::report::page::{self, ExportedTable, Page};
use crate::session::Session;
use crate::session::store::{Store, now};

/// The table of notes, which hold no measurements.
const NOTES: &str = "notes";

/// Which session to report on, and where to write it.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The session
    name: String,
    /// Add a chapter that compares the session with another
    #[arg(long, value_name = "OTHER")]
    compare: Option<String>,
    /// Output path (default: NAME-report.html)
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Reads the session and writes the page.
pub fn run(store: &Store, report: &ReportArgs) -> Result<ExitCode, CommandError> {
    let name = &report.name;
    check_ending_for(report.out.as_deref(), "html")?;
    let session = store.load_whole(name)?;
    if session.record.sharding.is_some() {
        output::complain(format_args!(
            "{name} is divided and its shards are not merged: this is their sum so far"
        ));
    }
    let tables: Vec<(String, String)> = export::tables(&session)
        .into_iter()
        .map(|(name, table)| (name, table.into_text()))
        .collect();
    let tables: Vec<ExportedTable<'_>> = tables
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    if tables.iter().all(|(name, _)| *name == NOTES) {
        return Err(CommandError::Failed(format!(
            "{name} has no results to report yet; run it first: noisescope run {name}"
        )));
    }
    let other = report.compare.as_ref();
    let other: Option<Session> = other.map(|other| store.load_whole(other)).transpose()?;
    let pair = other
        .as_ref()
        .map(|other| SessionPair::new(&session, other, &ComparisonRequest::default()))
        .transpose()?;
    let standing = match store.engine(name) {
        Some(_) => SessionStatus::Running,
        None => SessionStatus::from_session(&session, None),
    };
    let html = page::page(&Page {
        session: &session,
        status: &standing,
        tables: &tables,
        comparison: pair.as_ref(),
        made: now(),
    });
    let path = report.out.clone();
    let path = path.unwrap_or_else(|| PathBuf::from(format!("{name}-report.html")));
    export::write_page(&html, &path).map_err(CommandError::failed)?;
    Ok(ExitCode::SUCCESS)
}
