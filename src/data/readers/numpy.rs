//! Reader of sets in NumPy arrays: one `.npz`, or several `.npy` and `.npz` files, named as in Keras or plainly.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::super::file::{self, FileError, Foreign, foreign, most_bytes};
use super::super::gzip::unpacked;
use super::super::{DataError, MOST_CLASSES};
use super::array::{Array, Element};
use super::levels::{bytes_of, images_of};
use super::listing::{Listing, ending, name_of};
use super::raw::{Half, Raw};
use super::roles::{Part, Role, What, role};
use super::{Kind, Layout, Told};
use crate::format::bytes as bytes_in_words;

/// Files of arrays.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

pub(super) fn recognise(listing: &Listing) -> Result<Option<Box<dyn Layout>>, DataError> {
    let is_array = |path: &PathBuf| matches!(ending(path).as_str(), "npz" | "npy");
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
        let set = role(&name_of(file)).set;
        let alone = ending(file) == "npz" && role(&name_of(file)).what.is_none();
        files.retain(|other| match alone {
            true => other == file,
            false => role(&name_of(other)).set == set,
        });
    }
    let says_so = |path: &PathBuf| ending(path) == "npz" || role(&name_of(path)).what.is_some();
    Ok(files.iter().any(says_so).then(|| {
        Box::new(Files {
            folder: listing.path.clone(),
            files,
        }) as Box<dyn Layout>
    }))
}

/// The bytes of an array, and its path for messages.
struct Named {
    place: PathBuf,
    bytes: Vec<u8>,
}

impl Layout for Files {
    fn kind(&self) -> Kind {
        Kind::Numpy
    }

    fn read(&self, _: Told<'_>) -> Result<Raw, DataError> {
        let mut arrays: BTreeMap<(Part, What), Named> = BTreeMap::new();
        let mut unused = Vec::new();
        for path in &self.files {
            for (name, named) in arrays_in(path)? {
                let Role {
                    part,
                    what: Some(what),
                    ..
                } = role_of(path, &name)
                else {
                    unused.push(name);
                    continue;
                };
                if let Some(other) = arrays.get(&(part, what)) {
                    return Err(DataError::Arrays {
                        folder: self.folder.clone(),
                        why: format!(
                            "{} and {} have the same role",
                            name_of(&other.place),
                            name_of(&named.place)
                        ),
                    });
                }
                arrays.insert((part, what), named);
            }
        }
        let mut notes = Vec::new();
        let mut half = |part| -> Result<Option<Half>, DataError> {
            match (
                arrays.remove(&(part, What::Images)),
                arrays.remove(&(part, What::Labels)),
            ) {
                (Some(images), Some(labels)) => paired(&images, &labels, &mut notes).map(Some),
                (None, None) => Ok(None),
                (images, _) => Err(DataError::Arrays {
                    folder: self.folder.clone(),
                    why: match images {
                        Some(images) => {
                            format!("{} has no labels", name_of(&images.place))
                        }
                        None => "there are labels without images".to_owned(),
                    },
                }),
            }
        };
        let (train, whole) = (half(Part::Train)?, half(Part::Whole)?);
        let test = half(Part::Test)?;
        let validation = match test {
            Some(_) => None,
            None => half(Part::Validation)?,
        };
        let Some(train) = train.or(whole) else {
            return Err(DataError::Arrays {
                folder: self.folder.clone(),
                why: match unused.is_empty() {
                    true => "there are no training images".to_owned(),
                    false => format!("its arrays are called {}", unused.join(", ")),
                },
            });
        };
        notes.dedup();
        Ok(Raw {
            train,
            test: test.or(validation),
            notes,
            ..Raw::default()
        })
    }
}

/// The role of an array, from its name and, where that is not specific, its file's name.
fn role_of(path: &Path, name: &str) -> Role {
    let (array, file) = (role(name), role(&name_of(path)));
    Role {
        part: match array.part {
            Part::Whole => file.part,
            part => part,
        },
        what: array.what.or(file.what),
        set: file.set,
    }
}

/// The arrays of a file, each with its name.
fn arrays_in(path: &Path) -> Result<Vec<(String, Named)>, DataError> {
    let content = file::whole(path)?;
    if !content.starts_with(b"PK") {
        if ending(path) == "npz" && !content.starts_with(b"\x93NUMPY") {
            let found = foreign(&content[..content.len().min(512)]).unwrap_or(Foreign {
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
        let name = name_of(path);
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
    let limit = most_bytes().min(unpacked(content.len() as u64));
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

fn paired(images: &Named, labels: &Named, notes: &mut Vec<String>) -> Result<Half, DataError> {
    let parsed = |named: &Named| {
        Array::parse(&named.bytes)
            .map(|array| (array.len(), array.shape.clone()))
            .map_err(|why| wrong(named, why))
    };
    let (count, lengths) = parsed(images)?;
    if count == 0 {
        return Err(wrong(images, format!("is empty: its shape is {lengths:?}")));
    }
    let array = Array::parse(&images.bytes).map_err(|why| wrong(images, why))?;
    let about_levels = bytes_of(&array).map_err(|why| wrong(images, why))?;
    let (pixels, shape, about_shape) =
        images_of(about_levels.levels, &array.shape).map_err(|why| wrong(images, why))?;
    let array = Array::parse(&labels.bytes).map_err(|why| wrong(labels, why))?;
    let (classes, about_labels) = labels_of(&array).map_err(|why| wrong(labels, why))?;
    for note in [about_levels.note, about_shape, about_labels]
        .into_iter()
        .flatten()
    {
        // Training and test arrays usually give the same notes.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Half::paired(
        (pixels, shape, images.place.clone()),
        (classes, labels.place.clone()),
    )
}

fn wrong(named: &Named, why: String) -> DataError {
    DataError::Array {
        path: named.place.clone(),
        why,
    }
}

/// Converts labels `[n]`, `[n, 1]` or one-hot `[n, K]` to class numbers, with a note if they were converted.
fn labels_of(array: &Array<'_>) -> Result<(Vec<u16>, Option<String>), String> {
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
            let note = (array.element == Element::Float).then(|| {
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
