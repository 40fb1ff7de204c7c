//! Inspection of a network file before it is used in a session: its form, operators and sites, what is missing
//! and what to do about it, and its accuracy on images under several scalings.

pub mod architecture;
mod confusion;
pub mod contents;
pub mod presentations;
pub mod scaling;
mod text;

use std::path::Path;

use serde::Serialize;

use crate::nets::import::onnx::ModelSummary;
use architecture::Architecture;
use scaling::ScalingResults;

use crate::stats::grain::{GrainForecast, recommend};

/// Advised trials relative to the estimate.
const ADVICE_MARGIN: f64 = 1.25;

/// Fewest trials that are advised.
const MIN_ADVISED_TRIALS: f64 = 10_000.0;

/// The results of inspecting a file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Size in bytes, including external data files.
    pub bytes: u64,
    /// SHA-256, including external data files; empty if it is not an ONNX file.
    pub sha256: String,
    /// The header and operators of an ONNX file.
    pub onnx: Option<ModelSummary>,
    /// The built-in kind that a weight file fits.
    pub kind: Option<&'static str>,
    /// The network, if it can be used.
    pub network: Option<Architecture>,
    /// Changes made and other remarks, a sentence each.
    pub notes: Vec<String>,
    /// Its accuracy on images, under several scalings.
    pub scaling: Option<ScalingResults>,
    /// How many trials reliable maps take, by the grain of the noise.
    pub pilot: Vec<GrainForecast>,
    /// Number of workers that share the trials, for estimating their time.
    pub workers: usize,
    /// What prevents it from being studied, a sentence or paragraph each, with the remedy.
    pub problems: Vec<String>,
    /// The command that studies it.
    pub next: Option<String>,
}

impl Inspection {
    /// An empty inspection of a file of `bytes` bytes.
    pub fn new(path: &Path, bytes: u64) -> Self {
        Self {
            file: path.display().to_string(),
            bytes,
            ..Self::default()
        }
    }

    /// The pilot's advice for a config's classification images, as fields and values.
    pub fn advice(&self) -> Option<Vec<(&'static str, String)>> {
        advised_settings(recommend(&self.pilot, self.workers)?)
    }

    /// The pilot's results as text; empty if there was no pilot.
    pub fn pilot_text(&self) -> String {
        text::pilot_table(&self.pilot, self.workers)
    }

    /// The inspection as text, for a terminal or a log.
    pub fn text(&self) -> String {
        text::full_text(self)
    }
}

/// The config fields of classification images that make maps of this grain reliable, with a quarter more trials
/// than estimated; `None` without an estimate.
pub fn advised_settings(grain: &GrainForecast) -> Option<Vec<(&'static str, String)>> {
    let trials = grain.needed? as f64 * ADVICE_MARGIN;
    // Two digits are enough for an estimate.
    let step = 10_f64.powf(trials.log10().floor() - 1.0).max(1.0);
    let trials = ((trials / step).ceil() * step).max(MIN_ADVISED_TRIALS);
    let mut fields = vec![
        ("gammas", "[0.0]".to_owned()),
        ("trials", format!("{trials:.0}")),
    ];
    if grain.cell > 1 {
        fields.push(("cell", grain.cell.to_string()));
    }
    Some(fields)
}
