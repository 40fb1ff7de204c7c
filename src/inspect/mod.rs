//! What a file holds that may be a network, before a session is made of it: its form, operators and
//! sites, what is missing and what to do; and on images how good it is, also were they scaled
//! otherwise.

pub mod architecture;
mod confusion;
pub mod contents;
pub mod scaling;
mod text;
pub mod ways;

use std::path::Path;

use serde::Serialize;

use crate::nets::import::onnx::Survey;
use architecture::Architecture;
use scaling::Trials;

/// Everything that was found out about a file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Bytes, side files too.
    pub bytes: u64,
    /// SHA-256, side files too; empty where it is not an ONNX file.
    pub sha256: String,
    /// The head and the operators of an ONNX file.
    pub onnx: Option<Survey>,
    /// The built-in kind that a file of weights fits.
    pub kind: Option<&'static str>,
    /// The network, where it can be used.
    pub network: Option<Architecture>,
    /// What was changed or is worth knowing, a sentence each.
    pub notes: Vec<String>,
    /// How good it is on images, and with other scalings of them.
    pub scaling: Option<Trials>,
    /// What keeps it from being studied, a sentence or paragraph each, with the remedy.
    pub problems: Vec<String>,
    /// The command that studies it.
    pub next: Option<String>,
}

impl Inspection {
    /// Of a file of so many bytes, nothing found out yet.
    pub fn new(path: &Path, bytes: u64) -> Self {
        Self {
            file: path.display().to_string(),
            bytes,
            ..Self::default()
        }
    }

    /// In words, for a terminal or a log.
    pub fn text(&self) -> String {
        text::written(self)
    }
}
