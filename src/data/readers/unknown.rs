//! The error for a folder or file in which no reader finds images: what it contains, and a remedy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::file::{FileError, read_head, recognise_foreign};
use super::listing::{FolderListing, abridged_list, extension, file_name};
use super::picture::is_picture;
use super::roles::SetPart;

/// Extensions of pictures that are neither PNG nor JPEG, or not called so.
const OTHER_PICTURES: [&str; 11] = [
    "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm", "jfif", "avif", "heic", "jp2",
];

/// How to save or name arrays so that they are a set.
const NAME_ARRAYS: &str = "; name arrays images.npy and labels.npy, or save both with numpy.savez(\"images.npz\", images=…, \
                           labels=…)";

/// What to do with images that have no classes.
pub(super) const WITHOUT_CLASSES: &str = "without classes there is only noise to show, to a network from a file: \
                                          instead of --data use --set dataset=None \
                                          --set 'analyses=[ClassificationImages((gammas: [0.0]))]'";

/// Why no images were found in a folder or file.
pub(super) fn error(listing: &FolderListing) -> DataError {
    if let Some(file) = &listing.focus {
        return about_file(file);
    }
    let path = listing.path.clone();
    if listing.is_empty() {
        return DataError::EmptyFolder { path };
    }
    DataError::Unrecognised {
        path,
        found: contents(listing),
        hint: hint(listing),
    }
}

fn about_file(path: &Path) -> DataError {
    let head = read_head(path);
    if extension(path) == "npy" && head.starts_with(b"\x93NUMPY") {
        return DataError::Unrecognised {
            path: path.to_owned(),
            found: "an array whose name does not say what it holds".to_owned(),
            hint: NAME_ARRAYS.to_owned(),
        };
    }
    match recognise_foreign(&head) {
        Some(found) => FileError::Foreign {
            path: path.to_owned(),
            expected: "an image file that noisescope can read",
            found,
        }
        .into(),
        None => DataError::Unrecognised {
            path: path.to_owned(),
            found: "a file of an unknown format".to_owned(),
            hint: String::new(),
        },
    }
}

/// A description of a folder's content: `4 .csv files, the folders a, b`.
fn contents(listing: &FolderListing) -> String {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &listing.files {
        kinds
            .entry(extension(file))
            .or_default()
            .push(file_name(file));
    }
    let mut parts: Vec<String> = kinds
        .into_iter()
        .map(|(ending, names)| match (names.len(), ending.as_str()) {
            (1..=3, _) => abridged_list(&names),
            (count, "") => format!("{count} files without an extension"),
            (count, ending) => format!("{count} .{ending} files"),
        })
        .collect();
    let folders: Vec<String> = listing.folders.iter().map(|path| file_name(path)).collect();
    match folders.len() {
        0 => {}
        1 => parts.push(format!("the folder {}", folders[0])),
        _ => parts.push(format!("the folders {}", abridged_list(&folders))),
    }
    abridged_list(&parts)
}

/// A remedy, for common cases.
fn hint(listing: &FolderListing) -> String {
    let has = |endings: &[&str]| {
        listing
            .files
            .iter()
            .any(|path| endings.contains(&extension(path).as_str()))
    };
    let pickles =
        |path: &PathBuf| file_name(path).starts_with("data_batch_") && extension(path).is_empty();
    let words = if listing.files.iter().any(pickles) {
        "; this is the Python version of CIFAR-10: use the binary version (cifar-10-binary.tar.gz)"
    } else if has(&["zip", "tar", "gz", "tgz", "7z", "rar", "xz", "bz2", "zst"]) {
        "; unpack the archive first"
    } else if has(&["csv", "tsv"]) {
        "; text tables are not supported: save it with numpy.savez(\"images.npz\", images=…, labels=…)"
    } else if has(&[
        "parquet", "arrow", "h5", "hdf5", "mat", "pkl", "pickle", "pt", "pth",
    ]) {
        "; save the images with numpy.savez(\"images.npz\", images=…, labels=…)"
    } else if has(&["npy"]) {
        NAME_ARRAYS
    } else if holds_other_pictures(listing, CLASS_DEPTH) {
        "; convert the pictures to PNG"
    } else if listing.files.iter().any(|path| is_picture(path)) || halves_of_pictures(listing) {
        return format!("; pictures must be in one folder per class ({WITHOUT_CLASSES})");
    } else {
        ""
    };
    words.to_owned()
}

/// How deep the folders of classes are: in the folder itself, or in its `train`.
const CLASS_DEPTH: usize = 2;
/// Most folders that are looked into for pictures, per folder.
const GLANCE: usize = 8;

/// Whether there are pictures of other formats in a folder, or up to `depth` levels below it.
fn holds_other_pictures(listing: &FolderListing, depth: usize) -> bool {
    let is_other = |path: &PathBuf| OTHER_PICTURES.contains(&extension(path).as_str());
    let mut folders = listing.folders.iter().take(GLANCE);
    listing.files.iter().any(is_other)
        || depth > 0
            && folders.any(|folder| {
                FolderListing::of(folder).is_ok_and(|inner| holds_other_pictures(&inner, depth - 1))
            })
}

/// Whether pictures are directly in `train` or `test`, without a folder per class.
fn halves_of_pictures(listing: &FolderListing) -> bool {
    listing
        .folders
        .iter()
        .filter(|folder| SetPart::named(&file_name(folder)).is_some())
        .flat_map(|folder| FolderListing::of(folder))
        .any(|half| half.files.iter().any(|path| is_picture(path)))
}
