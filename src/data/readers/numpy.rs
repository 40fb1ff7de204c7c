//! Reader of sets in NumPy arrays: one `.npz`, or several `.npy` and `.npz` files, named as in Keras or plainly.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::super::file::{self, FileError, ForeignFormat, most_bytes, recognise_foreign};
use super::super::gzip::max_unpacked_size;
use super::super::{DataError, MOST_CLASSES};
use super::array::{ElementType, NumpyArray};
use super::levels::{LevelRange, to_images, to_levels};
use super::listing::{FolderListing, extension, file_name};
use super::raw::{RawPart, RawSet};
use super::roles::{FileContent, FileRole, SetPart, names_classes, parse_role};
use super::unknown::WITHOUT_CLASSES;
use super::{ProgressCallback, RecognisedSet, SetFormat};
use crate::format::bytes as bytes_in_words;

/// Files of arrays.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

pub(super) fn recognise(
    listing: &FolderListing,
) -> Result<Option<Box<dyn RecognisedSet>>, DataError> {
    let is_array = |path: &PathBuf| matches!(extension(path).as_str(), "npz" | "npy");
    let mut files: Vec<PathBuf> = listing
        .files
        .iter()
        .filter(|path| is_array(path))
        .cloned()
        .collect();
    if let Some(file) = &listing.focus {
        if !is_array(file) {
            return Ok(None);
        }
        let set = parse_role(&file_name(file)).set;
        let alone = extension(file) == "npz" && parse_role(&file_name(file)).content.is_none();
        files.retain(|other| match alone {
            true => other == file,
            false => parse_role(&file_name(other)).set == set,
        });
    }
    // One that is named is read, or refused with the names of its arrays.
    files.retain(|path| listing.focus.as_ref() == Some(path) || !is_export(path));
    let says_so =
        |path: &PathBuf| extension(path) == "npz" || parse_role(&file_name(path)).content.is_some();
    Ok(files.iter().any(says_so).then(|| {
        Box::new(Files {
            folder: listing.path.clone(),
            files,
        }) as Box<dyn RecognisedSet>
    }))
}

/// Whether a file is an archive that this program exported, of maps or trials: by what it says of itself in `meta`, a text
/// in UTF-32. Such a file may lie beside a set, but is no part of it.
fn is_export(path: &Path) -> bool {
    const MARK: &str = "\"program\":\"noisescope ";
    /// Bytes of `meta` to look at; it has one description per array.
    const MOST: u64 = 16 << 20;
    if extension(path) != "npz" || !path.is_file() {
        return false;
    }
    let meta = || -> Option<Vec<u8>> {
        let mut archive = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let mut meta = Vec::new();
        let entry = archive.by_name("meta.npy").ok()?;
        entry.take(MOST).read_to_end(&mut meta).ok()?;
        Some(meta)
    };
    let mark: Vec<u8> = MARK
        .chars()
        .flat_map(|letter| u32::from(letter).to_le_bytes())
        .collect();
    meta().is_some_and(|meta| meta.windows(mark.len()).any(|part| part == mark))
}

/// The bytes of an array, and its path for messages.
struct Named {
    place: PathBuf,
    bytes: Vec<u8>,
}

impl RecognisedSet for Files {
    fn format(&self) -> SetFormat {
        SetFormat::Numpy
    }

