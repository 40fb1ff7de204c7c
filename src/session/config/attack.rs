//! Configuration of the black-box attack.

use serde::{Deserialize, Serialize};

use crate::ids::Gamma;

use super::check::{self, invalid};
use super::{ClassificationImages, ConfigError, MAX_TRIALS};

/// Images blended with a pattern, x' = (1−w)·x + w·p. The patterns come from the last classification
/// images before it in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attack {
    /// Weights w of the pattern, in \[0,1\].
    pub weights: Vec<f64>,
    /// The γ whose classification images are the patterns; `None`: the smallest γ among those at which
    /// the most classes have an image.
    pub gamma: Option<Gamma>,
    /// Maximum number of test images: the first ones, or, if the set has them class by class, evenly spread ones.
    pub images: usize,
    /// Noise images that are attacked as well; 0 for none.
    pub noise_images: usize,
    /// Images per block.
    pub block: usize,
}

impl Default for Attack {
    fn default() -> Self {
        Self {
            weights: (0..=10).map(|tenth| f64::from(tenth) / 10.0).collect(),
            gamma: None,
            images: 10_000,
            noise_images: 2_000,
            block: 250,
        }
    }
}

impl Attack {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "attack";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "queries";

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        check::unit_interval_list(path, "weights", "w", &self.weights)?;
        if let Some(gamma) = self.gamma {
            check::unit_interval(&format!("{path}.gamma"), "γ", gamma.0)?;
        }
        if self.noise_images as u64 > MAX_TRIALS {
            return invalid(
                format!("{path}.noise_images"),
                format!("{}; at most {MAX_TRIALS}", self.noise_images),
            );
        }
        check::at_least_one(path, &[("images", self.images)])?;
        check::block_size(path, self.block)
    }

    /// Rejects a γ that the plan's classification images do not have.
    pub(super) fn validate_gamma(
        &self,
        path: &str,
        images: &ClassificationImages,
    ) -> Result<(), ConfigError> {
        match self.gamma {
            Some(gamma) if !images.gammas.contains(&gamma) => invalid(
                format!("{path}.gamma"),
                Self::no_such_gamma(gamma, &images.gammas),
            ),
            _ => Ok(()),
        }
    }

    /// Error text: there are no classification images at γ = `requested`, only at `available`.
    pub fn no_such_gamma(requested: Gamma, available: &[Gamma]) -> String {
        let available: Vec<String> = available.iter().map(Gamma::to_string).collect();
        format!(
            "the classification images before it have no γ = {requested}; they have {}",
            available.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::config::Analysis;

    fn plan(attack: Attack) -> Config {
        let images = ClassificationImages {
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            ..Default::default()
        };
        Config {
            analyses: vec![
                Analysis::ClassificationImages(images),
                Analysis::Attack(attack),
            ],
            ..Config::default()
        }
    }

    fn refused(attack: Attack) -> String {
        plan(attack).validate().unwrap_err().to_string()
    }

    #[test]
    fn a_gamma_without_classification_images_is_refused_with_the_existing_ones() {
        let at = |gamma| Attack {
            gamma: Some(gamma),
            ..Attack::default()
        };
        assert_eq!(plan(at(Gamma(0.3))).validate(), Ok(()));
        let error = refused(at(Gamma(0.2)));
        assert_eq!(
            error,
            "analyses[1].gamma: the classification images before it have no γ = 0.2; they have 0, 0.3"
        );
    }

    #[test]
    fn an_attack_without_weights_is_refused() {
        let error = refused(Attack {
            weights: Vec::new(),
            ..Attack::default()
        });
        assert!(error.starts_with("analyses[1].weights: "), "{error}");
    }

    #[test]
    fn a_block_that_no_worker_could_hold_is_refused() {
        for block in [0, 8193] {
            let error = refused(Attack {
                block,
                ..Attack::default()
            });
            assert!(error.starts_with("analyses[1].block: "), "{error}");
        }
    }
}
