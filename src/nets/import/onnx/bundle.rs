//! [`Bundle`]: an ONNX model with its external weight files, identified by one checksum.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use onnx_ir::ModelProto;
use sha2::{Digest, Sha256};

use super::constant::Constant;
use super::error::{OnnxError, OnnxFault};
use crate::files;
use crate::session::array::Array;

use super::{ModelSummary, OnnxImport, OnnxOptions, file, imported, survey};

/// Adds the content of a file to a checksum.
fn add_file(sum: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = files::open(path)?;
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            read => sum.update(&piece[..read]),
        }
    }
}

/// A model that has been read, but not yet imported as a network.
pub struct Bundle {
    path: PathBuf,
    model: ModelProto,
    bytes: Bytes,
    sides: Vec<PathBuf>,
    sha256: String,
}

impl Bundle {
    /// Reads a model file, and finds its external weight files.
    ///
    /// # Errors
    /// If one of them cannot be read, or the file is not a model.
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let open = || -> Result<Self, OnnxFault> { Self::of(path, files::read(path)?.into()) };
        open().map_err(|fault| OnnxError {
            path: path.to_owned(),
            fault,
        })
    }

    /// The same from the bytes of a file that was at `path`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, OnnxError> {
        Self::of(path, bytes.into()).map_err(|fault| OnnxError {
            path: path.to_owned(),
            fault,
        })
    }

    fn of(path: &Path, bytes: Bytes) -> Result<Self, OnnxFault> {
        let model = file::model_of(&bytes)?;
        let arrays = file::ArrayReader::of(path);
        // Each external file, with the first array that is in it.
        let mut sides: BTreeMap<PathBuf, String> = BTreeMap::new();
        for tensor in &model.graph.initializer {
            if let Some(side) = arrays.side_path(tensor)? {
                sides.entry(side).or_insert_with(|| tensor.name.clone());
            }
        }
        let mut sum = Sha256::new();
        sum.update(&bytes);
        for (side, array) in &sides {
            add_file(&mut sum, side).map_err(|source| OnnxFault::SideFile {
                array: array.clone(),
                path: side.clone(),
                source,
            })?;
        }
        let digest = sum.finalize();
        Ok(Self {
            path: path.to_owned(),
            model,
            bytes,
            sides: sides.into_keys().collect(),
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// SHA-256 of the model and its external files, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes of the model file, if it has no external files.
    pub fn single_file(&self) -> Option<&[u8]> {
        self.sides.is_empty().then_some(&*self.bytes)
    }

    /// Total size of the model and its external files, in bytes.
    pub fn size(&self) -> u64 {
        let sides = self.sides.iter();
        let sides = sides.filter_map(|side| Some(side.metadata().ok()?.len()));
        self.bytes.len() as u64 + sides.sum::<u64>()
    }

    /// A summary of the file, whether or not it can be imported as a network.
    ///
    /// # Errors
    /// If the model's functions cannot be inlined.
    pub fn survey(&self) -> Result<ModelSummary, OnnxError> {
        survey::summarise(&self.model).map_err(|fault| OnnxError {
            path: self.path.clone(),
            fault,
        })
    }

    /// Its arrays of real numbers with their names, in the order of the file.
    ///
    /// # Errors
    /// If one is damaged, or its external file is missing.
    pub fn reals(&self) -> Result<Vec<(String, Array<f32>)>, OnnxError> {
        let arrays = file::ArrayReader::of(&self.path);
        let mut all = Vec::new();
        for tensor in &self.model.graph.initializer {
            match arrays.read(tensor) {
                Ok(Constant::Floats(values)) => all.push((tensor.name.clone(), values)),
                // Integers and strings: not weights.
                Ok(Constant::Ints { .. }) | Err(OnnxFault::ArrayType { .. }) => {}
                Err(fault) => {
                    return Err(OnnxError {
                        path: self.path.clone(),
                        fault,
                    });
                }
            }
        }
        Ok(all)
    }

    /// The network.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn network(&self, options: &OnnxOptions) -> Result<OnnxImport, OnnxError> {
        let arrays = file::ArrayReader::of(&self.path);
        imported(&self.model, &arrays, options).map_err(|fault| OnnxError {
            path: self.path.clone(),
            fault,
        })
    }
}
