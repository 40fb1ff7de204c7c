//! Files of networks: PyTorch, safetensors and ONNX.

use std::fs;
use std::path::Path;

use noisescope::nets::NetworkShape;
use noisescope::nets::import::{self, ImportError, ImportedWeights, onnx};
use noisescope::session::config::{InputEncoding, NetworkKind};
use tempfile::tempdir;

use super::{Read, Reader, files_in};
use crate::images::floats;

/// Writes a file and reads the weights of a logistic regression from it.
pub fn read_weights(path: &Path, bytes: &[u8]) -> Result<ImportedWeights, ImportError> {
    fs::write(path, bytes).unwrap();
    let ports = NetworkShape {
        image: [1, 2, 3],
        classes: 4,
    };
    let input = InputEncoding::default();
    import::read(path, NetworkKind::Logistic, ports, &input)
}

/// Reads weights from a file of this name.
fn weights_in(file: &'static str) -> Read {
    let folder = tempdir().unwrap();
    Box::new(move |bytes| read_weights(&folder.path().join(file), bytes).is_ok())
}

/// PyTorch files of version 1.6 and newer, which are zip archives.
pub fn pytorch_archive() -> Reader {
    Reader {
        name: "PyTorch archive",
        valid: files_in("tests/fixtures/weights", |name| {
            name.ends_with(".pt") && !name.contains("legacy")
        }),
        read: weights_in("it.pt"),
    }
}

/// PyTorch files of older versions, and plain pickles.
pub fn pytorch_pickle() -> Reader {
    Reader {
        name: "PyTorch pickle",
        valid: files_in("tests/fixtures/weights", |name| {
            name.contains("legacy") || name.ends_with(".pkl")
        }),
        read: weights_in("it.pt"),
    }
}

/// Safetensors files.
pub fn safetensors() -> Reader {
    let header = br#"{"__metadata__":{"format":"pt"},"0.bias":{"dtype":"F32","shape":[4],"data_offsets":[96,112]},"0.weight":{"dtype":"F32","shape":[4,6],"data_offsets":[0,96]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(floats((0..28).map(|index| index as f32 / 7.0)));
    Reader {
        name: "safetensors",
        valid: vec![file],
        read: weights_in("it.safetensors"),
    }
}

/// ONNX files.
pub fn onnx() -> Reader {
    let folder = tempdir().unwrap();
    Reader {
        name: "ONNX",
        valid: files_in("tests/fixtures/onnx", |name| {
            name.ends_with(".onnx") && name != "side-file.onnx"
        }),
        read: Box::new(move |bytes| {
            let path = folder.path().join("it.onnx");
            fs::write(&path, bytes).unwrap();
            onnx::read(&path, &onnx::OnnxOptions::default()).is_ok()
        }),
    }
}
