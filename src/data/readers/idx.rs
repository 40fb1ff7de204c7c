//! Reader of sets in IDX files, the format of the MNIST family, under standard and other names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{DataError, file, idx};
use super::listing::{Listing, ending, name_of};
use super::raw::{Half, Names, Raw};
use super::roles::{Part, What, role};
use super::{Kind, Layout, Told};

/// The files of one set.
#[derive(Debug, Default)]
struct Files {
    folder: PathBuf,
    set: String,
    parts: BTreeMap<(Part, What), PathBuf>,
    mapping: Option<PathBuf>,
}

/// Whether a file's name looks like that of an IDX file.
pub(super) fn is_named_so(path: &Path) -> bool {
    let name = name_of(path).to_ascii_lowercase();
    let marked = name.contains("ubyte") || name.contains("idx");
    let bare = matches!(ending(path).as_str(), "" | "gz") && !name.contains(".tar");
    let role = role(&name);
    role.what.is_some() && (marked || (bare && role.part != Part::Whole))
}

pub(super) fn recognise(listing: &Listing) -> Result<Option<Box<dyn Layout>>, DataError> {
    if listing
        .focus
        .as_deref()
        .is_some_and(|file| !is_named_so(file))
    {
        return Ok(None);
    }
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    // Some archivers unpack a file into a folder with the file's name.
    let inner = listing.folders.iter().filter(|folder| is_named_so(folder));
    let inner = inner.filter_map(|folder| {
        let files = Listing::of(folder).ok()?.files;
        files.into_iter().find(|file| is_named_so(file))
    });
    // If both a plain and a packed file exist, the plain one is used, since it sorts first.
    for path in listing
        .files
        .iter()
        .filter(|file| is_named_so(file))
        .cloned()
        .chain(inner)
    {
        let role = role(&name_of(&path));
        let Some(what) = role.what else { continue };
        let files = sets.entry(role.set.clone()).or_insert_with(|| Files {
            folder: listing.path.clone(),
            set: role.set,
            ..Files::default()
        });
        files.parts.entry((role.part, what)).or_insert(path);
    }
    if let Some(file) = &listing.focus {
        let wanted = role(&name_of(file)).set;
        sets.retain(|set, _| *set == wanted);
    }
    let whole: Vec<&String> = sets
        .iter()
        .filter(|(_, files)| files.missing().is_empty())
        .map(|(set, _)| set)
        .collect();
    if whole.len() > 1 {
        return Err(DataError::Several {
            path: listing.path.clone(),
            found: whole.into_iter().cloned().collect(),
        });
    }
    if let Some(set) = whole.first().map(|&set| set.clone())
        && let Some(mut files) = sets.remove(&set)
    {
        let mapping = format!("{set}-mapping.txt");
        let mut others = listing.files.iter();
        files.mapping = others.find(|file| name_of(file) == mapping).cloned();
        return Ok(Some(Box::new(files)));
    }
    match sets.into_values().next() {
        None => Ok(None),
        Some(files) => Err(DataError::FolderIncomplete {
            missing: files.missing(),
            folder: files.folder,
        }),
    }
}

impl Files {
    /// Standard names of the files that are missing.
    fn missing(&self) -> Vec<String> {
        const NAMES: [(Part, What, &str); 4] = [
            (Part::Train, What::Images, "train-images-idx3-ubyte"),
            (Part::Train, What::Labels, "train-labels-idx1-ubyte"),
            (Part::Test, What::Images, "t10k-images-idx3-ubyte"),
            (Part::Test, What::Labels, "t10k-labels-idx1-ubyte"),
        ];
        let has = |part, what| self.parts.contains_key(&(part, what));
        if has(Part::Whole, What::Images) && has(Part::Whole, What::Labels) {
            return Vec::new();
        }
        let no_test = !has(Part::Test, What::Images) && !has(Part::Test, What::Labels);
        let needed = |part| part == Part::Train || !no_test;
        NAMES
            .iter()
            .filter(|(part, what, _)| needed(*part) && !has(*part, *what))
            .map(|(.., name)| (*name).to_owned())
            .collect()
    }

    fn half(&self, part: Part) -> Result<Option<Half>, DataError> {
        let (Some(images), Some(labels)) = (
            self.parts.get(&(part, What::Images)),
            self.parts.get(&(part, What::Labels)),
        ) else {
            return Ok(None);
        };
        let read = idx::read_images(images)?;
        let written = idx::read_labels(labels)?;
        Half::paired(
            (read.pixels, [1, read.height, read.width], images.clone()),
            (written.into_iter().map(u16::from).collect(), labels.clone()),
        )
        .map(Some)
    }
}

impl Layout for Files {
    fn kind(&self) -> Kind {
        Kind::Idx
    }

    fn holds(&self, path: &Path) -> bool {
        self.parts.values().any(|file| file.starts_with(path))
    }

    fn read(&self, _: Told<'_>) -> Result<Raw, DataError> {
        let train = match self.half(Part::Train)? {
            Some(half) => Some(half),
            None => self.half(Part::Whole)?,
        };
        let train = train.ok_or_else(|| DataError::FolderIncomplete {
            folder: self.folder.clone(),
            missing: self.missing(),
        })?;
        let test = match self.half(Part::Test)? {
            Some(half) => Some(half),
            None => self.half(Part::Validation)?,
        };
        Ok(Raw {
            names: self.mapping.as_deref().and_then(read_mapping),
            train,
            test,
            notes: Vec::new(),
            perhaps_transposed: self.set.contains("emnist"),
        })
    }
}

/// Class names from EMNIST's mapping file: one line per label, starting at 0 or 1, with the codes of its characters.
fn read_mapping(path: &Path) -> Option<Names> {
    let text = String::from_utf8(file::whole(path).ok()?).ok()?;
    let mut names = Vec::new();
    let mut first = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let label = numbers.next()?.ok()? as usize;
        let first = *first.get_or_insert(label);
        if first > 1 || label != first + names.len() {
            return None;
        }
        names.push(char::from_u32(numbers.next()?.ok()?)?.to_string());
    }
    Some(Names {
        names,
        place: path.to_owned(),
    })
}
