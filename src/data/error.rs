//! What can go wrong between a data set's name and its images.

use std::path::PathBuf;

use thiserror::Error;

use super::catalog;
use super::idx::IdxError;

/// Why a data set cannot be had.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file is not the IDX file that it should be.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A set of which the program carries no subset.
    #[error("{name} is not among the sets that noisescope carries (MNIST and Fashion-MNIST); give its folder with dataset.source")]
    NotEmbedded {
        /// Name of the set.
        name: String,
    },
    /// No such data set.
    #[error("no data set is called {name:?}; there are {}", known_sets())]
    UnknownSet {
        /// The name given.
        name: String,
    },
    /// No file of the full set is in the data folder.
    #[error("the full {set} set is not in {}; run `noisescope data fetch {slug}`, or use the built-in subset", folder.display())]
    NotFetched {
        /// Name of the set.
        set: &'static str,
        /// Its name on the command line.
        slug: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Some files of the full set are in the data folder, not all.
    #[error("the full {set} set in {} lacks {}; run `noisescope data fetch {slug}`", folder.display(), missing.join(", "))]
    Incomplete {
        /// Name of the set.
        set: &'static str,
        /// Its name on the command line.
        slug: &'static str,
        /// Where it lies.
        folder: PathBuf,
        /// Names of the missing files.
        missing: Vec<&'static str>,
    },
    /// The full set is in the data folder, but a file of it is not what it should be.
    #[error("{reason}; `noisescope data fetch {slug}` replaces it")]
    Unusable {
        /// Its name on the command line.
        slug: &'static str,
        /// What is wrong with the file.
        reason: Box<DataError>,
    },
    /// A file of the full set holds another number or size of images than the published one.
    #[error("{} holds {found}, where the full {set} set has {expected}", path.display())]
    NotTheFullSet {
        /// Name of the set.
        set: &'static str,
        /// The file.
        path: PathBuf,
        /// Published number and size.
        expected: String,
        /// Number and size found.
        found: String,
    },
    /// A folder of the user's own lacks files.
    #[error("the folder {} lacks {} (plain or with .gz); a data set is the four files {}", folder.display(), missing.join(", "), standard_names())]
    FolderIncomplete {
        /// The folder.
        folder: PathBuf,
        /// Names of the missing files.
        missing: Vec<&'static str>,
    },
    /// There are more images than labels, or fewer.
    #[error("{} holds {image_count} images, but {} holds {label_count} labels", images.display(), labels.display())]
    CountsDiffer {
        /// The image file.
        images: PathBuf,
        /// Images in it.
        image_count: usize,
        /// The label file.
        labels: PathBuf,
        /// Labels in it.
        label_count: usize,
    },
    /// Training and test images are of different sizes.
    #[error("the training images in {} are {}×{}, but the test images are {}×{}", folder.display(), train.0, train.1, test.0, test.1)]
    SizesDiffer {
        /// Where both lie.
        folder: PathBuf,
        /// Height and width of the training images.
        train: (usize, usize),
        /// Height and width of the test images.
        test: (usize, usize),
    },
    /// There is no place for data.
    #[error(
        "no place for data sets: your home folder is unknown; give one with --data DIR or NOISESCOPE_DATA"
    )]
    NoDataFolder,
}

fn known_sets() -> String {
    catalog::SETS.map(|set| set.slug).join(" and ")
}

fn standard_names() -> String {
    catalog::MNIST.files().map(|file| file.name).join(", ")
}
