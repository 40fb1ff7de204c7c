//! The record of predictions: images by the network's decision.

use serde::{Deserialize, Serialize};

use super::{BlockProgress, arrays, has_shape};
use crate::ids::ClassId;
use crate::session::array::Array;
use crate::session::config::{self, Split};
use crate::session::form::{Form, Shape};

/// Confusion matrices and sums of images, by split.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predictions {
    /// Progress; a part is a split.
    pub progress: BlockProgress,
    /// In the order of the plan's splits; empty before it has begun.
    pub splits: Vec<SplitCounts>,
}

/// The images of one split. K classes, images of C×H×W numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// The split.
    pub split: Split,
    /// Images by true and predicted class: \[K,K\].
    pub counts: Vec<u64>,
    /// Sum of the images' bytes by predicted class: \[K,C,H,W\].
    pub images: Array<i64>,
}

impl SplitCounts {
    /// An empty record for a split of images of this form.
    pub fn new(split: Split, form: &Form) -> Self {
        let (k, [c, h, w]) = (form.class_count(), form.shape());
        Self {
            split,
            counts: vec![0; k * k],
            images: Array::zeros(&[k, c, h, w]),
        }
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.images.shape().first().copied().unwrap_or(0)
    }

    /// Channels, rows and columns of the images.
    pub fn shape(&self) -> Shape {
        match *self.images.shape() {
            [_, channels, height, width] => [channels, height, width],
            _ => [0; 3],
        }
    }

    /// Images called `class`.
    pub fn called(&self, class: ClassId) -> u64 {
        let column = self.counts.iter().skip(class.0).step_by(self.classes());
        column.sum()
    }

    /// Images whose true class is `class`.
    pub fn shown(&self, class: ClassId) -> u64 {
        let k = self.classes();
        self.counts[class.0 * k..(class.0 + 1) * k].iter().sum()
    }

    /// All images.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Images classified correctly.
    pub fn correct(&self) -> u64 {
        self.counts.iter().step_by(self.classes() + 1).sum()
    }

    /// Share of the images called `class` that belong to it; `None` if none was called so.
    pub fn precision(&self, class: ClassId) -> Option<f64> {
        let called = self.called(class);
        let hit = self.counts[class.0 * (self.classes() + 1)];
        (called > 0).then(|| hit as f64 / called as f64)
    }

    /// Share of the images of `class` that are called so; `None` if there are none.
    pub fn recall(&self, class: ClassId) -> Option<f64> {
        let shown = self.shown(class);
        let hit = self.counts[class.0 * (self.classes() + 1)];
        (shown > 0).then(|| hit as f64 / shown as f64)
    }

    /// Mean of the images called `class`, \[C,H,W\] in \[0,1\]; `None` if there are none.
    pub fn mean_image(&self, class: ClassId) -> Option<Vec<f32>> {
        let called = self.called(class);
        let pixels = self.images.values().len() / self.classes().max(1);
        let sums = &self.images.values()[class.0 * pixels..(class.0 + 1) * pixels];
        let mean = |&sum: &i64| (sum as f64 / (255.0 * called as f64)) as f32;
        (called > 0).then(|| sums.iter().map(mean).collect())
    }
}

impl Predictions {
    pub(super) fn new(_: &config::Predictions) -> Self {
        Self::default()
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Predictions) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Predictions, form: Option<&Form>) -> bool {
        let Some(form) = form.filter(|_| !self.splits.is_empty()) else {
            return self.splits.is_empty() && self.progress == BlockProgress::default();
        };
        let (k, [c, h, w]) = (form.class_count(), form.shape());
        let fits = |(counts, split): (&SplitCounts, &Split)| {
            counts.split == *split
                && counts.counts.len() == k * k
                && has_shape(&counts.images, &[k, c, h, w])
                && counts
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
