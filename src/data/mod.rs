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

use crate::session::config::{DatasetName, DatasetSource};

use catalog::{SetSpec, SplitSpec};
use idx::IdxImages;

pub use error::DataError;
pub use images::{CLASSES, Images};
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
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => write!(to, "built-in subset"),
            Self::Full(folder) => write!(to, "full set in {}", folder.display()),
            Self::Folder(folder) => write!(to, "folder {}", folder.display()),
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
    /// Number of classes; labels lie below it.
    pub classes: usize,
    /// Why `Auto` took the built-in subset although files of the full set are there: worth showing.
    pub note: Option<String>,
}

/// Names of the classes, in the order of their labels.
pub fn class_names(name: DatasetName) -> [&'static str; CLASSES] {
    match name {
        DatasetName::Mnist => ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        DatasetName::FashionMnist => [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
    }
}

/// Loads a data set. Headers and lengths are checked; checksums are left to [`verify`].
///
/// `Auto` takes the full set where it is whole in `data_dir`, else the built-in subset. `Folder` may hold images
/// of any one size: whether they fit a network is the caller's question.
///
/// # Errors
/// [`DataError`], naming the file and what to do.
pub fn load(
    name: DatasetName,
    source: &DatasetSource,
    data_dir: &Path,
) -> Result<Dataset, DataError> {
    match source {
        DatasetSource::Embedded => load_embedded(name, None),
        DatasetSource::Full => load_full(name, data_dir),
        DatasetSource::Folder(folder) => load_folder(name, folder),
        DatasetSource::Auto => match load_full(name, data_dir) {
            Err(DataError::NotFetched { .. }) => load_embedded(name, None),
            Err(error) => load_embedded(name, Some(error.to_string())),
            full => full,
        },
    }
}

fn load_embedded(name: DatasetName, note: Option<String>) -> Result<Dataset, DataError> {
    let (train, test) = embedded::load(name)?;
    Ok(Dataset {
        name,
        origin: Origin::Embedded,
        train,
        test,
        classes: CLASSES,
        note,
    })
}

fn load_full(name: DatasetName, data_dir: &Path) -> Result<Dataset, DataError> {
    let spec = catalog::spec(name);
    let folder = set_dir(data_dir, name);
    let missing = place::missing_files(spec, &folder);
    if missing.len() == spec.files().len() {
        return Err(DataError::NotFetched {
            set: name.label(),
            slug: spec.slug,
            folder,
        });
    }
    if !missing.is_empty() {
        return Err(DataError::Incomplete {
            set: name.label(),
            slug: spec.slug,
            folder,
            missing,
        });
    }
    let (train, test) = load_halves(spec, &folder)
        .and_then(|(train, test)| {
            check_published(spec, &folder, &spec.train, &train)?;
            check_published(spec, &folder, &spec.test, &test)?;
            Ok((train, test))
        })
        .map_err(|reason| DataError::Unusable {
            slug: spec.slug,
            reason: Box::new(reason),
        })?;
    Ok(Dataset {
        name,
        origin: Origin::Full(folder),
        train,
        test,
        classes: CLASSES,
        note: None,
    })
}

fn load_folder(name: DatasetName, folder: &Path) -> Result<Dataset, DataError> {
    let spec = catalog::spec(name);
    let missing = place::missing_files(spec, folder);
    if !missing.is_empty() {
        return Err(DataError::FolderIncomplete {
            folder: folder.to_owned(),
            missing,
        });
    }
    let (train, test) = load_halves(spec, folder)?;
    Ok(Dataset {
        name,
        origin: Origin::Folder(folder.to_owned()),
        train,
        test,
        classes: CLASSES,
        note: None,
    })
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

fn load_split(split: &SplitSpec, folder: &Path) -> Result<Images, DataError> {
    let images = place::locate(folder, split.images.name);
    let labels = place::locate(folder, split.labels.name);
    pair(
        (idx::read_images(&images)?, &images),
        (idx::read_labels(&labels, CLASSES as u8)?, &labels),
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
        labels: Arc::from(labels),
        height: images.height,
        width: images.width,
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
        set: spec.name.label(),
        path: place::locate(folder, split.images.name),
        expected,
        found,
    })
}
