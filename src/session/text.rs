//! A session as text: the plan, then the record, then one line of numbers for each array.
//!
//! Everything read is checked: the version, every range of the plan, the checksums of the record and of
//! every array, and that the record belongs to the plan. Without its arrays a session is read quickly,
//! whatever size they claim.

use std::path::Path;

use ron::ser::PrettyConfig;
use serde::{Deserialize, Serialize};

use super::array::{Arrays, FillError, Payload};
use super::error::StoreError;
use super::limits;
use super::memory::{check_free_memory, out_of_memory};
use super::migrate;
use super::notes;
use super::schema::VERSION;
use super::{Config, Record, Session};
use crate::files;

mod wording;

/// The marker before the numbers of the arrays, after the readable part.
pub(super) const ARRAYS: &str = "\n  arrays: [";

type Result<T> = std::result::Result<T, StoreError>;

/// The file as written.
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
    /// Absent in a plan written by hand.
    #[serde(default, deserialize_with = "present")]
    record: Option<Record>,
    /// The plan that the record belongs to, on one line. Absent if nothing has been done.
    #[serde(default)]
    plan: Option<String>,
    /// Covers the version, the record and the plan, as computed by [`checksum`]. Absent in files written
    /// by older programs.
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

/// The version alone, ignoring everything else; 0 if there is none.
#[derive(Deserialize)]
struct VersionOnly {
    #[serde(default)]
    version: u32,
}

/// The text of a session file.
///
/// # Errors
/// RON serialization errors.
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
    // The numbers have their own checksums, in the record.
    let head = ron::ser::to_string_pretty(&file, pretty())?;
    file.checksum = checksum(&head, VERSION);
    file.arrays = arrays;
    ron::ser::to_string_pretty(&file, pretty())
}

/// The CRC-32 of a file's version and of its lines from the record up to the checksum, as written;
/// `None` if there are no such lines. The plan, which a person may edit, comes before them.
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

/// Reads a session from its text. `path` is used in messages.
pub fn from_text(text: &str, path: &Path, name: &str) -> Result<Session> {
    let read = readable(text, path)?;
    let damaged = |problem: String| damaged(path, problem);
    let (mut record, config) = (read.record, read.config);
    if read.is_recorded {
        // The file's numbers are not those of new analyses, which have none yet.
        let new = read
            .is_replanned
            .then(|| std::mem::take(&mut record.analyses));
        check_size(&record, read.version, path)?;
        fill(&mut record, &read.arrays, read.version)
            .map_err(|(array, error)| unfilled(path, &array, &error))?;
        if let Some(new) = new {
            record.analyses = new;
        }
        let problem = match read.version {
            1 => migrate::migrate_v1(&mut record, &config).err(),
            _ => None,
        };
        // Checked again, now that the numbers are available.
        if let Some(problem) = problem.or_else(|| record_mismatch(&record, &config)) {
            return Err(damaged(problem));
        }
        record.share_axes();
    }
    Ok(Session {
        name: name.to_owned(),
        config,
        record,
        run: None,
    })
}

/// The same from the text before the arrays, which stay empty: enough to show what the session is and
/// its progress.
pub(super) fn head_from_text(text: &str, path: &Path, name: &str) -> Result<Session> {
    let read = readable(&format!("{text}{ARRAYS}],\n)"), path)?;
    Ok(Session {
        name: name.to_owned(),
        config: read.config,
        record: read.record,
        run: None,
    })
}

/// The readable part of a file, checked.
struct Readable {
    version: u32,
    config: Config,
    record: Record,
    /// Whether the file contains a record.
    is_recorded: bool,
    /// Whether its plan was edited before anything was done, so that the record's analyses are new ones.
    is_replanned: bool,
    arrays: Vec<String>,
}

fn damaged(path: &Path, problem: String) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        problem,
        advice: String::new(),
    }
}

/// Parses a file's text, and checks everything but the numbers of its arrays.
fn readable(text: &str, path: &Path) -> Result<Readable> {
    let damaged = |problem: String| damaged(path, problem);
    let text = files::without_mark(text);
    let file: FileIn = match ron::from_str(text) {
        Ok(file) => file,
        Err(error) => return Err(unreadable(text, path, &error)),
    };
    if file.version > VERSION {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found: file.version,
        });
    }
    if file.checksum.is_some() && file.checksum != checksum(text, file.version) {
        return Err(damaged(
            "its record was changed: the checksum of its lines from `record` on does not match; only `config` may be edited, before anything has been done".into(),
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
            "{place} was edited, so its record does not belong to its plan; a plan cannot be changed once it has been run. Undo the edit, or start a new session"
        )));
    }
    let mut config = file.config;
    if let (Some(record), ..=2) = (&file.record, file.version) {
        migrate::keep_decisions_only(record, &mut config);
    }
    let is_recorded = file.record.is_some();
    let mut record = file.record.unwrap_or_else(|| Record::new(&config));
    let is_replanned = record.is_untouched() && record_mismatch(&record, &config).is_some();
    if is_replanned {
        record.analyses = Record::new(&config).analyses;
    }
    // Arrays of the first version are converted before they are checked.
    if let Some(problem) = record_mismatch(&record, &config).filter(|_| file.version != 1) {
        return Err(damaged(problem));
    }
    Ok(Readable {
        version: file.version,
        config,
        record,
        is_recorded,
        is_replanned,
        arrays: file.arrays,
    })
}

