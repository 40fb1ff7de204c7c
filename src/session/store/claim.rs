//! Claiming a lock: of several contenders exactly one succeeds, on any file system.
//!
//! `NAME.lock` is locked with `flock` and names its holder ([`Owner`]). Where `flock` is not supported
//! or does not reach other machines, the content decides: a process on this machine is either alive or
//! not, one on another machine either updates its beat or does not.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::StoreError;
use super::folder::{FileId, Folder};
use super::owner::{Owner, OwnerState};
use super::unique;
use crate::files;
use crate::session::error::io_error;

type Result<T> = std::result::Result<T, StoreError>;

/// How long to wait for a lock: longer than anyone probes it, shorter than a user notices.
const PATIENCE: Duration = Duration::from_millis(200);
/// An engine on another machine without a beat for this long, by the file system's clock, has ended.
const SILENCE: Duration = Duration::from_secs(20);
/// How long an engine on another machine is watched for a beat.
const WATCH: Duration = Duration::from_secs(5);
/// Without system locks: how long to wait for a competing claim.
const SETTLE: Duration = Duration::from_millis(150);

/// A claimed lock.
pub(super) struct Claim {
    /// Keeps the lock as long as it is open.
    pub(super) file: File,
    /// Its content.
    pub(super) owner: Owner,
    /// Whether the system enforces it; otherwise only its content keeps others out.
    pub(super) is_locked: bool,
}

/// Adds what to do in a folder that cannot be written; a session that `is_there` is in no other.
fn with_remedy(error: io::Error, is_there: bool) -> io::Error {
    let denied = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    if !denied.contains(&error.kind()) {
        return error;
    }
    let remedy = match is_there {
        true => {
            "who may not write in this folder can change a copy of the session in another, given with --sessions DIR"
        }
        false => "name another folder with --sessions DIR or NOISESCOPE_SESSIONS",
    };
    io::Error::new(error.kind(), format!("{error}; {remedy}"))
}

/// Claims the lock with this file name.
///
/// # Errors
/// [`StoreError::Locked`] if another process holds it.
pub(super) fn claim(folder: &Folder, name: &str, lock: &str) -> Result<Claim> {
    let path = folder.path_of(lock);
    let failed = |action| io_error(&path, action);
    let taken = |by: Option<Owner>| StoreError::Locked {
        name: name.to_owned(),
        by: by.map(|by| by.words()),
    };
    let owner = Owner::current();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let opened = folder.open_file(lock, OFlags::RDWR | OFlags::CREATE);
        let is_there = || matches!(folder.about(&format!("{name}.ron")), Ok(Some(_)));
        let opened = opened.map_err(|error| with_remedy(error, is_there()));
        let mut file = opened.map_err(failed("open the lock"))?;
        let about = file.metadata().map_err(failed("open the lock"))?;
        files::check_regular(&about).map_err(failed("open the lock"))?;
        let mut is_locked = true;
        match file.try_lock() {
            Ok(()) => {}
            // A process that only probes it holds it for a moment.
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(TryLockError::WouldBlock) => {
                let by = Owner::read(&file).map_err(failed("read the lock"))?;
                match by.as_ref().map(Owner::standing) {
                    Some(OwnerState::Alive | OwnerState::Unknown) => return Err(taken(by)),
                    // Somebody claims it at this moment; its content is that of another lock.
                    Some(OwnerState::Copied) => return Err(taken(None)),
                    Some(OwnerState::Dead) | None => {}
                }
                // Not an engine: a process that can only read the file, which excludes nobody.
                file = replace_lock(folder, lock, &owner).map_err(failed("replace the lock"))?;
            }
            Err(TryLockError::Error(error)) if is_unsupported(&error) => is_locked = false,
            Err(TryLockError::Error(error)) => return Err(failed("lock the session")(error)),
        }
        // The previous holder may have removed the file that was opened here: a lock on an unlinked file
        // excludes nobody.
        if !is_in_place(folder, lock, &file).map_err(failed("read the lock"))? {
            continue;
        }
        let before = Owner::read(&file).map_err(failed("read the lock"))?;
        if let Some(before) = before.filter(|before| !before.is_same(&owner))
            && is_still_held(folder, lock, &file, &before).map_err(failed("read the lock"))?
        {
            return Err(taken(Some(before)));
        }
        // Nobody else may hold it, not even for reading.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        if let Err(error) = owner.write(&file) {
            // A lock that says nothing is of no use. Removed while held, as one that is released.
            if is_locked && is_in_place(folder, lock, &file).unwrap_or(false) {
                let _ = folder.remove(lock);
            }
            return Err(failed("write the lock")(error));
        }
        if !is_locked {
            std::thread::sleep(SETTLE);
            let kept = check_kept(folder, lock, &file, &owner);
            kept.map_err(failed("read the lock"))?.map_err(taken)?;
        }
        return Ok(Claim {
            file,
            owner,
            is_locked,
        });
    }
}

