//! `noisescope ls`: the sessions of the folder.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use super::Refusal;
use super::listing::{Entry, Listing};
use super::signals::runtime;
use crate::format;
use crate::link::client;
use crate::session::store::{Store, now};

/// How long an engine may take to say how it is; after that, what its file says.
const PATIENCE: Duration = Duration::from_secs(1);

/// One session, as `--json` gives it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    /// new, running, paused, interrupted, stopped, finished, failed, damaged, unreadable, or newer.
    state: &'a str,
    /// Trials done and planned, over all analyses.
    done: u64,
    total: u64,
    /// RFC 3339, UTC; null where nothing has been written yet.
    updated: Option<String>,
    /// The engine that runs it; null where none does.
    pid: Option<u32>,
}

impl<'a> From<&'a Entry> for Row<'a> {
    fn from(entry: &'a Entry) -> Self {
        let updated = entry.updated.map(jiff::Timestamp::from_second);
        Self {
            name: &entry.name,
            state: entry.state,
            done: entry.done,
            total: entry.total,
            updated: updated.and_then(Result::ok).map(|time| time.to_string()),
            pid: entry.pid,
        }
    }
}

/// Lists them, as a table or as JSON.
pub fn run(store: &Store, json: bool) -> Result<ExitCode, Refusal> {
    let mut entries = Listing::new(store.clone()).entries()?;
    let runtime = runtime()?;
    let running = entries.iter_mut().filter(|entry| entry.pid.is_some());
    // All at once: some may not answer.
    runtime.block_on(join_all(running.map(|entry| async {
        if let Some(session) = client::now(store, &entry.name, PATIENCE).await {
            *entry = entry.clone().of_engine(&session);
        }
    })));
    let text = if json {
        let rows: Vec<Row<'_>> = entries.iter().map(Row::from).collect();
        serde_json::to_string_pretty(&rows).map_err(Refusal::failed)? + "\n"
    } else {
        table(&entries, store)
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn table(entries: &[Entry], store: &Store) -> String {
    if entries.is_empty() {
        return format!(
            "no sessions in {}; `noisescope run quickstart` makes one\n",
            store.folder().display()
        );
    }
    let names = entries.iter().map(|entry| entry.name.chars().count());
    let width = names.max().unwrap_or_default().max(4);
    let mut text = format!(
        "{:width$}  {:<11}  {:>17}  {:>14}  {:>7}  {}\n",
        "NAME", "STATE", "TRIALS", "UPDATED", "PID", "WHAT"
    );
    for entry in entries {
        let trials = format!(
            "{} of {}",
            format::count(entry.done as f64),
            format::count(entry.total as f64)
        );
        let age = entry
            .updated
            .map_or_else(|| "never".into(), |updated| format::age(now() - updated));
        let pid = entry.pid.map_or_else(|| "-".into(), |pid| pid.to_string());
        text += &format!(
            "{:width$}  {:<11}  {trials:>17}  {age:>14}  {pid:>7}  {}\n",
            entry.name, entry.state, entry.headline
        );
        if let Some(problem) = &entry.problem {
            text += &format!("{:width$}  {problem}\n", "");
        }
    }
    text
}