    fn read(&self, _: ProgressCallback<'_>) -> Result<RawSet, DataError> {
        let mut arrays: BTreeMap<(SetPart, FileContent), Named> = BTreeMap::new();
        let mut unused = Vec::new();
        for path in &self.files {
            let found = arrays_in(path)?;
            let of_name = |(name, _): &(String, Named)| parse_role(name).content;
            let said: Vec<FileContent> = found.iter().filter_map(of_name).collect();
            for (name, named) in found {
                let FileRole {
                    part,
                    content: Some(what),
                    ..
                } = role_of(path, &name, &said)
                else {
                    unused.push(name);
                    continue;
                };
                if let Some(other) = arrays.get(&(part, what)) {
                    return Err(DataError::Arrays {
                        folder: self.folder.clone(),
                        why: format!(
                            "{} and {} have the same role",
                            file_name(&other.place),
                            file_name(&named.place)
                        ),
                    });
                }
                arrays.insert((part, what), named);
            }
        }
        let (mut notes, mut dark) = (Vec::new(), Vec::new());
        let mut half = |part| -> Result<Option<(RawPart, LevelRange)>, DataError> {
            match (
                arrays.remove(&(part, FileContent::Images)),
                arrays.remove(&(part, FileContent::Labels)),
            ) {
                (Some(images), Some(labels)) => {
                    paired(&images, &labels, (&mut notes, &mut dark)).map(Some)
                }
                (None, None) => Ok(None),
                (images, _) => Err(DataError::Arrays {
                    folder: self.folder.clone(),
                    why: match images {
                        Some(images) => {
                            let name = file_name(&images.place);
                            format!("{name} has no labels ({WITHOUT_CLASSES})")
                        }
                        None => "there are labels without images".to_owned(),
                    },
                }),
            }
        };
        let (train, whole) = (half(SetPart::Train)?, half(SetPart::Whole)?);
        let test = half(SetPart::Test)?;
        let validation = match test {
            Some(_) => None,
            None => half(SetPart::Validation)?,
        };
        let Some((train, range)) = train.or(whole) else {
            return Err(DataError::Arrays {
                folder: self.folder.clone(),
                why: match unused.is_empty() {
                    true => "there are no training images".to_owned(),
                    false => format!("its arrays are called {}", unused.join(", ")),
                },
            });
        };
        notes.dedup();
        let test = test.or(validation);
        // Each was taken for what its own numbers allow.
        let differing = test.as_ref().filter(|(_, other)| *other != range);
        let warnings = differing.map(|(_, other)| {
            let words = |range: LevelRange| format!("{} for black and {} for white", range.black, range.white);
            format!(
                "in the training images {} was taken, in the test images {}: if both were saved with the same levels, \
                 one of them is wrong, and so is the accuracy; save both as uint8 from 0 to 255",
                words(range),
                words(*other)
            )
        });
        Ok(RawSet {
            train,
            test: test.map(|(test, _)| test),
            notes,
            warnings: warnings.into_iter().chain(dark).collect(),
            ..RawSet::default()
        })
    }
}

/// The role of an array, from its name and, where that is not specific, its file's name, unless an array in the file is
/// `said` to hold that.
fn role_of(path: &Path, name: &str, said: &[FileContent]) -> FileRole {
    let (array, file) = (parse_role(name), parse_role(&file_name(path)));
    let of_file = file
        .content
        .filter(|content| !said.contains(content) && !names_classes(name));
    FileRole {
        part: match array.part {
            SetPart::Whole => file.part,
            part => part,
        },
        content: array.content.or(of_file),
        set: file.set,
    }
}

/// The arrays of a file, each with its name.
fn arrays_in(path: &Path) -> Result<Vec<(String, Named)>, DataError> {
    let content = file::read_whole(path)?;
    if !content.starts_with(b"PK") {
        if extension(path) == "npz" && !content.starts_with(b"\x93NUMPY") {
            let found =
                recognise_foreign(&content[..content.len().min(512)]).unwrap_or(ForeignFormat {
                    what: "of an unknown format",
                    remedy: "replace it with a good copy",
                });
            return Err(FileError::Foreign {
                path: path.to_owned(),
                expected: "an archive of NumPy arrays",
                found,
            }
            .into());
        }
        let name = file_name(path);
        let name = name.trim_end_matches(".npy").to_owned();
        let place = path.to_owned();
        return Ok(vec![(
            name,
            Named {
                place,
                bytes: content,
            },
        )]);
    }
    let damaged = |why: String| DataError::Damaged {
        path: path.to_owned(),
        why,
    };
    let mut archive =
        ZipArchive::new(Cursor::new(&content)).map_err(|error| damaged(error.to_string()))?;
    let mut arrays = Vec::new();
    let limit = most_bytes().min(max_unpacked_size(content.len() as u64));
    let mut room = limit;
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|error| damaged(error.to_string()))?;
        let Some(name) = entry
            .name()
            .ok()
            .and_then(|name| Some(name.strip_suffix(".npy")?.to_owned()))
        else {
            continue;
        };
        let mut bytes = Vec::new();
        let read = entry
            .take(room + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(format!("{name}: {error}")))?;
        room = room
            .checked_sub(read as u64)
            .ok_or_else(|| FileError::TooLarge {
                path: path.to_owned(),
                what: format!("more than {} of arrays", bytes_in_words(limit)),
                limit,
            })?;
        let place = path.join(&name);
        arrays.push((name, Named { place, bytes }));
    }
    Ok(arrays)
}

