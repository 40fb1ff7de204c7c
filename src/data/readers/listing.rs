//! The entries of a folder, read once and shared by all readers.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::file::FileError;

/// The entries of a folder, sorted by name, without hidden files and those of file managers.
#[derive(Debug, Clone, Default)]
pub(super) struct FolderListing {
    /// The folder.
    pub path: PathBuf,
    /// The file in it that the user named, if any.
    pub focus: Option<PathBuf>,
    /// Everything that is not a folder.
    pub files: Vec<PathBuf>,
    /// Folders.
    pub folders: Vec<PathBuf>,
}

impl FolderListing {
    /// Reads the folder at `path`.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let failed = |source| FileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut listing = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let name = file_name(&path);
            if name.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&&*name) {
                continue;
            }
            // Follow links.
            let is_folder = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                _ => path.is_dir(),
            };
            match is_folder {
                true => listing.folders.push(path),
                false => listing.files.push(path),
            }
        }
        listing.files.sort();
        listing.folders.sort();
        Ok(listing)
    }

    /// Whether the user named a file of another kind than this.
    pub(super) fn focus_is_not(&self, of_kind: impl Fn(&Path) -> bool) -> bool {
        self.focus.as_deref().is_some_and(|file| !of_kind(file))
    }

    /// Whether the folder is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }
}

/// The last component of a path, for display.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The extension of a path in lower case, without the dot; empty if there is none.
pub(super) fn extension(path: &Path) -> String {
    path.extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}

/// A list of names for a sentence: `a, b and 3 more`.
pub(crate) fn abridged_list(names: &[String]) -> String {
    const MOST: usize = 6;
    match names.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST].join(", ")),
    }
}
