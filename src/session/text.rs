//! A session as text: the plan, then what has happened, then one line of numbers for each array.
//!
//! What is read is checked whole: its version, every range of the plan, the record against its
//! checksum and every array against its own, and that the record belongs to the plan.

use std::path::Path;

use ron::ser::PrettyConfig;
use serde::{Deserialize, Serialize};

use super::array::{Arrays, Payload};
use super::error::StoreError;
use super::migrate;
use super::schema::VERSION;
use super::{Config, Record, Session};

type Result<T> = std::result::Result<T, StoreError>;

/// The file as it is written.
#[derive(Serialize)]
struct FileOut<'a> {
    version: u32,
    config: &'a Config,
    record: &'a Record,
    plan: Option<String>,
    checksum: Option<String>,
    arrays: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename = "session", deny_unknown_fields)]
struct FileIn {
    version: u32,
    config: Config,
    /// Absent in a plan that a person wrote by hand.
    #[serde(default, deserialize_with = "present")]
    record: Option<Record>,
    /// The plan that the record was made by, on one line. Absent where nothing has been done.
    #[serde(default)]
    plan: Option<String>,
    /// Of the version, the record and the plan, as [`checksum`] counts. Absent where an older program
    /// wrote the file.
    #[serde(default)]
    checksum: Option<String>,
    #[serde(default)]
    arrays: Vec<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Record>, D::Error> {
    Record::deserialize(deserializer).map(Some)
}

/// Only the version, whatever else there is.
#[derive(Deserialize)]
struct VersionOnly {
    #[serde(default = "first_version")]
    version: u32,
}

/// A file without a version is a plan that a person wrote: there is nothing in it to migrate.
fn first_version() -> u32 {
    VERSION
}

/// The text of a session file.
///
/// # Errors
/// What could not be written as RON.
pub fn to_text(session: &Session) -> std::result::Result<String, ron::Error> {
    let mut arrays = Vec::new();
    session
        .record
        .arrays(&mut |_, payload: &dyn Payload| arrays.push(payload.encode()));
    let begun = session.record.has_begun(&session.config);
    let plan = begun.then(|| ron::to_string(&session.config));
    let mut file = FileOut {
        version: VERSION,
        config: &session.config,
        record: &session.record,
        plan: plan.transpose()?,
        checksum: None,
        arrays: Vec::new(),
    };
    // The numbers have checksums of their own, which stand in the record.
    let head = ron::ser::to_string_pretty(&file, pretty())?;
    file.checksum = checksum(&head, VERSION);
    file.arrays = arrays;
    ron::ser::to_string_pretty(&file, pretty())
}

/// The CRC-32 of a file's version and of its lines from the record up to the checksum, as they are
/// written; `None` where there are no such lines. What a person may edit, the plan, stands before them.
fn checksum(text: &str, version: u32) -> Option<String> {
    let begin = text.find("\n  record:")?;
    let length = text[begin..].find("\n  checksum:")?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&version.to_le_bytes());
    sum.update(&text.as_bytes()[begin..begin + length]);
    Some(format!("{:#010x}", sum.finalize()))
}

fn pretty() -> PrettyConfig {
    PrettyConfig::new()
        .indentor("  ")
        .compact_arrays(true)
        .number_suffixes(false)
}

