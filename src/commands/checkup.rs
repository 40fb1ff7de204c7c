//! `noisescope doctor NAME`: checks one session's files completely, and says how to recover a damaged one. Those of a divided
//! session include its shards'.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use super::CommandError;
use super::checklist::{CheckStatus, Checklist};
use super::output::print_line;
use crate::files;
use crate::format::{bytes, thousands};
use crate::report::status;
use crate::session::Session;
use crate::session::array::{Arrays, Payload};
use crate::session::store::{Store, StoreError, check_name, read_at, timestamp};

/// Reads the session, its previous generation and its shards in full; exit code 1 if the session or a shard cannot be used.
pub fn run(store: &Store, name: &str) -> Result<ExitCode, CommandError> {
    check_name(name)?;
    if !store.exists(name) {
        // Fails, and lists the existing sessions.
        store.load(name)?;
    }
    let mut report = Checklist::default();
    print_line(format_args!("session {name}"));
    let (path, backup) = (store.path(name), store.backup_path(name));
    let session = examine(&mut report, "file", &path, name, CheckStatus::Broken);
    let previous = examine(&mut report, "previous", &backup, name, CheckStatus::Absent);
    let is_sound = match &session {
        Some(session) => shards(&mut report, store, session)?,
        None => false,
    };
    engine(&mut report, store, name);
    match (session.is_some(), previous.is_some()) {
        (true, _) => {}
        (false, true) => {
            print_line(
                "\nThe previous generation is intact. To resume from it, keeping the damaged file:",
            );
            print_line(format_args!("  {}", store.restore_command(name)));
            print_line(format_args!("  noisescope run {name}"));
        }
        (false, false) => {
            print_line("\nNeither generation can be used. Both files were left unchanged");
        }
    }
    Ok(ExitCode::from(u8::from(!is_sound)))
}

/// Reads a session file in full and reports its contents; returns the session if it can be used. An absent file is
/// reported with the status `missing`.
fn examine(
    report: &mut Checklist,
    what: &str,
    path: &Path,
    name: &str,
    missing: CheckStatus,
) -> Option<Session> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) => {
            let problem = match error.kind() {
                io::ErrorKind::NotFound => "there is none".to_owned(),
                _ => error.to_string(),
            };
            report.add(missing, what, format!("{}: {problem}", path.display()));
            return None;
        }
    };
    if about.is_symlink() {
        let words = format!(
            "{} is a symbolic link: it can be viewed, but runs only from its real location",
            path.display()
        );
        report.add(CheckStatus::Absent, what, words);
    }
    match read_at(path, name) {
        Ok(session) => {
            let words = format!("{}: intact, {}", path.display(), bytes(about.len()));
            report.add(CheckStatus::Pass, what, words);
            contents(report, &session);
            Some(session)
        }
        Err(error) => {
            let words = match error {
                // The error's own advice is for running the file, so it is left out.
                StoreError::Damaged { path, problem, .. } => {
                    format!("{}: damaged: {problem}", path.display())
                }
                other => other.to_string(),
            };
            report.add(CheckStatus::Broken, what, words);
            None
        }
    }
}

fn contents(report: &mut Checklist, session: &Session) {
    let record = &session.record;
    let (done, planned) = session.trials();
    let (mut arrays, mut numbers) = (0_u64, 0_u64);
    record.arrays(&mut |_, payload: &dyn Payload| {
        arrays += 1;
        numbers += payload.byte_count().unwrap_or(0) as u64;
    });
    let words = format!(
        "{}, {} of {} trials, saved {}, {arrays} arrays of {}, checksums match",
        status::status_label(session),
        thousands(done),
        thousands(planned),
        match record.updated {
            0 => "never".to_owned(),
            at => timestamp(at),
        },
        bytes(numbers)
    );
    report.add(CheckStatus::Pass, "", words);
    if let Some(inputs) = record.inputs.last() {
        let mut words = format!(
            "computed from {} training and {} test images{}",
            thousands(inputs.train.images),
            thousands(inputs.test.images),
            if inputs.weights.is_some() {
                ", and weights from a file"
            } else {
                ""
            }
        );
        if record.inputs.len() > 1 {
            words += "; they were changed in between, with --accept-inputs";
        }
        report.add(CheckStatus::Pass, "", words);
    }
    if let Some(last) = record.starts.last() {
        let words = format!(
            "{}, the latest on {} by noisescope {}",
            match record.starts.len() {
                1 => "1 start".to_owned(),
                count => format!("{count} starts"),
            },
            timestamp(last.at),
            last.program
        );
        report.add(CheckStatus::Pass, "", words);
    }
}

/// Reads the files of a divided session's shards in full; returns whether all of them can be added to it.
fn shards(report: &mut Checklist, store: &Store, session: &Session) -> Result<bool, StoreError> {
    let Some(sharding) = &session.record.sharding else {
        return Ok(true);
    };
    let mut sum = session.clone();
    let (mut files, mut intact) = (0, 0);
    for file in store.shards(&session.name, sharding.count)? {
        let added = match store.load(&file.name) {
            // It was just merged or discarded.
            Err(StoreError::Missing { .. }) => continue,
            Ok(shard) if session.has_merged(&shard) => Ok(()),
            Ok(shard) => sum
                .absorb(&shard)
                .map_err(|error| store.foreign(&file.path, &error)),
            Err(error) => Err(error),
        };
        files += 1;
        match added {
            Ok(()) => intact += 1,
            Err(error) => report.add(CheckStatus::Broken, "shard", error),
        }
    }
    let status = match files {
        0 => CheckStatus::Absent,
        _ => CheckStatus::Pass,
    };
    let words = format!(
        "{files} of {} have files, of which {intact} can be added",
        sharding.count
    );
    report.add(status, "shards", words);
    Ok(intact == files)
}

/// Reports which engine runs the session, and any lock left behind by a killed engine.
fn engine(report: &mut Checklist, store: &Store, name: &str) {
    let lock = store.folder().join(format!("{name}.lock"));
    match store.engine(name) {
        Some(engine) => {
            let reached = match &engine.socket {
                Some(socket) if socket.exists() => format!("listening at {}", socket.display()),
                Some(socket) => format!("its socket {} is gone", socket.display()),
                None => "without a socket".to_owned(),
            };
            let words = format!("{} runs it, {reached}", engine.words());
            report.add(CheckStatus::Pass, "engine", words);
        }
        None if lock.exists() => {
            let words = format!(
                "none; {} was left by a killed engine and blocks nothing",
                files::quoted(&lock)
            );
            report.add(CheckStatus::Absent, "engine", words);
        }
        None => report.add(CheckStatus::Absent, "engine", "none"),
    }
}
