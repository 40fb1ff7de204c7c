//! The right to run a session and to write its file: one engine has it, and verifies it before every
//! checkpoint.
//!
//! A checkpoint writes its own temporary file, syncs it, keeps the existing file as `NAME.ron.bak`,
//! renames the new one and syncs the folder: `NAME.ron` survives a power failure at any point. If the
//! lock, the folder or the session's file has been replaced, nothing is written any more.

mod heartbeat;
mod saving;

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, Stat};

use super::claim::{Claim, claim, is_in_place};
use super::fingerprint::FileFingerprint;
use super::folder::Folder;
use super::owner::Owner;
use super::{Store, StoreError, check_name};
use crate::files;
use crate::session::Session;
use crate::session::error::io_error;

pub use self::heartbeat::Heartbeat;

type Result<T> = std::result::Result<T, StoreError>;

/// The right to run a session; released when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Lock {
    store: Store,
    folder: Folder,
    name: String,
    file: File,
    owner: Owner,
    held: Held,
    missing_guarantees: Vec<String>,
}

/// The engine's knowledge of the session's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Not examined yet.
    Unknown,
    /// It did not exist.
    Nothing,
    /// A file with this fingerprint.
    File(FileFingerprint),
}

impl Lock {
    /// Takes the lock of a session.
    pub(super) fn take(store: &Store, name: &str) -> Result<Self> {
        check_name(name)?;
        let folder = Folder::open(store.folder())?;
        let Claim {
            file,
            owner,
            is_locked,
        } = claim(&folder, name, &format!("{name}.lock"))?;
        let mut weaker = Vec::new();
        if !is_locked {
            weaker.push(format!(
                "{} has no file locks: only the content of {name}.lock keeps a second engine out, and checking one on another machine takes a few seconds",
                store.folder().display()
            ));
        }
        let lock = Self {
            store: store.clone(),
            folder,
            name: name.to_owned(),
            file,
            owner,
            held: Held::Unknown,
            missing_guarantees: weaker,
        };
        lock.sweep();
        Ok(lock)
    }

    /// The session's file.
    pub fn path(&self) -> PathBuf {
        self.store.path(&self.name)
    }

    /// Guarantees that this file system does not give, in sentences.
    pub fn missing_guarantees(&self) -> &[String] {
        &self.missing_guarantees
    }

    /// Reads the session, whose file must be unchanged when it is saved.
    ///
    /// # Errors
    /// As [`Store::load`], and if its file is a link or not a regular file.
    pub fn load(&mut self) -> Result<Session> {
        self.standing()?;
        let (session, kept) = self.store.read(&self.name)?;
        self.held = Held::File(kept);
        Ok(session)
    }

    /// Whether the session's file, or its previous generation, exists.
    ///
    /// # Errors
    /// I/O errors.
    pub fn session_exists(&mut self) -> Result<bool> {
        let file = self.standing()?;
        if file.is_none() {
            self.held = Held::Nothing;
        }
        Ok(file.is_some() || self.store.backup_path(&self.name).exists())
    }

    /// Verifies that this is still the only engine of the session.
    ///
    /// # Errors
    /// [`StoreError::LockLost`] if it is not, or an I/O error if that cannot be determined.
    pub fn check(&mut self) -> Result<()> {
        self.check_lock()?;
        let standing = self.standing()?;
        match (self.held, standing) {
            (Held::Unknown, _) | (Held::Nothing, None) => Ok(()),
            (Held::Nothing, Some(_)) => self.ousted("another process created its file"),
            (Held::File(_), None) => self.ousted("its file was removed"),
            (Held::File(kept), Some(about)) if kept.matches_metadata(&about) => Ok(()),
            // Touched or restored: the file is unchanged.
            (Held::File(kept), Some(_)) => match self.reread(kept)? {
                Some(unchanged) => {
                    self.held = Held::File(unchanged);
                    Ok(())
                }
                None => self.ousted("its file was replaced or changed"),
            },
        }
    }

    fn ousted<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(StoreError::LockLost {
            name: self.name.clone(),
            path: self.path(),
            what: what.into(),
        })
    }

    /// Verifies that the folder and the lock are still the original ones.
    fn check_lock(&self) -> Result<()> {
        let (name, path) = (self.lock_name(), self.store.folder());
        let failed = || io_error(&self.folder.path_of(&name), "check the lock");
        if !self.folder.is_in_place().map_err(failed())? {
            return self.ousted(format!(
                "its folder {} was moved, removed or replaced",
                path.display()
            ));
        }
        if !is_in_place(&self.folder, &name, &self.file).map_err(failed())? {
            let now = self.folder.open_file(&name, OFlags::RDONLY);
            let now = now.and_then(|file| Owner::read(&file)).ok().flatten();
            return match (now, self.folder.about(&name).map_err(failed())?) {
                (Some(now), _) => self.ousted(format!("its lock is now that of {}", now.words())),
                (None, Some(_)) => self.ousted("its lock was replaced"),
                (None, None) => self.ousted("its lock was removed"),
            };
        }
        match Owner::read(&self.file).map_err(failed())? {
            Some(now) if now.is_same(&self.owner) => Ok(()),
            Some(now) => self.ousted(format!("{} has taken it over", now.words())),
            None => self.ousted("its lock was overwritten"),
        }
    }

    fn lock_name(&self) -> String {
        format!("{}.lock", self.name)
    }

    fn file_name(&self) -> String {
        format!("{}.ron", self.name)
    }

    /// Metadata of the session's file, if it exists. A link, or anything but a regular file, is
    /// rejected: replacing it would remove what somebody else put there.
    fn standing(&self) -> Result<Option<Stat>> {
        let path = self.path();
        let about = self.folder.about(&self.file_name());
        let about = about.map_err(io_error(&path, "check the session"))?;
        let kind = match std::fs::symlink_metadata(&path) {
            Ok(metadata) if about.is_some() => files::kind(&metadata),
            _ => None,
        };
        match kind {
            None => Ok(about),
            Some(kind) => Err(StoreError::NotAFile {
                remedy: match std::fs::canonicalize(&path) {
                    Ok(target) if kind.contains("link") => format!(
                        "Run the session in the folder of its file: noisescope --sessions {} run {}",
                        files::quoted(target.parent().unwrap_or(Path::new("/"))),
                        files::quoted(target.file_stem().unwrap_or_default()),
                    ),
                    _ => "Remove it, or choose another name".into(),
                },
                path,
                kind,
            }),
        }
    }

    /// The file's new fingerprint if its content is unchanged.
    fn reread(&self, kept: FileFingerprint) -> Result<Option<FileFingerprint>> {
        let failed = || io_error(&self.path(), "read the file");
        let opened = self.folder.open_file(&self.file_name(), OFlags::RDONLY);
        kept.refresh(&opened.map_err(failed())?).map_err(failed())
    }

    /// A handle that shows viewers, and engines on other machines, that this engine is alive.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn heartbeat(&self) -> Result<Heartbeat> {
        let path = self.folder.path_of(&self.lock_name());
        let file = self.file.try_clone();
        Ok(Heartbeat {
            file: file.map_err(io_error(&path, "write the lock"))?,
            path,
            owner: self.owner.clone(),
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held: whoever opened it before finds that its name is gone. A lock that
        // belongs to somebody else by now stays.
        if self.check_lock().is_ok() {
            let _ = self.folder.remove(&self.lock_name());
        }
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests;
