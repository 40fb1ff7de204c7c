//! The weights of a session's network as safetensors, which PyTorch, JAX and this program read.
//!
//! Such a file is the length of its header in eight bytes, the header, which is JSON, and the numbers of all tensors
//! one after the other. It is written here, and not by the crate of that name, whose metadata come in another
//! order every time: the same network gives the same bytes.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ExportError, store, wrote};
use crate::engine::kept;
use crate::session::{Array, Session};

/// The network's weights as a safetensors file, all as 32-bit floats. A built-in kind has the names and layouts of a
/// PyTorch module whose layers are called as here (`conv1.weight`, `lstm1.weight_ih_l0`), so that
/// `network.weights=File("…")` reads it again; the network of an ONNX file has the names of that file's arrays. An ONNX
/// file that is too large for the session is looked for where the plan says, and in `folder`, that of the sessions.
///
/// The metadata, all texts, are `format` (`pt`), `program`, `session`, `architecture`, `network`, `input` (what images
/// must be scaled to, as `network.input` in a plan), `sha256`, a fingerprint of names, shapes and numbers, and, where
/// the weights came from a file, `from_sha256`, that of the file.
///
/// # Errors
/// Where the session has no network yet, or its file is gone.
pub fn weights(session: &Session, folder: &Path) -> Result<Vec<u8>, ExportError> {
    let tensors = kept::tensors(session, folder);
    let tensors = tensors.map_err(|error| ExportError::Network(error.to_string()))?;
    Ok(encoded(&tensors, about(session, &tensors)))
}

/// Writes it to `out`, or to `NAME.safetensors` in the current folder. A file that is there already is replaced, in
/// one step.
///
/// # Errors
/// As [`weights`], and where the file cannot be written.
pub fn write(session: &Session, folder: &Path, out: Option<&Path>) -> Result<(), ExportError> {
    let bytes = weights(session, folder)?;
    let default = || PathBuf::from(format!("{}.safetensors", session.name));
    let path = out.map_or_else(default, Path::to_path_buf);
    match store(&path, &bytes) {
        Ok(()) => wrote(&path),
        Err(error) => return Err(ExportError::File { path, error }),
    }
    Ok(())
}

/// What is said of the network.
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

/// SHA-256 of names, shapes and numbers, in hexadecimal.
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

/// The file: tensors in their order, with these metadata.
fn encoded(tensors: &[(String, Array<f32>)], about: Map<String, Value>) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), about.into());
    let mut data = Vec::new();
    for (name, values) in tensors {
        let begin = data.len();
        data.extend(numbers(values));
        let told = json!({
            "dtype": "F32",
            "shape": values.shape(),
            "data_offsets": [begin, data.len()],
        });
        header.insert(name.clone(), told);
    }
    let mut text = Value::Object(header).to_string();
    // The numbers begin at a multiple of eight bytes.
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    let mut file = (text.len() as u64).to_le_bytes().to_vec();
    file.extend(text.as_bytes());
    file.extend(data);
    file
}
