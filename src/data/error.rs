//! Errors in loading a data set.

use std::path::PathBuf;

use thiserror::Error;

use super::file::FileError;
use super::idx::IdxError;
use super::readers::listing::abridged_list;
use super::{MOST_CLASSES, catalog};

/// Why a data set cannot be loaded.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file is not a valid IDX file of the expected kind.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A file cannot be read, or is of an unexpected kind.
    #[error(transparent)]
    File(#[from] FileError),
    /// A set without a built-in subset.
    #[error(
        "{name} is not one of the built-in sets ({}); give its folder or file with dataset.source",
        carried()
    )]
    NotEmbedded {
        /// Name of the set.
        name: String,
    },
    /// The caller's progress callback asked to stop.
    #[error("reading the images was stopped")]
    Stopped,
    /// A set of the user's own, without a folder or file.
    #[error(
        "{name} is your own set: give the place of its images with dataset.source=Folder(\"…\") or File(\"…\")"
    )]
    NoSource {
        /// Name of the set.
        name: String,
    },
    /// No such data set.
    #[error("there is no data set {name:?}; there are {}", known_sets())]
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
    /// No file of a set that cannot be fetched is in the data folder.
    #[error("the {set} set is not in {} and cannot be fetched from here: {how} into that folder", folder.display())]
    NotDownloaded {
        /// Name of the set.
        set: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
        /// What to download, and from where.
        how: &'static str,
    },
    /// Only some files of the full set are in the data folder.
    #[error("the full {set} set in {} lacks {}; run `noisescope data fetch {slug}`", folder.display(), missing.join(", "))]
    Incomplete {
        /// Name of the set.
        set: &'static str,
        /// Its name on the command line.
        slug: &'static str,
        /// Its folder.
        folder: PathBuf,
        /// Names of the missing files.
        missing: Vec<&'static str>,
    },
    /// The full set is in the data folder but cannot be used.
    #[error("{reason}; {remedy}")]
    Unusable {
        /// What is wrong.
        reason: Box<DataError>,
        /// How to replace it.
        remedy: String,
    },
    /// A full set differs from the published one in the number or size of its images.
    #[error("{} holds {found}, but the full {set} set has {expected}", path.display())]
    NotTheFullSet {
        /// Name of the set.
        set: &'static str,
        /// Its folder.
        path: PathBuf,
        /// Published number and size.
        expected: String,
        /// Number and size found.
        found: String,
    },
    /// A full set is as large as the published one, but its content differs.
    #[error("{} is not the published {set} set: its {file} {why}; you can still use it as your own images, with dataset.source=Folder(…)", path.display())]
    NotPublished {
        /// Name of the set.
        set: &'static str,
        /// Its folder.
        path: PathBuf,
        /// The published file.
        file: &'static str,
        /// How it differs.
        why: String,
    },
    /// There is nothing at a path.
    #[error("there is no folder or file {}", path.display())]
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing in a folder.
    #[error("the folder {} is empty", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// No reader recognises the content of a path.
    #[error("no images found in {} ({found}){hint}; a set is IDX files, CIFAR binary batches, NumPy's .npz or .npy, or a folder of PNG or JPEG pictures for each class", path.display())]
    Unrecognised {
        /// The folder or file.
        path: PathBuf,
        /// What it contains.
        found: String,
        /// A remedy, beginning with a semicolon, or empty.
        hint: String,
    },
    /// A folder holds several sets.
    #[error("{} holds several sets ({}); give the folder of one, or one of its files with dataset.source=File(\"…\")", path.display(), abridged_list(found))]
    Several {
        /// The folder.
        path: PathBuf,
        /// Names of the sets or of their folders.
        found: Vec<String>,
    },
    /// A folder has only some files of a set.
    #[error("the folder {} lacks {} (plain or with .gz)", folder.display(), missing.join(", "))]
    FolderIncomplete {
        /// The folder.
        folder: PathBuf,
        /// Standard names of the missing files.
        missing: Vec<String>,
    },
    /// The numbers of images and labels differ.
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
    /// Training and test images differ in size or channels.
    #[error("the training images in {} are {train}, but the test images are {test}", folder.display())]
    SizesDiffer {
        /// Their folder.
        folder: PathBuf,
        /// Size and channels of the training images, described.
        train: String,
        /// Size and channels of the test images, described.
        test: String,
    },
    /// A binary batch is not a whole number of records.
    #[error("{} has {bytes} bytes, which is not a whole number of records of {record} bytes (CIFAR); {hint}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// Length of a record.
        record: usize,
        /// The probable cause.
        hint: &'static str,
    },
    /// An array cannot be used.
    #[error("the array {} {why}", path.display())]
    Array {
        /// The file and, in an archive, the array's name.
        path: PathBuf,
        /// What is wrong, as the rest of a sentence that begins with the path.
        why: String,
    },
    /// Arrays do not form a set.
    #[error("the arrays in {} do not form a set: {why}; name them x_train, y_train, x_test and y_test, or images and labels", folder.display())]
    Arrays {
        /// Their folder.
        folder: PathBuf,
        /// What is missing or ambiguous.
        why: String,
    },
    /// An archive is damaged.
    #[error("{} is a damaged archive ({why}); replace it with a good copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The decoder's error.
        why: String,
    },
    /// Pictures of a set cannot be read.
    #[error("{count} {} in {} cannot be read: {pictures}; replace or remove {}", number(*count, "picture", "pictures"), path.display(), number(*count, "it", "them"))]
    PicturesUnreadable {
        /// The folder of the set.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them, and why.
        pictures: String,
    },
    /// Pictures of a set differ in size or channels.
    #[error("the pictures in {} do not all have the same size and channels: {first}, but {different} ({count} of {of} {}); convert them to one size and kind first", path.display(), number(*count, "differs", "differ"))]
    PicturesDiffer {
        /// The folder of the set.
        path: PathBuf,
        /// One picture and its size.
        first: String,
        /// The first three others and theirs.
        different: String,
        /// How many differ.
        count: usize,
        /// How many there are.
        of: usize,
    },
    /// The class folders hold no training pictures.
    #[error("there are no training pictures in {}", path.display())]
    NoPictures {
        /// The folder of the set.
        path: PathBuf,
    },
    /// A set holds no images.
    #[error("{} holds no images", path.display())]
    NoImages {
        /// The file or folder.
        path: PathBuf,
    },
    /// A set has only one class.
    #[error("the images in {} are all of one class; a network needs at least two", path.display())]
    OneClass {
        /// The folder.
        path: PathBuf,
    },
    /// A set is too small to draw test images from.
    #[error("the {count} images in {} include no test images and are too few to draw some: at least one class needs two images", path.display())]
    TooFew {
        /// The folder.
        path: PathBuf,
        /// Images in it.
        count: usize,
    },
    /// A label is beyond the number of classes.
    #[error("{} gives image {index} the label {label}, but {by}", path.display())]
    LabelBeyond {
        /// The file or folder of the labels.
        path: PathBuf,
        /// The image, from 0.
        index: usize,
        /// Its label.
        label: u16,
        /// Where the number of classes comes from.
        by: String,
    },
    /// There are too many classes.
    #[error("{} has labels up to {label} ({different} different labels); at most {MOST_CLASSES} classes are possible, numbered from 0", path.display())]
    TooManyClasses {
        /// The file or folder of the labels.
        path: PathBuf,
        /// The greatest label.
        label: u16,
        /// How many different labels there are.
        different: usize,
    },
    /// There are too many folders of classes.
    #[error("{} has {count} folders of classes; at most {MOST_CLASSES} classes are possible: put those of interest into a folder of their own", path.display())]
    TooManyFolders {
        /// The folder of the set.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
    /// Two folders of classes have the same name when it is shown.
    #[error("in {}, the folders {folders} would both be the class {shown:?}: rename one, or add a classes.txt with one name per line", path.display())]
    FoldersAlike {
        /// The folder of the set.
        path: PathBuf,
        /// The two folders.
        folders: String,
        /// The name that both would have.
        shown: String,
    },
    /// A file of class names cannot be used.
    #[error("{} {why}", path.display())]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the rest of a sentence that begins with the path.
        why: String,
    },
    /// There is no data folder.
    #[error(
        "no folder for data sets: your home folder is unknown; give one with --data DIR or NOISESCOPE_DATA"
    )]
    NoDataFolder,
}

fn known_sets() -> String {
    let slugs = catalog::SETS.map(|set| set.slug);
    match slugs.split_last() {
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn carried() -> String {
    let sets = catalog::SETS.iter().filter(|set| set.is_embedded);
    sets.map(|set| set.label())
        .collect::<Vec<_>>()
        .join(" and ")
}

/// The word for one thing, or for several.
fn number(count: usize, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}
