//! A folder of files. All are written before the first is placed; each then replaces an earlier file of its name
//! atomically, and every other file in the folder stays.

use std::fs::{self, File};
use std::io::{self, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{ExportError, STDOUT};
use crate::host;

/// A folder being written, under a temporary name beside its destination. Dropping it without calling
/// [`ExportFolder::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct ExportFolder {
    path: PathBuf,
    /// The destination as it was given.
    given: PathBuf,
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
/// a folder that an earlier version moved aside is restored; if it has a successor it is kept, as somebody's own files
/// may be in it. Files that a living process is writing are kept, even
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
        let leftover = entry.path();
        let _ = match (left.replaced, path.exists()) {
            (true, true) => Ok(()),
            (true, false) => fs::rename(leftover, path),
            (false, _) if leftover.is_dir() => fs::remove_dir_all(leftover),
            (false, _) => fs::remove_file(leftover),
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
    /// Whether it is an earlier export that an earlier version of this program moved aside.
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
    /// If `path` exists and is not a folder of exports, is the name of a file, or nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, ExportError> {
        if path == Path::new(STDOUT) || (export_ending(path).is_some() && !path.is_dir()) {
            return Err(ExportError::Several {
                path: path.to_owned(),
                alternative: "",
            });
        }
        // Drop a trailing slash, so that the temporary folder is a sibling and not inside it.
        let given: PathBuf = path.components().collect();
        let path = fs::canonicalize(path).unwrap_or_else(|_| given.clone());
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
        Ok(Self {
            path,
            given,
            temporary: beside,
        })
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

    /// Moves the files to their destination and returns its path as it was given. Files of the same names are replaced,
    /// each atomically; all others stay.
    ///
    /// # Errors
    /// If they cannot be moved there.
    pub fn finish(self) -> Result<PathBuf, ExportError> {
        let failed = |error| ExportError::File {
            path: self.path.clone(),
            error,
        };
        let names = self.names().map_err(failed)?;
        self.write(MARK, mark(&names).as_bytes())?;
        if !self.path.exists() {
            fs::rename(&self.temporary, &self.path).map_err(failed)?;
            return Ok(self.given.clone());
        }
        // A folder cannot be replaced by a file: find that out before the first file is placed.
        if let Some(name) = names.iter().find(|name| self.path.join(name).is_dir()) {
            return Err(ExportError::File {
                path: self.path.join(name),
                error: io::Error::from(io::ErrorKind::IsADirectory),
            });
        }
        // The mark is first, so that an export that is killed leaves a folder that the next one recognises.
        for name in iter::once(MARK).chain(names.iter().map(String::as_str)) {
            let target = self.path.join(name);
            fs::rename(self.temporary.join(name), &target).map_err(|error| ExportError::File {
                path: target,
                error,
            })?;
        }
        Ok(self.given.clone())
    }

    /// The names of the files written so far, in order.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.temporary)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

impl Drop for ExportFolder {
    fn drop(&mut self) {
        // After `finish` it is empty or no longer exists.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// The file that identifies a folder written by an export: files are placed only in such a folder, or an empty one.
const MARK: &str = "README.txt";
/// How it begins.
const MARK_START: &str = "Written by noisescope export";

/// The text of the mark of a folder into which an export wrote files of these names.
fn mark(names: &[String]) -> String {
    let mut text = format!(
        "{MARK_START}, which replaces files of the same names here and leaves all others as they are.\n\
         The last export wrote:\n\n"
    );
    for name in names {
        text.push_str(name);
        text.push('\n');
    }
    text
}

/// The endings of the files that exports write.
const ENDINGS: [&str; 7] = ["csv", "json", "npz", "pdf", "png", "safetensors", "svg"];

/// The ending of a path, if it is that of a file that an export writes.
pub fn export_ending(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?;
    let mut endings = ENDINGS.into_iter();
    endings.find(|ending| extension.eq_ignore_ascii_case(ending))
}

fn is_ours(path: &Path) -> io::Result<bool> {
    if !path.is_dir() {
        return Ok(false);
    }
    let empty = fs::read_dir(path)?.next().is_none();
    let marked = fs::read_to_string(path.join(MARK)).is_ok_and(|text| text.starts_with(MARK_START));
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
            fs::write(folder.join(MARK), mark(&[])).unwrap();
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
        assert_eq!(fs::read_to_string(path.join(MARK)).unwrap(), mark(&[]));
        let file = place.path().join(format!("mine.npz.{NOBODY}-0.tmp"));
        fs::write(&file, "half").unwrap();
        age(&file);
        remove_leftovers(&place.path().join("mine.npz"));
        assert!(!file.exists() && path.exists());
    }

    #[test]
    fn a_second_export_replaces_its_own_names_and_leaves_every_other_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mine-figures");
        let export = |files: &[(&str, &str)]| {
            let folder = ExportFolder::create(&path).unwrap();
            for (name, text) in files {
                folder.write(name, text.as_bytes()).unwrap();
            }
            folder.finish()
        };
        export(&[("a.svg", "old"), ("b.svg", "old")]).unwrap();
        fs::write(path.join("mine.txt"), "my own").unwrap();
        export(&[("b.svg", "new"), ("c.svg", "new")]).unwrap();
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(
            ["a.svg", "b.svg", "c.svg", "mine.txt"].map(read),
            ["old", "new", "new", "my own"]
        );
        assert!(read(MARK).ends_with("wrote:\n\nb.svg\nc.svg\n"));
        // Nothing is placed if one of the files cannot be.
        fs::create_dir(path.join("d.svg")).unwrap();
        assert!(export(&[("a.svg", "new"), ("d.svg", "new")]).is_err());
        assert_eq!(read("a.svg"), "old");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_a_folder_set_aside_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mine-figures");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine.txt"), "my own").unwrap();
        let refused = ExportFolder::create(&path);
        assert!(matches!(refused, Err(ExportError::Occupied { .. })));
        for name in [Path::new("-"), &place.path().join("both.SVG")] {
            let refused = ExportFolder::create(name);
            assert!(matches!(refused, Err(ExportError::Several { .. })));
        }
        let old = place
            .path()
            .join(format!("mine-figures.{NOBODY}-3.tmp.old"));
        fs::create_dir(&old).unwrap();
        let long_ago = std::time::SystemTime::now() - 3 * STILL;
        File::open(&old).unwrap().set_modified(long_ago).unwrap();
        remove_leftovers(&path);
        assert!(old.exists() && path.join("mine.txt").exists());
    }
}
