//! What to do: the part of a session that a person writes.
//!
//! Every field has a default, so a preset names only what it changes; an unknown field is an
//! error. [`Config::validate`] names the offending place the way the file spells it, for example
//! `analyses[0].gammas[1]`.

pub mod analysis;
mod attack;
pub mod audit;
pub mod backdoor;
mod check;
mod classification_images;
mod dataset;
mod extension;
mod grain;
mod modulation;
mod network;
mod noise;
mod predictions;
mod spike_triggered;
mod templates;

use serde::{Deserialize, Serialize};

use check::invalid;

pub use crate::stats::numbers::{Grid, Response};
pub use analysis::Analysis;
pub use attack::Attack;
pub use audit::{Audit, ReferenceKind};
pub use backdoor::Backdoor;
pub use classification_images::{ClassificationImages, Evidence, Weighting};
pub use dataset::{Dataset, DatasetName, DatasetSource};
pub use extension::{Extension, Span};
pub use grain::Grain;
pub use modulation::{ModulatedLayer, Modulation};
pub use network::{Input, Network, NetworkKind, Order, Range, Training, Weights};
pub use noise::{Gaussian, Noise, PATCH};
pub use predictions::{Predictions, Split};
pub use spike_triggered::{SpikeTriggered, Unit};
pub use templates::Templates;

/// The whole plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Everything random in the run follows from this number.
    pub seed: u64,
    /// The images; `None` for noise alone.
    #[serde(with = "dataset::or_none")]
    pub dataset: Option<Dataset>,
    /// The network under study.
    pub network: Network,
    /// The experiments, in the order in which they run.
    pub analyses: Vec<Analysis>,
    /// Seconds between checkpoints of the session file.
    pub checkpoint_s: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            dataset: Some(Dataset::default()),
            network: Network::default(),
            analyses: vec![Analysis::ClassificationImages(
                ClassificationImages::default(),
            )],
            checkpoint_s: 30.0,
        }
    }
}

/// A configuration that cannot be run: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Invalid {
    /// The place as the file spells it, for example `analyses[0].gammas[1]`.
    pub path: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

/// Most trials at one γ: sums of 16-bit numbers stay far inside 64 bits.
pub const MAX_TRIALS: u64 = 1 << 40;

/// Most γ in a list: each has sums of its own in memory, in the file and on the way to viewers.
pub const MAX_GAMMAS: usize = 64;

/// Most epochs, and most images a batch.
pub const MAX_TRAINING: usize = 1_000_000;

/// Most trials a block may have: a worker holds one block of stimuli in memory.
pub const MAX_BLOCK: usize = 8192;

impl Config {
    /// Checks every range. The path in the error is spelt as in the file.
    pub fn validate(&self) -> Result<(), Invalid> {
        if !(self.checkpoint_s.is_finite() && self.checkpoint_s >= 0.1) {
            return invalid(
                "checkpoint_s",
                format!(
                    "{} s between checkpoints; it must be at least 0.1",
                    self.checkpoint_s
                ),
            );
        }
        self.network.validate()?;
        for (i, analysis) in self.analyses.iter().enumerate() {
            analysis.validate(&format!("analyses[{i}]"))?;
            if analysis.needs_classification_images() && self.images_before(i).is_none() {
                let name = analysis.variant();
                return invalid(
                    format!("analyses[{i}]"),
                    format!(
                        "{name} works with classification images, and none stand before it in the plan; put ClassificationImages(()) before {name}(…)"
                    ),
                );
            }
            if let (Analysis::Backdoor(_), NetworkKind::Onnx) = (analysis, self.network.kind) {
                return invalid(
                    format!("analyses[{i}]"),
                    "Backdoor trains networks of the plan's kind of its own, and an ONNX network cannot be trained here; take Audit(()) instead, which looks at the network that is given",
                );
            }
            if let (Analysis::Attack(it), Some(images)) = (analysis, self.images_of(i)) {
                it.validate_gamma(&format!("analyses[{i}]"), images)?;
            }
        }
        Ok(())
    }

    /// Refuses in a new plan what sessions that exist may hold: noise for a backdoor study that is
    /// none, and what takes images where there are none.
    ///
    /// # Errors
    /// Names the place, and what would do.
    pub fn check_new(&self) -> Result<(), Invalid> {
        for (i, analysis) in self.analyses.iter().enumerate() {
            if let Analysis::Backdoor(it) = analysis {
                it.check_noise(&format!("analyses[{i}]"))?;
            }
        }
        self.check_images()
    }

    /// Refuses what takes images in a plan that has none.
    fn check_images(&self) -> Result<(), Invalid> {
        const NONE: &str = "and the plan has none (dataset: None)";
        if self.dataset.is_some() {
            return Ok(());
        }
        if matches!(self.network.weights, Weights::Train(_)) {
            return invalid(
                "network.weights",
                format!(
                    "training takes images, {NONE}; take weights from a file: File(\"model.pt\")"
                ),
            );
        }
        for (i, analysis) in self.analyses.iter().enumerate() {
            let gammas: &[f64] = match analysis {
                Analysis::ClassificationImages(it) => &it.gammas,
                Analysis::SpikeTriggered(_) => &[],
                _ => {
                    let name = analysis.variant();
                    return invalid(
                        format!("analyses[{i}]"),
                        format!(
                            "{name} works with images, {NONE}; take it out of the plan, or give the images"
                        ),
                    );
                }
            };
            if let Some(at) = gammas.iter().position(|&gamma| gamma > 0.0) {
                return invalid(
                    format!("analyses[{i}].gammas[{at}]"),
                    format!(
                        "γ {} blends images with the noise, {NONE}; give gammas: [0.0]",
                        gammas[at]
                    ),
                );
            }
        }
        Ok(())
    }

    /// What the images are called, for headers and reports.
    pub fn dataset_label(&self) -> &str {
        self.dataset
            .as_ref()
            .map_or("noise alone", |it| it.name.label())
    }

    /// The plan of the classification images that the analysis at `index` works with.
    pub fn images_of(&self, index: usize) -> Option<&ClassificationImages> {
        match self.analyses.get(self.images_before(index)?) {
            Some(Analysis::ClassificationImages(it)) => Some(it),
            _ => None,
        }
    }

    /// The classification images that the analysis at `index` works with: those that stand last
    /// before it in the plan.
    pub fn images_before(&self, index: usize) -> Option<usize> {
        let before = &self.analyses[..index.min(self.analyses.len())];
        before
            .iter()
            .enumerate()
            .filter(|(_, it)| matches!(it, Analysis::ClassificationImages(_)))
            .map(|(i, _)| i)
            .next_back()
    }
}
