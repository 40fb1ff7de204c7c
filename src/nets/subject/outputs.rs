//! Whether the outputs of a network can be used as logits: found by showing it a few images, and for all images that it is
//! shown later.

use super::Subject;
use crate::nets::has_decision;

/// Largest difference between the logits of an image in a batch and alone, relative to the largest logit.
const TOLERANCE: f32 = 1e-3;

/// Images that tell whether the outputs are probabilities.
const PROBED: usize = 8;

/// How far from 1 the sum of probabilities may be, by rounding and clipping.
const ROUNDING: f64 = 1e-3;

/// What to know of a network whose outputs are probabilities.
pub const PROBABILITIES_NOTE: &str = "its outputs are probabilities (from 0 to 1, with the sum 1), and are taken as they are, \
    though they are called logits: where the network is certain they hardly change, so that evidence is weak, and \
    confidences and losses, which are computed from logits, are wrong. If the file has the logits, add --set \
    'network.output=Some(\"NAME\")'; else export it without its last softmax";

/// Why the outputs of a network cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableOutputs {
    /// It was exported for a single image, and mixes the images of a larger batch.
    #[error(
        "network.weights: the network's outputs for two images differ between a batch and one by one: it was exported for a single image and cannot run on batches. Export it with a symbolic batch (dynamo=False, input_names=[\"input\"], dynamic_axes={{\"input\": {{0: \"n\"}}}})"
    )]
    MixesImages,
    /// They are infinite or NaN.
    #[error(
        "network.weights: some of the network's outputs for two images are infinite or not numbers: it divides by zero, takes the root of a negative number, or its activations grow too large. Check the range of the images it expects (network.input), or use another output (network.output) or an earlier checkpoint"
    )]
    NotNumbers,
}

/// Images without a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the network's outputs are not numbers (NaN) for {undecided} of {shown} images, which it thus calls no class: it divides by zero there, or takes the root or logarithm of a number that has none. Export it so that it cannot, or choose other images, noise or γ"
)]
pub struct UndecidedImages {
    /// How many have outputs that are not numbers.
    pub undecided: usize,
    /// Out of how many.
    pub shown: usize,
}

impl Subject {
    /// The logits, row-major \[N,K\], if there is a decision for every image.
    ///
    /// # Errors
    /// If some are NaN.
    pub fn decidable(&self, logits: Vec<f32>) -> Result<Vec<f32>, UndecidedImages> {
        // Without a branch, as nearly always none is.
        if !logits.iter().fold(false, |any, logit| any | logit.is_nan()) {
            return Ok(logits);
        }
        let rows = self.rows(&logits);
        Err(UndecidedImages {
            shown: rows.len(),
            undecided: rows.filter(|row| !has_decision(row)).count(),
        })
    }

    /// Checks the logits of two different images, together and one by one. A network exported for a single image may mix
    /// the images of a batch.
    ///
    /// # Errors
    /// Why they cannot be used.
    pub fn check_outputs(&self) -> Result<(), UnusableOutputs> {
        let area: usize = self.graph.image().iter().product();
        let images = unlike_images(2, area);
        let together = self.logits(images.clone(), &self.device);
        let mut apart = self.logits(images[..area].to_vec(), &self.device);
        apart.extend(self.logits(images[area..].to_vec(), &self.device));
        if apart.iter().any(|logit| !logit.is_finite()) {
            return Err(UnusableOutputs::NotNumbers);
        }
        let most = apart
            .iter()
            .fold(f32::MIN_POSITIVE, |most, logit| most.max(logit.abs()));
        let mut pairs = together.iter().zip(&apart);
        let is_same =
            together.len() == apart.len() && pairs.all(|(a, b)| (a - b).abs() <= TOLERANCE * most);
        match is_same {
            true => Ok(()),
            false => Err(UnusableOutputs::MixesImages),
        }
    }

    /// Whether the outputs for several images are probabilities, which logits are only by chance.
    pub fn gives_probabilities(&self) -> bool {
        let area = self.graph.image().iter().product();
        let outputs = self.logits(unlike_images(PROBED, area), &self.device);
        self.rows(&outputs).all(|row| {
            let sum: f64 = row.iter().map(|&output| f64::from(output)).sum();
            row.iter()
                .all(|output| (0.0..=1.0 + ROUNDING as f32).contains(output))
                && (sum - 1.0).abs() <= ROUNDING
        })
    }
}

/// The pixels of `count` images of `area` numbers that have nothing in common.
fn unlike_images(count: usize, area: usize) -> Vec<f32> {
    (0..count * area)
        .map(|i| ((i * 7919 + i / area * 104_729) % 251) as f32 / 250.0)
        .collect()
}
