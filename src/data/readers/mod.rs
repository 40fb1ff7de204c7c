//! Readers of images, chosen by what lies in a folder or file. A new kind is its file and one line in [`READERS`].
//!
//! Here: which reader a path is for, also where the path is one level too high or too low. What classes there are and
//! which images are for testing is settled afterwards, in `settle`.

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

use listing::{Listing, name_of};
use raw::Raw;
use roles::Part;

/// A way in which images are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The files of the MNIST family.
    Idx,
    /// The binary batches of CIFAR-10 and CIFAR-100.
    Cifar,
    /// NumPy's arrays.
    Numpy,
    /// A folder of PNG and JPEG pictures for each class.
    Pictures,
}

impl fmt::Display for Kind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Idx => "IDX files",
            Self::Cifar => "CIFAR binary batches",
            Self::Numpy => "NumPy arrays",
            Self::Pictures => "a folder of pictures for each class",
        })
    }
}

/// Hears how many of how many files have been read, and says whether to go on.
pub type Told<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

/// The files of a set, recognised and not yet read.
pub(super) trait Layout: fmt::Debug {
    /// How the set is stored.
    fn kind(&self) -> Kind;

    /// Whether a path, the way the folder's is written, is that of a part of the set, so that who gives it means the set.
    fn holds(&self, _path: &Path) -> bool {
        false
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DataError`], naming the file and what to do.
    fn read(&self, told: Told<'_>) -> Result<Raw, DataError>;

    /// Every file with its size and time, where reading takes so long that the images are worth keeping.
    ///
    /// # Errors
    /// Where a folder cannot be read.
    fn fingerprint(&self) -> Result<Option<cache::Fingerprint>, DataError> {
        Ok(None)
    }
}

/// Looks at a folder's entries: a set of this kind; `None` where there is none; an error where there is half of one.
type Recogniser = fn(&Listing) -> Result<Option<Box<dyn Layout>>, DataError>;

/// Every reader, in the order in which they look.
const READERS: [Recogniser; 4] = [
    idx::recognise,
    cifar::recognise,
    numpy::recognise,
    pictures::recognise,
];

/// Folders inside which a set commonly lies: what is there counts as lying in the folder itself.
const USUAL: [&str; 3] = ["raw", "MNIST/raw", "processed"];

/// Images that were found, and not yet read.
#[derive(Debug)]
pub struct Found {
    layout: Box<dyn Layout>,
    /// The folder in which they lie.
    pub folder: PathBuf,
    /// Where they were found, when that is not the place that was given.
    pub note: Option<String>,
}

impl Found {
    /// How they are stored.
    pub fn kind(&self) -> Kind {
        self.layout.kind()
    }

    pub(super) fn layout(&self) -> &dyn Layout {
        &*self.layout
    }
}

/// Finds the images at `path`, a folder or a file; also one or two levels below, and above where `path` is a part of
/// a set.
///
/// # Errors
/// Why no images were found, in words.
pub(super) fn find(path: &Path) -> Result<Found, DataError> {
    let listing = listed(path)?;
    if let Some(found) = whole_of_a_half(&listing) {
        return Ok(found);
    }
    let here = exact(&listing);
    if let Ok(Some(found)) = here {
        return Ok(found);
    }
    if listing.focus.is_none()
        && let Some(found) = below(&listing)?
    {
        return Ok(found);
    }
    if let Some(found) = above(&listing) {
        return Ok(found);
    }
    match here {
        Err(partial) => Err(partial),
        Ok(_) => Err(deeper_fault(&listing).unwrap_or_else(|| unknown::error(&listing))),
    }
}

/// Whether a folder or file itself holds images, without a look at the levels above and below.
pub fn is_images(path: &Path) -> bool {
    listed(path).is_ok_and(|listing| matches!(exact(&listing), Ok(Some(_))))
}

fn listed(path: &Path) -> Result<Listing, DataError> {
    let about = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::NoSuchPath {
            path: path.to_owned(),
        },
        _ => FileError::Read {
            path: path.to_owned(),
            source,
        }
        .into(),
    })?;
    if about.is_dir() {
        return Listing::of(path);
    }
    file::check_regular(path, &about)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut listing = Listing::of(folder)?;
    listing.focus = Some(folder.join(path.file_name().unwrap_or_default()));
    Ok(listing)
}

/// The set that lies in the folder itself, or where sets commonly lie inside a folder.
fn exact(listing: &Listing) -> Result<Option<Found>, DataError> {
    let mut partial = None;
    match directly(listing) {
        Ok(Some(found)) => return Ok(Some(found)),
        Ok(None) => {}
        Err(error) => partial = Some(error),
    }
    if listing.focus.is_none() {
        for place in USUAL {
            let folder = listing.path.join(place);
            if !folder.is_dir() {
                continue;
            }
            match Listing::of(&folder).and_then(|listing| directly(&listing)) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => partial = partial.or(Some(error)),
            }
        }
    }
    partial.map_or(Ok(None), Err)
}

fn directly(listing: &Listing) -> Result<Option<Found>, DataError> {
    let mut partial = None;
    for recognise in READERS {
        match recognise(listing) {
            Ok(Some(layout)) => {
                return Ok(Some(Found {
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

/// Folders on one level that are looked into.
const MOST_FOLDERS: usize = 64;

/// The one set that lies one or two levels below.
fn below(listing: &Listing) -> Result<Option<Found>, DataError> {
    let mut level: Vec<PathBuf> = listing.folders.clone();
    for _ in 0..2 {
        level.truncate(MOST_FOLDERS);
        let listings: Vec<Listing> = level.iter().flat_map(|path| Listing::of(path)).collect();
        let mut found: Vec<Found> = listings
            .iter()
            .filter_map(|listing| exact(listing).ok().flatten())
            .collect();
        match found.len() {
            0 => {}
            1 => {
                return Ok(found.pop().map(|mut found| {
                    let inside = found.folder.strip_prefix(&listing.path);
                    let inside = inside.unwrap_or(&found.folder).display();
                    found.note = Some(format!("the images lie deeper, in {inside}"));
                    found
                }));
            }
            _ => {
                return Err(DataError::Several {
                    path: listing.path.clone(),
                    found: found.iter().map(|one| name_of(&one.folder)).collect(),
                });
            }
        }
        level = listings.into_iter().flat_map(|one| one.folders).collect();
    }
    Ok(None)
}

/// What is wrong with half a set one level below.
fn deeper_fault(listing: &Listing) -> Option<DataError> {
    let folders = listing.folders.iter().take(MOST_FOLDERS);
    folders
        .flat_map(|path| Listing::of(path))
        .find_map(|listing| exact(&listing).err())
}

/// The whole set, where `train` or `test` of it was given.
fn whole_of_a_half(listing: &Listing) -> Option<Found> {
    if listing.focus.is_some() {
        return None;
    }
    let path = listing.path.canonicalize().ok()?;
    Part::named(&name_of(&path))?;
    let mut found = exact(&Listing::of(path.parent()?).ok()?).ok().flatten()?;
    if !found.layout.holds(&path) {
        return None;
    }
    found.note = Some(format!(
        "{} is a part of the set in {}: all of that was read",
        name_of(&path),
        found.folder.display()
    ));
    Some(found)
}

/// The set that the given folder or file is a part of, one or two levels above.
fn above(listing: &Listing) -> Option<Found> {
    let of_a_set = |path: &PathBuf| picture::is_picture(path) || idx::is_named_so(path);
    match &listing.focus {
        Some(file) if !picture::is_picture(file) => return None,
        _ if !listing.files.iter().any(of_a_set) => return None,
        _ => {}
    }
    let path = listing.path.canonicalize().ok()?;
    let parent = Listing::of(path.parent()?).ok()?;
    let found = match whole_of_a_half(&parent) {
        Some(found) => Some(found),
        None => exact(&parent).ok().flatten(),
    };
    let mut found = found.filter(|found| found.layout.holds(&path))?;
    found.note = Some(format!(
        "{} is a part of the set in {}: all of that was read",
        name_of(&path),
        found.folder.display()
    ));
    Some(found)
}
