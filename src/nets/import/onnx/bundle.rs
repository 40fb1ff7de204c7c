//! [`Bundle`]: an ONNX model with its external weight files, identified by one checksum.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::constant::Constant;
use super::error::{OnnxError, OnnxFault};
use super::messages::{GraphProto, ModelProto, NodeProto, TensorProto};
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

/// Every array of a model: its weights first, then those in attributes, subgraphs and functions.
fn tensors(model: &ModelProto) -> Vec<&TensorProto> {
    let graph: &GraphProto = &model.graph;
    let mut graphs = vec![graph];
    let mut nodes: Vec<&NodeProto> = Vec::new();
    let mut found: Vec<&TensorProto> = Vec::new();
    for function in &model.functions {
        nodes.extend(&function.node);
    }
    loop {
        if let Some(graph) = graphs.pop() {
            found.extend(&graph.initializer);
            nodes.extend(&graph.node);
        } else if let Some(node) = nodes.pop() {
            for attribute in &node.attribute {
                found.extend(attribute.t.as_deref());
                found.extend(&attribute.tensors);
                graphs.extend(attribute.g.as_deref());
                graphs.extend(&attribute.graphs);
            }
        } else {
            return found;
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
        for tensor in tensors(&model) {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::messages::{AttributeProto, StringStringEntryProto};
    use prost::Message;

    use super::*;

    #[test]
    fn the_side_file_of_a_constant_belongs_to_the_model() {
        let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx/cnn-7.onnx");
        let mut model = ModelProto::decode(&*fs::read(plain).unwrap()).unwrap();
        let array = TensorProto {
            dims: vec![1],
            data_type: 1,
            external_data: vec![StringStringEntryProto {
                key: "location".into(),
                value: "shift.bin".into(),
            }],
            ..TensorProto::default()
        };
        let attribute = AttributeProto {
            name: "value".into(),
            t: Some(Box::new(array)),
            ..AttributeProto::default()
        };
        model.graph.node.push(NodeProto {
            op_type: "Constant".into(),
            output: vec!["shift".into()],
            attribute: vec![attribute],
            ..NodeProto::default()
        });

        let folder = tempfile::tempdir().unwrap();
        let (path, side) = (
            folder.path().join("model.onnx"),
            folder.path().join("shift.bin"),
        );
        fs::write(&path, model.encode_to_vec()).unwrap();
        let sum = |shift: f32| {
            fs::write(&side, shift.to_le_bytes()).unwrap();
            let bundle = Bundle::open(&path).unwrap();
            assert!(bundle.single_file().is_none());
            bundle.sha256().to_owned()
        };
        assert_ne!(sum(1.0), sum(2.0));
        fs::remove_file(&side).unwrap();
        let missing = Bundle::open(&path).err().unwrap().to_string();
        assert!(missing.contains("shift.bin"), "{missing}");
    }
}
