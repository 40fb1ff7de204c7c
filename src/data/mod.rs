//! The images under study: MNIST and Fashion-MNIST, from the binary, the data folder or a folder of the user's own.
//!
//! Here: loading a set into memory. Beside it: the file format (`idx`), what exists (`catalog`), what lies on this
//! disk (`verify`), how more of it gets here (`fetch`). Nothing here knows a network or a tensor.

pub mod catalog;
pub mod embedded;
mod error;
pub mod fetch;
mod gzip;
pub mod idx;
mod images;
mod place;
pub mod verify;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::session::config::{self, DatasetName, DatasetSource};
use crate::session::form::Form;

use catalog::{SetSpec, SplitSpec};
use idx::IdxImages;

pub use error::DataError;
pub use images::Images;
pub use place::{DATA_VARIABLE, data_dir, set_dir};

/// Where the images of a [`Dataset`] came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The subset inside the binary.
    Embedded,
    /// The full set, in this folder.
    Full(PathBuf),
    /// A folder of the user's own.
    Folder(PathBuf),
    /// There are none.
    None,
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => write!(to, "built-in subset"),
            Self::Full(folder) => write!(to, "full set in {}", folder.display()),
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
    pub notes: Vec<String>,
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

/// Loads a data set. Headers and lengths are checked; checksums are left to [`verify`]. `told` hears
/// how many of how many files have been read, where there are many.
///
/// `Auto` takes the full set where it is whole in the data folder, else the built-in subset. `Folder`
/// may hold images of any one size: whether they fit a network is the caller's question.
///
/// # Errors
/// [`DataError`], naming the file and what to do.
pub fn load(
    request: &Request<'_>,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Dataset, DataError> {
    let _ = told;
    let name = &request.plan.name;
    match &request.plan.source {
        DatasetSource::Embedded => load_embedded(name, None),
        DatasetSource::Full => load_full(name, request.data),
        DatasetSource::Folder(folder) | DatasetSource::File(folder) => load_folder(name, folder),
        DatasetSource::Auto => match load_full(name, request.data) {
            Err(DataError::NotFetched { .. }) => load_embedded(name, None),
            Err(error) => load_embedded(name, Some(error.to_string())),
            full => full,
        },
    }
}

fn assembled(
    name: &DatasetName,
    origin: Origin,
    (train, test): (Images, Images),
    note: Option<String>,
) -> Dataset {
    Dataset {
        name: name.clone(),
        origin,
        classes: name.class_names(train.classes),
        train,
        test,
        notes: note.into_iter().collect(),
    }
}

fn load_embedded(name: &DatasetName, note: Option<String>) -> Result<Dataset, DataError> {
    let halves = embedded::load(name)?;
    Ok(assembled(name, Origin::Embedded, halves, note))
}

fn load_full(name: &DatasetName, data_dir: &Path) -> Result<Dataset, DataError> {
    let spec = catalog::spec(name).ok_or_else(|| DataError::UnknownSet {
        name: name.label().to_owned(),
    })?;
    let folder = set_dir(data_dir, spec);
    let missing = place::missing_files(spec, &folder);
    if missing.len() == spec.files().len() {
        return Err(DataError::NotFetched {
            set: spec.label(),
            slug: spec.slug,
            folder,
        });
    }
    if !missing.is_empty() {
        return Err(DataError::Incomplete {
            set: spec.label(),
            slug: spec.slug,
            folder,
            missing,
        });
    }
    let halves = load_halves(spec, &folder)
        .and_then(|(train, test)| {
            check_published(spec, &folder, &spec.train, &train)?;
            check_published(spec, &folder, &spec.test, &test)?;
            Ok((train, test))
        })
        .map_err(|reason| DataError::Unusable {
            slug: spec.slug,
            reason: Box::new(reason),
        })?;
    Ok(assembled(name, Origin::Full(folder), halves, None))
}

fn load_folder(name: &DatasetName, folder: &Path) -> Result<Dataset, DataError> {
    let spec = catalog::spec(name).unwrap_or(&catalog::MNIST);
    let missing = place::missing_files(spec, folder);
    if !missing.is_empty() {
        return Err(DataError::FolderIncomplete {
            folder: folder.to_owned(),
            missing,
        });
    }
    let halves = load_halves(spec, folder)?;
    Ok(assembled(name, Origin::Folder(folder.to_owned()), halves, None))
}

/// Training and test images of the four files in `folder`.
fn load_halves(spec: &SetSpec, folder: &Path) -> Result<(Images, Images), DataError> {
    let train = load_split(&spec.train, folder)?;
    let test = load_split(&spec.test, folder)?;
    if (train.height, train.width) != (test.height, test.width) {
        return Err(DataError::SizesDiffer {
            folder: folder.to_owned(),
            train: (train.height, train.width),
            test: (test.height, test.width),
        });
    }
    Ok((train, test))
}

/// Classes of the sets in IDX files.
const CLASSES: u8 = 10;

fn load_split(split: &SplitSpec, folder: &Path) -> Result<Images, DataError> {
    let images = place::locate(folder, split.images.name);
    let labels = place::locate(folder, split.labels.name);
    pair(
        (idx::read_images(&images)?, &images),
        (idx::read_labels(&labels, CLASSES)?, &labels),
    )
}

/// Images with their labels, once there are as many of each.
fn pair(
    (images, image_path): (IdxImages, &Path),
    (labels, label_path): (Vec<u8>, &Path),
) -> Result<Images, DataError> {
    if images.count != labels.len() {
        return Err(DataError::CountsDiffer {
            images: image_path.to_owned(),
            image_count: images.count,
            labels: label_path.to_owned(),
            label_count: labels.len(),
        });
    }
    Ok(Images {
        pixels: Arc::from(images.pixels),
        labels: labels.into_iter().map(u16::from).collect(),
        channels: 1,
        height: images.height,
        width: images.width,
        classes: usize::from(CLASSES),
    })
}

/// Whether a half has the number and the size of images that were published.
fn check_published(
    spec: &SetSpec,
    folder: &Path,
    split: &SplitSpec,
    images: &Images,
) -> Result<(), DataError> {
    let words = |count, height, width| format!("{count} images of {height}×{width}");
    let expected = words(split.count, catalog::SIDE, catalog::SIDE);
    let found = words(images.len(), images.height, images.width);
    if found == expected {
        return Ok(());
    }
    Err(DataError::NotTheFullSet {
        set: spec.label(),
        path: place::locate(folder, split.images.name),
        expected,
        found,
    })
}
