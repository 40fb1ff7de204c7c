//! `noisescope report`: a session as one page of HTML, for somebody who has no terminal.

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

/// The table of what people left written, which is no measurement.
const NOTES: &str = "notes";

/// Of which session, and where to.
#[derive(Debug, Args)]
pub struct Report {
    /// The session
    name: String,
    /// A chapter with the session beside another one
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
            "{name} is divided, and its shards are not merged: this is the sum of what they have done so far"
        ));
    }
    let tables = export::tables(&session);
    let tables: Vec<Table<'_>> = tables
        .iter()
        .map(|(name, table)| (name.as_str(), table.text()))
        .collect();
    if tables.iter().all(|(name, _)| *name == NOTES) {
        return Err(Refusal::Failed(format!(
            "{name} has measured nothing yet, so there is nothing to report; run it first: noisescope run {name}"
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
