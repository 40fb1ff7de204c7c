//! Writing a session's file under its lock: atomically, keeping the previous generation, or under another name
//! once the lock is lost.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{OFlags, Stat};

use super::{Held, Lock, Result};
use crate::session::Session;
use crate::session::error::io_error;
use crate::session::store::StoreError;
use crate::session::store::fingerprint::FileFingerprint;
use crate::session::store::folder::{Synced, synced};
use crate::session::store::unique;
use crate::session::text::to_text;

/// The suffix of a session that could not be saved under its own name.
const RESCUED: &str = "-rescued";
/// Most bytes of a session's name that are kept before it.
const MOST_BYTES: usize = 80;

impl Lock {
    /// Replaces the session's file: temporary file, sync, the old file kept as `.bak`, rename, sync of
    /// the folder. Returns the number of bytes written.
    ///
    /// # Errors
    /// [`StoreError::LockLost`], or [`StoreError::Io`] with the path; the existing file is then still
    /// intact.
    pub fn save(&mut self, session: &Session) -> Result<u64> {
        let text = self.text_of(session)?;
        self.check()?;
        let path = self.path();
        let temporary = unique(&self.file_name());
        let placed = self
            .write(&temporary, text.as_bytes())
            // Writing took time, so check again.
            .and_then(|()| self.check())
            .and_then(|()| self.keep())
            .and_then(|()| {
                let placed = self.folder.rename(&temporary, &self.file_name());
                placed.map_err(io_error(&path, "replace the session"))
            });
        if placed.is_err() {
            // A partial file on a full disk is of no use.
            let _ = self.folder.remove(&temporary);
        }
        placed?;
        let failed = || io_error(&path, "check the session");
        let about = self.folder.about(&self.file_name()).map_err(failed())?;
        let Some(about) = about else {
            return self.ousted("its file was removed");
        };
        self.held = Held::File(FileFingerprint::from_content(&about, text.as_bytes()));
        let synced = self.folder.sync();
        self.note_sync(synced.map_err(io_error(self.store.folder(), "sync the folder"))?);
        // Whoever took the lock just now must not continue from what was overwritten.
        self.check_lock()?;
        Ok(text.len() as u64)
    }

    fn text_of(&self, session: &Session) -> Result<String> {
        let failed = |error| StoreError::Io {
            path: self.path(),
            action: "write the session as text",
            source: error,
        };
        if session.name != self.name {
            let words = format!("this lock does not belong to session {}", session.name);
            return Err(failed(io::Error::other(words)));
        }
        to_text(session).map_err(|error| failed(io::Error::other(error)))
    }

