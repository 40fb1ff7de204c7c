//! Many pictures decoded at once, on all cores, and the words for those that cannot be used or were converted.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::super::DataError;
use super::Told;
use super::picture::{self, Fault, Traits};
use super::raw::{in_words, room};
use crate::session::form::Shape;

/// How often the number of pictures read is told.
const TELL: Duration = Duration::from_millis(50);

/// A picture of a set.
pub(super) struct Entry {
    /// Where it lies.
    pub path: PathBuf,
    /// What it shows.
    pub class: usize,
}

/// Every picture decoded, `[n, C, H, W]`, on all cores.
pub(super) fn decoded(
    folder: &Path,
    entries: &[Entry],
    told: Told<'_>,
) -> Result<(Shape, Vec<u8>, Vec<Traits>), DataError> {
    let first = entries
        .iter()
        .find_map(|entry| picture::read(&entry.path, None).ok());
    let Some(first) = first else {
        let faults = entries.iter().take(3).map(|entry| {
            let fault = picture::read(&entry.path, None).err();
            fault.map_or(Ok(Traits::default()), Err)
        });
        return Err(faulty(
            folder,
            &entries[..entries.len().min(3)],
            faults.collect(),
            [1, 0, 0],
        ));
    };
    let mut shape = first.shape;
    let (mut pixels, mut read) = decoded_as(folder, entries, shape, told)?;
    // A palette of greys came first, and colours after it.
    let colour_after =
        |fault: &Result<Traits, Fault>| matches!(fault, Err(Fault::Differs([3, ..])));
    if first.traits.grey_palette && read.iter().any(colour_after) {
        shape[0] = 3;
        (pixels, read) = decoded_as(folder, entries, shape, told)?;
    }
    if read.iter().any(Result::is_err) {
        return Err(faulty(folder, entries, read, shape));
    }
    Ok((shape, pixels, read.into_iter().flatten().collect()))
}

type Read = Vec<Result<Traits, Fault>>;

fn decoded_as(
    folder: &Path,
    entries: &[Entry],
    shape: Shape,
    told: Told<'_>,
) -> Result<(Vec<u8>, Read), DataError> {
    let mut pixels = vec![0; room(folder, entries.len(), shape)?];
    let area: usize = shape.iter().product::<usize>().max(1);
    let (done, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one = |(entry, to): (&Entry, &mut [u8])| {
        if stopped.load(Ordering::Relaxed) {
            return Ok(Traits::default());
        }
        let outcome = picture::read(&entry.path, Some(shape)).map(|picture| {
            to.copy_from_slice(&picture.pixels);
            picture.traits
        });
        done.fetch_add(1, Ordering::Relaxed);
        outcome
    };
    let teller = thread::current();
    let read = thread::scope(|scope| {
        let work = scope.spawn(|| {
            let read: Read = entries
                .par_iter()
                .zip(pixels.par_chunks_exact_mut(area))
                .map(one)
                .collect();
            teller.unpark();
            read
        });
        while !work.is_finished() {
            if told(done.load(Ordering::Relaxed), entries.len()).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
            thread::park_timeout(TELL);
        }
        work.join()
    });
    if stopped.into_inner() || told(entries.len(), entries.len()).is_break() {
        return Err(DataError::Stopped);
    }
    match read {
        Ok(read) => Ok((pixels, read)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The error for a set in which some pictures cannot be used: the unreadable ones first, then those that differ.
fn faulty(folder: &Path, entries: &[Entry], read: Read, shape: Shape) -> DataError {
    let inside = |entry: &Entry| {
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
            Err(Fault::Unreadable(why)) => unreadable.push(format!("{} ({why})", inside(entry))),
            Err(Fault::Differs(other)) => {
                different.push(format!("{} is {}", inside(entry), in_words(other)))
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
                in_words(shape)
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

/// Whether a picture is of a kind.
type IsSo = fn(&Traits) -> bool;

/// What was converted, in words, one note a kind.
pub(super) fn converted(traits: &[Traits]) -> Vec<String> {
    let kinds: [(IsSo, &str); 4] = [
        (
            |it| it.animated,
            "are animated: their first frame was taken",
        ),
        (|it| it.deep, "have 16 bits a level, which became 8"),
        (
            |it| it.alpha,
            "have transparency, which was left out: the colour stored beneath it is used",
        ),
        (
            |it| it.palette,
            "take their colours from a palette, which were looked up",
        ),
    ];
    kinds
        .into_iter()
        .filter_map(|(has, words)| {
            let count = traits.iter().filter(|it| has(it)).count();
            (count > 0).then(|| format!("{count} of {} pictures {words}", traits.len()))
        })
        .collect()
}
