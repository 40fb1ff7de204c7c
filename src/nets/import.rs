//! Weights from PyTorch's files and from safetensors.
//!
//! [`file`] gives named tensors, of a state dict, a checkpoint or a whole module ([`torch`]); [`names`]
//! takes off what wraps them, and [`place`] puts them into an architecture. A file's layers are told by the
//! network's own names (`conv1.weight`), by their order where they are numbered as in
//! `torch.nn.Sequential`, else by their shapes ([`layers`]). Linear weights are \[out,in\] in PyTorch and
//! \[in,out\] here; the two bias vectors of its LSTM are added up. What weights do not say is in [`assumed`].

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

pub use error::{Fault, ImportError, Misfit};
pub use recognise::Remedy;

use super::Ports;
use crate::session::config::{Input, NetworkKind};
use crate::session::form::Shape;
use crate::session::record::Weights;

/// Weights that were taken from a file.
#[derive(Debug)]
pub struct Imported {
    /// The weights.
    pub weights: Weights,
    /// How they were taken, and what is assumed that the file does not say; a sentence each.
    pub notes: Vec<String>,
}

/// Reads the weights of an architecture, for images that are given to it as `input` says.
///
/// # Errors
/// Names the file, and the tensor where one is missing or does not fit, and what to do.
pub fn read(
    path: &Path,
    kind: NetworkKind,
    ports: Ports,
    input: &Input,
) -> Result<Imported, ImportError> {
    let read = || -> Result<Imported, Fault> {
        let contents = file::contents(path)?;
        assumed::check(&contents.modules, kind)?;
        let mut notes = contents.notes;
        let channels = ports.image[0];
        let tensors = scaling::settled(contents.tensors, channels, input, &mut notes)?;
        let tensors = names::settled(tensors, &mut notes)?;
        let weights = place::placed(&tensors, kind, ports, &mut notes)?;
        notes.push(assumed::words(kind, input));
        Ok(Imported { weights, notes })
    };
    read().map_err(|fault| wrong(path, fault, ports.image))
}

/// The number of classes that a file of weights tells apart: the outputs of its last layer. Images, where
/// it must be said what they are, have the shape `image`.
///
/// # Errors
/// As [`read`], and where no tensor can be of a last layer.
pub fn classes(path: &Path, image: Shape) -> Result<usize, ImportError> {
    let count = || -> Result<usize, Fault> {
        let tensors = scaling::without(file::contents(path)?.tensors, image[0]);
        let tensors = names::settled(tensors, &mut Vec::new())?;
        let layers = layers::Layers::of(tensors.iter().map(|(name, raw)| (&**name, raw)));
        let last = layers.last();
        let outputs = last.and_then(|group| group.get("bias").or_else(|| group.get("weight")));
        outputs
            .and_then(|raw| raw.shape.first().copied())
            .ok_or_else(|| Fault::Missing {
                name: "logits.bias".into(),
                there: list(layers.names()),
            })
    };
    count().map_err(|fault| wrong(path, fault, image))
}

/// What a file or folder is that holds no weights, and what to do with it, where it begins like something
/// known; for images of the shape `image`.
pub fn foreign(path: &Path, image: Shape) -> Option<String> {
    let (what, remedy) = file::foreign(path).ok()??;
    Some(format!(
        "{} is {what}; {}",
        path.display(),
        remedy.words(path, image)
    ))
}

/// How a network that is not among the built-in ones is made an ONNX file, for images of the shape
/// `image`.
pub fn as_onnx(image: Shape) -> String {
    recognise::from_torch(image)
}

fn wrong(path: &Path, fault: Fault, image: Shape) -> ImportError {
    ImportError {
        path: path.to_owned(),
        fault: Box::new(fault),
        image,
    }
}

/// Names as `a`, `b` and so on, not too many.
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
