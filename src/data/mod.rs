//! The images under study: the sets that the program knows, from the binary or the data folder, and those in a folder
//! or file of the user's own.
//!
//! Here: loading a set into memory. Beside it: what exists (`catalog`), what lies in a folder or file (`readers`), which
//! classes it has (`settle`), what lies on this disk (`verify`), how more of it gets here (`fetch`). Nothing here knows
//! a network or a tensor, and nothing but the catalogue knows a size or a number of classes.

pub mod catalog;
pub mod embedded;
mod error;
pub mod fetch;
mod file;
mod gzip;
pub mod idx;
mod images;
mod note;
mod place;
mod readers;
mod settle;
pub mod verify;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::session::config::{self, DatasetName, DatasetSource};
use crate::session::form::Form;

use catalog::SetSpec;
use readers::cache;
use readers::raw::{Raw, in_words};
use settle::{Known, Settled, settle};
use verify::Proof;

pub use error::DataError;
pub use file::{FileError, Foreign, MOST_BYTES};
pub use images::Images;
pub use note::Note;
pub use place::{DATA_VARIABLE, data_dir, set_dir};
pub use readers::{Found, Kind, Told, is_images};

/// The most classes that a set may have.
pub const MOST_CLASSES: usize = 1000;

/// Where the images of a [`Dataset`] came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The subset inside the binary.
    Embedded,
    /// The full set, in this folder.
    Full(PathBuf),
    /// A folder, or a file, of the user's own.
    Folder(PathBuf),
    /// There are none.
    None,
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => write!(to, "built-in subset"),
            Self::Full(folder) => write!(to, "full set in {}", folder.display()),
            Self::Folder(path) if path.is_file() => write!(to, "file {}", path.display()),
            Self::Folder(folder) => write!(to, "folder {}", folder.display()),
            Self::None => to.write_str("no images"),
        }
    }
}

/// A data set in memory.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Which set.
    pub name: DatasetName,
    /// Where its images came from.
    pub origin: Origin,
    /// Training images.
    pub train: Images,
    /// Test images, of the same size.
    pub test: Images,
    /// Names of the classes; labels lie below their number.
    pub classes: Vec<String>,
    /// What is worth showing, for example why `Auto` took the built-in subset although files of the
    /// full set are there.
    pub notes: Vec<Note>,
}

impl Dataset {
    /// No images, of a form: noise alone.
    pub fn none(form: Form) -> Self {
        Self {
            name: DatasetName::Own(String::new()),
            origin: Origin::None,
            train: Images::none(&form),
            test: Images::none(&form),
            classes: form.classes,
            notes: Vec::new(),
        }
    }

    /// The form of its images.
    pub fn form(&self) -> Form {
        Form {
            channels: self.train.channels,
            height: self.train.height,
            width: self.train.width,
            classes: self.classes.clone(),
        }
    }
}

/// Which images are wanted, and where they may lie.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the plan says.
    pub plan: &'a config::Dataset,
    /// The session's seed, from which a split follows where the images come without one.
    pub seed: u64,
    /// The folder of full sets.
    pub data: &'a Path,
    /// Where images that took long to read are kept as one file; `None`: nowhere.
    pub cache: Option<&'a Path>,
}

/// The images at a path, a folder or a file, recognised and not read: also a level or two below it, and above it where
/// the path is a part of a set. `None` where there are none.
pub fn recognise(path: &Path) -> Option<Found> {
    readers::find(path).ok()
}

/// Loads a data set. Headers and lengths are checked, and what passes for a full set must be the published one where
/// its checksums are known. `told` hears
/// how many of how many files have been read, where there are many, and says whether to go on.
///
/// `Auto` takes the full set where it is whole in the data folder, else the built-in subset. `Folder` and `File` may
/// hold images of any one size, stored in any way that a reader knows: whether they fit a network is the caller's
/// question.
///
/// # Errors
/// [`DataError`], naming the file and what to do; [`DataError::Stopped`] where `told` said so.
pub fn load(request: &Request<'_>, told: Told<'_>) -> Result<Dataset, DataError> {
    let spec = catalog::spec(&request.plan.name);
    match (&request.plan.source, spec) {
        (DatasetSource::Folder(path) | DatasetSource::File(path), _) => {
            load_path(request, path, told)
        }
        (DatasetSource::Embedded, _) => load_embedded(request, None),
        (_, None) => Err(DataError::NoSource {
            name: request.plan.name.label().to_owned(),
        }),
        (DatasetSource::Full, Some(spec)) => load_full(request, spec, told),
        (DatasetSource::Auto, Some(spec)) => match load_full(request, spec, told) {
            Err(DataError::NotFetched { .. }) => load_embedded(request, None),
            Err(error) if spec.is_embedded => load_embedded(request, Some(error.to_string())),
            outcome => outcome,
        },
    }
}

fn assembled(
    request: &Request<'_>,
    origin: Origin,
    folder: PathBuf,
    raw: Raw,
) -> Result<Dataset, DataError> {
    let spec = catalog::spec(&request.plan.name);
    let known = Known {
        set: spec.map(|spec| (spec.label(), spec.classes())),
        folder,
        seed: request.seed,
        transpose: request.plan.transpose,
    };
    let Settled {
        train,
        test,
        classes,
        notes,
    } = settle(raw, &known)?;
    Ok(Dataset {
        name: request.plan.name.clone(),
        origin,
        train,
        test,
        classes,
        notes,
    })
}

