//! Reads the named tensors of a file in any supported format. Pickles are parsed as data; none of their
//! code is ever run.

use std::io::Read;
use std::path::Path;

use burn::store::{ModuleStore, SafetensorsStore, SafetensorsStoreError};

use super::raw::{RawTensor, WeightsFile};
use super::recognise::{self, NonWeightsFile, Remedy};
use super::{WeightsFault, torch};
use crate::files;

/// The tensors of a PyTorch checkpoint or a safetensors file.
///
/// # Errors
/// If the file cannot be read, is another kind of file, or asks to run code.
pub fn contents(path: &Path) -> Result<WeightsFile, WeightsFault> {
    if let Some(foreign) = foreign(path)? {
        return Err(WeightsFault::Foreign(foreign));
    }
    let start = start(path)?;
    if is_safetensors(&start) {
        return safetensors(path);
    }
    if !(start.starts_with(b"PK\x03\x04") || matches!(start[..], [0x80, 0..=5, ..])) {
        let description = "a file of an unknown kind".to_owned();
        return Err(WeightsFault::Foreign((description, Remedy::Weights)));
    }
    torch::read(path)
}

/// What a file or folder without weights is, if its beginning is recognised.
///
/// # Errors
/// If it cannot be read.
pub fn foreign(path: &Path) -> Result<Option<NonWeightsFile>, WeightsFault> {
    if let Some(foreign) = recognise::folder(path) {
        return Ok(Some(foreign));
    }
    let start = start(path)?;
    if is_safetensors(&start) {
        return Ok(None);
    }
    Ok(match recognise::foreign(&start, path) {
        None if start.starts_with(b"PK\x03\x04") => torch::foreign(path)?,
        foreign => foreign,
    })
}

fn start(path: &Path) -> Result<Vec<u8>, WeightsFault> {
    let mut start = Vec::new();
    files::open(path)?.take(512).read_to_end(&mut start)?;
    Ok(start)
}

/// A safetensors file starts with the length of its JSON header.
fn is_safetensors(start: &[u8]) -> bool {
    start.get(8) == Some(&b'{') && start[4..8] == [0; 4]
}

fn safetensors(path: &Path) -> Result<WeightsFile, WeightsFault> {
    let mut store = SafetensorsStore::from_file(path);
    let tensors = store.get_all_tensors()?;
    let raw = |(name, tensor): (&String, &burn::store::burn_pack::Tensor)| {
        let tensor = tensor.clone();
        let (shape, dtype) = (tensor.shape.as_slice().to_vec(), tensor.dtype);
        let bytes = move || {
            let bytes = tensor.to_bytes();
            let bytes = bytes.map_err(|error| WeightsFault::Damaged(error.to_string()))?;
            Ok(bytes.to_vec())
        };
        RawTensor::new(name.clone(), shape, dtype, Box::new(bytes))
    };
    Ok(WeightsFile {
        tensors: tensors.iter().map(raw).collect(),
        notes: Vec::new(),
        modules: Vec::new(),
    })
}

impl From<SafetensorsStoreError> for WeightsFault {
    fn from(error: SafetensorsStoreError) -> Self {
        Self::Damaged(error.to_string())
    }
}
