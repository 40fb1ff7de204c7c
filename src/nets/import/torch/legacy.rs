//! Reads the format from before PyTorch 1.6, which `_use_new_zipfile_serialization=False` still writes: pickles
//! of a magic number, a version, the machine, the object and the keys of its storages; then each storage,
//! preceded by its number of elements.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Cursor, Read, Seek, SeekFrom};

use super::super::WeightsFault;
use super::super::pickle::{self, PickleNode, PickleTree};
use super::magic;
use super::storage::{CheckpointFile, ReadSeek, Storages};
use super::tensor;

/// Opens a file that begins with `start`, whose magic number has the length `magic`; its storages are read from `input`.
///
/// # Errors
/// If it is damaged or big-endian.
pub fn open(
    start: &[u8],
    magic: usize,
    mut input: Box<dyn ReadSeek>,
) -> Result<CheckpointFile, WeightsFault> {
    let mut offset = magic;
    let mut next = || -> Result<PickleTree, WeightsFault> {
        let (tree, taken) = pickle::read(&start[offset..])?;
        offset += taken;
        Ok(tree)
    };
    let (_version, machine) = (next()?, next()?);
    let little = machine.get(machine.root, "little_endian");
    if little.is_some_and(|flag| *machine.node(flag) == PickleNode::Bool(false)) {
        return Err(WeightsFault::BigEndian);
    }
    let (tree, keys) = (next()?, next()?);
    let widths: HashMap<String, u64> = tensor::storages(&tree).collect();
    let mut places = HashMap::new();
    let mut begins = offset as u64;
    let damaged = |problem: &str| WeightsFault::Damaged(format!("its list of storages {problem}"));
    let keys = keys.sequence(keys.root).map(|ids| {
        let named = ids.iter().map(|id| keys.text(*id).map(str::to_owned));
        named.collect::<Option<Vec<String>>>()
    });
    for key in keys.flatten().ok_or_else(|| damaged("is not a list"))? {
        let mut count = [0; 8];
        input
            .seek(SeekFrom::Start(begins))
            .and_then(|_| input.read_exact(&mut count))
            .map_err(|_| damaged("is longer than the file"))?;
        let width = widths.get(&key).copied().unwrap_or(1);
        let length = u64::from_le_bytes(count).checked_mul(width);
        let end = length.and_then(|length| (begins + 8).checked_add(length));
        let (Some(length), Some(end)) = (length, end) else {
            return Err(damaged("has absurd lengths"));
        };
        places.insert(key, (begins + 8, length));
        begins = end;
    }
    Ok(CheckpointFile {
        tree,
        storages: Storages::Places(RefCell::new(input), places),
    })
}

/// The storage that Python's own pickle stores as the bytes of a file in this format.
///
/// # Errors
/// As [`open`].
pub fn storage(bytes: &[u8]) -> Result<Storages, WeightsFault> {
    let Some(magic) = magic::length(bytes) else {
        let message = "a tensor is stored in the pickle in an unknown way; save with torch.save";
        return Err(WeightsFault::Damaged(message.into()));
    };
    let opened = open(bytes, magic, Box::new(Cursor::new(bytes.to_vec())))?;
    // The only storage of the file, whatever its key.
    Ok(match opened.storages {
        Storages::Places(input, places) => {
            let only = places.into_values().map(|place| (String::new(), place));
            Storages::Places(input, only.take(1).collect())
        }
        other => other,
    })
}
