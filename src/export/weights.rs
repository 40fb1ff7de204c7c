//! The weights of a session's network as a safetensors file, which PyTorch, JAX and this program read.
//!
//! A safetensors file consists of the length of its header in eight bytes, the header in JSON, and the numbers of all
//! tensors in sequence. It is encoded here rather than with the `safetensors` crate because that crate orders the
//! metadata differently every time; here the same network gives the same bytes.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ExportError, write_and_report};
use crate::engine::originals;
use crate::session::{Array, Session};

/// The network's weights as a safetensors file, all as 32-bit floats. A built-in kind uses the names and layouts of a
/// PyTorch module whose layers have the same names as here (`conv1.weight`, `lstm1.weight_ih_l0`), so that
/// `network.weights=File("…")` can read it; a network from an ONNX file uses the names of that file's arrays. An ONNX
/// file that is too large for the session is looked up at the path in the plan and in `folder`, the sessions folder.
///
/// The metadata, all texts, are `format` (`pt`), `program`, `session`, `architecture`, `network`, `input` (how images
/// must be scaled, as `network.input` in a plan), `sha256`, a fingerprint of names, shapes and numbers, and, if the
/// weights came from a file, `from_sha256`, the fingerprint of that file.
///
/// # Errors
/// If the session has no network yet, or its file is missing.
pub fn weights(session: &Session, folder: &Path) -> Result<Vec<u8>, ExportError> {
    let tensors = originals::tensors(session, folder);
    let tensors = tensors.map_err(|error| ExportError::Network(error.to_string()))?;
    Ok(encoded(&tensors, about(session, &tensors)))
}

/// Writes the weights to `out`, or to `NAME.safetensors` in the current folder. An existing file is replaced
/// atomically.
///
/// # Errors
/// As for [`weights`], and if the file cannot be written.
pub fn write(session: &Session, folder: &Path, out: Option<&Path>) -> Result<(), ExportError> {
    let bytes = weights(session, folder)?;
    let default = || PathBuf::from(format!("{}.safetensors", session.name));
    let path = out.map_or_else(default, Path::to_path_buf);
    write_and_report(&path, &bytes)
}

/// The metadata of the network.
fn about(session: &Session, tensors: &[(String, Array<f32>)]) -> Map<String, Value> {
    let network = &session.config.network;
    let from = session.record.inputs.last();
    let from = from.and_then(|inputs| inputs.weights.as_deref());
    let texts = [
        ("format", "pt".to_owned()),
        (
            "program",
            format!("noisescope {}", env!("CARGO_PKG_VERSION")),
        ),
        ("session", session.name.clone()),
        ("architecture", network.kind.label().to_owned()),
        ("network", network.label()),
        ("input", network.input.in_plan()),
        ("sha256", fingerprint(tensors)),
    ];
    let from = from.map(|sum| ("from_sha256", sum.to_owned()));
    let all = texts.into_iter().chain(from);
    all.map(|(key, text)| (key.to_owned(), Value::from(text)))
        .collect()
}

/// The SHA-256 of names, shapes and numbers, in hexadecimal.
fn fingerprint(tensors: &[(String, Array<f32>)]) -> String {
    let mut sum = Sha256::new();
    for (name, values) in tensors {
        sum.update(format!("{name} {:?}\n", values.shape()).as_bytes());
        sum.update(numbers(values));
    }
    let digest = sum.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The numbers of a tensor, little-endian and row-major.
fn numbers(values: &Array<f32>) -> Vec<u8> {
    let values = values.values().iter();
    values.flat_map(|value| value.to_le_bytes()).collect()
}

/// Encodes the file: the tensors in their order, with these metadata.
fn encoded(tensors: &[(String, Array<f32>)], about: Map<String, Value>) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), about.into());
    let mut data = Vec::new();
    for (name, values) in tensors {
        let begin = data.len();
        data.extend(numbers(values));
        let entry = json!({
            "dtype": "F32",
            "shape": values.shape(),
            "data_offsets": [begin, data.len()],
        });
        header.insert(name.clone(), entry);
    }
    let mut text = Value::Object(header).to_string();
    // Pad the header so that the numbers begin at a multiple of eight bytes.
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    let mut file = (text.len() as u64).to_le_bytes().to_vec();
    file.extend(text.as_bytes());
    file.extend(data);
    file
}
