//! Images by what the network calls them.

use serde::{Deserialize, Serialize};

use super::{Progress, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES, Split};

/// Confusion matrices and sums of images, by split.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predictions {
    /// How far it is; a part is a split.
    pub progress: Progress,
    /// In the order of the plan's splits.
    pub splits: Vec<SplitCounts>,
}

/// The images of one split. K classes, images of H×W pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// Which split.
    pub split: Split,
    /// Images by true and predicted class: \[K,K\].
    pub counts: Vec<u64>,
    /// Sum of the images' bytes by predicted class: \[K,H,W\].
    pub images: Array<i64>,
}

impl SplitCounts {
    fn new(split: Split) -> Self {
        Self {
            split,
            counts: vec![0; CLASSES * CLASSES],
            images: Array::zeros(&[CLASSES, 28, 28]),
        }
    }

    /// Images called `class`.
    pub fn called(&self, class: usize) -> u64 {
        (0..CLASSES)
            .map(|truth| self.counts[truth * CLASSES + class])
            .sum()
    }

    /// Images whose true class is `class`.
    pub fn shown(&self, class: usize) -> u64 {
        self.counts[class * CLASSES..(class + 1) * CLASSES]
            .iter()
            .sum()
    }

    /// All images.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Images called what they are.
    pub fn correct(&self) -> u64 {
        (0..CLASSES)
            .map(|class| self.counts[class * CLASSES + class])
            .sum()
    }

    /// Share of the images called `class` that are of it; `None` where none was called so.
    pub fn precision(&self, class: usize) -> Option<f64> {
        let called = self.called(class);
        let hit = self.counts[class * CLASSES + class];
        (called > 0).then(|| hit as f64 / called as f64)
    }

    /// Share of the images of `class` that are called so; `None` where there is none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let shown = self.shown(class);
        let hit = self.counts[class * CLASSES + class];
        (shown > 0).then(|| hit as f64 / shown as f64)
    }

    /// Mean of the images called `class`, \[H,W\] in \[0,1\]; `None` where none was.
    pub fn mean_image(&self, class: usize) -> Option<Vec<f32>> {
        let called = self.called(class);
        let pixels = self.images.values().len() / CLASSES;
        let sums = &self.images.values()[class * pixels..(class + 1) * pixels];
        let mean = |&sum: &i64| (sum as f64 / (255.0 * called as f64)) as f32;
        (called > 0).then(|| sums.iter().map(mean).collect())
    }
}

impl Predictions {
    pub(super) fn new(plan: &config::Predictions) -> Self {
        Self {
            progress: Progress::default(),
            splits: plan.splits.iter().copied().map(SplitCounts::new).collect(),
        }
    }

    pub(super) fn fits(&self, plan: &config::Predictions) -> bool {
        let fits = |(own, split): (&SplitCounts, &Split)| {
            own.split == *split
                && own.counts.len() == CLASSES * CLASSES
                && has_shape(&own.images, &[CLASSES, 28, 28])
                && own
                    .counts
                    .iter()
                    .try_fold(0_u64, |sum, &n| sum.checked_add(n))
                    .is_some()
        };
        let parts = self.progress.blocks.len();
        self.splits.len() == plan.splits.len()
            && (parts == 0 || parts == self.splits.len())
            && self.splits.iter().zip(&plan.splits).all(fits)
    }
}

arrays!(SplitCounts: images);
arrays!(Predictions: splits);
