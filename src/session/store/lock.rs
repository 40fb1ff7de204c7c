//! The right to run a session and to write its file: one engine has it, and sees before every checkpoint that it
//! still has it.
//!
//! A checkpoint writes a temporary file of its own, syncs it, keeps the file that stands as `NAME.ron.bak`,
//! renames and syncs the folder: whenever the power fails, `NAME.ron` is whole. Where the lock, the folder or the
//! session's file is another than it was, nothing is written any more.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, Stat};

use super::claim::{Claim, claim, is_in_place};
use super::folder::{Folder, Synced, synced};
use super::kept::Kept;
use super::owner::Owner;
use super::{Store, StoreError, check_name, unique};
use crate::files;
use crate::session::Session;
use crate::session::error::io_error;
use crate::session::text::to_text;

type Result<T> = std::result::Result<T, StoreError>;

/// How a session that could not be saved under its name is called, after that name.
const RESCUED: &str = "-rescued";

/// The right to run a session; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Lock {
    store: Store,
    folder: Folder,
    name: String,
    file: File,
    owner: Owner,
    held: Held,
    weaker: Vec<String>,
}

/// The session's file, as its engine knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// It was not looked at.
    Unknown,
    /// There was none.
    Nothing,
    /// This one.
    File(Kept),
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
                "{} has no file locks: only what {name}.lock says keeps a second engine out, which takes some seconds where it runs on another machine",
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
            weaker,
        };
        lock.sweep();
        Ok(lock)
    }

    /// The session's file.
    pub fn path(&self) -> PathBuf {
        self.store.path(&self.name)
    }

    /// What this file system does not give, in sentences.
    pub fn weaker(&self) -> &[String] {
        &self.weaker
    }

    /// Reads the session, which must be the same when it is saved.
    ///
    /// # Errors
    /// As [`Store::load`], and where its file is a link or no file.
    pub fn load(&mut self) -> Result<Session> {
        self.standing()?;
        let (session, kept) = self.store.read(&self.name)?;
        self.held = Held::File(kept);
        Ok(session)
    }

    /// Whether the session's file, or its previous generation, is there.
    ///
    /// # Errors
    /// What the system said.
    pub fn finds_session(&mut self) -> Result<bool> {
        let file = self.standing()?;
        if file.is_none() {
            self.held = Held::Nothing;
        }
        Ok(file.is_some() || self.store.backup_path(&self.name).exists())
    }

    /// Sees that this is still the one engine of the session.
    ///
    /// # Errors
    /// [`StoreError::Ousted`] where it is not, or what the system said where that cannot be seen.
    pub fn check(&mut self) -> Result<()> {
        self.check_lock()?;
        let standing = self.standing()?;
        match (self.held, standing) {
            (Held::Unknown, _) | (Held::Nothing, None) => Ok(()),
            (Held::Nothing, Some(_)) => self.ousted("somebody else put a file there"),
            (Held::File(_), None) => self.ousted("its file was removed"),
            (Held::File(kept), Some(about)) if kept.is(&about) => Ok(()),
            // Touched, or put back as it was: that is no other file.
            (Held::File(kept), Some(_)) => match self.reread(kept)? {
                Some(same) => {
                    self.held = Held::File(same);
                    Ok(())
                }
                None => self.ousted("its file was replaced or changed"),
            },
        }
    }

    fn ousted<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(StoreError::Ousted {
            name: self.name.clone(),
            path: self.path(),
            what: what.into(),
        })
    }

    /// Sees that folder and lock are those that they were.
    fn check_lock(&self) -> Result<()> {
        let (name, path) = (self.lock_name(), self.store.folder());
        let failed = || io_error(&self.folder.path_of(&name), "look at the lock");
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
            Some(now) if now.is(&self.owner) => Ok(()),
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

    /// What is known of the session's file, where there is one. A link or what is no file is refused:
    /// replacing it would take away what somebody else put there.
    fn standing(&self) -> Result<Option<Stat>> {
        let path = self.path();
        let about = self.folder.about(&self.file_name());
        let about = about.map_err(io_error(&path, "look at the session"))?;
        let kind = match std::fs::symlink_metadata(&path) {
            Ok(there) if about.is_some() => files::kind(&there),
            _ => None,
        };
        match kind {
            None => Ok(about),
            Some(kind) => Err(StoreError::NotAFile {
                remedy: match std::fs::canonicalize(&path) {
                    Ok(target) if kind.contains("link") => format!(
                        "A session is run where its file lies: noisescope --sessions {} run {}",
                        files::quoted(target.parent().unwrap_or(Path::new("/"))),
                        files::quoted(target.file_stem().unwrap_or_default()),
                    ),
                    _ => "Remove it, or choose another name.".into(),
                },
                path,
                kind,
            }),
        }
    }

    /// The file's new state where its content is what it was.
    fn reread(&self, kept: Kept) -> Result<Option<Kept>> {
        let failed = || io_error(&self.path(), "read the file");
        let opened = self.folder.open_file(&self.file_name(), OFlags::RDONLY);
        kept.again(&opened.map_err(failed())?).map_err(failed())
    }

    /// Replaces the session's file: temporary file, sync, the old one kept as `.bak`, rename, sync of the
    /// folder. Returns the bytes written.
    ///
    /// # Errors
    /// [`StoreError::Ousted`], or [`StoreError::Io`] with the path; the file that stood there is then still whole.
    pub fn save(&mut self, session: &Session) -> Result<u64> {
        let text = self.text_of(session)?;
        self.check()?;
        let path = self.path();
        let temporary = unique(&self.file_name());
        let placed = self
            .write(&temporary, text.as_bytes())
            // Writing has taken its time.
            .and_then(|()| self.check())
            .and_then(|()| self.keep())
            .and_then(|()| {
                let placed = self.folder.rename(&temporary, &self.file_name());
                placed.map_err(io_error(&path, "replace the session"))
            });
        if placed.is_err() {
            // A half file on a full disk helps nobody.
            let _ = self.folder.remove(&temporary);
        }
        placed?;
        let failed = || io_error(&path, "look at the session");
        let about = self.folder.about(&self.file_name()).map_err(failed())?;
        let Some(about) = about else {
            return self.ousted("its file was removed");
        };
        self.held = Held::File(Kept::of(&about, text.as_bytes()));
        let synced = self.folder.sync();
        self.note_sync(synced.map_err(io_error(self.store.folder(), "sync the folder"))?);
        // Whoever has taken the lock in this moment must not go on from what was overwritten.
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
            let words = format!("this is the lock of another session than {}", session.name);
            return Err(failed(io::Error::other(words)));
        }
        to_text(session).map_err(|error| failed(io::Error::other(error)))
    }

    /// Writes a file of a new name, to the disk. It has the permissions of the session's file that stands.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        // The same words each time, whatever the temporary name.
        let path = self.path();
        let failed = |action| io_error(&path, action);
        let mode = match self.standing()? {
            Some(about) => permissions(&about),
            None => 0o666 & !umask(),
        };
        let mut file = self
            .folder
            .new_file(name)
            .map_err(failed("make a file beside it"))?;
        file.write_all(bytes).map_err(failed("write the session"))?;
        // Some file systems have no permissions: then there is nothing to keep.
        let _ = file.set_permissions(Permissions::from_mode(mode));
        let on_disk = synced(file.sync_all()).map_err(failed("bring the session to the disk"))?;
        self.note_sync(on_disk);
        Ok(())
    }

    fn note_sync(&mut self, on_disk: Synced) {
        let words = format!(
            "{} does not tell when a file is on the disk: after a power cut the last checkpoint may be missing or cut, and its previous generation is offered",
            self.store.folder().display()
        );
        if on_disk == Synced::Untold && !self.weaker.contains(&words) {
            self.weaker.push(words);
        }
    }

    /// Keeps the file that stands as the previous generation, never leaving a moment without it.
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
        if kept.is_err() {
            let _ = self.folder.remove(&link);
        }
        kept.map_err(io_error(&path, "keep the previous generation"))
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        let mut from = self.folder.open_file(from, OFlags::RDONLY)?;
        let mut to = self.folder.new_file(to)?;
        io::copy(&mut from, &mut to)?;
        synced(to.sync_all()).map(drop)
    }

    /// Saves a session under a name that nobody has, since its own is not this engine's any more; gives that name,
    /// or `None` where its file still is the last that was saved. Where the folder was moved, it goes with it.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn rescue(&mut self, session: &Session) -> Result<Option<String>> {
        let in_place = self.folder.is_in_place().unwrap_or(false);
        let about = self.folder.about(&self.file_name()).ok().flatten();
        if let (Held::File(kept), Some(about), true) = (self.held, about, in_place)
            && kept.is(&about)
        {
            return Ok(None);
        }
        let text = self.text_of(session)?;
        let short: String = self.name.chars().take(80).collect();
        let temporary = unique(&self.file_name());
        self.write_rescued(&temporary, text.as_bytes())?;
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        let mut name = String::new();
        for number in 1..1000 {
            let number = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            name = format!("{short}{RESCUED}{number}");
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

    /// Removes what engines left behind that were killed while they wrote.
    fn sweep(&self) {
        for file in self.folder.names() {
            if is_temporary(&file, &self.name) {
                let _ = self.folder.remove(&file);
            }
        }
    }

    /// What tells viewers, and engines elsewhere, that this one lives.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn voice(&self) -> Result<Voice> {
        let path = self.folder.path_of(&self.lock_name());
        let file = self.file.try_clone();
        Ok(Voice {
            file: file.map_err(io_error(&path, "write the lock"))?,
            owner: self.owner.clone(),
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held: whoever opened it before finds that its name is gone. One that is somebody
        // else's by now stays.
        if self.check_lock().is_ok() {
            let _ = self.folder.remove(&self.lock_name());
        }
        let _ = self.file.unlock();
    }
}

/// What an engine says in its lock, while it has it.
#[derive(Debug)]
pub struct Voice {
    file: File,
    owner: Owner,
}

impl Voice {
    /// Tells viewers where the engine is reached; `None`: nowhere.
    ///
    /// # Errors
    /// What the system said.
    pub fn tell_socket(&mut self, socket: Option<&Path>) -> io::Result<()> {
        self.owner.socket = socket.map(Path::to_owned);
        self.say()
    }

    /// Shows that the engine lives.
    ///
    /// # Errors
    /// What the system said.
    pub fn beat(&mut self) -> io::Result<()> {
        self.owner.beat();
        self.say()
    }

    fn say(&self) -> io::Result<()> {
        // In a lock that somebody else has taken there is nothing to say.
        match Owner::read(&self.file)? {
            Some(now) if now.is(&self.owner) => self.owner.write(&self.file),
            _ => Ok(()),
        }
    }
}

/// Whether a file was begun for a session and never took its name.
fn is_temporary(file: &str, name: &str) -> bool {
    let begun = file
        .strip_prefix(name)
        .and_then(|rest| rest.strip_suffix(".tmp"));
    let Some(begun) = begun else { return false };
    let bases = [".ron.bak", ".ron", ".lock"];
    let mut numbers = bases.iter().filter_map(|base| begun.strip_prefix(base));
    let is_number = |rest: &str| {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        rest.chars().all(|c| c.is_ascii_digit() || c == '-')
    };
    numbers.any(is_number)
}

/// Who may do what with a file.
#[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
fn permissions(about: &Stat) -> u32 {
    about.st_mode as u32 & 0o777
}

/// The permissions that new files of this process do not get; all of the others' where it is not known.
fn umask() -> u32 {
    let about = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = about.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
        .unwrap_or(0o077)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_session_began_is_swept_away() {
        for begun in [
            "a.ron.tmp",
            "a.ron.bak.tmp",
            &unique("a.ron"),
            &unique("a.ron.bak"),
            &unique("a.lock"),
        ] {
            assert!(is_temporary(begun, "a"), "{begun}");
        }
        for other in [
            "a.ron",
            "a.ron.bak",
            "a.lock",
            "b.ron.1-2-3.tmp",
            "a.ron.copy.tmp",
            "a.ron.1-2.ron.3-4-5.tmp",
            "a.tmp",
        ] {
            assert!(!is_temporary(other, "a"), "{other}");
        }
    }
}
