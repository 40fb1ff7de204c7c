//! The folder of sessions: reading, atomic replacing with the previous generation kept, the lock.
//!
//! A checkpoint writes `NAME.ron.tmp`, syncs it, keeps the file that stands as `NAME.ron.bak`,
//! renames and syncs the folder: whenever the power fails, `NAME.ron` is whole. `NAME.lock` is
//! held by the engine that runs the session.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Session;
pub use super::error::StoreError;
use super::error::io_error;
pub use super::schema::VERSION;
pub use super::text::{config_from_text, from_text, to_text};

/// How long a lock is waited for: longer than anybody looks at it, shorter than a person notices.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

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

/// Checks that `name` can be a file's name and nothing more.
///
/// # Errors
/// [`StoreError::Name`].
pub fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = !name.is_empty()
        && name.len() <= 100
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

    /// Where the sessions are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a session.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.ron"))
    }

    fn beside(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{name}{ending}"))
    }

    /// The file's previous generation.
    pub fn backup_path(&self, name: &str) -> PathBuf {
        self.beside(name, ".ron.bak")
    }

    /// The log of the engines that ran a session.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.beside(name, ".log")
    }

    /// Names of the sessions in the folder, sorted.
    ///
    /// # Errors
    /// Where the folder exists and cannot be read.
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
        Ok(names)
    }

    /// Whether a session of this name exists (its file or at least the previous generation).
    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists() || self.backup_path(name).exists()
    }

    /// Reads a session.
    ///
    /// # Errors
    /// Every [`StoreError`] of reading. Where the file is damaged and the previous generation is
    /// whole, the message offers it; nothing is overwritten.
    pub fn load(&self, name: &str) -> Result<Session> {
        check_name(name)?;
        let path = self.path(name);
        if !path.exists() && !self.backup_path(name).exists() {
            return Err(self.missing(name));
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
            // A file that was cut or overwritten may be no session at all any more; a plan that a
            // person mistyped has no previous generation.
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

    fn missing(&self, name: &str) -> StoreError {
        let names = self.names().unwrap_or_default();
        let hint = if names.is_empty() {
            format!("It holds no session; `noisescope run {name}` makes one.")
        } else {
            format!("It holds: {}.", names.join(", "))
        };
        StoreError::Missing {
            name: name.to_owned(),
            folder: self.folder.clone(),
            hint,
        }
    }

    fn advice(&self, name: &str) -> String {
        let (file, backup) = (self.path(name), self.backup_path(name));
        match read_session(&backup, name) {
            Ok(session) => format!(
                "The previous generation is whole, from {} and with {} trials. To go on from it: mv {} {}.damaged; cp {} {}",
                timestamp(session.record.updated),
                session
                    .record
                    .classification_images()
                    .map_or(0, super::record::ClassificationImages::trials),
                file.display(),
                file.display(),
                backup.display(),
                file.display()
            ),
            Err(StoreError::Io { .. }) => {
                "There is no previous generation. The file was left as it is.".into()
            }
            Err(error) => format!(
                "The previous generation is no better ({error}). Both files were left as they are."
            ),
        }
    }

    /// Replaces the session's file: temporary file, sync, the old one kept as `.bak`, rename, sync
    /// of the folder. Returns the bytes written.
    ///
    /// # Errors
    /// [`StoreError::Io`] with the path; the file that stood there is then still whole.
    pub fn save(&self, session: &Session) -> Result<u64> {
        let text = to_text(session).map_err(|error| StoreError::Io {
            path: self.path(&session.name),
            action: "write the session as text",
            source: io::Error::other(error),
        })?;
        fs::create_dir_all(&self.folder).map_err(io_error(&self.folder, "create the folder"))?;
        let (path, temporary) = (
            self.path(&session.name),
            self.beside(&session.name, ".ron.tmp"),
        );
        let written = write_synced(&temporary, text.as_bytes());
        if written.is_err() {
            // A half file on a full disk helps nobody.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        if path.exists() {
            self.keep(&session.name)?;
        }
        fs::rename(&temporary, &path).map_err(io_error(&path, "replace the session"))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(io_error(&self.folder, "sync the folder"))?;
        Ok(text.len() as u64)
    }

    /// Keeps the file that stands as the previous generation, never leaving a moment without it.
    fn keep(&self, name: &str) -> Result<()> {
        let (path, backup) = (self.path(name), self.backup_path(name));
        let link = self.beside(name, ".ron.bak.tmp");
        let _ = fs::remove_file(&link);
        fs::hard_link(&path, &link)
            // Some file systems have no hard links: copy.
            .or_else(|_| fs::copy(&path, &link).map(drop))
            .map_err(io_error(&link, "keep the previous generation"))?;
        fs::rename(&link, &backup).map_err(io_error(&backup, "keep the previous generation"))
    }

    /// Takes the lock of a session for as long as the result lives.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where an engine runs it.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        check_name(name)?;
        fs::create_dir_all(&self.folder).map_err(io_error(&self.folder, "create the folder"))?;
        let path = self.beside(name, ".lock");
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(io_error(&path, "open the lock"))?;
            match file.try_lock() {
                Ok(()) => {}
                // Somebody who only looks holds it for a moment.
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        name: name.to_owned(),
                        pid: self.engine(name).map(|engine| engine.pid),
                    });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(io_error(&path, "lock the session")(error));
                }
            }
            // The one who had it before may have removed the file that was opened here: a lock on
            // a file without a name keeps nobody out.
            let inode = |file: io::Result<fs::Metadata>| file.map(|file| file.ino()).ok();
            if inode(fs::metadata(&path)) != inode(file.metadata()) {
                continue;
            }
            let told = file
                .set_len(0)
                .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
            told.map_err(io_error(&path, "write the lock"))?;
            return Ok(Lock { file, path });
        }
    }

    /// What the previous generation of a session holds; `None` where there is none.
    ///
    /// # Errors
    /// Every [`StoreError`] of reading.
    pub fn previous(&self, name: &str) -> Result<Option<Session>> {
        check_name(name)?;
        let path = self.backup_path(name);
        match path.exists() {
            true => read_session(&path, name).map(Some),
            false => Ok(None),
        }
    }

    /// The engine that runs a session now, if one does.
    pub fn engine(&self, name: &str) -> Option<EngineOf> {
        let path = self.beside(name, ".lock");
        let mut file = OpenOptions::new().read(true).open(path).ok()?;
        if file.try_lock_shared().is_ok() {
            return None;
        }
        let mut told = String::new();
        file.read_to_string(&mut told).ok()?;
        let mut lines = told.lines();
        Some(EngineOf {
            pid: lines.next()?.parse().ok()?,
            socket: lines.next().map(PathBuf::from),
        })
    }
}

