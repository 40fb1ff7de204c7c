//! Sets of pictures: a folder for each class, perhaps below `train` and `test`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::super::DataError;
use super::super::file::FileError;
use super::super::settle;
use super::cache::Fingerprint;
use super::listing::{Listing, ending, name_of, some_of};
use super::picture::{self, Fault, Traits, is_picture};
use super::raw::{Half, Names, Raw, in_words, room};
use super::roles::Part;
use super::{Kind, Layout, Told};
use crate::session::form::Shape;

/// How often the number of pictures read is told.
const TELL: Duration = Duration::from_millis(50);

/// Folders of classes.
#[derive(Debug)]
struct Folders {
    folder: PathBuf,
    train: Vec<PathBuf>,
    test: Vec<PathBuf>,
    /// The folder whose pictures are the test images, where there is one.
    test_name: Option<String>,
}

pub(super) fn recognise(listing: &Listing) -> Result<Option<Box<dyn Layout>>, DataError> {
    if listing.focus.is_some() {
        return Ok(None);
    }
    let part = |wanted: &[Part]| {
        wanted.iter().find_map(|part| {
            let mut folders = listing.folders.iter();
            let folder = folders.find(|path| Part::named(&name_of(path)) == Some(*part))?;
            let classes = Listing::of(folder).ok()?.folders;
            classes
                .iter()
                .any(|class| holds_pictures(class))
                .then(|| (name_of(folder), classes))
        })
    };
    let (train, test, test_name) = match part(&[Part::Train]) {
        Some((_, train)) => match part(&[Part::Test, Part::Validation]) {
            Some((name, test)) => (train, test, Some(name)),
            None => (train, Vec::new(), None),
        },
        None => (listing.folders.clone(), Vec::new(), None),
    };
    // `train` and `test` with pictures and no classes in them are no classes themselves.
    let is_part = |path: &PathBuf| Part::named(&name_of(path)).is_some();
    if !train.iter().any(|class| holds_pictures(class)) || train.iter().all(is_part) {
        return Ok(None);
    }
    Ok(Some(Box::new(Folders {
        folder: listing.path.clone(),
        train,
        test,
        test_name,
    })))
}

/// Entries of a folder that are looked at to see whether it holds pictures.
const GLANCE: usize = 200;

fn holds_pictures(folder: &Path) -> bool {
    let glance = |folder: &Path| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .take(GLANCE)
                .flatten()
                .any(|entry| is_picture(&entry.path()))
        })
    };
    glance(folder) || glance(&folder.join("images"))
}

/// A picture of a set.
struct Entry {
    path: PathBuf,
    class: usize,
}

/// The pictures of every class, in the order of the classes.
#[derive(Default)]
struct Entries {
    classes: Vec<String>,
    train: Vec<Entry>,
    test: Vec<Entry>,
    notes: Vec<String>,
}

impl Folders {
    fn entries(&self) -> Result<Entries, DataError> {
        let mut entries = Entries::default();
        let names: BTreeSet<String> = self
            .train
            .iter()
            .chain(&self.test)
            .map(|path| name_of(path))
            .collect();
        entries.classes = self.in_order(names.into_iter().collect(), &mut entries.notes)?;
        let mut others = Vec::new();
        for (folders, to) in [
            (&self.train, &mut entries.train),
            (&self.test, &mut entries.test),
        ] {
            for (class, name) in entries.classes.iter().enumerate() {
                for folder in folders.iter().filter(|folder| name_of(folder) == *name) {
                    let listing = Listing::of(folder)?;
                    let mut files = listing.files;
                    // As in Tiny ImageNet.
                    if let Some(inner) = listing
                        .folders
                        .iter()
                        .find(|inner| name_of(inner) == "images")
                    {
                        files.extend(Listing::of(inner)?.files);
                    }
                    let (pictures, rest): (Vec<_>, Vec<_>) =
                        files.into_iter().partition(|path| is_picture(path));
                    others.extend(rest);
                    to.extend(pictures.into_iter().map(|path| Entry { path, class }));
                }
            }
        }
        if !others.is_empty() {
            let endings: BTreeSet<String> = others
                .iter()
                .map(|path| format!(".{}", ending(path)))
                .collect();
            let endings: Vec<String> = endings.into_iter().collect();
            entries.notes.push(format!(
                "{} files are neither PNG nor JPEG and were left out ({})",
                others.len(),
                some_of(&endings)
            ));
        }
        Ok(entries)
    }

