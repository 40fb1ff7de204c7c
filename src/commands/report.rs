//! `noisescope report`: writes a session as a single HTML page, for readers without a terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Refusal, say};
use crate::comparison::{Pair, Wish};
use crate::export;
use crate::report::Standing;
use crate::report::page::{self, Page, Table};
use crate::session::Session;
use crate::session::store::{Store, now};

/// The table of notes, which hold no measurements.
const NOTES: &str = "notes";

/// Which session to report on, and where to write it.
#[derive(Debug, Args)]
pub struct Report {
    /// The session
    name: String,
    /// Add a chapter that compares the session with another
    #[arg(long, value_name = "OTHER")]
    compare: Option<String>,
    /// Where to (default: NAME-report.html)
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Reads the session and writes the page.
pub fn run(store: &Store, report: &Report) -> Result<ExitCode, Refusal> {
    let name = &report.name;
    let session = store.load_whole(name)?;
    if session.record.sharding.is_some() {
        say::complain(format_args!(
            "{name} is divided and its shards are not merged: this is their sum so far"
        ));
    }
    let tables = export::tables(&session);
    let tables: Vec<Table<'_>> = tables
        .iter()
        .map(|(name, table)| (name.as_str(), table.text()))
        .collect();
    if tables.iter().all(|(name, _)| *name == NOTES) {
        return Err(Refusal::Failed(format!(
            "{name} has no results to report yet; run it first: noisescope run {name}"
        )));
    }
    let other = report.compare.as_ref();
    let other: Option<Session> = other.map(|other| store.load_whole(other)).transpose()?;
    let pair = other
        .as_ref()
        .map(|other| Pair::new(&session, other, &Wish::default()))
        .transpose()?;
    let standing = match store.engine(name) {
        Some(_) => Standing::Running,
        None => Standing::of(&session, None),
    };
    let html = page::page(&Page {
        session: &session,
        standing: &standing,
        tables: &tables,
        beside: pair.as_ref(),
        made: now(),
    });
    let path = report.out.clone();
    let path = path.unwrap_or_else(|| PathBuf::from(format!("{name}-report.html")));
    export::page(&html, &path).map_err(Refusal::failed)?;
    Ok(ExitCode::SUCCESS)
}
