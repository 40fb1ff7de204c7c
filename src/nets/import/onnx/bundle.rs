//! A model with the files of weights beside it, as one thing that can be told from another.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use onnx_ir::ModelProto;
use sha2::{Digest, Sha256};

use super::constant::Constant;
use super::error::{Fault, OnnxError};
use crate::files;
use crate::session::array::Array;

use super::{Imported, Options, Survey, file, imported, survey};

/// Adds the content of a file.
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

/// A model that has been read, and not yet taken for a network.
pub struct Bundle {
    path: PathBuf,
    model: ModelProto,
    bytes: Bytes,
    sides: Vec<PathBuf>,
    sha256: String,
}

impl Bundle {
    /// Reads a file, and finds those beside it.
    ///
    /// # Errors
    /// Where one cannot be read, or it is no model.
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let open = || -> Result<Self, Fault> { Self::of(path, files::read(path)?.into()) };
        open().map_err(|fault| OnnxError {
            path: path.to_owned(),
            fault,
        })
    }

    /// The same from the bytes of a file that lay at `path`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn kept(path: &Path, bytes: Vec<u8>) -> Result<Self, OnnxError> {
        Self::of(path, bytes.into()).map_err(|fault| OnnxError {
            path: path.to_owned(),
            fault,
        })
    }

    fn of(path: &Path, bytes: Bytes) -> Result<Self, Fault> {
        let model = file::model_of(&bytes)?;
        let arrays = file::Arrays::of(path);
        let tensors = model.graph.initializer.iter();
        let places: BTreeSet<PathBuf> = tensors
            .map(|tensor| arrays.beside(tensor))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        let mut sum = Sha256::new();
        sum.update(&bytes);
        for side in &places {
            add_file(&mut sum, side).map_err(|source| Fault::SideFile {
                array: "all of them".into(),
                path: side.clone(),
                source,
            })?;
        }
        let digest = sum.finalize();
        Ok(Self {
            path: path.to_owned(),
            model,
            bytes,
            sides: places.into_iter().collect(),
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// SHA-256 of the model and of the files beside it, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The file itself where it is all there is.
    pub fn alone(&self) -> Option<&[u8]> {
        self.sides.is_empty().then_some(&*self.bytes)
    }

    /// Bytes of the model and of the files beside it.
    pub fn size(&self) -> u64 {
        let sides = self.sides.iter();
        let sides = sides.filter_map(|side| Some(side.metadata().ok()?.len()));
        self.bytes.len() as u64 + sides.sum::<u64>()
    }

    /// What the file says of itself, whether it can be taken for a network or not.
    ///
    /// # Errors
    /// Where a function of the model is not there.
    pub fn survey(&self) -> Result<Survey, OnnxError> {
        survey::of(&self.model).map_err(|fault| OnnxError {
            path: self.path.clone(),
            fault,
        })
    }

    /// Its arrays of real numbers under the names that the file gives them, in the order of the file.
    ///
    /// # Errors
    /// Where one is damaged, or lies in a file that is not there.
    pub fn reals(&self) -> Result<Vec<(String, Array<f32>)>, OnnxError> {
        let arrays = file::Arrays::of(&self.path);
        let mut all = Vec::new();
        for tensor in &self.model.graph.initializer {
            match arrays.read(tensor) {
                Ok(Constant::Floats(values)) => all.push((tensor.name.clone(), values)),
                // Whole numbers, and what is no number: a network does not compute with texts.
                Ok(Constant::Counts { .. }) | Err(Fault::ArrayType { .. }) => {}
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
    pub fn network(&self, options: &Options) -> Result<Imported, OnnxError> {
        let arrays = file::Arrays::of(&self.path);
        imported(&self.model, &arrays, options).map_err(|fault| OnnxError {
            path: self.path.clone(),
            fault,
        })
    }
}
