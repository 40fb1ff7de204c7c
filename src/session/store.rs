//! The sessions folder: reading, atomic replacement that keeps the previous generation, and the lock.
//!
//! This module lists and reads sessions and finds out who runs them. The right to run one and to write
//! its file is a [`Lock`].

mod claim;
mod fingerprint;
mod folder;
mod life_sign;
mod lock;
mod lock_table;
mod notes;
mod owner;
mod reading;
mod shards;
#[cfg(all(test, target_os = "linux"))]
pub(super) mod watched;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::fingerprint::FileFingerprint;
pub(super) use self::folder::synced;
pub use self::life_sign::LifeSign;
pub use self::lock::{Heartbeat, Lock};
pub use self::notes::StoreNoteError;
pub use self::owner::BEAT;
use self::owner::{Owner, OwnerState};
use self::reading::{read_head, read_session};
pub use self::shards::{ShardFile, parse_shard_name, session_of_shard, shard_name};
use super::Session;
pub use super::error::StoreError;
use super::error::io_error;
pub use super::schema::VERSION;
pub use super::text::{config_from_text, from_text, to_text};
use crate::files::{self, quoted};
use crate::typing::suggestion;

type Result<T> = std::result::Result<T, StoreError>;

/// Seconds since the Unix epoch.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// A folder of sessions.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// Checks that `name` is a plain file name; the number of a shard does not count towards its length.
///
/// # Errors
/// [`StoreError::Name`].
pub fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = !name.is_empty()
        && session_of_shard(name).len() <= 100
        && name.chars().all(allowed)
        && !name.starts_with(['.', '-'])
        && !name.ends_with(".ron");
    if fits {
        Ok(())
    } else {
        Err(StoreError::Name(name.to_owned()))
    }
}

impl Store {
    /// The sessions in `folder`, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder of the sessions.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a session.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.ron"))
    }

    fn sibling_path(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{name}{ending}"))
    }

    /// The previous generation of the session's file.
    pub fn backup_path(&self, name: &str) -> PathBuf {
        self.sibling_path(name, ".ron.bak")
    }

    /// The log of the engines that ran a session.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.sibling_path(name, ".log")
    }

    /// Names of the sessions in the folder, sorted.
    ///
    /// # Errors
    /// If the folder exists but cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&self.folder, "read the sessions folder")(error)),
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|file| file.strip_suffix(".ron").map(str::to_owned))
            .filter(|name| check_name(name).is_ok() && self.path(name).is_file())
            .collect();
        names.sort();
        // Shards are listed with their session.
        let is_shard = |name: &String| {
            shards::parse_shard_name(name).is_some_and(|(whole, ..)| {
                names
                    .binary_search_by(|other| other.as_str().cmp(whole))
                    .is_ok()
            })
        };
        Ok(names
            .iter()
            .filter(|name| !is_shard(name))
            .cloned()
            .collect())
    }

    /// Whether a session of this name exists (its file or at least its previous generation).
    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists() || self.backup_path(name).exists()
    }

    /// Reads a session.
    ///
    /// # Errors
    /// Every [`StoreError`] of reading. If the file is damaged and the previous generation is intact,
    /// the message offers it; nothing is overwritten.
    pub fn load(&self, name: &str) -> Result<Session> {
        self.read(name).map(|(session, _)| session)
    }

    /// The same, with the fingerprint of the file that was read.
    fn read(&self, name: &str) -> Result<(Session, FileFingerprint)> {
        check_name(name)?;
        let path = self.path(name);
        if !path.exists() && !self.backup_path(name).exists() {
            return Err(self.missing(name)?);
        }
        match read_session(&path, name) {
            Err(StoreError::Damaged { path, problem, .. }) => Err(StoreError::Damaged {
                advice: self.advice(name),
                path,
                problem,
            }),
            Err(StoreError::Io {
                path,
                action,
                source,
            }) if source.kind() == io::ErrorKind::NotFound => Err(StoreError::Damaged {
                problem: format!("cannot {action}: {source}"),
                advice: self.advice(name),
                path,
            }),
            // A truncated or overwritten file may not parse as a session any more; a plan with a typo
            // has no previous generation.
            Err(StoreError::Syntax {
                path,
                line,
                column,
                problem,
            }) if self.backup_path(name).exists() => Err(StoreError::Damaged {
                advice: self.advice(name),
                problem: format!("line {line}, column {column}: {problem}"),
                path,
            }),
            other => other,
        }
    }

    /// Reads a session without the numbers of its arrays, which stay empty: enough to show what it is
    /// and its progress. Fast, and needs little memory, unless its readable part is so long that the whole
    /// session is read.
    ///
    /// # Errors
    /// As [`Self::load`], except for damaged arrays of a file that is not cut.
    pub fn load_head(&self, name: &str) -> Result<Session> {
        match self.load_short_head(name) {
            Err(StoreError::TooLarge { free: false, .. }) => self.load(name),
            read => read,
        }
    }

    /// The same, but refuses a readable part that is too long: for files of which nothing is known.
    ///
    /// # Errors
    /// As [`Self::load_head`], and [`StoreError::TooLarge`].
    pub fn load_short_head(&self, name: &str) -> Result<Session> {
        check_name(name)?;
        read_head(&self.path(name), name)
    }

    /// The command that restores the previous generation; the damaged file is kept.
    pub fn restore_command(&self, name: &str) -> String {
        let (file, backup) = (self.path(name), self.backup_path(name));
        let mut aside = file.clone().into_os_string();
        aside.push(".damaged");
        let (file, aside, backup) = (quoted(&file), quoted(&aside), quoted(&backup));
        match self.path(name).exists() {
            true => format!("mv {file} {aside}; cp {backup} {file}"),
            false => format!("cp {backup} {file}"),
        }
    }

    fn missing(&self, name: &str) -> Result<StoreError> {
        // A folder that cannot be searched may hold it.
        let looked = self.path(name).try_exists();
        looked.map_err(io_error(&self.folder, "read the sessions folder"))?;
        let names = self.names()?;
        let hint = if names.is_empty() {
            format!("It holds no sessions; to create one: noisescope run {name}")
        } else {
            let near = suggestion(name, names.iter().map(String::as_str));
            format!("It holds: {}{near}", names.join(", "))
        };
        Ok(StoreError::Missing {
            name: name.to_owned(),
            folder: self.folder.clone(),
            hint,
        })
    }

    fn advice(&self, name: &str) -> String {
        let backup = self.backup_path(name);
        match read_session(&backup, name) {
            Ok((session, _)) => {
                let images = session.record.classification_images();
                let trials = images.map_or(0, super::record::ClassificationImages::trials);
                let restore = self.restore_command(name);
                let from = match session.record.updated {
                    updated @ 1.. => format!("{} with {trials} trials", timestamp(updated)),
                    _ => "before the first checkpoint".to_owned(),
                };
                format!("The previous generation, from {from}, is intact. To restore it: {restore}")
            }
            Err(StoreError::Io { .. }) => {
                "There is no previous generation. The file was left unchanged".into()
            }
            Err(error) => format!(
                "The previous generation is no better ({error}). Both files were left unchanged"
            ),
        }
    }

    /// Replaces the session's file, holding its lock meanwhile: [`Lock::save`]. Returns the number of
    /// bytes written.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if an engine runs it, or [`StoreError::Io`] with the path; the existing
    /// file is then still intact.
    pub fn save(&self, session: &Session) -> Result<u64> {
        self.lock(&session.name)?.save(session)
    }

    /// Takes the lock of a session; dropping the result releases it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if an engine runs it.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        Lock::take(self, name)
    }

    /// The previous generation of a session; `None` if there is none.
    ///
    /// # Errors
    /// Every [`StoreError`] of reading.
    pub fn previous(&self, name: &str) -> Result<Option<Session>> {
        check_name(name)?;
        let path = self.backup_path(name);
        match path.exists() {
            true => read_session(&path, name).map(|(session, _)| Some(session)),
            false => Ok(None),
        }
    }

    /// The engine that currently runs a session, if any.
    pub fn engine(&self, name: &str) -> Option<EngineProcess> {
        let path = self.sibling_path(name, ".lock");
        let file = match files::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return EngineProcess::of_another_user(&path);
            }
            Err(_) => return None,
        };
        let owner = Owner::read(&file).ok()??;
        let runs = match owner.standing() {
            OwnerState::Alive => true,
            OwnerState::Copied | OwnerState::Dead => false,
            OwnerState::Unknown => {
                let free = file.try_lock_shared().is_ok();
                let beats = || owner.has_beat() && written_within(&file, HEARD);
                !free || beats()
            }
        };
        runs.then(|| EngineProcess::from(owner))
    }
}

