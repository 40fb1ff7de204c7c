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

#[cfg(test)]
mod tests {
    use super::*;

    /// Six, five and four images of three classes, none of which is called class 2.
    fn test_images() -> (Form, SplitCounts) {
        let form = Form::numbered([1, 1, 2], 3);
        let mut split = SplitCounts::new(Split::Test, &form);
        split.counts = vec![5, 1, 0, 2, 3, 0, 0, 4, 0];
        split.images = Array::new(&[3, 1, 1, 2], vec![0, 0, 8 * 255, 2 * 255, 0, 0]);
        (form, split)
    }

    #[test]
    fn precision_is_of_the_called_images_and_recall_of_the_shown_ones() {
        let (_, split) = test_images();
        let all = [0, 1, 2].map(ClassId);
        assert_eq!(all.map(|class| split.called(class)), [7, 8, 0]);
        assert_eq!(all.map(|class| split.shown(class)), [6, 5, 4]);
        assert_eq!(
            (split.total(), split.classes(), split.shape()),
            (15, 3, [1, 1, 2])
        );
        assert_eq!(
            all.map(|class| split.precision(class)),
            [Some(5.0 / 7.0), Some(0.375), None]
        );
        assert_eq!(
            all.map(|class| split.recall(class)),
            [Some(5.0 / 6.0), Some(0.6), Some(0.0)]
        );
        assert_eq!(split.mean_image(ClassId(0)), Some(vec![0.0, 0.0]));
        assert_eq!(split.mean_image(ClassId(1)), Some(vec![1.0, 0.25]));
        assert_eq!(split.mean_image(ClassId(2)), None);
    }

    #[test]
    fn images_are_classified_correctly_if_they_are_called_their_class() {
        let (_, mut split) = test_images();
        split.counts = vec![1, 2, 4, 8, 16, 32, 64, 128, 256];
        assert_eq!((split.correct(), split.total()), (273, 511));
        // Of the last class, no images were shown.
        split.counts[6..].fill(0);
        assert_eq!(split.recall(ClassId(2)), None);
        assert_eq!(split.precision(ClassId(2)), Some(0.0));
    }

    #[test]
    fn predictions_fit_a_plan_of_the_same_splits_and_form() {
        let (form, split) = test_images();
        let plan = config::Predictions::default();
        let of = |splits: Vec<SplitCounts>, blocks: &[u64]| Predictions {
            progress: BlockProgress {
                blocks: blocks.to_vec(),
                ..BlockProgress::default()
            },
            splits,
        };
        let fits = |record: &Predictions| record.fits(&plan, Some(&form));
        assert!(fits(&of(vec![split.clone()], &[])) && fits(&of(vec![split.clone()], &[7])));
        assert!(fits(&of(Vec::new(), &[])) && !fits(&of(Vec::new(), &[0])));
        assert!(!fits(&of(vec![split.clone()], &[7, 7])));
        assert!(!fits(&of(vec![split.clone(), split.clone()], &[])));
        assert!(!of(vec![split.clone()], &[]).fits(&plan, None));
        let changes: &[fn(&mut SplitCounts)] = &[
            |it| it.split = Split::Train,
            |it| it.counts.push(0),
            |it| it.images = Array::zeros(&[3, 1, 2, 1]),
            |it| it.counts[0] = u64::MAX,
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = split.clone();
            change(&mut other);
            assert!(!fits(&of(vec![other], &[])), "change {place}");
        }
    }
}