/// The error for a text that is not a session of this version.
fn unreadable(text: &str, path: &Path, error: &ron::error::SpannedError) -> StoreError {
    let version = ron::from_str::<VersionOnly>(text).map(|file| file.version);
    match version {
        Ok(found) if found > VERSION => StoreError::Newer {
            path: path.to_owned(),
            found,
        },
        _ if is_cut(text) => damaged(
            path,
            format!(
                "it is truncated after {} bytes ({})",
                text.len(),
                error.code
            ),
        ),
        _ if text.trim().is_empty() => damaged(path, "it is empty".into()),
        _ if !text.contains("config") && !text.contains("version") => {
            damaged(path, "it is not a session".into())
        }
        _ => syntax(path, error),
    }
}

/// Whether files of this version do not have this array, given by its path in the record.
fn is_unknown(array: &str, version: u32) -> bool {
    match version {
        ..=1 => migrate::is_absent_in_v1(array),
        2 => migrate::is_absent_in_v2(array),
        _ => false,
    }
}

/// Rejects arrays that claim more memory than is available, before allocating any.
fn check_size(record: &Record, version: u32, path: &Path) -> Result<()> {
    let (mut total, mut largest) = (0_u64, 0_u64);
    record.arrays(&mut |array, payload: &dyn Payload| {
        // An unreasonable size is reported when the array is filled in.
        let bytes = payload.byte_count().unwrap_or(0) as u64;
        if !is_unknown(&array, version) {
            total = total.saturating_add(bytes);
            largest = largest.max(bytes);
        }
    });
    // One array is in memory twice while its bytes are decoded.
    check_free_memory(path, "its arrays need", total.saturating_add(largest))
}

/// The error for an array whose numbers cannot be filled in.
fn unfilled(path: &Path, array: &str, error: &FillError) -> StoreError {
    match error {
        FillError::OutOfMemory(bytes) => {
            out_of_memory(path, &format!("array `{array}` needs"), *bytes as u64)
        }
        FillError::Damaged(problem) => damaged(path, format!("array `{array}`: {problem}")),
    }
}

/// Fills in the arrays of a record.
///
/// # Errors
/// The first array for which that fails, and why.
fn fill(
    record: &mut Record,
    lines: &[String],
    version: u32,
) -> std::result::Result<(), (String, FillError)> {
    let mut lines = lines.iter();
    let mut result = Ok(());
    record.arrays_mut(&mut |array, payload: &mut dyn Payload| {
        if result.is_err() || is_unknown(&array, version) {
            return;
        }
        let wrong = |problem: &str| Err(FillError::Damaged(problem.to_owned()));
        let filled = match lines.next() {
            _ if version == 1 && !migrate::is_plausible_size(payload) => {
                wrong("its shape is absurd")
            }
            Some(line) => payload.fill(line),
            None => wrong("its numbers are missing"),
        };
        result = filled.map_err(|error| (array, error));
    });
    result
}

/// A session file ends with a closing parenthesis; without it, it is truncated.
fn is_cut(text: &str) -> bool {
    text.contains("record:") && !text.trim_end().ends_with(')')
}

/// The place in a plan that differs from the plan that the record belongs to.
fn edited(ran: &str, now: &Config) -> Option<String> {
    // A plan that does not parse was not written by this program.
    match ron::from_str::<Config>(ran) {
        Ok(ran) => ran.difference(now),
        Err(_) => Some("plan".into()),
    }
}

/// The first part of a record that no run writes, or that does not belong to its plan, for example because the plan was
/// edited.
pub(crate) fn record_mismatch(record: &Record, config: &Config) -> Option<String> {
    if record.analyses.len() != config.analyses.len() {
        return Some(format!(
            "its record has {} analyses, but its plan has {}",
            record.analyses.len(),
            config.analyses.len()
        ));
    }
    if let Some(problem) = limits::impossible_number(record) {
        return Some(problem);
    }
    let training = record.training.iter();
    if training.clone().any(|training| {
        training
            .best_epoch
            .is_some_and(|best| best > training.epochs.len())
    }) {
        return Some("its best epoch does not exist".into());
    }
    let analyses = record.analyses.iter().zip(&config.analyses);
    for (i, (analysis, plan)) in analyses.enumerate() {
        if !analysis.fits(plan, record.form.as_ref()) {
            return Some(format!(
                "the record of analyses[{i}] does not belong to its plan; a plan cannot be changed once it has been run"
            ));
        }
    }
    notes::unfit(record, config)
}

fn syntax(path: &Path, error: &ron::error::SpannedError) -> StoreError {
    StoreError::Syntax {
        path: path.to_owned(),
        line: error.span.start.line,
        column: error.span.start.col,
        problem: wording::problem(&error.code),
    }
}

/// Reads a configuration, for example a preset: `(seed: …, dataset: …, …)`.
///
/// # Errors
/// With line and column, or the path of the offending value.
pub fn config_from_text(text: &str, path: &Path) -> Result<Config> {
    let config: Config =
        ron::from_str(files::without_mark(text)).map_err(|error| syntax(path, &error))?;
    config.validate().map_err(|source| StoreError::Invalid {
        path: path.to_owned(),
        source,
    })?;
    Ok(config)
}

#[cfg(test)]
mod tests;
