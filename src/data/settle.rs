//! From what a reader found to a data set: which classes there are and what they are called, which images are for
//! testing, and whether rows and columns change places.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::file;
use super::readers::listing::some_of;
use super::readers::raw::{Half, Names, Raw, in_words};
use super::{DataError, Images, MOST_CLASSES, Note};

/// The file that names classes, one a line, in the order of their labels.
pub(super) const NAMES_FILE: &str = "classes.txt";

/// One image of so many is for testing, where a set has no test images.
const SPLIT: usize = 5;

/// The longest name of a class that is shown whole.
const MOST_LETTERS: usize = 60;

/// What the plan and the catalogue know of a set.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// Name of the set and of its classes.
    pub set: Option<(&'a str, &'a [&'a str])>,
    /// A folder that may hold [`NAMES_FILE`].
    pub folder: PathBuf,
    /// From which the split follows.
    pub seed: u64,
    /// Whether rows and columns change places.
    pub transpose: bool,
}

/// A data set without its name.
#[derive(Debug)]
pub(super) struct Settled {
    pub train: Images,
    pub test: Images,
    pub classes: Vec<String>,
    pub notes: Vec<Note>,
}

/// Settles the classes, the halves and the orientation.
///
/// # Errors
/// [`DataError`], where labels and names do not fit or the halves differ in size.
pub(super) fn settle(raw: Raw, known: &Known<'_>) -> Result<Settled, DataError> {
    let Raw {
        mut train,
        mut test,
        names,
        notes,
        perhaps_transposed,
    } = raw;
    let mut notes: Vec<Note> = notes.into_iter().map(Note::info).collect();
    if let Some(test) = &test
        && test.shape != train.shape
    {
        return Err(DataError::SizesDiffer {
            folder: known.folder.clone(),
            train: in_words(train.shape),
            test: in_words(test.shape),
        });
    }
    if train.labels.is_empty() || train.area() == 0 {
        return Err(DataError::NoImages { path: train.place });
    }
    let names = match names {
        Some(names) => Some(names),
        None => names_in(&known.folder.join(NAMES_FILE))?,
    };
    let halves: Vec<&mut Half> = [Some(&mut train), test.as_mut()]
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
            notes.push(Note::info(format!(
                "the set has no test images: {} of its {} images, one in {SPLIT} of each class, were drawn for testing by \
                 seed {}",
                test.labels.len(),
                train.labels.len(),
                known.seed
            )));
            train = kept;
            test
        }
    };
    let absent = |half: &Half| -> Vec<String> {
        let there: BTreeSet<u16> = half.labels.iter().copied().collect();
        let named = classes.iter().enumerate();
        named
            .filter(|(class, _)| !there.contains(&(*class as u16)))
            .map(|(_, name)| name.clone())
            .collect()
    };
    let parts = [
        (&train, "training", "so that no trial shows it"),
        (&test, "test", "so that nothing is measured of it"),
    ];
    for (half, part, so) in parts {
        let absent = absent(half);
        match absent.len() {
            0 => {}
            1 => notes.push(Note::warning(format!(
                "class {} has no {part} image, {so}",
                absent[0]
            ))),
            count => notes.push(Note::warning(format!(
                "{count} classes have no {part} image: {}",
                some_of(&absent)
            ))),
        }
    }
    if known.transpose {
        train = transposed(train);
    } else if perhaps_transposed {
        notes.push(Note::warning(
            "EMNIST's own files have rows and columns exchanged: where the images lie on their side and are mirrored, \
             set dataset.transpose to true"
                .to_owned(),
        ));
    }
    let test = if known.transpose {
        transposed(test)
    } else {
        test
    };
    Ok(Settled {
        train: images(train, classes.len()),
        test: images(test, classes.len()),
        classes,
        notes,
    })
}

fn images(half: Half, classes: usize) -> Images {
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

/// Names of the classes; labels that begin at 1 are shifted.
fn classes(
    mut halves: Vec<&mut Half>,
    names: Option<Names>,
    known: &Known<'_>,
    notes: &mut Vec<Note>,
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
        notes.push(Note::info(format!(
            "labels go from 1 to {greatest}, not from 0: the class of label 1 is the first"
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
            different: labels_of(&halves),
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
                "{} names {} classes",
                names.place.display(),
                names.names.len()
            ),
            names.names.len(),
        )),
        (Some(names), _) => Ok(names.names),
        (None, Some((set, names))) if count > names.len() => Err(beyond(
            format!(
                "{set} has {} classes; a set of one's own is named with dataset.name Own(\"…\")",
                names.len()
            ),
            names.len(),
        )),
        (None, Some((set, names))) => {
            if count < names.len() {
                notes.push(Note::warning(format!(
                    "labels go to {greatest} only, so there are {count} classes and not the {} of {set}",
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

fn labels_of(halves: &[&mut Half]) -> usize {
    let all: BTreeSet<u16> = halves
        .iter()
        .flat_map(|half| half.labels.iter().copied())
        .collect();
    all.len()
}

/// Names from a file, one a line; `None` where there is no such file.
///
/// # Errors
/// [`DataError::ClassNames`] where it is no text, names nothing, or names a class twice.
pub(super) fn names_in(path: &Path) -> Result<Option<Names>, DataError> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |why: String| DataError::ClassNames {
        path: path.to_owned(),
        why,
    };
    let content = file::whole(path)?;
    let text = String::from_utf8(content).map_err(|_| wrong("is no text in UTF-8".to_owned()))?;
    let lines = text.trim_start_matches('\u{feff}').lines();
    let names: Vec<String> = lines.map(clean).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(wrong(
            "names no class; it should have a name on each line".to_owned(),
        ));
    }
    if names.len() > MOST_CLASSES {
        return Err(wrong(format!(
            "names {} classes; there may be {MOST_CLASSES}",
            names.len()
        )));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.to_lowercase())) {
        return Err(wrong(format!("names the class {twice} twice")));
    }
    Ok(Some(Names {
        names,
        place: path.to_owned(),
    }))
}

/// A name without what a terminal would obey, and not too long.
pub(super) fn clean(name: &str) -> String {
    let letters = name.trim().chars().map(|letter| match letter.is_control() {
        true => '\u{fffd}',
        false => letter,
    });
    letters.take(MOST_LETTERS).collect()
}

/// One image in [`SPLIT`] of each class drawn for testing, one at least of a class of two or more.
fn split(all: &Half, classes: usize, seed: u64) -> (Half, Half) {
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
    (all.chosen(&train), all.chosen(&test))
}

/// Every channel of every image with rows and columns exchanged.
fn transposed(mut half: Half) -> Half {
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