/// An engine on another machine is running if its lock was written this recently; the machines' clocks
/// differ by less.
const HEARD: Duration = Duration::from_secs(30);

fn written_within(file: &fs::File, time: Duration) -> bool {
    let written = file.metadata().and_then(|about| about.modified());
    // The file system's clock may be ahead of this one.
    let distance = |then: SystemTime| then.elapsed().unwrap_or_else(|ahead| ahead.duration());
    written.is_ok_and(|then| distance(then) < time)
}

/// The engine that runs a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineProcess {
    /// Its process.
    pub pid: u32,
    /// Its socket for viewers; `None` until it listens, or if it cannot create one.
    pub socket: Option<PathBuf>,
    /// The machine that it runs on, if it is not this one.
    pub remote_machine: Option<String>,
}

impl From<Owner> for EngineProcess {
    fn from(owner: Owner) -> Self {
        Self {
            remote_machine: owner.remote_machine().map(str::to_owned),
            pid: owner.pid,
            socket: owner.socket,
        }
    }
}

impl EngineProcess {
    /// The engine that holds a lock which only its user may read: the system's lock table gives its
    /// process.
    fn of_another_user(lock: &Path) -> Option<Self> {
        Some(Self {
            pid: lock_table::holder(lock)?,
            socket: None,
            remote_machine: None,
        })
    }

    /// A description: its process, and its machine if that is another one.
    pub fn words(&self) -> String {
        match &self.remote_machine {
            Some(machine) => format!("process {} on {machine}", self.pid),
            None => format!("process {}", self.pid),
        }
    }
}

/// A name beside `base` that nothing else has: it contains the process, the time and a counter.
fn unique(base: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let moment = SystemTime::now().duration_since(UNIX_EPOCH);
    let moment = moment.map_or(0, |elapsed| elapsed.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{base}.{}-{count}-{moment}.tmp", std::process::id())
}

/// Reads a session from any path.
///
/// # Errors
/// As [`Store::load`], without advice about a damaged file.
pub fn read_at(path: &Path, name: &str) -> Result<Session> {
    read_session(path, name).map(|(session, _)| session)
}

/// A point in time in local time, to the second.
pub fn timestamp(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(
        |_| format!("{unix_s}"),
        |time| {
            let zoned = time.to_zoned(jiff::tz::TimeZone::system());
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}

#[cfg(test)]
mod tests;
