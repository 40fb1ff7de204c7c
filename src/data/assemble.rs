//! Conversion of a reader's output to a data set: determines classes and their names, the test split, and the
//! orientation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::file;
use super::readers::listing::abridged_list;
use super::readers::raw::{ClassNameList, RawPart, RawSet, describe_shape};
use super::{DataError, DatasetNote, Images, MOST_CLASSES};
use crate::files;
use crate::format::counted;

/// The file with class names, one per line, in the order of their labels.
pub(super) const NAMES_FILE: &str = "classes.txt";

/// One image in this many is used for testing, if a set has no test images.
const SPLIT: usize = 5;

/// Most characters of a class name; longer names are cut off.
const MOST_LETTERS: usize = 60;

/// What the config and the catalogue say about a set.
#[derive(Debug, Default)]
pub(super) struct SetContext<'a> {
    /// Names of the set and of its classes, if it is in the catalogue.
    pub set: Option<(&'a str, &'a [&'a str])>,
    /// The folder that may contain [`NAMES_FILE`].
    pub folder: PathBuf,
    /// Seed of the test split.
    pub seed: u64,
    /// Whether to transpose the images.
    pub transpose: bool,
}

/// A data set without its name and origin.
#[derive(Debug)]
pub(super) struct AssembledSet {
    pub train: Images,
    pub test: Images,
    pub classes: Vec<String>,
    pub notes: Vec<DatasetNote>,
}

/// Determines the classes, the test split and the orientation.
///
/// # Errors
/// [`DataError`], if labels and names do not match or training and test images differ in size.
pub(super) fn assemble(raw: RawSet, known: &SetContext<'_>) -> Result<AssembledSet, DataError> {
    let RawSet {
        mut train,
        mut test,
        names,
        notes,
        warnings,
        perhaps_transposed,
    } = raw;
    let mut notes: Vec<DatasetNote> = notes.into_iter().map(DatasetNote::info).collect();
    notes.extend(warnings.into_iter().map(DatasetNote::warning));
    if let Some(test) = &test
        && test.shape != train.shape
    {
        return Err(DataError::SizesDiffer {
            folder: known.folder.clone(),
            train: describe_shape(train.shape),
            test: describe_shape(test.shape),
        });
    }
    if train.labels.is_empty() || train.area() == 0 {
        return Err(DataError::NoImages { path: train.place });
    }
    let names = match names {
        Some(names) => Some(names),
        None => read_class_names(&known.folder.join(NAMES_FILE))?,
    };
    let halves: Vec<&mut RawPart> = [Some(&mut train), test.as_mut()]
        .into_iter()
        .flatten()
        .collect();
    let classes = classes(halves, names, known, &mut notes)?;
    if classes.len() < 2 {
        return Err(DataError::OneClass {
            path: known.folder.clone(),
        });
    }
    let test = match test {
        Some(test) if !test.labels.is_empty() => test,
        _ => {
            let (kept, test) = split(&train, classes.len(), known.seed);
            if test.labels.is_empty() {
                return Err(DataError::TooFew {
                    path: known.folder.clone(),
                    count: train.labels.len(),
                });
            }
            notes.push(DatasetNote::info(format!(
                "the set has no test images: {} of its {} images, one in {SPLIT} of each class, were drawn for testing with \
                 seed {}",
                test.labels.len(),
                train.labels.len(),
                known.seed
            )));
            train = kept;
            test
        }
    };
    let absent = |half: &RawPart| -> Vec<String> {
        let present: BTreeSet<u16> = half.labels.iter().copied().collect();
        let named = classes.iter().enumerate();
        named
            .filter(|(class, _)| !present.contains(&(*class as u16)))
            .map(|(_, name)| name.clone())
            .collect()
    };
    let parts = [
        (&train, "training", "so no trial shows it"),
        (&test, "test", "so its accuracy is not measured"),
    ];
    for (half, part, consequence) in parts {
        let absent = absent(half);
        match absent.len() {
            0 => {}
            1 => notes.push(DatasetNote::warning(format!(
                "class {} has no {part} image, {consequence}",
                absent[0]
            ))),
            count => notes.push(DatasetNote::warning(format!(
                "{count} classes have no {part} image: {}",
                abridged_list(&absent)
            ))),
        }
    }
    if known.transpose {
        train = transpose(train);
    } else if perhaps_transposed {
        notes.push(DatasetNote::warning(
            "EMNIST's original files are transposed: if the images appear rotated and mirrored, set dataset.transpose to \
             true"
                .to_owned(),
        ));
    }
    let test = if known.transpose {
        transpose(test)
    } else {
        test
    };
    Ok(AssembledSet {
        train: images(train, classes.len()),
        test: images(test, classes.len()),
        classes,
        notes,
    })
}

fn images(half: RawPart, classes: usize) -> Images {
    let [channels, height, width] = half.shape;
    Images {
        pixels: half.pixels.into(),
        labels: half.labels.into(),
        channels,
        height,
        width,
        classes,
    }
}

/// Names of the classes; shifts labels that start at 1.
fn classes(
    mut halves: Vec<&mut RawPart>,
    names: Option<ClassNameList>,
    known: &SetContext<'_>,
    notes: &mut Vec<DatasetNote>,
) -> Result<Vec<String>, DataError> {
    let labels = || halves.iter().flat_map(|half| half.labels.iter().copied());
    let (least, greatest) = (labels().min().unwrap_or(0), labels().max().unwrap_or(0));
    let given = match (&names, known.set) {
        (Some(names), _) => Some(names.names.len()),
        (None, Some((_, names))) => Some(names.len()),
        (None, None) => None,
    };
    let from_one = least == 1 && given.is_none_or(|given| given == usize::from(greatest));
    if from_one {
        for label in halves.iter_mut().flat_map(|half| half.labels.iter_mut()) {
            *label -= 1;
        }
        notes.push(DatasetNote::info(format!(
            "labels go from 1 to {greatest} instead of starting at 0: label 1 is the first class"
        )));
    }
    let first = usize::from(from_one);
    let count = usize::from(greatest) + 1 - first;
    if given.is_none() && count > MOST_CLASSES {
        return Err(DataError::TooManyClasses {
            path: halves
                .first()
                .map(|half| half.place.clone())
                .unwrap_or_default(),
            label: greatest,
            different: count_labels(&halves),
        });
    }
    let beyond = |by: String, classes: usize| -> DataError {
        let place = halves.iter().find_map(|half| {
            let index = half
                .labels
                .iter()
                .position(|&label| usize::from(label) >= classes)?;
            Some((half.place.clone(), index, half.labels[index]))
        });
        let (path, index, label) = place.unwrap_or_default();
        DataError::LabelBeyond {
            path,
            index,
            label,
            by,
        }
    };
    match (names, known.set) {
        (Some(names), _) if count > names.names.len() => Err(beyond(
            format!(
                "{} names {}",
                names.place.display(),
                counted(names.names.len() as u64, "class", "classes")
            ),
            names.names.len(),
        )),
        (Some(names), _) => Ok(names.names),
        (None, Some((set, names))) if count > names.len() => Err(beyond(
            format!(
                "{set} has {} classes; name your own set with dataset.name=Own(\"…\")",
                names.len()
            ),
            names.len(),
        )),
        (None, Some((set, names))) => {
            if count < names.len() {
                notes.push(DatasetNote::warning(format!(
                    "labels only go up to {greatest}, so there are {count} classes instead of the {} of {set}",
                    names.len()
                )));
            }
            Ok(names[..count].iter().map(|&name| name.to_owned()).collect())
        }
        (None, None) => Ok((first..first + count)
            .map(|class| class.to_string())
            .collect()),
    }
}

/// Number of different labels.
fn count_labels(halves: &[&mut RawPart]) -> usize {
    let all: BTreeSet<u16> = halves
        .iter()
        .flat_map(|half| half.labels.iter().copied())
        .collect();
    all.len()
}

/// Reads class names from a file, one per line; `None` if there is no such file.
///
/// # Errors
/// [`DataError::ClassNames`] if it is not UTF-8, has no names or too many, or has a name twice.
pub(super) fn read_class_names(path: &Path) -> Result<Option<ClassNameList>, DataError> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |why: String| DataError::ClassNames {
        path: path.to_owned(),
        why,
    };
    let content = file::read_whole(path)?;
    let text = String::from_utf8(content).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
    let lines = || files::without_mark(&text).lines();
    let names: Vec<String> = lines()
        .map(clean_name)
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return Err(wrong(
            "has no class names; it should have one on each line".to_owned(),
        ));
    }
    if names.len() > MOST_CLASSES {
        return Err(wrong(format!(
            "names {} classes; at most {MOST_CLASSES} are possible",
            names.len()
        )));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        let written: BTreeSet<&str> = lines()
            .map(str::trim)
            .filter(|line| clean_name(line) == *twice)
            .collect();
        return Err(wrong(match written.len() {
            2.. => format!(
                "has different names that would both be the class {twice:?}: names are cut after \
                 {MOST_LETTERS} letters; make their beginnings differ"
            ),
            _ => format!("names the class {twice} twice"),
        }));
    }
    Ok(Some(ClassNameList {
        names,
        place: path.to_owned(),
    }))
}

