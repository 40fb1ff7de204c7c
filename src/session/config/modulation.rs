//! Configuration of modulation (microstimulation).

use serde::{Deserialize, Serialize};

use crate::ids::Gamma;

use super::check::{self, invalid};
use super::{ConfigError, MAX_GAMMAS};

/// Shifts the biases of a layer by ±k·α·ā_c/max(ā_c), where ā_c is the layer's mean activation over the
/// training images of class c.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Modulation {
    /// The layers and their α; empty: those of `conv1` 0.1, `conv2` 1 and `fc1` 0.1 that the network has
    /// and that can be modulated; if none, `logits` 0.1.
    pub layers: Vec<ModulatedLayer>,
    /// Steps k; each is applied in both directions, and 0 is always included.
    pub steps: Vec<u32>,
    /// Signal strengths γ of the psychometric curves. 0 (pure noise) and 1 (the image alone) are always
    /// included.
    pub gammas: Vec<Gamma>,
    /// Maximum number of test images: the first ones, or, if the set has them class by class, evenly spread ones.
    pub images: usize,
    /// Maximum number of training images per class for the mean activation.
    pub images_per_class: usize,
    /// Images per block.
    pub block: usize,
}

/// A layer to modulate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModulatedLayer {
    /// The layer's name, for example `conv2`.
    pub layer: String,
    /// α: bias change of the most active unit at one step.
    pub alpha: f64,
}

impl Default for Modulation {
    fn default() -> Self {
        Self {
            layers: Vec::new(),
            steps: (1..=10).collect(),
            gammas: [0.2, 0.4, 0.6, 0.8].map(Gamma).to_vec(),
            images: 1_000,
            images_per_class: 1_000,
            block: 250,
        }
    }
}

impl Modulation {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "modulation";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "queries";

    /// Every strength, ascending: −k … −1, 0, 1 … k.
    pub fn strengths(&self) -> Vec<i64> {
        let mut steps: Vec<i64> = self.steps.iter().map(|&k| i64::from(k)).collect();
        steps.extend(self.steps.iter().map(|&k| -i64::from(k)));
        steps.push(0);
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Every γ, ascending, from 0 to 1.
    pub fn signal_strengths(&self) -> Vec<Gamma> {
        let mut gammas = self.gammas.clone();
        gammas.extend([Gamma::NOISE, Gamma(1.0)]);
        gammas.sort_by(Gamma::total_cmp);
        gammas.dedup();
        gammas
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        if !self.gammas.is_empty() {
            check::gammas(path, &self.gammas)?;
        }
        if self.steps.len() > MAX_GAMMAS || self.steps.iter().any(|&k| k > 1000) {
            return invalid(
                format!("{path}.steps"),
                format!("at most {MAX_GAMMAS} steps, each at most 1000"),
            );
        }
        check::block_size(path, self.block)?;
        for (i, layer) in self.layers.iter().enumerate() {
            if !(layer.alpha > 0.0 && layer.alpha <= 1000.0) {
                return invalid(
                    format!("{path}.layers[{i}].alpha"),
                    format!("α = {} is outside (0, 1000]", layer.alpha),
                );
            }
        }
        let layers: Vec<&str> = self
            .layers
            .iter()
            .map(|layer| layer.layer.as_str())
            .collect();
        check::distinct(&format!("{path}.layers"), &layers, |layer| {
            format!("`{layer}`")
        })?;
        check::at_least_one(
            path,
            &[
                ("images", self.images),
                ("images_per_class", self.images_per_class),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_too_large_is_refused() {
        let large = Modulation {
            block: 10_000,
            ..Modulation::default()
        };
        assert_eq!(
            large.validate("analyses[0]").unwrap_err().to_string(),
            "analyses[0].block: 10000 per block; it must be from 1 to 8192"
        );
    }
}
