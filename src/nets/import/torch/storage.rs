//! Where the numbers of tensors lie, by key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::super::Fault;
use super::super::pickle::Tree;

/// What a file can be read through.
pub trait Input: Read + Seek {}
impl<T: Read + Seek> Input for T {}

/// A file that was opened: what its pickle says, and where its tensors lie.
pub struct Opened {
    /// What the pickle says.
    pub tree: Tree,
    /// Where the tensors lie.
    pub storages: Storages,
}

/// The storages of a file.
pub enum Storages {
    /// An entry each of a zip archive, below a folder.
    Zip(RefCell<ZipArchive<BufReader<File>>>, String),
    /// One after another, each from a byte on and so many bytes long.
    Places(RefCell<Box<dyn Input>>, HashMap<String, (u64, u64)>),
    /// A pickle alone has none.
    None,
}

impl Storages {
    /// Bytes of a storage. No more memory is taken than there are bytes.
    ///
    /// # Errors
    /// Where the storage is not there or shorter.
    pub fn read(&self, key: &str, start: u64, length: u64) -> Result<Vec<u8>, Fault> {
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
                let (begins, there) = places
                    .get(key)
                    .copied()
                    .ok_or_else(|| cannot(key, "it is not there"))?;
                if start.checked_add(length).is_none_or(|end| end > there) {
                    return Err(cannot(key, "it is too short for its tensor"));
                }
                let mut input = input.borrow_mut();
                input
                    .seek(SeekFrom::Start(begins + start))
                    .and_then(|_| (&mut *input).take(length).read_to_end(&mut bytes))
            }
            Self::None => return Err(cannot(key, "it is not there")),
        }
        .map_err(|error| cannot(key, &error.to_string()))?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(cannot(key, "the file is cut off")),
        }
    }
}

fn cannot(key: &str, why: &str) -> Fault {
    Fault::Damaged(format!("the storage `{key}` cannot be read: {why}"))
}
