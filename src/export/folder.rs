//! A folder of files, written as a whole: whoever looks sees the old one, none, or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ExportError;
use crate::host;

/// Files under way, in a folder beside the one that they will be. Dropping it without
/// [`Folder::finish`] leaves nothing.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    beside: PathBuf,
}

/// A name beside a path that no other export has: of this process, and counted.
pub(super) fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut beside = path.to_path_buf().into_os_string();
    beside.push(format!(".{}-{count}.tmp", std::process::id()));
    PathBuf::from(beside)
}

/// Clears away what exports to this path left beside it that were killed or had no room: what was under way
/// goes, and an earlier export that was just being replaced comes back. What a living process is writing stays,
/// also where it lives on another machine: that touches its files more often than [`STILL`].
pub(super) fn tidy(path: &Path) {
    let (Some(name), Some(parent)) = (path.file_name().and_then(|it| it.to_str()), path.parent())
    else {
        return;
    };
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    let Ok(there) = fs::read_dir(parent) else {
        return;
    };
    for entry in there.flatten() {
        let own = entry.file_name();
        let Some(left) = own.to_str().and_then(|own| Left::of(own, name)) else {
            continue;
        };
        if left.is_at_work() || !is_still(&entry) {
            continue;
        }
        // Losing what is only in the way is no failure of this export.
        let _ = match (left.replaced && !path.exists(), entry.path()) {
            (true, own) => fs::rename(own, path),
            (false, own) if own.is_dir() => fs::remove_dir_all(own),
            (false, own) => fs::remove_file(own),
        };
    }
}

/// How long what is being written does not change at most.
const STILL: Duration = Duration::from_secs(10);

fn is_still(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|it| it.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STILL))
}

/// Something that an export left beside its path.
struct Left {
    /// The process that wrote it.
    pid: u32,
    /// Whether it is the earlier export, on its way out.
    replaced: bool,
}

impl Left {
    /// Of a file's name, beside the path whose last part is `name`: the reverse of [`beside`].
    fn of(own: &str, name: &str) -> Option<Self> {
        let rest = own.strip_prefix(name)?.strip_prefix('.')?;
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

    fn is_at_work(&self) -> bool {
        self.pid == std::process::id() || host::started(self.pid).is_some()
    }
}

impl Folder {
    /// An empty one, beside `path`.
    ///
    /// # Errors
    /// Where `path` is something that is not to be replaced, or nothing can be written there.
    pub fn begin(path: &Path) -> Result<Self, ExportError> {
        let path = match fs::canonicalize(path) {
            Ok(there) => there,
            // Without a slash at its end, so that what stands beside it is not inside it.
            Err(_) => path.components().collect(),
        };
        let failed = |error| ExportError::File {
            path: path.clone(),
            error,
        };
        tidy(&path);
        if path.exists() && !is_ours(&path).map_err(failed)? {
            return Err(ExportError::Occupied { path });
        }
        let beside = beside(&path);
        // What a process of the same number left behind.
        let _ = fs::remove_dir_all(&beside);
        fs::create_dir(&beside).map_err(failed)?;
        let folder = Self { path, beside };
        folder.write(MARK, MARK_TEXT.as_bytes())?;
        Ok(folder)
    }

    /// Writes one file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        // Two files of one name would be one that is lost.
        let written = File::create_new(self.beside.join(name))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| ExportError::File {
            path: self.path.join(name),
            error,
        })
    }

    /// Puts it in its place, where an earlier export goes.
    ///
    /// # Errors
    /// Where it cannot be put there.
    pub fn finish(self) -> Result<PathBuf, ExportError> {
        let failed = |error| ExportError::File {
            path: self.path.clone(),
            error,
        };
        if self.path.exists() {
            let mut old = self.beside.clone().into_os_string();
            old.push(".old");
            let old = PathBuf::from(old);
            fs::rename(&self.path, &old).map_err(failed)?;
            if let Err(error) = fs::rename(&self.beside, &self.path) {
                // The earlier one comes back; the error to tell is the first.
                let _ = fs::rename(&old, &self.path);
                return Err(failed(error));
            }
            let _ = fs::remove_dir_all(&old);
        } else {
            fs::rename(&self.beside, &self.path).map_err(failed)?;
        }
        Ok(self.path.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // After `finish` there is none any more.
        let _ = fs::remove_dir_all(&self.beside);
    }
}

/// The file that says who wrote the folder: only such a folder, or an empty one, is replaced.
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

    /// A number that no process has: above the most that Linux gives.
    const NOBODY: u32 = 4_194_305;

    #[test]
    fn what_a_killed_export_left_is_cleared_away_and_what_it_replaced_comes_back() {
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
        tidy(&path);
        assert!(
            left.exists() && !path.exists(),
            "it may be another machine's"
        );
        [&left, &old, &working, &other]
            .into_iter()
            .for_each(|own| age(own));
        tidy(&path);
        assert!(!left.exists() && !old.exists() && working.exists() && other.exists());
        assert_eq!(fs::read_to_string(path.join(MARK)).unwrap(), MARK_TEXT);
        let file = place.path().join(format!("mine.npz.{NOBODY}-0.tmp"));
        fs::write(&file, "half").unwrap();
        age(&file);
        tidy(&place.path().join("mine.npz"));
        assert!(!file.exists() && path.exists());
    }
}
