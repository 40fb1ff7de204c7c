//! Configuration of spike-triggered analysis.

use serde::{Deserialize, Serialize};

use super::check::{self, invalid};
use super::noise::{Gaussian, Noise};
use super::{ConfigError, MAX_TRIALS};

/// Spike-triggered averages of the units of every layer, on noise and on training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpikeTriggered {
    /// The noise. Its pixels must be independent; the Stein check needs `Gaussian`.
    pub noise: Noise,
    /// Noise trials.
    pub trials: u64,
    /// Maximum number of training images shown as well: the first ones, or, if the set has them class by class, evenly
    /// spread ones; 0 for none.
    pub images: usize,
    /// Layers by name, with `*` as a wildcard; empty: every layer, or a selection from first to last in
    /// a large network.
    pub layers: Vec<String>,
    /// Units per layer whose mean gradient is measured (the Stein check), spread evenly over those that
    /// fire; 0 for none. Only with `Gaussian` noise.
    pub gradient_units: usize,
    /// Noise trials for the mean gradient.
    pub gradient_trials: u64,
    /// The unit whose spike-triggered covariance is measured; `None` for none.
    pub covariance: Option<UnitId>,
    /// Noise trials for the covariance.
    pub covariance_trials: u64,
    /// Trials per block.
    pub block: usize,
}

/// One unit of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Unit")]
pub struct UnitId {
    /// The layer's name, for example `conv2`.
    pub layer: String,
    /// The unit's index; in a convolution, the channel's.
    pub unit: usize,
}

impl Default for SpikeTriggered {
    fn default() -> Self {
        Self {
            noise: Noise::Gaussian(Gaussian::default()),
            trials: 1_000_000,
            images: 10_000,
            layers: Vec::new(),
            gradient_units: 16,
            gradient_trials: 4_096,
            covariance: None,
            covariance_trials: 50_000,
            block: 256,
        }
    }
}

impl SpikeTriggered {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "spike-triggered";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "trials";

    /// Whether mean gradients are measured. With other than Gaussian noise they have no relation to the
    /// averages.
    pub fn takes_gradients(&self) -> bool {
        matches!(self.noise, Noise::Gaussian(_)) && self.gradient_units > 0
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        self.noise.validate(&format!("{path}.noise"))?;
        if !self.noise.is_white() {
            return invalid(
                format!("{path}.noise"),
                format!(
                    "{} noise has dependent pixels, so its averages are not the filters; use Gaussian(()), Uniform or Binary",
                    self.noise.label()
                ),
            );
        }
        check::block_size(path, self.block)?;
        check::distinct(&format!("{path}.layers"), &self.layers, |layer| {
            format!("`{layer}`")
        })?;
        let trials = [
            ("trials", self.trials),
            ("gradient_trials", self.gradient_trials),
            ("covariance_trials", self.covariance_trials),
        ];
        trials
            .into_iter()
            .try_for_each(|(field, trials)| check::trials(path, field, trials, MAX_TRIALS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_taken_of_some_units_under_gaussian_noise_alone() {
        let taken = |noise, gradient_units| {
            SpikeTriggered {
                noise,
                gradient_units,
                ..SpikeTriggered::default()
            }
            .takes_gradients()
        };
        let gaussian = Noise::Gaussian(Gaussian::default());
        assert!(taken(gaussian, 1) && taken(gaussian, 16));
        assert!(!taken(gaussian, 0));
        assert!(!taken(Noise::Uniform, 16) && !taken(Noise::Uniform, 0));
    }

    #[test]
    fn a_layer_named_twice_and_a_block_too_large_are_refused() {
        let complaint =
            |plan: SpikeTriggered| plan.validate("analyses[0]").unwrap_err().to_string();
        let twice = SpikeTriggered {
            layers: vec!["conv1".into(), "fc1".into(), "conv1".into()],
            ..SpikeTriggered::default()
        };
        assert_eq!(
            complaint(twice),
            "analyses[0].layers[2]: `conv1` is in the list twice"
        );
        let large = SpikeTriggered {
            block: 10_000,
            ..SpikeTriggered::default()
        };
        assert_eq!(
            complaint(large),
            "analyses[0].block: 10000 per block; it must be from 1 to 8192"
        );
    }
}