    /// The classes in the order of `classes.txt`, else by number where all are numbers, else by name.
    fn in_order(
        &self,
        mut names: Vec<String>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<String>, DataError> {
        let place = self.folder.join(settle::NAMES_FILE);
        if let Some(listed) = settle::names_in(&place)? {
            if names.iter().all(|name| listed.names.contains(name)) {
                return Ok(listed.names);
            }
            if names.len() != listed.names.len() {
                return Err(DataError::ClassNames {
                    why: format!(
                        "names {} classes, but there are {} folders",
                        listed.names.len(),
                        names.len()
                    ),
                    path: place,
                });
            }
            // Folders of codes: their order stands, and `read` gives them the names.
        }
        if names.iter().all(|name| name.parse::<u64>().is_ok()) {
            let by_name = names.clone();
            names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
            if names != by_name {
                notes.push(format!(
                    "classes are in the order of their numbers ({} …); PyTorch's ImageFolder would take them as {} …: a \
                     classes.txt with one name a line decides otherwise",
                    names[..2].join(", "),
                    by_name[..2].join(", ")
                ));
            }
        }
        Ok(names)
    }

    fn names(&self, folders: Vec<String>) -> Result<Names, DataError> {
        let listed = settle::names_in(&self.folder.join(settle::NAMES_FILE))?;
        Ok(listed.unwrap_or_else(|| Names {
            names: folders.iter().map(|name| settle::clean(name)).collect(),
            place: self.folder.clone(),
        }))
    }
}

impl Layout for Folders {
    fn kind(&self) -> Kind {
        Kind::Pictures
    }

    fn read(&self, told: Told<'_>) -> Result<Raw, DataError> {
        let Entries {
            classes,
            train,
            test,
            mut notes,
        } = self.entries()?;
        let names = self.names(classes)?;
        let split = train.len();
        let all: Vec<Entry> = train.into_iter().chain(test).collect();
        if split == 0 {
            return Err(DataError::NoPictures {
                path: self.folder.clone(),
            });
        }
        let (shape, mut pixels, traits) = decoded(&self.folder, &all, told)?;
        notes.extend(converted(&traits));
        if let Some(name) = &self.test_name
            && Part::named(name) == Some(Part::Validation)
        {
            notes.push(format!(
                "there are no test pictures: those in {name} were taken as such"
            ));
        }
        let area: usize = shape.iter().product();
        let half = |pixels, entries: &[Entry]| Half {
            pixels,
            labels: entries.iter().map(|entry| entry.class as u16).collect(),
            shape,
            place: self.folder.clone(),
        };
        let test_pixels = pixels.split_off(split * area);
        Ok(Raw {
            train: half(pixels, &all[..split]),
            test: (split < all.len()).then(|| half(test_pixels, &all[split..])),
            names: Some(names),
            notes,
            perhaps_transposed: false,
        })
    }

    fn fingerprint(&self) -> Result<Option<Fingerprint>, DataError> {
        let path = self
            .folder
            .canonicalize()
            .unwrap_or_else(|_| self.folder.clone());
        let mut fingerprint = Fingerprint::of(&path);
        let Entries {
            classes,
            train,
            test,
            ..
        } = self.entries()?;
        for name in &self.names(classes)?.names {
            fingerprint.add(name.as_bytes());
        }
        for entry in train.iter().chain(&test) {
            let about = fs::metadata(&entry.path).map_err(|source| FileError::Read {
                path: entry.path.clone(),
                source,
            })?;
            let inside = entry.path.strip_prefix(&self.folder).unwrap_or(&entry.path);
            fingerprint.add(inside.as_os_str().as_encoded_bytes());
            fingerprint.add(&about.len().to_le_bytes());
            fingerprint.add(&about.mtime().to_le_bytes());
            fingerprint.add(&about.mtime_nsec().to_le_bytes());
        }
        Ok(Some(fingerprint))
    }
}

/// Every picture decoded, `[n, C, H, W]`, on all cores.
fn decoded(
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
    let done = AtomicUsize::new(0);
    let one = |(entry, to): (&Entry, &mut [u8])| {
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
            told(done.load(Ordering::Relaxed), entries.len());
            thread::park_timeout(TELL);
        }
        work.join()
    });
    told(entries.len(), entries.len());
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

/// What was converted, in words, one note a kind.
fn converted(traits: &[Traits]) -> Vec<String> {
    let kinds: [(fn(&Traits) -> bool, &str); 4] = [
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
