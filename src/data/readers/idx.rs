//! Reader of sets in IDX files, the format of the MNIST family, under standard and other names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{DataError, file, idx};
use super::listing::{FolderListing, extension, file_name};
use super::raw::{ClassNameList, RawPart, RawSet};
use super::roles::{FileContent, SetPart, parse_role};
use super::{ProgressCallback, RecognisedSet, SetFormat};
use crate::files;

/// The files of one set.
#[derive(Debug, Default)]
struct Files {
    folder: PathBuf,
    set: String,
    parts: BTreeMap<(SetPart, FileContent), PathBuf>,
    mapping: Option<PathBuf>,
}

/// Whether a file's name looks like that of an IDX file.
pub(super) fn has_idx_name(path: &Path) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let marked = name.contains("ubyte") || name.contains("idx");
    let bare = matches!(extension(path).as_str(), "" | "gz") && !name.contains(".tar");
    let role = parse_role(&name);
    role.content.is_some() && (marked || (bare && role.part != SetPart::Whole))
}

pub(super) fn recognise(
    listing: &FolderListing,
) -> Result<Option<Box<dyn RecognisedSet>>, DataError> {
    if listing.focus_is_not(has_idx_name) {
        return Ok(None);
    }
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    // Some archivers unpack a file into a folder with the file's name.
    let inner = listing.folders.iter().filter(|folder| has_idx_name(folder));
    let inner = inner.filter_map(|folder| {
        let files = FolderListing::of(folder).ok()?.files;
        files.into_iter().find(|file| has_idx_name(file))
    });
    // If both a plain and a packed file exist, the plain one is used, since it sorts first.
    for path in listing
        .files
        .iter()
        .filter(|file| has_idx_name(file))
        .cloned()
        .chain(inner)
    {
        let role = parse_role(&file_name(&path));
        let Some(what) = role.content else { continue };
        let files = sets.entry(role.set.clone()).or_insert_with(|| Files {
            folder: listing.path.clone(),
            set: role.set,
            ..Files::default()
        });
        files.parts.entry((role.part, what)).or_insert(path);
    }
    if let Some(file) = &listing.focus {
        let wanted = parse_role(&file_name(file)).set;
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
        files.mapping = others.find(|file| file_name(file) == mapping).cloned();
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
        const NAMES: [(SetPart, FileContent, &str); 4] = [
            (
                SetPart::Train,
                FileContent::Images,
                "train-images-idx3-ubyte",
            ),
            (
                SetPart::Train,
                FileContent::Labels,
                "train-labels-idx1-ubyte",
            ),
            (SetPart::Test, FileContent::Images, "t10k-images-idx3-ubyte"),
            (SetPart::Test, FileContent::Labels, "t10k-labels-idx1-ubyte"),
        ];
        let has = |part, what| self.parts.contains_key(&(part, what));
        if has(SetPart::Whole, FileContent::Images) && has(SetPart::Whole, FileContent::Labels) {
            return Vec::new();
        }
        let no_test =
            !has(SetPart::Test, FileContent::Images) && !has(SetPart::Test, FileContent::Labels);
        let needed = |part| part == SetPart::Train || !no_test;
        NAMES
            .iter()
            .filter(|(part, what, _)| needed(*part) && !has(*part, *what))
            .map(|(.., name)| (*name).to_owned())
            .collect()
    }

    fn half(&self, part: SetPart) -> Result<Option<RawPart>, DataError> {
        let (Some(images), Some(labels)) = (
            self.parts.get(&(part, FileContent::Images)),
            self.parts.get(&(part, FileContent::Labels)),
        ) else {
            return Ok(None);
        };
        let read = idx::read_images(images)?;
        let written = idx::read_labels(labels)?;
        RawPart::with_labels(
            (read.pixels, [1, read.height, read.width], images.clone()),
            (written.into_iter().map(u16::from).collect(), labels.clone()),
        )
        .map(Some)
    }
}

impl RecognisedSet for Files {
    fn format(&self) -> SetFormat {
        SetFormat::Idx
    }

    fn holds(&self, path: &Path) -> bool {
        self.parts.values().any(|file| file.starts_with(path))
    }

    fn read(&self, _: ProgressCallback<'_>) -> Result<RawSet, DataError> {
        let train = match self.half(SetPart::Train)? {
            Some(half) => Some(half),
            None => self.half(SetPart::Whole)?,
        };
        let train = train.ok_or_else(|| DataError::FolderIncomplete {
            folder: self.folder.clone(),
            missing: self.missing(),
        })?;
        let test = match self.half(SetPart::Test)? {
            Some(half) => Some(half),
            None => self.half(SetPart::Validation)?,
        };
        Ok(RawSet {
            names: self.mapping.as_deref().and_then(read_mapping),
            train,
            test,
            notes: Vec::new(),
            warnings: Vec::new(),
            perhaps_transposed: self.set.contains("emnist"),
        })
    }
}

/// Class names from EMNIST's mapping file: one line per label, starting at 0 or 1, with the codes of its characters.
fn read_mapping(path: &Path) -> Option<ClassNameList> {
    let text = String::from_utf8(file::read_whole(path).ok()?).ok()?;
    let mut names = Vec::new();
    let mut first = None;
    let lines = files::without_mark(&text).lines();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let label = numbers.next()?.ok()? as usize;
        let first = *first.get_or_insert(label);
        if first > 1 || label != first + names.len() {
            return None;
        }
        names.push(char::from_u32(numbers.next()?.ok()?)?.to_string());
    }
    Some(ClassNameList {
        names,
        place: path.to_owned(),
    })
}
