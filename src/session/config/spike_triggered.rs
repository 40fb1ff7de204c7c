//! The plan of spike-triggered analysis.

use serde::{Deserialize, Serialize};

use super::check::{self, invalid};
use super::noise::{Gaussian, Noise};
use super::{Invalid, MAX_TRIALS};

/// Spike-triggered averages of the units of every layer, on noise and on training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpikeTriggered {
    /// The noise. Pixels must be independent of each other; the Stein oracle needs `Gaussian`.
    pub noise: Noise,
    /// Noise trials.
    pub trials: u64,
    /// Most training images shown beside them; 0 for none.
    pub images: usize,
    /// Layers by name, `*` standing for anything; empty: every layer of the network, or of a large one
    /// some from the first to the last.
    pub layers: Vec<String>,
    /// Units of each layer whose mean gradient is taken (the Stein oracle), spread evenly over
    /// those that fire; 0 for none. Only under `Gaussian` noise.
    pub gradient_units: usize,
    /// Noise trials that the mean gradient is taken over.
    pub gradient_trials: u64,
    /// The unit whose spike-triggered covariance is taken; `None` for none.
    pub covariance: Option<Unit>,
    /// Noise trials that the covariance is taken over.
    pub covariance_trials: u64,
    /// Trials a block.
    pub block: usize,
}

/// One unit of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The layer's name, for example `conv2`.
    pub layer: String,
    /// The unit, from 0: of a convolution, the channel.
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
    /// Its name in views, reports and exports.
    pub const LABEL: &'static str = "spike-triggered";
    /// What its progress counts.
    pub const UNIT: &'static str = "trials";

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        self.noise.validate(&format!("{path}.noise"))?;
        if !self.noise.is_white() {
            return invalid(
                format!("{path}.noise"),
                format!(
                    "{} noise has dependent pixels, so its averages are not the filters; take Gaussian(()), Uniform or Binary",
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
    fn a_layer_named_twice_and_a_block_too_large_are_refused() {
        let complaint = |it: SpikeTriggered| it.validate("analyses[0]").unwrap_err().to_string();
        let twice = SpikeTriggered {
            layers: vec!["conv1".into(), "fc1".into(), "conv1".into()],
            ..SpikeTriggered::default()
        };
        assert_eq!(
            complaint(twice),
            "analyses[0].layers[2]: `conv1` stands in the list twice"
        );
        let large = SpikeTriggered {
            block: 10_000,
            ..SpikeTriggered::default()
        };
        assert_eq!(
            complaint(large),
            "analyses[0].block: 10000 a block; it must lie in 1 to 8192"
        );
    }
}