/// Whether the name still refers to this file.
pub(super) fn is_in_place(folder: &Folder, lock: &str, file: &File) -> io::Result<bool> {
    Ok(folder.file_id(lock)? == Some(FileId::from(&file.metadata()?)))
}

/// Whether a lock is still this owner's; if not, the one that has it now, if known.
fn check_kept(
    folder: &Folder,
    lock: &str,
    file: &File,
    owner: &Owner,
) -> io::Result<std::result::Result<(), Option<Owner>>> {
    match Owner::read(file)? {
        Some(now) if now.is_same(owner) => Ok(match is_in_place(folder, lock, file)? {
            true => Ok(()),
            false => Err(None),
        }),
        other => Ok(Err(other)),
    }
}

/// Replaces a lock that its holder cannot be asked to release.
fn replace_lock(folder: &Folder, lock: &str, owner: &Owner) -> io::Result<File> {
    let temporary = unique(lock);
    let file = folder.new_file(&temporary)?;
    let placed = file
        .try_lock()
        .map_err(io::Error::from)
        .and_then(|()| owner.write(&file))
        .and_then(|()| folder.rename(&temporary, lock));
    if let Err(error) = placed {
        let _ = folder.remove(&temporary);
        return Err(error);
    }
    Ok(file)
}

/// Whether the error means that the system has no locks here.
fn is_unsupported(error: &io::Error) -> bool {
    const UNKNOWN: [Errno; 4] = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::INVAL];
    let code = error.raw_os_error();
    UNKNOWN
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

/// Whether the previous holder still has the lock, although it could be locked.
fn is_still_held(folder: &Folder, lock: &str, file: &File, before: &Owner) -> io::Result<bool> {
    match before.standing() {
        OwnerState::Alive => return Ok(true),
        OwnerState::Dead => return Ok(false),
        // An earlier version, for which only the system's lock counts.
        OwnerState::Unknown if !before.has_beat() => return Ok(false),
        // Of one lock in two places, for example a folder that is mounted twice, only the beat can tell.
        OwnerState::Copied | OwnerState::Unknown => {}
    }
    let silent = silent_for(folder, lock, file).ok();
    if silent.and_then(|time| time.checked_sub(SILENCE)).is_some() {
        return Ok(false);
    }
    let deadline = Instant::now() + WATCH;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(250));
        // Reopened each time, so that a network file system asks its server.
        let now = match folder.open_file(lock, OFlags::RDONLY) {
            Ok(now) => Owner::read(&now)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match now {
            Some(now) if now == *before => {}
            Some(_) => return Ok(true),
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// Time since a lock was last written, by the clock of its file system.
fn silent_for(folder: &Folder, lock: &str, file: &File) -> io::Result<Duration> {
    let probe = unique(lock);
    let about = folder.new_file(&probe)?.metadata();
    folder.remove(&probe)?;
    let now = about?.modified();
    let then = file.metadata()?.modified()?;
    Ok(now?.duration_since(then).unwrap_or_default())
}

#[cfg(test)]
mod tests;
