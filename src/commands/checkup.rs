//! `noisescope doctor NAME`: one session's files, through and through, and the way back where one is damaged.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::Refusal;
use super::say::say;
use super::verdict::{Report, Verdict};
use crate::files;
use crate::format::{bytes, thousands};
use crate::report::status;
use crate::session::Session;
use crate::session::array::{Arrays, Payload};
use crate::session::store::{Store, StoreError, check_name, read_at, timestamp};

/// Reads the session and its previous generation whole; exit code 1 where the session cannot be used.
pub fn run(store: &Store, name: &str) -> Result<ExitCode, Refusal> {
    check_name(name)?;
    if !store.exists(name) {
        // With the names that there are.
        store.load(name)?;
    }
    let mut report = Report::default();
    say(format_args!("session {name}"));
    let (path, backup) = (store.path(name), store.backup_path(name));
    let is_sound = examine(&mut report, "file", &path, name, Verdict::Broken);
    let has_backup = examine(&mut report, "previous", &backup, name, Verdict::Without);
    engine(&mut report, store, name);
    match (is_sound, has_backup) {
        (true, _) => {}
        (false, true) => {
            say("\nThe previous generation is whole. To go on from it, keeping what is damaged:");
            say(format_args!("  {}", store.way_back(name)));
            say(format_args!("  noisescope run {name}"));
        }
        (false, false) => {
            say("\nNo generation of it can be used. Both files were left as they are.");
        }
    }
    Ok(ExitCode::from(u8::from(!is_sound)))
}

/// Reads a file of the session whole, and says what is in it; whether it can be used. Where it is not there, that
/// is `missing`.
fn examine(report: &mut Report, what: &str, path: &Path, name: &str, missing: Verdict) -> bool {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) => {
            report.line(missing, what, format!("{}: {error}", path.display()));
            return false;
        }
    };
    if about.is_symlink() {
        let words = format!(
            "{} is a symbolic link: it can be looked at, and is run where its file lies",
            path.display()
        );
        report.line(Verdict::Without, what, words);
    }
    match read_at(path, name) {
        Ok(session) => {
            let words = format!("{}: whole, {}", path.display(), bytes(about.len()));
            report.line(Verdict::Works, what, words);
            contents(report, &session);
            true
        }
        Err(error) => {
            let words = match error {
                // Its own words of advice are for a file that is to be run.
                StoreError::Damaged { path, problem, .. } => {
                    format!("{}: damaged: {problem}", path.display())
                }
                other => other.to_string(),
            };
            report.line(Verdict::Broken, what, words);
            false
        }
    }
}

fn contents(report: &mut Report, session: &Session) {
    let record = &session.record;
    let (done, planned) = session.trials();
    let (mut arrays, mut numbers) = (0_u64, 0_u64);
    record.arrays(&mut |_, payload: &dyn Payload| {
        arrays += 1;
        numbers += payload.byte_count().unwrap_or(0) as u64;
    });
    let words = format!(
        "{}, {} of {} trials, saved {}, {arrays} arrays of {} with their checksums",
        status::word(session),
        thousands(done),
        thousands(planned),
        match record.updated {
            0 => "never".to_owned(),
            at => timestamp(at),
        },
        bytes(numbers)
    );
    report.line(Verdict::Works, "", words);
    if let Some(inputs) = record.inputs.last() {
        let mut words = format!(
            "made from {} training and {} test images{}",
            thousands(inputs.train.images),
            thousands(inputs.test.images),
            if inputs.weights.is_some() {
                ", and weights of a file"
            } else {
                ""
            }
        );
        if record.inputs.len() > 1 {
            words += "; they were changed on the way, as a person asked for";
        }
        report.line(Verdict::Works, "", words);
    }
    if let Some(last) = record.starts.last() {
        let words = format!(
            "{} starts, the last on {} by noisescope {}",
            record.starts.len(),
            timestamp(last.at),
            last.program
        );
        report.line(Verdict::Works, "", words);
    }
}

/// Who runs it, and what a killed engine left behind.
fn engine(report: &mut Report, store: &Store, name: &str) {
    let lock = store.folder().join(format!("{name}.lock"));
    match store.engine(name) {
        Some(engine) => {
            let reached = match &engine.socket {
                Some(socket) if socket.exists() => format!("reached at {}", socket.display()),
                Some(socket) => format!("its socket {} is gone", socket.display()),
                None => "without a socket".to_owned(),
            };
            let words = format!("{} runs it, {reached}", engine.words());
            report.line(Verdict::Works, "engine", words);
        }
        None if lock.exists() => {
            let words = format!(
                "none; {} was left by one that was killed, and keeps nobody out",
                files::quoted(&lock)
            );
            report.line(Verdict::Without, "engine", words);
        }
        None => report.line(Verdict::Without, "engine", "none"),
    }
}
