//! `noisescope ls`: the sessions of the folder.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::Refusal;
use crate::report::{format, status};
use crate::session::State;
use crate::session::store::{Store, now};

/// One session, as `--json` gives it.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// new, running, interrupted, stopped, finished, failed, or damaged.
    state: &'static str,
    /// Trials done and planned, over all analyses.
    done: u64,
    total: u64,
    /// RFC 3339, UTC; null where nothing has been written yet.
    updated: Option<String>,
    /// The engine that runs it; null where none does.
    pid: Option<u32>,
    #[serde(skip)]
    age_s: Option<i64>,
    #[serde(skip)]
    problem: Option<String>,
}

/// Lists them, as a table or as JSON.
pub fn run(store: &Store, json: bool) -> Result<ExitCode, Refusal> {
    let rows: Vec<Row> = store
        .names()?
        .into_iter()
        .map(|name| row(store, name))
        .collect();
    let text = if json {
        serde_json::to_string_pretty(&rows).map_err(Refusal::failed)? + "\n"
    } else {
        table(&rows, store)
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn row(store: &Store, name: String) -> Row {
    let pid = store.engine(&name).map(|engine| engine.pid);
    let session = match store.load(&name) {
        Ok(session) => session,
        Err(error) => {
            return Row {
                name,
                state: "damaged",
                done: 0,
                total: 0,
                updated: None,
                pid,
                age_s: None,
                problem: Some(error.to_string()),
            };
        }
    };
    let state = match (&session.record.state, pid) {
        (_, Some(_)) => "running",
        (State::Running, None) => "interrupted",
        (state, None) => status::label(state),
    };
    let (done, total) = session.trials();
    let updated = (session.record.updated > 0).then_some(session.record.updated);
    Row {
        name,
        state,
        done,
        total,
        updated: updated.and_then(|s| Some(jiff::Timestamp::from_second(s).ok()?.to_string())),
        pid,
        age_s: updated.map(|updated| (now() - updated).max(0)),
        problem: None,
    }
}

fn table(rows: &[Row], store: &Store) -> String {
    if rows.is_empty() {
        return format!(
            "no sessions in {}; `noisescope run quickstart` makes one\n",
            store.folder().display()
        );
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    let width = width.unwrap_or_default().max(4);
    let mut text = format!(
        "{:width$}  {:<11}  {:>17}  {:>14}  {:>7}\n",
        "NAME", "STATE", "TRIALS", "UPDATED", "PID"
    );
    for row in rows {
        let trials = format!(
            "{} of {}",
            format::count(row.done),
            format::count(row.total)
        );
        let age = row.age_s.map_or_else(
            || "never".into(),
            |age| format!("{} ago", format::duration(age as f64)),
        );
        let pid = row.pid.map_or_else(|| "-".into(), |pid| pid.to_string());
        text += &format!(
            "{:width$}  {:<11}  {trials:>17}  {age:>14}  {pid:>7}\n",
            row.name, row.state
        );
        if let Some(problem) = &row.problem {
            text += &format!("{:width$}  {problem}\n", "");
        }
    }
    text
}
