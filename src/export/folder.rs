//! A folder of files that is written atomically: a reader sees the old one, none, or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ExportError;
use crate::host;

/// A folder being written, under a temporary name beside its destination. Dropping it without calling
/// [`ExportFolder::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct ExportFolder {
    path: PathBuf,
    temporary: PathBuf,
}

/// A temporary path beside `path` that no other export uses: it contains the process id and a counter.
pub(super) fn temporary_path(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut beside = path.to_path_buf().into_os_string();
    beside.push(format!(".{}-{count}.tmp", std::process::id()));
    PathBuf::from(beside)
}

/// Removes leftovers of exports to this path that were killed or ran out of space: unfinished files are deleted, and
/// an earlier export that was about to be replaced is restored. Files that a living process is writing are kept, even
/// if it runs on another machine: such a process touches its files more often than [`STILL`].
pub(super) fn remove_leftovers(path: &Path) {
    let (Some(name), Some(parent)) = (
        path.file_name().and_then(|file_name| file_name.to_str()),
        path.parent(),
    ) else {
        return;
    };
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(left) = file_name
            .to_str()
            .and_then(|file| Leftover::parse(file, name))
        else {
            continue;
        };
        if left.is_being_written() || !is_still(&entry) {
            continue;
        }
        // Failing to remove leftovers does not fail this export.
        let _ = match (left.replaced && !path.exists(), entry.path()) {
            (true, leftover) => fs::rename(leftover, path),
            (false, leftover) if leftover.is_dir() => fs::remove_dir_all(leftover),
            (false, leftover) => fs::remove_file(leftover),
        };
    }
}

/// A file or folder unchanged for longer than this is no longer being written.
const STILL: Duration = Duration::from_secs(10);

fn is_still(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|metadata| metadata.modified());
    changed.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > STILL))
}

/// A file or folder that an export left beside its path.
struct Leftover {
    /// The process that wrote it.
    pid: u32,
    /// Whether it is the earlier export, moved aside to be replaced.
    replaced: bool,
}

impl Leftover {
    /// Parses the name of a file beside the path whose last component is `name`: the inverse of [`temporary_path`].
    fn parse(file: &str, name: &str) -> Option<Self> {
        let rest = file.strip_prefix(name)?.strip_prefix('.')?;
        let (rest, replaced) = match rest.strip_suffix(".old") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (pid, count) = rest.strip_suffix(".tmp")?.split_once('-')?;
        count.parse::<u64>().ok()?;
        Some(Self {
            pid: pid.parse().ok()?,
            replaced,
        })
    }

    fn is_being_written(&self) -> bool {
        self.pid == std::process::id() || host::start_time(self.pid).is_some()
    }
}

impl ExportFolder {
    /// An empty folder, to be placed at `path`.
    ///
    /// # Errors
    /// If `path` exists and must not be replaced, or nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, ExportError> {
        let path = match fs::canonicalize(path) {
            Ok(existing) => existing,
            // Drop a trailing slash, so that the temporary folder is a sibling and not inside it.
            Err(_) => path.components().collect(),
        };
        let failed = |error| ExportError::File {
            path: path.clone(),
            error,
        };
        remove_leftovers(&path);
        if path.exists() && !is_ours(&path).map_err(failed)? {
            return Err(ExportError::Occupied { path });
        }
        let beside = temporary_path(&path);
        // Left behind by an earlier process with the same id.
        let _ = fs::remove_dir_all(&beside);
        fs::create_dir(&beside).map_err(failed)?;
        let folder = Self {
            path,
            temporary: beside,
        };
        folder.write(MARK, MARK_TEXT.as_bytes())?;
        Ok(folder)
    }

    /// Writes one file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        // Fails if the name is taken: overwriting would lose a file.
        let written = File::create_new(self.temporary.join(name))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| ExportError::File {
            path: self.path.join(name),
            error,
        })
    }

    /// Moves the folder to its destination, replacing an earlier export.
    ///
    /// # Errors
    /// If it cannot be moved there.
    pub fn finish(self) -> Result<PathBuf, ExportError> {
        let failed = |error| ExportError::File {
            path: self.path.clone(),
            error,
        };
        if self.path.exists() {
            let mut old = self.temporary.clone().into_os_string();
            old.push(".old");
            let old = PathBuf::from(old);
            fs::rename(&self.path, &old).map_err(failed)?;
            if let Err(error) = fs::rename(&self.temporary, &self.path) {
                // Restore the earlier export; report the first error.
                let _ = fs::rename(&old, &self.path);
                return Err(failed(error));
            }
            let _ = fs::remove_dir_all(&old);
        } else {
            fs::rename(&self.temporary, &self.path).map_err(failed)?;
        }
        Ok(self.path.clone())
    }
}

impl Drop for ExportFolder {
    fn drop(&mut self) {
        // After `finish` it no longer exists.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// The file that identifies a folder written by an export: only such a folder, or an empty one, is replaced.
const MARK: &str = "README.txt";
const MARK_TEXT: &str =
    "Written by noisescope export, which replaces this folder as a whole at the next export.\n";

fn is_ours(path: &Path) -> io::Result<bool> {
    if !path.is_dir() {
        return Ok(false);
    }
    let empty = fs::read_dir(path)?.next().is_none();
    let marked = fs::read_to_string(path.join(MARK)).is_ok_and(|text| text == MARK_TEXT);
    Ok(empty || marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process id that is never in use: above the maximum on Linux.
    const NOBODY: u32 = 4_194_305;

    #[test]
    fn leftovers_of_a_killed_export_are_removed_and_the_replaced_folder_is_restored() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mine-figures");
        let left = place.path().join(format!("mine-figures.{NOBODY}-3.tmp"));
        let old = place
            .path()
            .join(format!("mine-figures.{NOBODY}-3.tmp.old"));
        let working = place
            .path()
            .join(format!("mine-figures.{}-9.tmp", std::process::id()));
        let other = place.path().join(format!("mine-figures-2.{NOBODY}-3.tmp"));
        let age = |path: &Path| {
            let long_ago = std::time::SystemTime::now() - 3 * STILL;
            File::open(path).unwrap().set_modified(long_ago).unwrap();
        };
        for folder in [&left, &old, &working, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(MARK), MARK_TEXT).unwrap();
        }
        remove_leftovers(&path);
        assert!(
            left.exists() && !path.exists(),
            "it may be another machine's"
        );
        [&left, &old, &working, &other]
            .into_iter()
            .for_each(|path| age(path));
        remove_leftovers(&path);
        assert!(!left.exists() && !old.exists() && working.exists() && other.exists());
        assert_eq!(fs::read_to_string(path.join(MARK)).unwrap(), MARK_TEXT);
        let file = place.path().join(format!("mine.npz.{NOBODY}-0.tmp"));
        fs::write(&file, "half").unwrap();
        age(&file);
        remove_leftovers(&place.path().join("mine.npz"));
        assert!(!file.exists() && path.exists());
    }
}
