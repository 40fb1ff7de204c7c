//! Reader of the binary batches of CIFAR-10 and CIFAR-100: records of one or two labels and an image, channel by
//! channel.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::{DataError, file};
use super::listing::{FolderListing, file_name};
use super::raw::{ClassNameList, RawPart, RawSet, checked_size};
use super::{ProgressCallback, RecognisedSet, SetFormat};
use crate::session::form::Shape;

/// Shape of the images in both sets.
const SHAPE: Shape = [3, 32, 32];
const IMAGE: usize = 3 * 32 * 32;
/// Number of training batches of CIFAR-10.
const BATCHES: usize = 5;

/// The files of one set.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    train: Vec<PathBuf>,
    test: Option<PathBuf>,
    /// Number of labels before each image; the last one is the class.
    labels: usize,
}

pub(super) fn recognise(
    listing: &FolderListing,
) -> Result<Option<Box<dyn RecognisedSet>>, DataError> {
    let stem = |path: &Path| {
        let name = file_name(path).to_ascii_lowercase();
        name.trim_end_matches(".gz").to_owned()
    };
    if listing.focus_is_not(|file| stem(file).ends_with(".bin")) {
        return Ok(None);
    }
    let named = |name: &str| {
        listing
            .files
            .iter()
            .find(|path| stem(path) == name)
            .cloned()
    };
    let mut batches: Vec<PathBuf> = listing
        .files
        .iter()
        .filter(|path| stem(path).starts_with("data_batch") && stem(path).ends_with(".bin"))
        .cloned()
        .collect();
    // If both a plain and a packed file exist, the plain one is used, since it sorts first.
    let mut seen = BTreeSet::new();
    batches.retain(|path| seen.insert(stem(path)));
    let files = |train, test, labels| {
        let folder = listing.path.clone();
        Ok(Some(Box::new(Files {
            folder,
            train,
            test,
            labels,
        }) as Box<dyn RecognisedSet>))
    };
    if !batches.is_empty() {
        return files(batches, named("test_batch.bin"), 1);
    }
    match (named("train.bin"), named("test.bin")) {
        (Some(train), test) => files(vec![train], test, 2),
        _ if named("test_batch.bin").is_some() => Err(DataError::FolderIncomplete {
            folder: listing.path.clone(),
            missing: vec!["data_batch_1.bin".to_owned()],
        }),
        _ => Ok(None),
    }
}

impl Files {
    fn half(&self, files: &[PathBuf]) -> Result<RawPart, DataError> {
        let record = self.labels + IMAGE;
        let mut half = RawPart {
            shape: SHAPE,
            place: files
                .first()
                .cloned()
                .unwrap_or_else(|| self.folder.clone()),
            ..RawPart::default()
        };
        for path in files {
            let content = file::read_whole(path)?;
            check(path, &content, record)?;
            checked_size(path, half.labels.len() + content.len() / record, SHAPE)?;
            half.pixels.reserve(content.len());
            for one in content.chunks_exact(record) {
                half.labels.push(u16::from(one[self.labels - 1]));
                half.pixels.extend_from_slice(&one[self.labels..]);
            }
        }
        Ok(half)
    }

    /// Class names from the authors' file beside the batches.
    fn names(&self) -> Option<ClassNameList> {
        let name = match self.labels {
            1 => "batches.meta.txt",
            _ => "fine_label_names.txt",
        };
        super::super::assemble::read_class_names(&self.folder.join(name))
            .ok()
            .flatten()
    }
}

impl RecognisedSet for Files {
    fn format(&self) -> SetFormat {
        SetFormat::Cifar
    }

    fn read(&self, _: ProgressCallback<'_>) -> Result<RawSet, DataError> {
        let mut notes = Vec::new();
        if self.labels == 1 && self.train.len() < BATCHES {
            notes.push(format!(
                "only {} of the {BATCHES} training batches of CIFAR-10 are in {}",
                self.train.len(),
                self.folder.display()
            ));
        }
        Ok(RawSet {
            train: self.half(&self.train)?,
            test: match &self.test {
                Some(path) => Some(self.half(std::slice::from_ref(path))?),
                None => None,
            },
            names: self.names(),
            notes,
            warnings: Vec::new(),
            perhaps_transposed: false,
        })
    }
}

/// Checks that a file is a whole number of records.
fn check(path: &Path, content: &[u8], record: usize) -> Result<(), DataError> {
    if !content.is_empty() && content.len().is_multiple_of(record) {
        return Ok(());
    }
    if let Some(found) = file::recognise_foreign(&content[..content.len().min(512)]) {
        return Err(file::FileError::Foreign {
            path: path.to_owned(),
            expected: "a binary batch of CIFAR",
            found,
        }
        .into());
    }
    Err(DataError::Records {
        path: path.to_owned(),
        bytes: content.len(),
        record,
        hint: match file::is_text_mode(content) {
            true => {
                "it was damaged by a transfer in text mode (every byte 0x0a has become 0x0d 0x0a): copy it again in binary mode"
            }
            false => "it may be cut short: replace it with a good copy",
        },
    })
}
