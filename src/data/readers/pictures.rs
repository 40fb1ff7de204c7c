//! Reader of picture sets: one folder per class, possibly inside `train` and `test`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::file::FileError;
use super::super::settle;
use super::cache::Fingerprint;
use super::decoding::{Entry, converted, decoded};
use super::listing::{Listing, ending, name_of, some_of};
use super::picture::is_picture;
use super::raw::{Half, Names, Raw};
use super::roles::Part;
use super::{Kind, Layout, Told};

/// Folders of classes.
#[derive(Debug)]
struct Folders {
    folder: PathBuf,
    train: Vec<PathBuf>,
    test: Vec<PathBuf>,
    /// Name of the folder with the test images, if there is one.
    test_name: Option<String>,
    /// Whether every folder of the training part is a class.
    is_pure: bool,
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
    // Folders named `train` and `test` that hold pictures directly are not classes, and neither are folders most of
    // which hold no pictures.
    let is_part = |path: &PathBuf| Part::named(&name_of(path)).is_some();
    let holding = train.iter().filter(|class| holds_pictures(class)).count();
    let others = train
        .iter()
        .filter(|class| !holds_pictures(class) && !is_bare(class))
        .count();
    if holding <= others || train.iter().all(is_part) {
        return Ok(None);
    }
    Ok(Some(Box::new(Folders {
        folder: listing.path.clone(),
        train,
        test,
        test_name,
        is_pure: others == 0,
    })))
}

/// Number of entries to check for pictures in a folder.
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

/// Whether a folder is empty, like that of a class without images.
fn is_bare(folder: &Path) -> bool {
    Listing::of(folder).is_ok_and(|listing| listing.is_empty())
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
                    // Tiny ImageNet has the pictures of each class in a subfolder `images`.
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
                "{} files are neither PNG nor JPEG and were skipped ({})",
                others.len(),
                some_of(&endings)
            ));
        }
        Ok(entries)
    }

    /// The classes in the order of `classes.txt`, else by number if all are numbers, else by name.
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
            // The folders have codes for names: keep their order; `read` assigns the listed names.
        }
        if names.iter().all(|name| name.parse::<u64>().is_ok()) {
            let by_name = names.clone();
            names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
            if names != by_name {
                notes.push(format!(
                    "classes are in numerical order ({} …); PyTorch's ImageFolder would order them {} …: to change the \
                     order, add a classes.txt with one name per line",
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

    fn holds(&self, path: &Path) -> bool {
        let classes = self.train.iter().chain(&self.test);
        let inside = |class: &PathBuf| path.starts_with(class) || class.parent() == Some(path);
        self.is_pure && classes.into_iter().any(inside)
    }

    fn read(&self, progress: Told<'_>) -> Result<Raw, DataError> {
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
        let (shape, mut pixels, traits) = decoded(&self.folder, &all, progress)?;
        notes.extend(converted(&traits));
        if let Some(name) = &self.test_name
            && Part::named(name) == Some(Part::Validation)
        {
            notes.push(format!(
                "there are no test pictures: those in {name} are used instead"
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
