//! The error for a folder or file in which no reader finds images: what it contains, and a remedy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::file::{FileError, read_head, recognise_foreign};
use super::listing::{FolderListing, abridged_list, extension, file_name};
use super::picture::is_picture;
use super::roles::SetPart;

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
    match recognise_foreign(&read_head(path)) {
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
    } else if has(&["gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm"]) {
        "; convert the pictures to PNG"
    } else if listing.files.iter().any(|path| is_picture(path)) || halves_of_pictures(listing) {
        "; pictures must be in one folder per class"
    } else {
        ""
    };
    words.to_owned()
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
