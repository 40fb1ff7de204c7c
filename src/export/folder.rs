//! A folder of files, written as a whole: whoever looks sees the old one, none, or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::ExportError;

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
        let written = File::create(self.beside.join(name))
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
