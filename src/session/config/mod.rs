//! A session's configuration: the part that the user writes.
//!
//! Every field has a default, so a preset names only what it changes; an unknown field is an error.
//! [`Config::validate`] names the offending place as spelled in the file, for example
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

use super::form::Form;
use crate::ids::Gamma;

use check::invalid;

pub use crate::stats::numbers::{NoiseGrid, Response};
pub use analysis::Analysis;
pub use attack::Attack;
pub use audit::{Audit, ReferenceKind};
pub use backdoor::Backdoor;
pub use classification_images::{ClassificationImages, EvidenceMeasure, Weighting};
pub use dataset::{Dataset, DatasetName, DatasetSource};
pub use extension::{BlockTrials, Extension};
pub use grain::Grain;
pub use modulation::{ModulatedLayer, Modulation};
pub use network::{
    ChannelOrder, InputEncoding, InputRange, Network, NetworkKind, TrainingConfig, WeightSource,
};
pub use noise::{Gaussian, Noise, PATCH_SIDE};
pub use predictions::{Predictions, Split};
pub use spike_triggered::{SpikeTriggered, UnitId};
pub use templates::Templates;

/// The complete configuration of a session.
///
/// # Examples
/// ```
/// use noisescope::ids::Gamma;
/// use noisescope::session::config::{Analysis, ClassificationImages, Config};
///
/// let config = Config {
///     analyses: vec![Analysis::ClassificationImages(ClassificationImages {
///         gammas: vec![Gamma(0.0), Gamma(1.5)],
///         ..ClassificationImages::default()
///     })],
///     ..Config::default()
/// };
/// let error = config.validate().unwrap_err();
/// assert_eq!(error.path, "analyses[0].gammas[1]");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The seed of everything random in the run.
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

/// A configuration that cannot be run: the place and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The place as spelled in the file, for example `analyses[0].gammas[1]`.
    pub path: String,
    /// The problem and the accepted values.
    pub problem: String,
}

/// Maximum trials at one γ: sums of 16-bit numbers stay well inside 64 bits.
pub const MAX_TRIALS: u64 = 1 << 40;

/// Maximum number of γ in a list: each has its own sums in memory, in the file and in what viewers
/// receive.
pub const MAX_GAMMAS: usize = 64;

/// Most networks of one kind that a study trains and keeps in a session.
pub const MAX_NETWORKS: usize = 200;

/// Maximum for epochs, patience and batch size.
pub const MAX_TRAINING: usize = 1_000_000;

/// Maximum trials per block: a worker holds a block's stimuli in memory.
pub const MAX_BLOCK: usize = 8192;

