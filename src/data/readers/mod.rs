//! Readers of images, chosen by the content of a folder or file. A new format needs its file and one line in [`READERS`].
//!
//! This file chooses the reader for a path, even if the path is a level too high or too low. Classes and the test split
//! are determined afterwards, in `assemble`.

mod array;
pub(super) mod cache;
mod cifar;
mod decoding;
mod idx;
mod levels;
pub(super) mod listing;
mod numpy;
mod picture;
mod pictures;
pub(super) mod raw;
mod roles;
mod unknown;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::DataError;
use super::file::{self, FileError};

use listing::{FolderListing, file_name};
use raw::RawSet;
use roles::SetPart;

/// A format of image sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetFormat {
    /// The files of the MNIST family.
    Idx,
    /// The binary batches of CIFAR-10 and CIFAR-100.
    Cifar,
    /// NumPy's arrays.
    Numpy,
    /// A folder of PNG and JPEG pictures for each class.
    Pictures,
}

impl fmt::Display for SetFormat {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Idx => "IDX files",
            Self::Cifar => "CIFAR binary batches",
            Self::Numpy => "NumPy arrays",
            Self::Pictures => "a folder of pictures for each class",
        })
    }
}

/// A progress callback: receives the number of files read and the total, and returns whether to continue.
pub type ProgressCallback<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

/// The files of a set that were recognised but not yet read.
pub(super) trait RecognisedSet: fmt::Debug {
    /// The set's format.
    fn format(&self) -> SetFormat;

    /// Whether a path (in the same form as the folder's path) is part of the set, so that a user who names it means the
    /// whole set.
    fn holds(&self, _path: &Path) -> bool {
        false
    }

    /// Reads the set.
    ///
    /// # Errors
    /// [`DataError`], with the file and a remedy.
    fn read(&self, progress: ProgressCallback<'_>) -> Result<RawSet, DataError>;

    /// The state of the set's files, if reading is slow enough for the images to be worth caching.
    ///
    /// # Errors
    /// If a folder cannot be read.
    fn fingerprint(&self) -> Result<Option<cache::SourceState>, DataError> {
        Ok(None)
    }
}

/// Looks for a set of one format among a folder's entries: `None` if there is none, an error if it is incomplete.
type Recogniser = fn(&FolderListing) -> Result<Option<Box<dyn RecognisedSet>>, DataError>;

/// All readers, in the order in which they are tried.
const READERS: [Recogniser; 4] = [
    idx::recognise,
    cifar::recognise,
    numpy::recognise,
    pictures::recognise,
];

/// Subfolders that commonly contain the set; their content counts as being in the folder itself.
const COMMON_SUBFOLDERS: [&str; 3] = ["raw", "MNIST/raw", "processed"];

/// Images that were found but not yet read.
#[derive(Debug)]
pub struct FoundSet {
    layout: Box<dyn RecognisedSet>,
    /// Their folder.
    pub folder: PathBuf,
    /// A note on where they were found, if not at the given path.
    pub note: Option<String>,
}

impl FoundSet {
    /// Their format.
    pub fn format(&self) -> SetFormat {
        self.layout.format()
    }

    pub(super) fn layout(&self) -> &dyn RecognisedSet {
        &*self.layout
    }
}

/// Finds the images at `path`, a folder or file; also looks one or two levels below it, and above it if `path` is part of
/// a set.
///
/// # Errors
/// Why no images were found.
pub(super) fn find(path: &Path) -> Result<FoundSet, DataError> {
    let listing = list_path(path)?;
    if let Some(found) = find_whole_set(&listing) {
        return Ok(found);
    }
    let here = find_in_folder(&listing);
    if let Ok(Some(found)) = here {
        return Ok(found);
    }
    if listing.focus.is_none()
        && let Some(found) = find_below(&listing)?
    {
        return Ok(found);
    }
    if let Some(found) = find_above(&listing) {
        return Ok(found);
    }
    match here {
        Err(partial) => Err(partial),
        Ok(_) => Err(error_below(&listing).unwrap_or_else(|| unknown::error(&listing))),
    }
}

/// Whether a folder or file itself holds images, without looking above or below it.
pub fn holds_images(path: &Path) -> bool {
    list_path(path).is_ok_and(|listing| matches!(find_in_folder(&listing), Ok(Some(_))))
}

fn list_path(path: &Path) -> Result<FolderListing, DataError> {
    let about = std::fs::metadata(path).map_err(|source| {
        let is_absent = source.kind() == std::io::ErrorKind::NotFound;
        match file::failed(path, source) {
            FileError::Read { path, .. } if is_absent => DataError::NoSuchPath { path },
            error => error.into(),
        }
    })?;
    if about.is_dir() {
        return FolderListing::of(path);
    }
    file::check_regular(path, &about)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut listing = FolderListing::of(folder)?;
    listing.focus = Some(folder.join(path.file_name().unwrap_or_default()));
    Ok(listing)
}

/// The set in the folder itself or in one of [`COMMON_SUBFOLDERS`].
fn find_in_folder(listing: &FolderListing) -> Result<Option<FoundSet>, DataError> {
    let mut partial = None;
    match try_readers(listing) {
        Ok(Some(found)) => return Ok(Some(found)),
        Ok(None) => {}
        Err(error) => partial = Some(error),
    }
    if listing.focus.is_none() {
        for place in COMMON_SUBFOLDERS {
            let folder = listing.path.join(place);
            if !folder.is_dir() {
                continue;
            }
            match FolderListing::of(&folder).and_then(|listing| try_readers(&listing)) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => partial = partial.or(Some(error)),
            }
        }
    }
    partial.map_or(Ok(None), Err)
}

