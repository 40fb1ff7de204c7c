//! `noisescope ls`: lists the sessions of the folder.

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::CommandError;
use super::listing::{SessionEntry, SessionList};
use super::output::{ReadingLine, print_text};
use crate::format;
use crate::report::SessionStatus;
use crate::report::session_status::{SILENCE, silence_text};
use crate::session::store::{Store, now};

/// How long an engine may take to send its state; one that takes longer counts as hung.
const PATIENCE: Duration = Duration::from_secs(SILENCE as u64);

/// One session, as printed by `--json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    /// new, running, paused, hung, interrupted, stopped, finished, failed, damaged, unreadable, or
    /// newer.
    state: &'a str,
    /// RFC 3339, UTC: since when a hung engine has been silent; else null.
    silent_since: Option<String>,
    /// Trials done and planned, over all analyses.
    done: u64,
    total: u64,
    /// RFC 3339, UTC; null if nothing has been written yet.
    updated: Option<String>,
    /// Process id of its engine; null if none runs.
    pid: Option<u32>,
    /// What is wrong with it, and what to do: why it failed, its file cannot be read or its engine cannot save it;
    /// null if nothing is.
    problem: Option<String>,
}

impl<'a> From<&'a SessionEntry> for Row<'a> {
    fn from(entry: &'a SessionEntry) -> Self {
        let time = |at: i64| {
            jiff::Timestamp::from_second(at)
                .ok()
                .map(|time| time.to_string())
        };
        let silent = match entry.standing {
            SessionStatus::Hung(since) => Some(since),
            _ => None,
        };
        Self {
            name: &entry.name,
            state: entry.standing.label(),
            silent_since: silent.and_then(time),
            done: entry.done,
            total: entry.total,
            updated: entry.updated.and_then(time),
            pid: entry.pid,
            problem: problem(entry, now()),
        }
    }
}

/// Lists them, as a table or as JSON.
pub fn run(store: &Store, json: bool) -> Result<ExitCode, CommandError> {
    let names = store.names()?;
    let reading = ReadingLine::show("the sessions", names.iter().map(|name| store.path(name)));
    let entries = SessionList::new(store.clone()).entries(PATIENCE)?;
    drop(reading);
    let text = if json {
        let rows: Vec<Row<'_>> = entries.iter().map(Row::from).collect();
        serde_json::to_string_pretty(&rows).map_err(CommandError::failed)? + "\n"
    } else {
        table(&entries, store)
    };
    print_text(text);
    Ok(ExitCode::SUCCESS)
}

fn table(entries: &[SessionEntry], store: &Store) -> String {
    if entries.is_empty() {
        return format!(
            "no sessions in {}; create one: noisescope run quickstart\n",
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
        let trials = trials(entry.done, entry.total);
        let age = entry
            .updated
            .map_or_else(|| "never".into(), |updated| format::age(now() - updated));
        let pid = entry.pid.map_or_else(|| "-".into(), |pid| pid.to_string());
        text += &format!(
            "{:width$}  {:<11}  {trials:>17}  {age:>14}  {pid:>7}  {}\n",
            entry.name,
            entry.standing.label(),
            entry.headline
        );
        // A remedy may be several lines, which stay in the column.
        for line in problem(entry, now()).unwrap_or_default().lines() {
            text += &format!("{:width$}  {line}\n", "");
        }
    }
    text
}

/// What is wrong with a session, and what to do.
fn problem(entry: &SessionEntry, now: i64) -> Option<String> {
    match &entry.standing {
        SessionStatus::Hung(since) => Some(silence_text(*since, now)),
        SessionStatus::Running | SessionStatus::Paused => entry.problem.clone(),
        standing => standing.problem().map(str::to_owned),
    }
}

/// The trials done and planned; a dash if the plan has none, as that of an audit alone.
fn trials(done: u64, planned: u64) -> String {
    match planned {
        0 => "-".to_owned(),
        planned => format!(
            "{} of {}",
            format::count(done as f64),
            format::count(planned as f64)
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_that_cannot_be_saved_says_so_while_it_runs_and_a_hung_one_that_it_is_silent() {
        let entry = |standing| SessionEntry {
            problem: Some("no checkpoint: the disk is full".into()),
            ..SessionEntry::unread("mine", standing)
        };
        for (standing, expected) in [
            (
                SessionStatus::Running,
                Some("no checkpoint: the disk is full"),
            ),
            (
                SessionStatus::Paused,
                Some("no checkpoint: the disk is full"),
            ),
            (SessionStatus::Hung(100), Some("engine silent for 9 s")),
            (SessionStatus::Failed("no images".into()), Some("no images")),
            (SessionStatus::Stopped, None),
        ] {
            let told = problem(&entry(standing.clone()), 109);
            assert_eq!(told.as_deref(), expected, "{standing:?}");
        }
    }

    #[test]
    fn every_line_of_a_problem_is_below_its_session_and_all_of_it_is_in_json() {
        let problem = "no file.\nGive another:\n    noisescope run NAME";
        let entry = SessionEntry::unread("mine", SessionStatus::Failed(problem.into()));
        let row = serde_json::to_value(Row::from(&entry)).unwrap();
        assert_eq!(row["problem"], json!(problem));
        let text = table(&[entry], &Store::new("sessions"));
        let below: Vec<&str> = text.lines().skip(2).collect();
        let expected = ["no file.", "Give another:", "    noisescope run NAME"];
        assert_eq!(below, expected.map(|line| format!("      {line}")));
    }

    #[test]
    fn a_plan_without_trials_has_no_count_of_them() {
        assert_eq!(trials(0, 0), "-");
        assert_eq!(trials(0, 500), "0 of 500");
    }
}