impl Config {
    /// Checks every range. Errors spell the path as in the file.
    pub fn validate(&self) -> Result<(), ConfigError> {
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
                        "{name} needs classification images, and none come before it in the plan; put ClassificationImages(()) before {name}(…)"
                    ),
                );
            }
            if let (Analysis::Backdoor(_), NetworkKind::Onnx) = (analysis, self.network.kind) {
                return invalid(
                    format!("analyses[{i}]"),
                    "Backdoor trains its own networks of the plan's kind, and an ONNX network cannot be trained here; use Audit(()) instead, which examines the given network (--preset audit)",
                );
            }
            if let (Analysis::Attack(attack), Some(images)) = (analysis, self.images_of(i)) {
                attack.validate_gamma(&format!("analyses[{i}]"), images)?;
            }
        }
        Ok(())
    }

    /// The first place in which another plan measures something else; `None` if it does not. How often the session is
    /// saved makes no difference.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let Self {
            seed,
            dataset,
            network,
            analyses,
            checkpoint_s: _,
        } = self;
        let mut pairs = analyses.iter().zip(&other.analyses);
        let differs = |(one, another): (&Analysis, &Analysis)| one != another;
        match pairs.position(differs) {
            _ if *seed != other.seed => Some("seed".into()),
            _ if *dataset != other.dataset => Some("dataset".into()),
            _ if *network != other.network => Some("network".into()),
            Some(place) => Some(format!("analyses[{place}]")),
            None if analyses.len() != other.analyses.len() => Some("analyses".into()),
            None => None,
        }
    }

    /// Rejects in a new plan what existing sessions may contain: an impossible form of images, a backdoor study
    /// without noise, and experiments that need images in a plan without them.
    ///
    /// # Errors
    /// Names the place and the accepted values.
    pub fn check_new(&self) -> Result<(), ConfigError> {
        self.network.check_image()?;
        for (i, analysis) in self.analyses.iter().enumerate() {
            if let Analysis::Backdoor(backdoor) = analysis {
                backdoor.check_noise(&format!("analyses[{i}]"))?;
            }
        }
        self.check_images()
    }

    /// Checks what the plan says about its images, such as names of classes, once they have been read: before a network
    /// is trained for nothing.
    ///
    /// # Errors
    /// Names the place, and the classes that exist or have maps.
    pub fn check_form(&self, form: &Form) -> Result<(), ConfigError> {
        let of_field = |(field, problem): (&str, String)| (field.to_owned(), problem);
        for (i, analysis) in self.analyses.iter().enumerate() {
            let fits = match analysis {
                Analysis::ClassificationImages(images) => {
                    let noise = images.noise.fits(form.shape());
                    noise
                        .map_err(|problem| of_field(("noise", problem)))
                        .and_then(|()| images.check_classes(form))
                }
                Analysis::Backdoor(plan) => plan.fits(form).map_err(of_field),
                Analysis::Audit(plan) => plan.fits(form).map_err(of_field),
                _ => Ok(()),
            };
            if let Err((field, problem)) = fits {
                return invalid(format!("analyses[{i}].{field}"), problem);
            }
        }
        Ok(())
    }

    /// Rejects what needs images in a plan without them.
    fn check_images(&self) -> Result<(), ConfigError> {
        const NONE: &str = "and the plan has none (dataset: None)";
        if self.dataset.is_some() {
            return Ok(());
        }
        if matches!(self.network.weights, WeightSource::Train(_)) {
            return invalid(
                "network.weights",
                format!(
                    "training needs images, {NONE}; load weights from a file: File(\"model.pt\")"
                ),
            );
        }
        for (i, analysis) in self.analyses.iter().enumerate() {
            let gammas: &[Gamma] = match analysis {
                Analysis::ClassificationImages(plan) => &plan.gammas,
                Analysis::SpikeTriggered(_) => &[],
                _ => {
                    let name = analysis.variant();
                    return invalid(
                        format!("analyses[{i}]"),
                        format!(
                            "{name} needs images, {NONE}; remove it from the plan or add a data set"
                        ),
                    );
                }
            };
            if let Some(index) = gammas.iter().position(|&gamma| gamma > Gamma::NOISE) {
                return invalid(
                    format!("analyses[{i}].gammas[{index}]"),
                    format!(
                        "γ {} blends images with the noise, {NONE}; use gammas: [0.0]",
                        gammas[index]
                    ),
                );
            }
        }
        Ok(())
    }

    /// The name of the images in headers and reports.
    pub fn dataset_label(&self) -> &str {
        self.dataset.as_ref().map_or("noise alone", Dataset::label)
    }

    /// The configuration of the classification images that the experiment at `index` uses.
    pub fn images_of(&self, index: usize) -> Option<&ClassificationImages> {
        match self.analyses.get(self.images_before(index)?) {
            Some(Analysis::ClassificationImages(images)) => Some(images),
            _ => None,
        }
    }

    /// Index of the classification images that the experiment at `index` uses: the last ones before it
    /// in the plan.
    pub fn images_before(&self, index: usize) -> Option<usize> {
        let before = &self.analyses[..index.min(self.analyses.len())];
        before
            .iter()
            .enumerate()
            .filter(|(_, analysis)| matches!(analysis, Analysis::ClassificationImages(_)))
            .map(|(i, _)| i)
            .next_back()
    }
}

#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod tests;