/// The engine that runs a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOf {
    /// Its process.
    pub pid: u32,
    /// Where viewers reach it; `None` until it listens, or where it can make no socket.
    pub socket: Option<PathBuf>,
}

/// The right to run a session; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Tells viewers where the engine is reached.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn tell_socket(&mut self, socket: &Path) -> Result<()> {
        let told = self
            .file
            .write_all(format!("\n{}", socket.display()).as_bytes());
        told.map_err(io_error(&self.path, "write the lock"))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held: whoever opened it before finds that its name is gone.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path).map_err(io_error(path, "create the file"))?;
    file.write_all(bytes)
        .map_err(io_error(path, "write the file"))?;
    file.sync_all().map_err(io_error(path, "sync the file"))
}

fn read_session(path: &Path, name: &str) -> Result<Session> {
    let bytes = fs::read(path).map_err(io_error(path, "read the file"))?;
    let text = String::from_utf8(bytes).map_err(|error| StoreError::Damaged {
        path: path.to_owned(),
        problem: format!("byte {} is no text", error.utf8_error().valid_up_to()),
        advice: String::new(),
    })?;
    from_text(&text, path, name)
}

/// A point in time as a person here writes it, to the second.
pub fn timestamp(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(
        |_| format!("{unix_s}"),
        |time| {
            let zoned = time.to_zoned(jiff::tz::TimeZone::system());
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}
