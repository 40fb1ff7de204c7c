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

use crate::stats::grain::{Foretold, advised};

/// By how much more trials are advised than are foretold.
const ROOM: f64 = 1.25;

/// Fewest trials that are advised.
const LEAST: f64 = 10_000.0;

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
    /// How many trials reliable maps take, by the grain of the noise.
    pub pilot: Vec<Foretold>,
    /// Workers that such trials are shared by, for the time they take.
    pub workers: usize,
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

    /// What the noise advises for the classification images of a plan, by field.
    pub fn advised(&self) -> Option<Vec<(&'static str, String)>> {
        fields(advised(&self.pilot, self.workers)?)
    }

    /// What the noise foretells, in words; empty where none was shown.
    pub fn pilot_text(&self) -> String {
        text::piloted(&self.pilot, self.workers)
    }

    /// In words, for a terminal or a log.
    pub fn text(&self) -> String {
        text::written(self)
    }
}

/// The fields of the classification images of a plan that make maps of this grain reliable, with a quarter
/// more trials than are foretold; `None` where nothing is.
pub fn fields(grain: &Foretold) -> Option<Vec<(&'static str, String)>> {
    let trials = grain.needed? as f64 * ROOM;
    // Two digits are enough for what is foretold.
    let step = 10_f64.powf(trials.log10().floor() - 1.0).max(1.0);
    let trials = ((trials / step).ceil() * step).max(LEAST);
    let mut fields = vec![
        ("gammas", "[0.0]".to_owned()),
        ("trials", format!("{trials:.0}")),
    ];
    if grain.cell > 1 {
        fields.push(("cell", grain.cell.to_string()));
    }
    Some(fields)
}