    /// Writes a new file and syncs it, with the permissions of the session's existing file.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        // The same message each time, whatever the temporary name.
        let path = self.path();
        let failed = |action| io_error(&path, action);
        let mode = match self.standing()? {
            Some(about) => permissions(&about),
            None => 0o666 & !umask(),
        };
        let mut file = self
            .folder
            .new_file(name)
            .map_err(failed("create a file beside it"))?;
        file.write_all(bytes).map_err(failed("write the session"))?;
        // Some file systems have no permissions, so there is nothing to preserve.
        let _ = file.set_permissions(Permissions::from_mode(mode));
        let on_disk = synced(file.sync_all()).map_err(failed("sync the session to the disk"))?;
        self.note_sync(on_disk);
        Ok(())
    }

    fn note_sync(&mut self, on_disk: Synced) {
        let words = format!(
            "{} does not report when a file is on the disk: after a power failure the last checkpoint may be missing or truncated, and the previous generation is then offered",
            self.store.folder().display()
        );
        if on_disk == Synced::Unknown && !self.missing_guarantees.contains(&words) {
            self.missing_guarantees.push(words);
        }
    }

    /// Keeps the existing file as the previous generation, with no moment in which it is missing.
    fn keep(&mut self) -> Result<()> {
        if self.standing()?.is_none() {
            return Ok(());
        }
        let (file, backup) = (self.file_name(), format!("{}.ron.bak", self.name));
        let link = unique(&backup);
        let path = self.folder.path_of(&backup);
        let kept = self
            .folder
            .link(&file, &link)
            // Some file systems have no hard links: copy.
            .or_else(|_| self.copy(&file, &link))
            .and_then(|()| self.folder.rename(&link, &backup));
        // After a failure, and where the backup is this file already, since the last one was kept but not replaced: a
        // rename between two names of one file does nothing.
        let _ = self.folder.remove(&link);
        kept.map_err(io_error(&path, "keep the previous generation"))
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        let mut from = self.folder.open_file(from, OFlags::RDONLY)?;
        let mut to = self.folder.new_file(to)?;
        io::copy(&mut from, &mut to)?;
        synced(to.sync_all()).map(drop)
    }

    /// Saves a session under a new name, because this engine no longer owns its name; returns the new
    /// name, or `None` if the file still is the last one saved. If the folder was moved, the file goes
    /// to where it is now.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn rescue(&mut self, session: &Session) -> Result<Option<String>> {
        let in_place = self.folder.is_in_place().unwrap_or(false);
        let about = self.folder.about(&self.file_name()).ok().flatten();
        if let (Held::File(kept), Some(about), true) = (self.held, about, in_place)
            && kept.matches_metadata(&about)
        {
            return Ok(None);
        }
        let text = self.text_of(session)?;
        let rescued = rescued_name(&self.name);
        // Not named after this session: the engine that has it now removes the temporary files of that name.
        let temporary = unique(&format!("{rescued}.ron"));
        let written = self.write_rescued(&temporary, text.as_bytes());
        if written.is_err() {
            let _ = self.folder.remove(&temporary);
        }
        written?;
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        let mut name = String::new();
        for number in 1..1000 {
            let number = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            name = format!("{rescued}{number}");
            result = self
                .folder
                .rename_to_new(&temporary, &format!("{name}.ron"));
            if !matches!(&result, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        if result.is_err() {
            let _ = self.folder.remove(&temporary);
        }
        let path = self.folder.path_of(&format!("{name}.ron"));
        result.map_err(io_error(&path, "save the session under another name"))?;
        let _ = self.folder.sync();
        Ok(Some(name))
    }

    fn write_rescued(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.path_of(name);
        let mut file = self
            .folder
            .new_file(name)
            .map_err(io_error(&path, "create the file"))?;
        let written = file.write_all(bytes).and_then(|()| synced(file.sync_all()));
        written.map(drop).map_err(io_error(&path, "write the file"))
    }

    /// Removes temporary files of engines and commands that were killed while writing.
    pub(super) fn sweep(&self) {
        for file in self.folder.names() {
            if is_temporary(&file, &self.name) {
                let _ = self.folder.remove(&file);
            }
        }
    }
}

/// The name under which a session is saved that has lost its own. It is shortened to at most as many bytes as leave room
/// for a number, so that it is a session's name too.
fn rescued_name(name: &str) -> String {
    let most = name.floor_char_boundary(MOST_BYTES);
    format!("{}{RESCUED}", &name[..most])
}

/// Whether a file is a temporary file of this session.
fn is_temporary(file: &str, name: &str) -> bool {
    let middle = file
        .strip_prefix(name)
        .and_then(|rest| rest.strip_suffix(".tmp"));
    let Some(middle) = middle else { return false };
    let bases = [".ron.bak", ".ron", ".lock", ".sbatch", ".merge.sbatch"];
    let mut numbers = bases.iter().filter_map(|base| middle.strip_prefix(base));
    let is_number = |rest: &str| {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        rest.chars().all(|c| c.is_ascii_digit() || c == '-')
    };
    numbers.any(is_number)
}

/// The permission bits of a file.
#[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
fn permissions(about: &Stat) -> u32 {
    about.st_mode as u32 & 0o777
}

/// The umask of this process; if unknown, one that excludes everybody else.
fn umask() -> u32 {
    let about = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = about.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
        .unwrap_or(0o077)
}

#[cfg(test)]
mod tests;
