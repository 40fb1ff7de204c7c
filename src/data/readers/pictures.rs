//! Reader of picture sets: one folder per class, possibly inside `train` and `test`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::assemble;
use super::super::file::failed;
use super::super::{DataError, MOST_CLASSES};
use super::cache::SourceState;
use super::decoding::{PictureFile, conversion_notes, decode_all};
use super::listing::{FolderListing, abridged_list, extension, file_name};
use super::picture::is_picture;
use super::raw::{ClassNameList, RawPart, RawSet};
use super::roles::SetPart;
use super::{ProgressCallback, RecognisedSet, SetFormat};
use crate::format::counted;

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

pub(super) fn recognise(
    listing: &FolderListing,
) -> Result<Option<Box<dyn RecognisedSet>>, DataError> {
    if listing.focus.is_some() {
        return Ok(None);
    }
    let part = |wanted: &[SetPart]| {
        wanted.iter().find_map(|part| {
            let mut folders = listing.folders.iter();
            let folder = folders.find(|path| SetPart::named(&file_name(path)) == Some(*part))?;
            let classes = FolderListing::of(folder).ok()?.folders;
            // Tiny ImageNet's test pictures are all in one folder: they have no classes.
            let is_unlabelled = *part != SetPart::Train
                && matches!(&classes[..], [only] if file_name(only) == INNER);
            let holding = classes.iter().any(|class| holds_pictures(class));
            (holding && !is_unlabelled).then(|| (file_name(folder), classes))
        })
    };
    let (train, test, test_name) = match part(&[SetPart::Train]) {
        Some((_, train)) => match part(&[SetPart::Test, SetPart::Validation]) {
            Some((name, test)) => (train, test, Some(name)),
            None => (train, Vec::new(), None),
        },
        None => (listing.folders.clone(), Vec::new(), None),
    };
    // Folders named `train` and `test` that hold pictures directly are not classes, and neither are folders most of
    // which hold no pictures.
    let is_part = |path: &PathBuf| SetPart::named(&file_name(path)).is_some();
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

/// The folder in a class's folder that may hold its pictures.
const INNER: &str = "images";
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
    glance(folder) || glance(&folder.join(INNER))
}

/// Whether a folder is empty, like that of a class without images.
fn is_bare(folder: &Path) -> bool {
    FolderListing::of(folder).is_ok_and(|listing| listing.is_empty())
}

/// The pictures of every class, in the order of the classes.
#[derive(Default)]
struct Entries {
    classes: Vec<String>,
    train: Vec<PictureFile>,
    test: Vec<PictureFile>,
    notes: Vec<String>,
}

impl Folders {
    /// The names of the classes' folders, in alphabetical order.
    ///
    /// # Errors
    /// If there are too many, or two that cannot be told apart when they are shown.
    fn folder_names(&self) -> Result<Vec<String>, DataError> {
        let all = self.train.iter().chain(&self.test);
        let raw: BTreeSet<&OsStr> = all.filter_map(|path| path.file_name()).collect();
        if raw.len() > MOST_CLASSES {
            return Err(DataError::TooManyFolders {
                path: self.folder.clone(),
                count: raw.len(),
            });
        }
        let names: Vec<String> = raw
            .iter()
            .map(|name| name.to_string_lossy().into())
            .collect();
        let is_named_elsewhere = self.folder.join(assemble::NAMES_FILE).exists();
        let mut seen: BTreeMap<String, &OsStr> = BTreeMap::new();
        for (name, raw) in names.iter().zip(raw) {
            let shown = match is_named_elsewhere {
                true => name.clone(),
                false => assemble::clean_name(name),
            };
            if let Some(other) = seen.insert(shown.clone(), raw) {
                return Err(DataError::FoldersAlike {
                    path: self.folder.clone(),
                    folders: format!("{other:?} and {raw:?}"),
                    shown,
                });
            }
        }
        Ok(names)
    }

    fn entries(&self) -> Result<Entries, DataError> {
        let mut entries = Entries::default();
        let names = self.folder_names()?;
        entries.classes = self.in_order(names, &mut entries.notes)?;
        let (mut others, mut deeper) = (Vec::new(), 0);
        for (folders, to) in [
            (&self.train, &mut entries.train),
            (&self.test, &mut entries.test),
        ] {
            for (class, name) in entries.classes.iter().enumerate() {
                for folder in folders.iter().filter(|folder| file_name(folder) == *name) {
                    let listing = FolderListing::of(folder)?;
                    let mut files = listing.files;
                    // Tiny ImageNet has the pictures of each class in a subfolder `images`.
                    if let Some(inner) = listing
                        .folders
                        .iter()
                        .find(|inner| file_name(inner) == INNER)
                    {
                        files.extend(FolderListing::of(inner)?.files);
                    }
                    let is_unread =
                        |inner: &&PathBuf| file_name(inner) != INNER && holds_pictures(inner);
                    deeper += listing.folders.iter().filter(is_unread).count();
                    let (pictures, rest): (Vec<_>, Vec<_>) =
                        files.into_iter().partition(|path| is_picture(path));
                    others.extend(rest);
                    to.extend(pictures.into_iter().map(|path| PictureFile { path, class }));
                }
            }
        }
        if deeper > 0 {
            let folders = match deeper {
                1 => "a folder".to_owned(),
                _ => format!("{deeper} folders"),
            };
            entries.notes.push(format!(
                "the pictures in {folders} within the folders of classes were not read: a class has its pictures in one \
                 folder"
            ));
        }
        if !others.is_empty() {
            let endings: BTreeSet<String> = others
                .iter()
                .map(|path| format!(".{}", extension(path)))
                .collect();
            let endings: Vec<String> = endings.into_iter().collect();
            let skipped = match others.len() {
                1 => "1 file is neither PNG nor JPEG and was skipped".to_owned(),
                count => format!("{count} files are neither PNG nor JPEG and were skipped"),
            };
            entries
                .notes
                .push(format!("{skipped} ({})", abridged_list(&endings)));
        }
        Ok(entries)
    }

