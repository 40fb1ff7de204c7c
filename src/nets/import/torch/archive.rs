//! Opens the formats of `torch.save`: a zip archive since PyTorch 1.6, a sequence of pickles before, and a
//! single pickle.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::super::WeightsFault;
use super::super::pickle;
use super::super::recognise::Remedy;
use super::storage::{CheckpointFile, Storages};
use super::{legacy, magic};
use crate::files;

/// Opens a file written by `torch.save`.
///
/// # Errors
/// If it is damaged, of another kind, or big-endian.
pub fn open(path: &Path) -> Result<CheckpointFile, WeightsFault> {
    let mut file = files::open(path)?;
    let mut start = Vec::new();
    let most = pickle::MAX_BYTES as u64;
    file.by_ref().take(4).read_to_end(&mut start)?;
    if start.starts_with(b"PK\x03\x04") {
        return zipped(files::open(path)?);
    }
    file.take(most).read_to_end(&mut start)?;
    let too_long = start.len() as u64 >= most;
    let opened = match magic::length(&start) {
        Some(magic) => legacy::open(&start, magic, Box::new(files::open(path)?)),
        None => pickle::read(&start)
            .map(|(tree, _)| CheckpointFile {
                tree,
                storages: Storages::None,
            })
            .map_err(WeightsFault::from),
    };
    opened.map_err(|fault| match fault {
        WeightsFault::Damaged(_) if too_long => WeightsFault::TooLong,
        fault => fault,
    })
}

/// The entries of a zip archive.
///
/// # Errors
/// If it is damaged.
pub fn names(path: &Path) -> Result<Vec<String>, WeightsFault> {
    names_in(&unzipped(files::open(path)?)?)
}

fn unzipped(file: File) -> Result<ZipArchive<BufReader<File>>, WeightsFault> {
    ZipArchive::new(BufReader::new(file))
        .map_err(|error| WeightsFault::Damaged(format!("as a zip archive: {error}")))
}

fn names_in(archive: &ZipArchive<BufReader<File>>) -> Result<Vec<String>, WeightsFault> {
    let names = archive
        .file_names()
        .map(|name| name.map(|name| name.to_string()));
    names
        .collect::<Result<_, _>>()
        .map_err(|error| WeightsFault::Damaged(error.to_string()))
}

fn zipped(file: File) -> Result<CheckpointFile, WeightsFault> {
    let mut archive = unzipped(file)?;
    let names = names_in(&archive)?;
    // The entries are in a folder named after the file.
    let roots = names
        .iter()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|root| root.is_empty() || root.ends_with('/'));
    let Some(root) = roots.min_by_key(|root| root.len()).map(str::to_owned) else {
        let description = "a zip archive without a checkpoint in it".to_owned();
        return Err(WeightsFault::Foreign((description, Remedy::Unpack)));
    };
    if entry(&mut archive, &format!("{root}byteorder"), 16)?.is_some_and(|order| order == b"big") {
        return Err(WeightsFault::BigEndian);
    }
    let most = pickle::MAX_BYTES as u64;
    let content = entry(&mut archive, &format!("{root}data.pkl"), most)?.unwrap_or_default();
    if content.len() as u64 >= most {
        return Err(WeightsFault::TooLong);
    }
    let (tree, _) = pickle::read(&content)?;
    Ok(CheckpointFile {
        tree,
        storages: Storages::Zip(RefCell::new(archive), root),
    })
}

/// The first bytes of an entry, if it exists.
fn entry(
    archive: &mut ZipArchive<BufReader<File>>,
    name: &str,
    most: u64,
) -> Result<Option<Vec<u8>>, WeightsFault> {
    let Some(index) = archive.index_for_name(name) else {
        return Ok(None);
    };
    let mut content = Vec::new();
    let entry = archive
        .by_index(index)
        .map_err(|error| WeightsFault::Damaged(format!("{name}: {error}")))?;
    let read = entry.take(most).read_to_end(&mut content);
    read.map_err(|error| WeightsFault::Damaged(format!("{name}: {error}")))?;
    Ok(Some(content))
}