fn try_readers(listing: &FolderListing) -> Result<Option<FoundSet>, DataError> {
    let mut partial = None;
    for recognise in READERS {
        match recognise(listing) {
            Ok(Some(layout)) => {
                return Ok(Some(FoundSet {
                    layout,
                    folder: listing.path.clone(),
                    note: None,
                }));
            }
            Ok(None) => {}
            Err(error) => partial = partial.or(Some(error)),
        }
    }
    partial.map_or(Ok(None), Err)
}

/// Most folders per level that are searched.
const MOST_FOLDERS: usize = 64;

/// The only set one or two levels below.
fn find_below(listing: &FolderListing) -> Result<Option<FoundSet>, DataError> {
    let mut level: Vec<PathBuf> = listing.folders.clone();
    for _ in 0..2 {
        level.truncate(MOST_FOLDERS);
        let listings: Vec<FolderListing> = level
            .iter()
            .flat_map(|path| FolderListing::of(path))
            .collect();
        let mut found: Vec<FoundSet> = listings
            .iter()
            .filter_map(|listing| find_in_folder(listing).ok().flatten())
            .collect();
        match found.len() {
            0 => {}
            1 => {
                return Ok(found.pop().map(|mut found| {
                    let inside = found.folder.strip_prefix(&listing.path);
                    let inside = inside.unwrap_or(&found.folder).display();
                    found.note = Some(format!("the images are deeper, in {inside}"));
                    found
                }));
            }
            _ => {
                return Err(DataError::Several {
                    path: listing.path.clone(),
                    found: found.iter().map(|one| file_name(&one.folder)).collect(),
                });
            }
        }
        level = listings.into_iter().flat_map(|one| one.folders).collect();
    }
    Ok(None)
}

/// The error of an incomplete set one level below.
fn error_below(listing: &FolderListing) -> Option<DataError> {
    let folders = listing.folders.iter().take(MOST_FOLDERS);
    folders
        .flat_map(|path| FolderListing::of(path))
        .find_map(|listing| find_in_folder(&listing).err())
}

/// The whole set, if `path` is its `train` or `test` folder.
fn find_whole_set(listing: &FolderListing) -> Option<FoundSet> {
    if listing.focus.is_some() {
        return None;
    }
    let path = listing.path.canonicalize().ok()?;
    SetPart::named(&file_name(&path))?;
    let mut found = find_in_folder(&FolderListing::of(path.parent()?).ok()?)
        .ok()
        .flatten()?;
    if !found.layout.holds(&path) {
        return None;
    }
    found.note = Some(format!(
        "{} is part of the set in {}; the whole set was read",
        file_name(&path),
        found.folder.display()
    ));
    Some(found)
}

/// The set that the given folder or file is part of, one or two levels above.
fn find_above(listing: &FolderListing) -> Option<FoundSet> {
    let of_a_set = |path: &PathBuf| picture::is_picture(path) || idx::has_idx_name(path);
    match &listing.focus {
        Some(file) if !picture::is_picture(file) => return None,
        _ if !listing.files.iter().any(of_a_set) => return None,
        _ => {}
    }
    let path = listing.path.canonicalize().ok()?;
    let parent = FolderListing::of(path.parent()?).ok()?;
    let found = match find_whole_set(&parent) {
        Some(found) => Some(found),
        None => find_in_folder(&parent).ok().flatten(),
    };
    let mut found = found.filter(|found| found.layout.holds(&path))?;
    found.note = Some(format!(
        "{} is part of the set in {}; the whole set was read",
        file_name(&path),
        found.folder.display()
    ));
    Some(found)
}