    /// The classes in the order of `classes.txt`, else by number if all are numbers, else by name.
    fn in_order(
        &self,
        mut names: Vec<String>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<String>, DataError> {
        let place = self.folder.join(assemble::NAMES_FILE);
        if let Some(listed) = assemble::read_class_names(&place)? {
            // Which classes' names differ in case alone.
            let mut spellings: BTreeMap<String, usize> = BTreeMap::new();
            for class in &listed.names {
                *spellings.entry(class.to_lowercase()).or_default() += 1;
            }
            let folder_of = |class: &String| {
                let folded = class.to_lowercase();
                let is_alike = |name: &&String| assemble::clean_name(name).to_lowercase() == folded;
                let exact = names.iter().find(|name| *name == class);
                exact.or_else(|| match spellings.get(&folded) {
                    Some(1) => names.iter().find(is_alike),
                    _ => None,
                })
            };
            let folders = listed.names.iter().map(folder_of);
            let found = folders.clone().flatten().count();
            if found == names.len() {
                let classes = folders.zip(&listed.names);
                return Ok(classes
                    .map(|(folder, class)| folder.unwrap_or(class).clone())
                    .collect());
            }
            if names.len() != listed.names.len() {
                return Err(DataError::ClassNames {
                    why: format!(
                        "names {}, but there are {}",
                        counted(listed.names.len() as u64, "class", "classes"),
                        counted(names.len() as u64, "folder", "folders")
                    ),
                    path: place,
                });
            }
            let is_listed = |name: &&String| {
                listed
                    .names
                    .iter()
                    .any(|class| folder_of(class) == Some(*name))
            };
            if found > 0
                && let Some(other) = names.iter().find(|name| !is_listed(name))
            {
                return Err(DataError::ClassNames {
                    why: format!(
                        "names some of the folders, but not {}: name each folder, or none of them",
                        assemble::clean_name(other)
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

    fn names(&self, folders: Vec<String>) -> Result<ClassNameList, DataError> {
        let listed = assemble::read_class_names(&self.folder.join(assemble::NAMES_FILE))?;
        Ok(listed.unwrap_or_else(|| ClassNameList {
            names: folders
                .iter()
                .map(|name| assemble::clean_name(name))
                .collect(),
            place: self.folder.clone(),
        }))
    }
}

impl RecognisedSet for Folders {
    fn format(&self) -> SetFormat {
        SetFormat::Pictures
    }

    fn holds(&self, path: &Path) -> bool {
        let classes = self.train.iter().chain(&self.test);
        let inside = |class: &PathBuf| path.starts_with(class) || class.parent() == Some(path);
        self.is_pure && classes.into_iter().any(inside)
    }

    fn read(&self, progress: ProgressCallback<'_>) -> Result<RawSet, DataError> {
        let Entries {
            classes,
            train,
            test,
            mut notes,
        } = self.entries()?;
        let names = self.names(classes)?;
        let split = train.len();
        let all: Vec<PictureFile> = train.into_iter().chain(test).collect();
        if split == 0 {
            return Err(DataError::NoPictures {
                path: self.folder.clone(),
            });
        }
        let (shape, mut pixels, traits) = decode_all(&self.folder, &all, progress)?;
        notes.extend(conversion_notes(&traits));
        if let Some(name) = &self.test_name
            && SetPart::named(name) == Some(SetPart::Validation)
        {
            notes.push(format!(
                "there are no test pictures: those in {name} are used instead"
            ));
        }
        let area: usize = shape.iter().product();
        let half = |pixels, entries: &[PictureFile]| RawPart {
            pixels,
            labels: entries.iter().map(|entry| entry.class as u16).collect(),
            shape,
            place: self.folder.clone(),
        };
        let test_pixels = pixels.split_off(split * area);
        Ok(RawSet {
            train: half(pixels, &all[..split]),
            test: (split < all.len()).then(|| half(test_pixels, &all[split..])),
            names: Some(names),
            notes,
            warnings: Vec::new(),
            perhaps_transposed: false,
        })
    }

    fn fingerprint(&self) -> Result<Option<SourceState>, DataError> {
        let path = self
            .folder
            .canonicalize()
            .unwrap_or_else(|_| self.folder.clone());
        let mut fingerprint = SourceState::of(&path);
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
            let about = fs::metadata(&entry.path).map_err(|error| failed(&entry.path, error))?;
            let inside = entry.path.strip_prefix(&self.folder).unwrap_or(&entry.path);
            fingerprint.add(inside.as_os_str().as_encoded_bytes());
            fingerprint.add(&about.len().to_le_bytes());
            fingerprint.add(&about.mtime().to_le_bytes());
            fingerprint.add(&about.mtime_nsec().to_le_bytes());
        }
        Ok(Some(fingerprint))
    }
}
