//! Reads the storages of a file, which hold the numbers of its tensors, by key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::super::WeightsFault;
use super::super::pickle::PickleTree;

/// A seekable source of bytes.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// An opened file: its pickle and its storages.
pub struct CheckpointFile {
    /// The content of the pickle.
    pub tree: PickleTree,
    /// The storages of the tensors.
    pub storages: Storages,
}

/// The storages of a file.
pub enum Storages {
    /// Entries of a zip archive, in a folder.
    Zip(RefCell<ZipArchive<BufReader<File>>>, String),
    /// Consecutive in the file; for each key, its offset and length in bytes.
    Places(RefCell<Box<dyn ReadSeek>>, HashMap<String, (u64, u64)>),
    /// A single pickle has none.
    None,
}

impl Storages {
    /// The bytes of a storage. Allocates no more memory than the file has bytes.
    ///
    /// # Errors
    /// If the storage is missing or too short.
    pub fn read(&self, key: &str, start: u64, length: u64) -> Result<Vec<u8>, WeightsFault> {
        let mut bytes = Vec::new();
        match self {
            Self::Zip(archive, root) => {
                let mut archive = archive.borrow_mut();
                let entry = archive.by_name(&format!("{root}data/{key}"));
                let mut entry = entry.map_err(|error| cannot(key, &error.to_string()))?;
                io::copy(&mut entry.by_ref().take(start), &mut io::sink())
                    .and_then(|_| entry.take(length).read_to_end(&mut bytes))
            }
            Self::Places(input, places) => {
                let (begins, available) = places
                    .get(key)
                    .copied()
                    .ok_or_else(|| cannot(key, "it is missing"))?;
                if start.checked_add(length).is_none_or(|end| end > available) {
                    return Err(cannot(key, "it is too short for its tensor"));
                }
                let mut input = input.borrow_mut();
                input
                    .seek(SeekFrom::Start(begins + start))
                    .and_then(|_| (&mut *input).take(length).read_to_end(&mut bytes))
            }
            Self::None => return Err(cannot(key, "it is missing")),
        }
        .map_err(|error| cannot(key, &error.to_string()))?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(cannot(key, "the file is cut off")),
        }
    }
}

fn cannot(key: &str, why: &str) -> WeightsFault {
    WeightsFault::Damaged(format!("the storage `{key}` cannot be read: {why}"))
}