/// Images with their labels, and what was taken for black and white. Adds notes, and a warning if the images are dark.
fn paired(
    images: &Named,
    labels: &Named,
    (notes, dark): (&mut Vec<String>, &mut Vec<String>),
) -> Result<(RawPart, LevelRange), DataError> {
    let parsed = |named: &Named| {
        NumpyArray::parse(&named.bytes)
            .map(|array| (array.len(), array.shape.clone()))
            .map_err(|why| wrong(named, why))
    };
    let (count, lengths) = parsed(images)?;
    if count == 0 {
        return Err(wrong(images, format!("is empty: its shape is {lengths:?}")));
    }
    let array = NumpyArray::parse(&images.bytes).map_err(|why| wrong(images, why))?;
    let about_levels = to_levels(&array).map_err(|why| wrong(images, why))?;
    let (pixels, shape, about_shape) =
        to_images(about_levels.levels, &array.shape).map_err(|why| wrong(images, why))?;
    let array = NumpyArray::parse(&labels.bytes).map_err(|why| wrong(labels, why))?;
    let (classes, about_labels) = labels_of(&array).map_err(|why| wrong(labels, why))?;
    let (warning, note) = match about_levels.is_dark {
        true => (about_levels.note, None),
        false => (None, about_levels.note),
    };
    // Training and test arrays usually give the same notes.
    let add = |to: &mut Vec<String>, note: Option<String>| {
        if let Some(note) = note.filter(|note| !to.contains(note)) {
            to.push(note);
        }
    };
    add(dark, warning);
    for note in [note, about_shape, about_labels] {
        add(notes, note);
    }
    let part = RawPart::with_labels(
        (pixels, shape, images.place.clone()),
        (classes, labels.place.clone()),
    )?;
    Ok((part, about_levels.range))
}

fn wrong(named: &Named, why: String) -> DataError {
    DataError::Array {
        path: named.place.clone(),
        why,
    }
}

/// Converts labels `[n]`, `[n, 1]` or one-hot `[n, K]` to class numbers, with a note if they were converted.
fn labels_of(array: &NumpyArray<'_>) -> Result<(Vec<u16>, Option<String>), String> {
    let (least, greatest, whole) = match array.len() {
        0 => return Err("is empty".to_owned()),
        _ => array.range()?,
    };
    match array.shape[..] {
        [_] | [_, 1] => {
            if !whole || least < 0.0 {
                return Err(format!(
                    "holds labels from {least} to {greatest}; whole numbers from 0 are expected"
                ));
            }
            if greatest > MOST_CLASSES as f64 {
                return Err(format!(
                    "holds the label {greatest}; labels must be at most {}",
                    MOST_CLASSES - 1
                ));
            }
            let note = (array.element == ElementType::Float).then(|| {
                format!(
                    "{} labels were converted to whole numbers",
                    array.type_name()
                )
            });
            Ok((array.map(|label| label as u16), note))
        }
        [count, classes] if classes <= MOST_CLASSES => {
            let marks: Vec<f64> = array.map(|mark| mark);
            let mut labels = Vec::with_capacity(count);
            for (index, row) in marks.chunks_exact(classes).enumerate() {
                let ones = row.iter().filter(|&&mark| mark == 1.0).count();
                let zeros = row.iter().filter(|&&mark| mark == 0.0).count();
                let hot = row.iter().position(|&mark| mark == 1.0);
                match hot {
                    Some(class) if ones == 1 && zeros == classes - 1 => labels.push(class as u16),
                    _ => {
                        return Err(format!(
                            "has {classes} numbers per label, but row {index} is not one-hot (a single 1 among zeros)"
                        ));
                    }
                }
            }
            let note = "one-hot labels were converted to class numbers";
            Ok((labels, Some(note.to_owned())))
        }
        _ => Err(format!(
            "has the shape {:?}; labels are [n] numbers or [n, classes] one-hot",
            array.shape
        )),
    }
}