fn load_embedded(request: &Request<'_>, note: Option<String>) -> Result<Dataset, DataError> {
    let raw = embedded::read(&request.plan.name)?;
    let mut set = assembled(request, Origin::Embedded, PathBuf::new(), raw)?;
    set.notes.extend(note.map(Note::warning));
    Ok(set)
}

fn load_full(request: &Request<'_>, spec: &SetSpec, told: Told<'_>) -> Result<Dataset, DataError> {
    let folder = set_dir(request.data, spec);
    let missing = place::missing_files(spec, &folder);
    let nothing = missing.len() == spec.files.len();
    // Brought by hand, the files may lie deeper or have other names.
    let found = if missing.is_empty() || nothing {
        readers::find(&folder)
    } else if spec.by_hand.is_some() {
        Err(DataError::FolderIncomplete {
            folder: folder.clone(),
            missing: missing.iter().map(|&name| name.to_owned()).collect(),
        })
    } else {
        return Err(DataError::Incomplete {
            set: spec.label(),
            slug: spec.slug,
            folder,
            missing,
        });
    };
    let found = match (found, spec.by_hand) {
        (Ok(found), _) => found,
        (Err(_), None) if nothing => {
            return Err(DataError::NotFetched {
                set: spec.label(),
                slug: spec.slug,
                folder,
            });
        }
        (Err(DataError::NoSuchPath { .. } | DataError::EmptyFolder { .. }), Some(how)) => {
            return Err(DataError::NotBrought {
                set: spec.label(),
                folder,
                how,
            });
        }
        (Err(error), _) => return Err(unusable(spec, error)),
    };
    let inside = found.folder.clone();
    let set = found
        .layout()
        .read(told)
        .and_then(|raw| published(request, spec, &inside, raw));
    set.map_err(|error| unusable(spec, error))
}

/// A full set, once it is the published one as far as can be told.
fn published(
    request: &Request<'_>,
    spec: &SetSpec,
    inside: &Path,
    raw: Raw,
) -> Result<Dataset, DataError> {
    check_size(spec, inside, &raw)?;
    let proof = verify::published(spec, inside, &raw)?;
    let origin = Origin::Full(inside.to_owned());
    let mut set = assembled(request, origin, inside.to_owned(), raw)?;
    if proof == Proof::None {
        set.notes.push(Note::info(format!(
            "full set of {}: as many images of the size as were published; no checksums are known that could tell more",
            spec.label()
        )));
    }
    Ok(set)
}

fn unusable(spec: &SetSpec, reason: DataError) -> DataError {
    if matches!(reason, DataError::Stopped) {
        return reason;
    }
    DataError::Unusable {
        reason: Box::new(reason),
        remedy: match spec.by_hand {
            Some(how) => format!("to replace it, {how}"),
            None => format!("`noisescope data fetch {}` replaces it", spec.slug),
        },
    }
}

fn load_path(request: &Request<'_>, path: &Path, told: Told<'_>) -> Result<Dataset, DataError> {
    let found = readers::find(path)?;
    let (raw, note) = read_or_kept(&found, request.cache, told)?;
    let mut set = assembled(
        request,
        Origin::Folder(path.to_owned()),
        found.folder.clone(),
        raw,
    )?;
    set.notes.extend(note.map(Note::warning));
    set.notes.extend(found.note.map(Note::info));
    Ok(set)
}

/// The images as they were kept of an earlier reading, else read and kept; a note where they cannot be kept.
fn read_or_kept(
    found: &Found,
    cache: Option<&Path>,
    told: Told<'_>,
) -> Result<(Raw, Option<String>), DataError> {
    let layout = found.layout();
    let Some(cache) = cache else {
        return Ok((layout.read(told)?, None));
    };
    let Some(fingerprint) = layout.fingerprint()? else {
        return Ok((layout.read(told)?, None));
    };
    if let Some(raw) = cache::kept(cache, &fingerprint) {
        return Ok((raw, None));
    }
    let raw = layout.read(told)?;
    let note = cache::keep(cache, &fingerprint, &raw).err().map(|error| {
        format!(
            "the pictures could not be kept as one file in {} ({error}), so they are read anew each time",
            cache.display()
        )
    });
    Ok((raw, note))
}

/// Refuses another number or size of images than were published.
fn check_size(spec: &SetSpec, folder: &Path, raw: &Raw) -> Result<(), DataError> {
    let halves = [
        (Some(&raw.train), spec.train),
        (raw.test.as_ref(), spec.test),
    ];
    for (half, count) in halves {
        let words = |count, shape| format!("{count} images of {}", in_words(shape));
        let expected = words(count, spec.shape);
        let found = half.map_or_else(
            || "no test images".to_owned(),
            |half| words(half.labels.len(), half.shape),
        );
        if found != expected {
            return Err(DataError::NotTheFullSet {
                set: spec.label(),
                path: folder.to_owned(),
                expected,
                found,
            });
        }
    }
    Ok(())
}
