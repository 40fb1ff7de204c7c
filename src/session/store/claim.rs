//! Taking a lock: of several that try at once one gets it, on whatever file system.
//!
//! `NAME.lock` is locked with `flock` and says who holds it ([`Owner`]). Where the system does not know `flock`, or
//! where that does not reach other machines, what the file says decides: a process of this machine lives or does
//! not, one of another machine shows its beat or does not.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::StoreError;
use super::folder::{Folder, Place};
use super::owner::{Owner, Standing};
use super::unique;
use crate::files;
use crate::session::error::io_error;

type Result<T> = std::result::Result<T, StoreError>;

/// How long a lock is waited for: longer than anybody looks at it, shorter than a person notices.
const PATIENCE: Duration = Duration::from_millis(200);
/// Without a beat for so long, by the clock of the file system, an engine elsewhere has ended.
const SILENCE: Duration = Duration::from_secs(20);
/// How long an engine elsewhere is watched for a beat.
const WATCH: Duration = Duration::from_secs(5);
/// Where the system locks nothing: how long to look whether somebody else claims the same.
const SETTLE: Duration = Duration::from_millis(150);

/// A lock that was taken.
pub(super) struct Claim {
    /// Holds it, as long as it is open.
    pub(super) file: File,
    /// What it says.
    pub(super) owner: Owner,
    /// Whether the system locks it; else only what it says keeps others out.
    pub(super) is_locked: bool,
}

/// Takes the lock of this file name.
///
/// # Errors
/// [`StoreError::Locked`] where somebody has it.
pub(super) fn claim(folder: &Folder, name: &str, lock: &str) -> Result<Claim> {
    let path = folder.path_of(lock);
    let failed = |action| io_error(&path, action);
    let taken = |by: Option<Owner>| StoreError::Locked {
        name: name.to_owned(),
        by: by.map(|by| by.words()),
    };
    let owner = Owner::this();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let opened = folder.open_file(lock, OFlags::RDWR | OFlags::CREATE);
        let mut file = opened.map_err(failed("open the lock"))?;
        let about = file.metadata().map_err(failed("open the lock"))?;
        files::regular(&about).map_err(failed("open the lock"))?;
        let mut is_locked = true;
        match file.try_lock() {
            Ok(()) => {}
            // Somebody who only looks holds it for a moment.
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(TryLockError::WouldBlock) => {
                let by = Owner::read(&file).map_err(failed("read the lock"))?;
                if by
                    .as_ref()
                    .is_some_and(|by| by.standing() != Standing::Dead)
                {
                    return Err(taken(by));
                }
                // No engine: somebody who may read it, and keeps nobody out.
                file = anew(folder, lock, &owner).map_err(failed("replace the lock"))?;
            }
            Err(TryLockError::Error(error)) if is_unknown(&error) => is_locked = false,
            Err(TryLockError::Error(error)) => return Err(failed("lock the session")(error)),
        }
        // The one who had it before may have removed the file that was opened here: a lock on a file
        // without a name keeps nobody out.
        if !is_in_place(folder, lock, &file).map_err(failed("read the lock"))? {
            continue;
        }
        let before = Owner::read(&file).map_err(failed("read the lock"))?;
        if let Some(before) = before.filter(|before| !before.is(&owner))
            && lives(folder, lock, &file, &before).map_err(failed("read the lock"))?
        {
            return Err(taken(Some(before)));
        }
        // Nobody else is to hold it, be it to read.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        owner.write(&file).map_err(failed("write the lock"))?;
        if !is_locked {
            std::thread::sleep(SETTLE);
            let now = Owner::read(&file).map_err(failed("read the lock"))?;
            let own = now.as_ref().is_some_and(|now| now.is(&owner));
            if !own || !is_in_place(folder, lock, &file).map_err(failed("read the lock"))? {
                return Err(taken(now.filter(|_| !own)));
            }
        }
        return Ok(Claim {
            file,
            owner,
            is_locked,
        });
    }
}

/// Whether the file is still the one of its name.
pub(super) fn is_in_place(folder: &Folder, lock: &str, file: &File) -> io::Result<bool> {
    Ok(folder.place_of(lock)? == Some(Place::from(&file.metadata()?)))
}

/// A lock of one's own in place of one that nobody can be asked to give back.
fn anew(folder: &Folder, lock: &str, owner: &Owner) -> io::Result<File> {
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

/// Whether the system says that it has no locks here.
fn is_unknown(error: &io::Error) -> bool {
    const UNKNOWN: [Errno; 4] = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::INVAL];
    let code = error.raw_os_error();
    UNKNOWN.iter().any(|it| code == Some(it.raw_os_error()))
}

/// Whether the one who had the lock before has it still, although it could be locked.
fn lives(folder: &Folder, lock: &str, file: &File, before: &Owner) -> io::Result<bool> {
    match before.standing() {
        Standing::Alive => return Ok(true),
        Standing::Dead => return Ok(false),
        // An earlier version, for which the system's lock is all there is.
        Standing::Unknown if !before.beats() => return Ok(false),
        Standing::Unknown => {}
    }
    if silent_for(folder, lock, file).is_ok_and(|silent| silent > SILENCE) {
        return Ok(false);
    }
    let until = Instant::now() + WATCH;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(250));
        // Opened anew: a network file system then asks its server.
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

/// How long nothing was written to a lock, by the clock of the file system that it lies on.
fn silent_for(folder: &Folder, lock: &str, file: &File) -> io::Result<Duration> {
    let probe = unique(lock);
    let now = folder.new_file(&probe)?.metadata()?.modified();
    folder.remove(&probe)?;
    let then = file.metadata()?.modified()?;
    Ok(now?.duration_since(then).unwrap_or_default())
}
