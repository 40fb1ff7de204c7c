//! Imports weights from PyTorch and safetensors files.
//!
//! `file` reads named tensors from a state dict, a checkpoint or a whole module (`torch`); `names`
//! strips wrapping prefixes, and `place` puts the tensors into an architecture. Layers are matched by
//! our own names (`conv1.weight`), by order if they are numbered as in `torch.nn.Sequential`, else by
//! their shapes (`layers`). Linear weights are \[out,in\] in PyTorch and \[in,out\] here; the two bias
//! vectors of its LSTM are added up. `assumed` states what weights alone leave open.

mod assumed;
mod error;
mod file;
mod layers;
mod names;
pub mod onnx;
mod pickle;
mod place;
mod raw;
mod recognise;
mod scaling;
mod torch;

use std::path::Path;

pub use error::{ImportError, ShapeMismatch, WeightsFault};
pub use recognise::Remedy;

use super::NetworkShape;
use crate::session::config::{InputEncoding, NetworkKind};
use crate::session::form::Shape;
use crate::session::record::NetworkWeights;

/// Weights imported from a file.
#[derive(Debug)]
pub struct ImportedWeights {
    /// The weights.
    pub weights: NetworkWeights,
    /// How they were imported and what is assumed, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the weights of an architecture that takes its images scaled according to `input`.
///
/// # Errors
/// Names the file, the tensor that is missing or does not fit, and what to do.
pub fn read(
    path: &Path,
    kind: NetworkKind,
    ports: NetworkShape,
    input: &InputEncoding,
) -> Result<ImportedWeights, ImportError> {
    let read = || -> Result<ImportedWeights, WeightsFault> {
        let contents = file::contents(path)?;
        assumed::check(&contents.modules, kind)?;
        let mut notes = contents.notes;
        let channels = ports.image[0];
        let tensors =
            scaling::without_checked_buffers(contents.tensors, channels, input, &mut notes)?;
        let tensors = names::normalised(tensors, &mut notes)?;
        let weights = place::assigned_weights(&tensors, kind, ports, &mut notes)?;
        notes.push(assumed::description(kind, input));
        Ok(ImportedWeights { weights, notes })
    };
    read().map_err(|fault| wrong(path, fault, ports.image))
}

/// The number of classes of the network in a weights file: the outputs of its last layer. `image` is the
/// shape of the images, used in error messages.
///
/// # Errors
/// As [`read`], and if no tensor can belong to a last layer.
pub fn classes(path: &Path, image: Shape) -> Result<usize, ImportError> {
    let count = || -> Result<usize, WeightsFault> {
        let tensors = scaling::without(file::contents(path)?.tensors, image[0]);
        let tensors = names::normalised(tensors, &mut Vec::new())?;
        let layers = layers::Layers::of(tensors.iter().map(|(name, raw)| (&**name, raw)));
        let last = layers.last();
        let outputs = last.and_then(|group| group.get("bias").or_else(|| group.get("weight")));
        outputs
            .and_then(|raw| raw.shape.first().copied())
            .ok_or_else(|| WeightsFault::Missing {
                name: "logits.bias".into(),
                available: list(layers.names()),
            })
    };
    count().map_err(|fault| wrong(path, fault, image))
}

/// What a file or folder without weights is and what to do with it, if its beginning is recognised; for
/// images of the shape `image`.
pub fn foreign(path: &Path, image: Shape) -> Option<String> {
    let (what, remedy) = file::foreign(path).ok()??;
    Some(format!(
        "{} is {what}; {}",
        path.display(),
        remedy.advice(path, image)
    ))
}

/// How to export a network that is not built in as an ONNX file, for images of the shape `image`.
pub fn onnx_export_advice(image: Shape) -> String {
    recognise::from_torch(image)
}

fn wrong(path: &Path, fault: WeightsFault, image: Shape) -> ImportError {
    ImportError {
        path: path.to_owned(),
        fault: Box::new(fault),
        image,
    }
}

/// Names as "`a`, `b`, …", with at most 12 spelled out.
fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    const MOST: usize = 12;
    let all: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match all.len() {
        0 => "none".to_owned(),
        n if n > MOST => format!("{} and {} more", all[..MOST].join(", "), n - MOST),
        _ => all.join(", "),
    }
}
