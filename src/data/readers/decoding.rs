//! Parallel decoding of many pictures, with messages about those that cannot be used or were converted.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::super::DataError;
use super::ProgressCallback;
use super::picture::{self, DecodeError, PictureTraits};
use super::raw::{checked_size, describe_shape};
use crate::session::form::Shape;

/// Interval between progress calls.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// A picture of a set.
pub(super) struct PictureFile {
    /// Its path.
    pub path: PathBuf,
    /// Its class.
    pub class: usize,
}

/// Decodes all pictures on all cores: the shape, the pixels `[n, C, H, W]`, and each picture's traits.
pub(super) fn decode_all(
    folder: &Path,
    entries: &[PictureFile],
    progress: ProgressCallback<'_>,
) -> Result<(Shape, Vec<u8>, Vec<PictureTraits>), DataError> {
    let first = entries
        .iter()
        .find_map(|entry| picture::read(&entry.path, None).ok());
    let Some(first) = first else {
        let faults = entries.iter().take(3).map(|entry| {
            let fault = picture::read(&entry.path, None).err();
            fault.map_or(Ok(PictureTraits::default()), Err)
        });
        return Err(picture_error(
            folder,
            &entries[..entries.len().min(3)],
            faults.collect(),
            [1, 0, 0],
        ));
    };
    let mut shape = first.shape;
    let (mut pixels, mut read) = decode_as(folder, entries, shape, progress)?;
    // The first picture was read as grey, but its palette might as well be in colour, or most of the others are: read all
    // as colour.
    let in_colour = |outcome: &&Result<PictureTraits, DecodeError>| match outcome {
        Err(DecodeError::Differs([3, height, width])) => shape[1..] == [*height, *width],
        _ => false,
    };
    let coloured = read.iter().filter(in_colour).count();
    let mostly = 2 * coloured >= entries.len();
    if shape[0] == 1 && (mostly || (first.traits.grey_palette && coloured > 0)) {
        shape[0] = 3;
        (pixels, read) = decode_as(folder, entries, shape, progress)?;
    }
    // A few pictures in colour among grey ones are rather mistakes.
    let is_grey = |outcome: &&Result<PictureTraits, DecodeError>| {
        matches!(outcome, Ok(PictureTraits { grey: true, .. }))
    };
    if 2 * read.iter().filter(is_grey).count() > entries.len() {
        let grey = [1, shape[1], shape[2]];
        for outcome in &mut read {
            if outcome.as_ref().is_ok_and(|traits| traits.grey) {
                *outcome = Err(DecodeError::Differs(grey));
            }
        }
    }
    if read.iter().any(Result::is_err) {
        return Err(picture_error(folder, entries, read, shape));
    }
    Ok((shape, pixels, read.into_iter().flatten().collect()))
}

type DecodeResults = Vec<Result<PictureTraits, DecodeError>>;

fn decode_as(
    folder: &Path,
    entries: &[PictureFile],
    shape: Shape,
    progress: ProgressCallback<'_>,
) -> Result<(Vec<u8>, DecodeResults), DataError> {
    let mut pixels = vec![0; checked_size(folder, entries.len(), shape)?];
    let area: usize = shape.iter().product::<usize>().max(1);
    let (done, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one = |(entry, to): (&PictureFile, &mut [u8])| {
        if stopped.load(Ordering::Relaxed) {
            return Ok(PictureTraits::default());
        }
        let outcome = picture::read(&entry.path, Some(shape)).map(|picture| {
            to.copy_from_slice(&picture.pixels);
            picture.traits
        });
        done.fetch_add(1, Ordering::Relaxed);
        outcome
    };
    let this_thread = thread::current();
    let read = thread::scope(|scope| {
        let work = scope.spawn(|| {
            let read: DecodeResults = entries
                .par_iter()
                .zip(pixels.par_chunks_exact_mut(area))
                .map(one)
                .collect();
            this_thread.unpark();
            read
        });
        while !work.is_finished() {
            if progress(done.load(Ordering::Relaxed), entries.len()).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
            thread::park_timeout(PROGRESS_INTERVAL);
        }
        work.join()
    });
    if stopped.into_inner() || progress(entries.len(), entries.len()).is_break() {
        return Err(DataError::Stopped);
    }
    match read {
        Ok(read) => Ok((pixels, read)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The error for a set with unusable pictures: reports unreadable ones, or if there are none, those that differ.
fn picture_error(
    folder: &Path,
    entries: &[PictureFile],
    read: DecodeResults,
    shape: Shape,
) -> DataError {
    let inside = |entry: &PictureFile| {
        entry
            .path
            .strip_prefix(folder)
            .unwrap_or(&entry.path)
            .display()
            .to_string()
    };
    let (mut unreadable, mut different, mut usual) = (Vec::new(), Vec::new(), Vec::new());
    for (entry, outcome) in entries.iter().zip(read) {
        match outcome {
            Ok(_) => usual.push(inside(entry)),
            Err(DecodeError::Unreadable(why)) => {
                unreadable.push(format!("{} ({why})", inside(entry)))
            }
            Err(DecodeError::Differs(other)) => {
                different.push(format!("{} is {}", inside(entry), describe_shape(other)))
            }
        }
    }
    let path = folder.to_owned();
    match unreadable.len() {
        0 => DataError::PicturesDiffer {
            path,
            first: format!(
                "{} is {}",
                usual.first().map_or("the first", String::as_str),
                describe_shape(shape)
            ),
            count: different.len(),
            of: entries.len(),
            different: first_three(different),
        },
        count => DataError::PicturesUnreadable {
            path,
            count,
            pictures: first_three(unreadable),
        },
    }
}

fn first_three(mut words: Vec<String>) -> String {
    let more = words.len().saturating_sub(3);
    words.truncate(3);
    match more {
        0 => words.join(", "),
        _ => format!("{}, …", words.join(", ")),
    }
}

/// A test of a picture's traits.
type Predicate = fn(&PictureTraits) -> bool;

/// Notes on pictures that were converted, one per kind of conversion.
pub(super) fn conversion_notes(traits: &[PictureTraits]) -> Vec<String> {
    let kinds: [(Predicate, &str); 6] = [
        (
            |traits| traits.animated,
            "are animated: their first frame was taken",
        ),
        (
            |traits| traits.deep,
            "have 16 bits per level, converted to 8",
        ),
        (
            |traits| traits.alpha,
            "have transparency, which is ignored: the colour stored beneath it is used",
        ),
        (
            |traits| traits.turned,
            "have an EXIF orientation (rotated or mirrored), which is ignored: they are used as stored, as in PyTorch and \
             Keras by default; to apply it, convert them first (mogrify -auto-orient)",
        ),
        (
            |traits| traits.grey,
            "are grey, and were given three equal channels like the others",
        ),
        (
            |traits| traits.palette,
            "have a palette, which was converted to colours",
        ),
    ];
    kinds
        .into_iter()
        .filter_map(|(has, words)| {
            let count = traits.iter().filter(|traits| has(traits)).count();
            (count > 0).then(|| format!("{count} of {} pictures {words}", traits.len()))
        })
        .collect()
}
