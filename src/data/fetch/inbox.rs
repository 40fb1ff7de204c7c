//! The receiving end of a fetch: writes content to a temporary file and renames it once it is verified.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::catalog::FileSpec;
use super::super::gzip::MaybeGzip;
use super::super::verify::{ContentDigest, mismatch};
use super::fault::{DeliveryError, DestinationError, SourceError};
use super::progress::FetchProgress;

/// Prefix of the names of temporary files and folders.
const TEMPORARY: &str = ".noisescope-part-";

/// Creates the folder and removes leftovers of interrupted fetches.
pub(super) fn prepare(folder: &Path) -> Result<(), DestinationError> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, error))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            remove_if_abandoned(&entry.path());
        }
    }
    Ok(())
}

/// Removes a temporary file or folder that nobody is using: users hold a lock on it, so an abandoned one can be locked.
fn remove_if_abandoned(path: &Path) {
    let abandoned = File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    if abandoned {
        // A failure is ignored: a leftover only takes space.
        let _ = remove(path);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

fn failed(path: &Path, error: io::Error) -> DestinationError {
    DestinationError {
        path: path.to_owned(),
        error,
    }
}

/// A unique temporary path in `folder`.
fn temporary_path(folder: &Path, suffix: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!(
        "{TEMPORARY}{}-{number}-{suffix}",
        std::process::id()
    ))
}

/// The files wanted from a source, and the folder to store them in.
pub struct Inbox<'a> {
    folder: &'a Path,
    wanted: &'a [FileSpec],
    progress: &'a dyn FetchProgress,
    delivered: RefCell<Vec<&'static str>>,
}

impl<'a> Inbox<'a> {
    pub(super) fn new(
        folder: &'a Path,
        wanted: &'a [FileSpec],
        progress: &'a dyn FetchProgress,
    ) -> Self {
        Self {
            folder,
            wanted,
            progress,
            delivered: RefCell::default(),
        }
    }

    /// Files that are still missing.
    pub fn wanted(&self) -> &'a [FileSpec] {
        self.wanted
    }

    /// Stores the content of a file, plain or gzipped: writes it, verifies its length and checksum, and renames it.
    ///
    /// # Errors
    /// [`DeliveryError::Source`] if the content breaks off or differs from the published one; [`DeliveryError::Destination`] if it
    /// cannot be written. Either way nothing is left behind.
    pub fn accept(&self, file: &FileSpec, content: impl Read) -> Result<(), DeliveryError> {
        let mut part = Part::create(self.folder, file.name)?;
        self.progress.begin(file.name, file.bytes);
        let outcome = self.fill(&mut part, file, content);
        self.progress.end();
        outcome?;
        part.take_name(self.folder)?;
        self.delivered.borrow_mut().push(file.name);
        Ok(())
    }

    /// A temporary folder for a source to work in, on the same disk.
    ///
    /// # Errors
    /// [`DestinationError`] if it cannot be created.
    pub fn scratch(&self) -> Result<Scratch, DestinationError> {
        Scratch::create(self.folder)
    }

    /// Names of the files that were accepted.
    pub(super) fn into_delivered(self) -> Vec<&'static str> {
        self.delivered.into_inner()
    }

    fn fill(
        &self,
        part: &mut Part,
        file: &FileSpec,
        content: impl Read,
    ) -> Result<(), DeliveryError> {
        let mut found = ContentDigest::default();
        let broke_off = |found: &ContentDigest, error: io::Error| SourceError::BrokeOff {
            file: file.name,
            bytes: found.bytes(),
            reason: error.to_string(),
        };
        let mut content = MaybeGzip::new(BufReader::with_capacity(1 << 16, content))
            .map_err(|error| broke_off(&found, error))?;
        let mut buffer = vec![0; 1 << 16];
        // Stops once the content is too long, so that an endless source is not read forever.
        while found.bytes() <= file.bytes {
            let length = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broke_off(&found, error).into()),
            };
            part.write(&buffer[..length])?;
            found.update(&buffer[..length]);
            self.progress.advance(length as u64);
        }
        match mismatch(file, &found) {
            None => Ok(()),
            Some(why) => Err(SourceError::WrongContent {
                file: file.name,
                why,
            }
            .into()),
        }
    }
}

/// A temporary file that is removed unless renamed to its final name, which errors show.
struct Part {
    path: PathBuf,
    place: PathBuf,
    file: File,
}

impl Part {
    fn create(folder: &Path, name: &str) -> Result<Self, DestinationError> {
        let (path, place) = (temporary_path(folder, name), folder.join(name));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| failed(&place, error))?;
        // On a file system without locks, the file is just never considered abandoned.
        let _ = file.try_lock();
        Ok(Self { path, place, file })
    }

    fn write(&mut self, content: &[u8]) -> Result<(), DestinationError> {
        self.file
            .write_all(content)
            .map_err(|error| failed(&self.place, error))
    }

    fn take_name(self, folder: &Path) -> Result<(), DestinationError> {
        self.file
            .sync_all()
            .map_err(|error| failed(&self.place, error))?;
        fs::rename(&self.path, &self.place).map_err(|error| failed(&self.place, error))?;
        // Makes the new name durable, on file systems that can sync a folder.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `take_name` nothing has this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// A temporary folder that is removed when this value is dropped.
pub struct Scratch {
    path: PathBuf,
    _lock: Option<File>,
}

impl Scratch {
    fn create(folder: &Path) -> Result<Self, DestinationError> {
        let path = temporary_path(folder, "scratch");
        fs::create_dir(&path).map_err(|error| failed(&path, error))?;
        let lock = File::open(&path).ok().inspect(|file| {
            let _ = file.try_lock();
        });
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_an_interrupted_fetch_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".noisescope-part-1-0-x"), "half").unwrap();
        fs::create_dir_all(folder.path().join(".noisescope-part-1-1-scratch/deep")).unwrap();
        fs::write(folder.path().join("mine"), "stays").unwrap();
        prepare(folder.path()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["mine"]);
    }

    #[test]
    fn the_files_of_another_running_fetch_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part::create(folder.path(), "x").unwrap();
        let scratch = Scratch::create(folder.path()).unwrap();
        prepare(folder.path()).unwrap();
        assert!(part.path.exists());
        assert!(scratch.path().exists());
    }

    #[test]
    fn temporary_files_are_removed_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        drop(Part::create(folder.path(), "x").unwrap());
        drop(Scratch::create(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
