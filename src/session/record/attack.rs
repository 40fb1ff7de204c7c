//! Images blended with patterns.

use serde::{Deserialize, Serialize};

use super::{Progress, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES};

/// What is blended into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pattern {
    /// The classification image of the target class.
    ClassificationImage,
    /// The mean training image of the target class.
    MeanImage,
    /// One uniform noise image: the control.
    Random,
}

/// The patterns, in the order of every axis of patterns.
pub const PATTERNS: [Pattern; 3] = [
    Pattern::ClassificationImage,
    Pattern::MeanImage,
    Pattern::Random,
];

impl Pattern {
    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::ClassificationImage => "classification image",
            Self::MeanImage => "mean image",
            Self::Random => "random control",
        }
    }

    /// The key in exports.
    pub fn key(self) -> &'static str {
        match self {
            Self::ClassificationImage => "classification_image",
            Self::MeanImage => "mean_image",
            Self::Random => "random",
        }
    }
}

/// What the network calls blended images. K classes, W weights, images of H×W pixels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// How far it is; a part is (source, pattern, target), the target fastest.
    pub progress: Progress,
    /// The γ of the classification images that are the patterns; `None` before it has begun.
    pub gamma: Option<f64>,
    /// Weights w of the pattern.
    pub weights: Vec<f64>,
    /// The patterns in \[0,1\]: \[3 patterns,K targets,H,W\]. All zero where there is none.
    pub patterns: Array<f32>,
    /// Whether there is a pattern: \[3,K\]. A class with too few trials has no classification image.
    pub there: Vec<bool>,
    /// Stimuli by what they were called: \[2 sources,3 patterns,K targets,W,K true,K called\]. Source
    /// 0: test images; source 1: noise images, whose true class is 0.
    pub counts: Array<i64>,
    /// For each target, an image of another class and what became of it. Empty before the end.
    pub examples: Vec<Example>,
}

/// One image on its way to a target class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The class that it should be called.
    pub target: usize,
    /// Its true class.
    pub truth: usize,
    /// Its bytes, \[H,W\].
    pub image: Array<u8>,
    /// What it is called, by pattern and weight: \[3,W\]. Without a pattern: what it is called at w = 0.
    pub called: Vec<usize>,
    /// The softmax probability of the target, the same way.
    pub confidence: Vec<f64>,
}

impl Attack {
    pub(super) fn new(plan: &config::Attack) -> Self {
        Self {
            weights: plan.weights.clone(),
            ..Self::default()
        }
    }

    pub(super) fn fits(&self, plan: &config::Attack) -> bool {
        let weights = self.weights.len();
        let begun = self.gamma.is_some();
        let example = |it: &Example| {
            it.target < CLASSES
                && it.truth < CLASSES
                && it.called.iter().all(|&class| class < CLASSES)
                && it.called.len() == 3 * weights
                && it.confidence.len() == 3 * weights
                && has_shape(&it.image, &[28, 28])
        };
        self.weights == plan.weights
            && (!begun
                || has_shape(&self.patterns, &[3, CLASSES, 28, 28])
                    && self.there.len() == 3 * CLASSES
                    && self.progress.blocks.len() == 2 * 3 * CLASSES
                    && has_shape(&self.counts, &[2, 3, CLASSES, weights, CLASSES, CLASSES]))
            && self.examples.iter().all(example)
    }

    /// Stimuli by true class and by what they were called, \[K,K\], for a source (0: images, 1:
    /// noise), a pattern, a target and a weight by their places.
    ///
    /// # Panics
    /// Before the analysis has begun, or where a place is past its axis.
    pub fn cells(&self, source: usize, pattern: usize, target: usize, weight: usize) -> &[i64] {
        let k = CLASSES;
        let row = ((source * 3 + pattern) * k + target) * self.weights.len() + weight;
        &self.counts.values()[row * k * k..(row + 1) * k * k]
    }

    /// A pattern, \[H,W\] in \[0,1\]; `None` where there is none.
    pub fn pattern(&self, pattern: usize, target: usize) -> Option<&[f32]> {
        let at = pattern * CLASSES + target;
        let pixels = self.patterns.values().len() / (3 * CLASSES);
        let there = *self.there.get(at)?;
        there.then(|| &self.patterns.values()[at * pixels..(at + 1) * pixels])
    }

    /// Stimuli that the network was shown.
    pub fn queries(&self) -> u64 {
        self.counts.values().iter().map(|&n| n.max(0) as u64).sum()
    }
}

arrays!(Example: image);
arrays!(Attack: patterns, counts, examples);
