//! Data sets: the known sets, built in or in the data folder, and the user's own images in a folder or file.
//!
//! This file loads a set into memory. Its modules list the known sets (`catalog`), read folders and files (`readers`),
//! determine classes and splits (`assemble`), verify files on disk (`verify`) and download sets (`fetch`). Nothing here
//! depends on networks or tensors, and only the catalogue knows sizes or numbers of classes of specific sets.

mod assemble;
pub mod catalog;
pub mod embedded;
mod error;
pub mod fetch;
mod file;
mod gzip;
pub mod idx;
mod images;
mod note;
mod paths;
mod readers;
pub mod verify;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::session::config::{self, DatasetName, DatasetSource};
use crate::session::form::Form;

use assemble::{AssembledSet, SetContext, assemble};
use catalog::SetSpec;
use readers::cache;
use readers::raw::{RawSet, describe_shape};
use verify::Authenticity;

pub use error::DataError;
pub use file::{FileError, ForeignFormat, MOST_BYTES};
pub use images::Images;
pub use note::DatasetNote;
pub use paths::{DATA_VARIABLE, data_dir, set_dir};
pub use readers::{FoundSet, ProgressCallback, SetFormat, holds_images};

/// The most classes that a set may have.
pub const MOST_CLASSES: usize = 1000;

/// Where the images of a [`Dataset`] came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatasetOrigin {
    /// The built-in subset.
    Embedded,
    /// The full set, in this folder.
    Full(PathBuf),
    /// The user's own folder or file.
    Folder(PathBuf),
    /// There are no images.
    None,
}

impl fmt::Display for DatasetOrigin {
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
    pub origin: DatasetOrigin,
    /// Training images.
    pub train: Images,
    /// Test images, of the same size.
    pub test: Images,
    /// Names of the classes; all labels are below their number.
    pub classes: Vec<String>,
    /// Remarks for the user, for example why `Auto` took the built-in subset although files of the full set are
    /// present.
    pub notes: Vec<DatasetNote>,
}

