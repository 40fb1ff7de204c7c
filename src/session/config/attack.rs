//! The plan of the black-box attack.

use serde::{Deserialize, Serialize};

use super::{Invalid, MAX_GAMMAS, at_least_one, invalid, shares};

/// Images blended with a pattern, x' = (1−w)·x + w·p. It takes the classification images that
/// stand last before it in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attack {
    /// Weights w of the pattern in \[0,1\].
    pub weights: Vec<f64>,
    /// The γ whose classification images are the patterns; `None`: the weakest of those at which
    /// most classes have one.
    pub gamma: Option<f64>,
    /// Most test images; the first ones.
    pub images: usize,
    /// Noise images attacked beside them; 0 for none.
    pub noise_images: usize,
    /// Images a block.
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
    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        shares(path, "weights", "w", &self.weights, MAX_GAMMAS)?;
        if let Some(gamma) = self.gamma
            && !(0.0..=1.0).contains(&gamma)
        {
            return invalid(
                format!("{path}.gamma"),
                format!("γ = {gamma} is outside [0, 1]"),
            );
        }
        at_least_one(path, &[("images", self.images), ("block", self.block)])
    }
}