/// A class name without control characters, cut to [`MOST_LETTERS`].
pub(super) fn clean_name(name: &str) -> String {
    let letters = name.trim().chars().map(|letter| match letter.is_control() {
        true => '\u{fffd}',
        false => letter,
    });
    letters.take(MOST_LETTERS).collect()
}

/// Draws one image in [`SPLIT`] of each class for testing, at least one from a class of two or more.
fn split(all: &RawPart, classes: usize, seed: u64) -> (RawPart, RawPart) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in all.labels.iter().enumerate() {
        members[usize::from(label)].push((random.random::<u64>(), index));
    }
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for mut members in members {
        members.sort_unstable();
        let count = match members.len() {
            0 | 1 => 0,
            count => (count / SPLIT).max(1),
        };
        let indices = members.into_iter().map(|(_, index)| index);
        for (place, index) in indices.enumerate() {
            let half = if place < count { &mut test } else { &mut train };
            half.push(index);
        }
    }
    train.sort_unstable();
    test.sort_unstable();
    (all.select(&train), all.select(&test))
}

/// All images transposed, channel by channel.
fn transpose(mut half: RawPart) -> RawPart {
    let [channels, height, width] = half.shape;
    let mut pixels = vec![0; half.pixels.len()];
    let plane = height * width;
    for (from, to) in half
        .pixels
        .chunks_exact(plane)
        .zip(pixels.chunks_exact_mut(plane))
    {
        for row in 0..height {
            for column in 0..width {
                to[column * height + row] = from[row * width + column];
            }
        }
    }
    half.pixels = pixels;
    half.shape = [channels, width, height];
    half
}