impl Dataset {
    /// An empty data set of the given form, for noise alone.
    pub fn none(form: Form) -> Self {
        Self {
            name: DatasetName::Own(String::new()),
            origin: DatasetOrigin::None,
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

/// A request for a data set: which images, and where to look for them.
#[derive(Debug, Clone, Copy)]
pub struct DatasetRequest<'a> {
    /// The session's dataset config.
    pub config: &'a config::Dataset,
    /// The session's seed, which determines the test split if the images come without one.
    pub seed: u64,
    /// The folder of full sets.
    pub data: &'a Path,
    /// Folder for caching images that are slow to read; `None`: no caching.
    pub cache: Option<&'a Path>,
}

/// Recognises the images at a path, a folder or file, without reading them. Also looks one or two levels below it, and
/// above it if the path is part of a set. `None` if there are none.
pub fn recognise(path: &Path) -> Option<FoundSet> {
    readers::find(path).ok()
}

/// Loads a data set. Checks headers and lengths; a full set must match the published one if its checksums are known.
/// `progress` is called with the number of files read and the total, if there are many, and decides whether to continue.
///
/// `Auto` takes the full set if it is complete in the data folder, else the built-in subset. `Folder` and `File` may hold
/// images of any size, in any format that a reader knows; whether they fit a network is for the caller to check.
///
/// # Errors
/// [`DataError`], with the file and a remedy; [`DataError::Stopped`] if `progress` asked to stop.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use std::path::Path;
///
/// use noisescope::data::{DatasetRequest, load};
/// use noisescope::session::config::{Dataset, DatasetSource};
///
/// # fn main() -> Result<(), noisescope::data::DataError> {
/// let dataset = Dataset {
///     source: DatasetSource::Embedded,
///     ..Dataset::default()
/// };
/// let request = DatasetRequest {
///     config: &dataset,
///     seed: 1,
///     data: Path::new("data"),
///     cache: None,
/// };
/// let images = load(&request, &mut |_, _| ControlFlow::Continue(()))?;
/// assert_eq!(images.form().shape(), [1, 28, 28]);
/// assert_eq!(images.train.len(), 10_000);
/// # Ok(())
/// # }
/// ```
pub fn load(
    request: &DatasetRequest<'_>,
    progress: ProgressCallback<'_>,
) -> Result<Dataset, DataError> {
    let spec = catalog::spec(&request.config.name);
    match (&request.config.source, spec) {
        (DatasetSource::Folder(path) | DatasetSource::File(path), _) => {
            load_path(request, path, progress)
        }
        (DatasetSource::Embedded, _) => load_embedded(request, None),
        (_, None) => Err(DataError::NoSource {
            name: request.config.name.label().to_owned(),
        }),
        (DatasetSource::Full, Some(spec)) => load_full(request, spec, progress),
        (DatasetSource::Auto, Some(spec)) => match load_full(request, spec, progress) {
            Err(DataError::NotFetched { .. }) => load_embedded(request, None),
            Err(error) if spec.is_embedded => load_embedded(request, Some(error.to_string())),
            outcome => outcome,
        },
    }
}

fn build_dataset(
    request: &DatasetRequest<'_>,
    origin: DatasetOrigin,
    folder: PathBuf,
    raw: RawSet,
) -> Result<Dataset, DataError> {
    let spec = catalog::spec(&request.config.name);
    let known = SetContext {
        set: spec.map(|spec| (spec.label(), spec.classes())),
        folder,
        seed: request.seed,
        transpose: request.config.transpose,
    };
    let AssembledSet {
        train,
        test,
        classes,
        notes,
    } = assemble(raw, &known)?;
    Ok(Dataset {
        name: request.config.name.clone(),
        origin,
        train,
        test,
        classes,
        notes,
    })
}

fn load_embedded(request: &DatasetRequest<'_>, note: Option<String>) -> Result<Dataset, DataError> {
    let raw = embedded::read(&request.config.name)?;
    let mut set = build_dataset(request, DatasetOrigin::Embedded, PathBuf::new(), raw)?;
    set.notes.extend(note.map(DatasetNote::warning));
    Ok(set)
}

fn load_full(
    request: &DatasetRequest<'_>,
    spec: &SetSpec,
    progress: ProgressCallback<'_>,
) -> Result<Dataset, DataError> {
    let folder = set_dir(request.data, spec);
    let missing = paths::missing_files(spec, &folder);
    let nothing = missing.len() == spec.files.len();
    // Files copied by hand may lie deeper or have other names.
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
            return Err(DataError::NotDownloaded {
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
        .read(progress)
        .and_then(|raw| check_and_build(request, spec, &inside, raw));
    set.map_err(|error| unusable(spec, error))
}

/// A full set, after checking as far as possible that it is the published one.
fn check_and_build(
    request: &DatasetRequest<'_>,
    spec: &SetSpec,
    inside: &Path,
    raw: RawSet,
) -> Result<Dataset, DataError> {
    check_size(spec, inside, &raw)?;
    let proof = verify::check_published(spec, inside, &raw)?;
    let origin = DatasetOrigin::Full(inside.to_owned());
    let mut set = build_dataset(request, origin, inside.to_owned(), raw)?;
    if proof == Authenticity::Unknown {
        set.notes.push(DatasetNote::info(format!(
            "full set of {}: number and size of images match the published set; checksums are not known",
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
            None => format!("to replace it: noisescope data fetch {}", spec.slug),
        },
    }
}

fn load_path(
    request: &DatasetRequest<'_>,
    path: &Path,
    progress: ProgressCallback<'_>,
) -> Result<Dataset, DataError> {
    let found = readers::find(path)?;
    let (raw, note) = read_cached(&found, request.cache, progress)?;
    let mut set = build_dataset(
        request,
        DatasetOrigin::Folder(path.to_owned()),
        found.folder.clone(),
        raw,
    )?;
    set.notes.extend(note.map(DatasetNote::warning));
    set.notes.extend(found.note.map(DatasetNote::info));
    Ok(set)
}

/// Takes the images from the cache, or else reads and caches them; returns a note if they cannot be cached.
fn read_cached(
    found: &FoundSet,
    cache: Option<&Path>,
    progress: ProgressCallback<'_>,
) -> Result<(RawSet, Option<String>), DataError> {
    let layout = found.layout();
    let Some(cache) = cache else {
        return Ok((layout.read(progress)?, None));
    };
    let Some(fingerprint) = layout.fingerprint()? else {
        return Ok((layout.read(progress)?, None));
    };
    if let Some(raw) = cache::load(cache, &fingerprint) {
        return Ok((raw, None));
    }
    let raw = layout.read(progress)?;
    let note = cache::store(cache, &fingerprint, &raw).err().map(|error| {
        format!(
            "the pictures could not be cached in {} ({error}), so they are decoded again each time",
            cache.display()
        )
    });
    Ok((raw, note))
}

/// Checks the number and size of the images against the published set.
fn check_size(spec: &SetSpec, folder: &Path, raw: &RawSet) -> Result<(), DataError> {
    let halves = [
        (Some(&raw.train), spec.train),
        (raw.test.as_ref(), spec.test),
    ];
    for (half, count) in halves {
        let words = |count, shape| format!("{count} images of {}", describe_shape(shape));
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