/// Reads a session from its text. `path` is for messages.
pub fn from_text(text: &str, path: &Path, name: &str) -> Result<Session> {
    let damaged = |problem: String| StoreError::Damaged {
        path: path.to_owned(),
        problem,
        advice: String::new(),
    };
    let version = ron::from_str::<VersionOnly>(text).map(|file| file.version);
    if let Ok(found) = version
        && found > VERSION
    {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    let file: FileIn = match ron::from_str(text) {
        Ok(file) => file,
        Err(error) if is_cut(text) => {
            return Err(damaged(format!(
                "it is cut off after {} bytes ({})",
                text.len(),
                error.code
            )));
        }
        Err(_) if text.trim().is_empty() => return Err(damaged("it is empty".into())),
        Err(_) if !text.contains("config") && !text.contains("version") => {
            return Err(damaged("it is something else than a session".into()));
        }
        Err(error) => return Err(syntax(path, &error)),
    };
    if file.checksum.is_some() && file.checksum != checksum(text, file.version) {
        return Err(damaged(
            "what it records is not what was written: the checksum of its lines from `record` on is another; only `config` may be edited, before anything has been done".into(),
        ));
    }
    file.config
        .validate()
        .map_err(|source| StoreError::Invalid {
            path: path.to_owned(),
            source,
        })?;
    if let Some(plan) = &file.plan
        && let Some(place) = edited(plan, &file.config)
    {
        return Err(damaged(format!(
            "{place} was edited, so that what it records does not belong to its plan; a plan cannot be changed once it has been run. Put it back, or start a new session"
        )));
    }
    let mut config = file.config;
    if let (Some(record), ..=2) = (&file.record, file.version) {
        migrate::before_evidence(record, &mut config);
    }
    let recorded = file.record.is_some();
    let mut record = file.record.unwrap_or_else(|| Record::new(&config));
    let first = file.version == 1;
    // The numbers of an older file come into their places before they are checked.
    if let Some(problem) = unfit(&record, &config).filter(|_| !first) {
        return Err(damaged(problem));
    }
    let mut lines = file.arrays.iter();
    let mut problem = None;
    if recorded {
        record.arrays_mut(&mut |array, payload: &mut dyn Payload| {
            let unknown = match file.version {
                ..=1 => migrate::is_new(&array),
                2 => migrate::is_newer(&array),
                _ => false,
            };
            if unknown {
                return;
            }
            let filled = match lines.next() {
                _ if first && !migrate::may_be(payload) => Err("its shape is absurd".into()),
                Some(line) => payload.fill(line),
                None => Err("its numbers are missing".into()),
            };
            if let (Err(error), None) = (filled, &problem) {
                problem = Some(format!("array `{array}`: {error}"));
            }
        });
    }
    if first && problem.is_none() {
        problem = migrate::first_version(&mut record, &config).err();
    }
    // Once more, now that there are numbers to check.
    if let Some(problem) = problem.or_else(|| unfit(&record, &config)) {
        return Err(damaged(problem));
    }
    Ok(Session {
        name: name.to_owned(),
        config,
        record,
        run: None,
    })
}

/// A session file ends with its closing parenthesis; without it, it was cut.
fn is_cut(text: &str) -> bool {
    text.contains("record:") && !text.trim_end().ends_with(')')
}

/// The place in a plan that differs from the one that the record was made by. How often checkpoints
/// are written may change.
fn edited(ran: &str, now: &Config) -> Option<String> {
    // One that does not parse is none of ours.
    let Ok(ran) = ron::from_str::<Config>(ran) else {
        return Some("plan".into());
    };
    let analyses = ran.analyses.iter().zip(&now.analyses);
    let analysis = analyses.enumerate().find(|(_, (ran, now))| ran != now);
    match analysis {
        _ if ran.seed != now.seed => Some("seed".into()),
        _ if ran.dataset != now.dataset => Some("dataset".into()),
        _ if ran.network != now.network => Some("network".into()),
        Some((place, _)) => Some(format!("analyses[{place}]")),
        None if ran.analyses.len() != now.analyses.len() => Some("analyses".into()),
        None => None,
    }
}

/// What in a record does not belong to its plan, for example since the plan was edited.
pub(crate) fn unfit(record: &Record, config: &Config) -> Option<String> {
    if record.analyses.len() != config.analyses.len() {
        return Some(format!(
            "it records {} analyses where its plan has {}",
            record.analyses.len(),
            config.analyses.len()
        ));
    }
    let training = record.training.iter();
    if training
        .clone()
        .any(|it| it.best_epoch.is_some_and(|best| best > it.epochs.len()))
    {
        return Some("its best epoch is none of its epochs".into());
    }
    let analyses = record.analyses.iter().zip(&config.analyses);
    for (i, (own, plan)) in analyses.enumerate() {
        if !own.fits(plan, record.form.as_ref()) {
            return Some(format!(
                "what it records of analyses[{i}] does not belong to its plan; a plan cannot be changed once it has been run"
            ));
        }
    }
    None
}

fn syntax(path: &Path, error: &ron::error::SpannedError) -> StoreError {
    StoreError::Syntax {
        path: path.to_owned(),
        line: error.span.start.line,
        column: error.span.start.col,
        problem: error.code.to_string(),
    }
}

/// Reads a configuration, for example a preset: `(seed: …, dataset: …, …)`.
///
/// # Errors
/// With line and column, or the offending path.
pub fn config_from_text(text: &str, path: &Path) -> Result<Config> {
    let config: Config = ron::from_str(text).map_err(|error| syntax(path, &error))?;
    config.validate().map_err(|source| StoreError::Invalid {
        path: path.to_owned(),
        source,
    })?;
    Ok(config)
}
