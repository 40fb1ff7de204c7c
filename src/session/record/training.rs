//! The record of training: its course and the weights.

use serde::{Deserialize, Serialize};

use super::arrays;
use crate::session::array::{Array, Arrays, Payload};

/// The course of training, and the weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Training")]
pub struct TrainingRecord {
    /// Trainable parameters of the network.
    pub parameters: usize,
    /// Whether it has ended (all epochs, or stopped early).
    pub finished: bool,
    /// Share of test images classified correctly, with the best epoch's weights.
    pub test_accuracy: Option<f64>,
    /// Whether the network is correct on the test images no more often than one that always names the
    /// largest class, as far as those images can tell. Also `false` if this was never checked.
    #[serde(default)]
    pub at_chance: bool,
    /// The epoch (from 1) whose weights are kept: the first with the best validation accuracy.
    pub best_epoch: Option<usize>,
    /// Every finished epoch, from the first.
    pub epochs: Vec<Epoch>,
    /// The unfinished epoch.
    pub partial: PartialEpoch,
    /// Loss of every batch so far, at a resolution that becomes coarser as it grows.
    pub batch_loss: LossCurve,
    /// Weights of the best epoch.
    pub best: NetworkWeights,
    /// Weights at the last checkpoint, to resume from; empty once training has ended.
    pub current: NetworkWeights,
    /// The optimizer's state at the last checkpoint (burnpack bytes); empty once training has ended.
    pub optimizer: Array<u8>,
}

/// One epoch's figures. Losses are mean cross-entropies in nats, accuracies are shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean training loss over the epoch, before each update.
    pub train_loss: f64,
    /// Training accuracy over the epoch, before each update.
    pub train_accuracy: f64,
    /// Loss on the held-out images after the epoch.
    pub valid_loss: f64,
    /// Accuracy on the held-out images after the epoch.
    pub valid_accuracy: f64,
    /// Learning rate of the epoch's last batch.
    pub lr: f64,
}

/// Sums of an unfinished epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialEpoch {
    /// Batches done.
    pub batches: usize,
    /// Batches in a whole epoch.
    pub of: usize,
    /// Images seen.
    pub images: usize,
    /// Sum of the loss over those images.
    pub loss_sum: f64,
    /// Number of them classified correctly.
    pub correct: usize,
    /// Learning rate of the last batch.
    pub lr: f64,
}

/// A curve that halves its resolution instead of growing, with at most [`LossCurve::MAX_POINTS`] points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Curve")]
pub struct LossCurve {
    /// Values averaged in each point; 0 before the first value.
    pub each: usize,
    /// Means of `each` successive values.
    pub points: Vec<f32>,
    /// Sum of the values that do not fill a point yet.
    pub rest: f64,
    /// Number of those values.
    pub rest_count: usize,
}

impl LossCurve {
    /// Maximum number of points.
    pub const MAX_POINTS: usize = 512;

    /// Adds one value.
    pub fn push(&mut self, value: f64) {
        self.each = self.each.max(1);
        self.rest += value;
        self.rest_count = self.rest_count.saturating_add(1);
        if self.rest_count < self.each {
            return;
        }
        self.points.push((self.rest / self.each as f64) as f32);
        (self.rest, self.rest_count) = (0.0, 0);
        if self.points.len() >= Self::MAX_POINTS {
            self.points = self
                .points
                .chunks(2)
                .map(|pair| pair.iter().sum::<f32>() / pair.len() as f32)
                .collect();
            self.each = self.each.saturating_mul(2);
        }
    }
}

/// A network's tensors by name, in the network's order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkWeights {
    /// Name (`conv1.weight`) and values.
    pub tensors: Vec<(String, Array<f32>)>,
}

impl TrainingRecord {
    /// Loss by batch so far: (epochs completed, fractional; mean loss), ascending.
    pub fn loss_by_batch(&self) -> Vec<(f64, f64)> {
        let curve = &self.batch_loss;
        let partial = &self.partial;
        let share = if partial.of > 0 {
            partial.batches as f64 / partial.of as f64
        } else {
            0.0
        };
        let end = self.epochs.len() as f64 + share;
        // Values that do not fill a point yet count too.
        let whole = curve.points.len() as f64 + curve.rest_count as f64 / curve.each.max(1) as f64;
        if whole <= 0.0 {
            return Vec::new();
        }
        let place = |i: usize| (i as f64 + 0.5) / whole * end;
        let points = curve.points.iter().enumerate();
        points.map(|(i, &y)| (place(i), f64::from(y))).collect()
    }
}

impl NetworkWeights {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }
}

impl Arrays for NetworkWeights {
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
        for (name, array) in &self.tensors {
            visit(format!(".{name}"), array);
        }
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        for (name, array) in &mut self.tensors {
            visit(format!(".{name}"), array);
        }
    }
}

arrays!(TrainingRecord: best, current, optimizer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_stays_small_and_keeps_its_mean() {
        let mut curve = LossCurve::default();
        let values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        values.iter().for_each(|&value| curve.push(value));
        assert!(curve.points.len() < LossCurve::MAX_POINTS);
        let sum: f64 = curve.points.iter().map(|&p| f64::from(p)).sum::<f64>() * curve.each as f64
            + curve.rest;
        assert!((sum - values.iter().sum::<f64>()).abs() < 1.0, "{sum}");
    }

    #[test]
    fn a_full_curve_is_halved_by_the_means_of_pairs() {
        let mut curve = LossCurve::default();
        (0..511).for_each(|i| curve.push(f64::from(i)));
        assert_eq!((curve.points.len(), curve.each), (511, 1));
        curve.push(511.0);
        assert_eq!((curve.points.len(), curve.each), (256, 2));
        assert_eq!((curve.points[0], curve.points[255]), (0.5, 510.5));
        curve.push(3.0);
        assert_eq!(
            (curve.points.len(), curve.rest, curve.rest_count),
            (256, 3.0, 1)
        );
        curve.push(4.0);
        assert_eq!(
            (curve.points.len(), curve.rest, curve.rest_count),
            (257, 0.0, 0)
        );
        assert_eq!(curve.points[256], 3.5);
    }

    #[test]
    fn the_largest_numbers_of_a_file_do_not_overflow_a_curve() {
        let mut curve = LossCurve {
            each: usize::MAX,
            points: vec![0.5; LossCurve::MAX_POINTS],
            rest: 0.0,
            rest_count: usize::MAX,
        };
        curve.push(1.0);
        assert_eq!((curve.each, curve.rest_count), (usize::MAX, 0));
        assert_eq!(curve.points.len(), LossCurve::MAX_POINTS / 2 + 1);
    }

    #[test]
    fn weights_are_there_once_a_tensor_is() {
        let mut weights = NetworkWeights::default();
        assert!(weights.is_empty());
        let tensor = ("fc1.bias".to_owned(), Array::zeros(&[0]));
        weights.tensors.push(tensor);
        assert!(!weights.is_empty());
    }

    #[test]
    fn a_point_lies_in_the_middle_of_its_batches() {
        let epoch = Epoch {
            epoch: 1,
            train_loss: 0.0,
            train_accuracy: 0.0,
            valid_loss: 0.0,
            valid_accuracy: 0.0,
            lr: 0.0,
        };
        let mut training = TrainingRecord {
            epochs: vec![epoch],
            batch_loss: LossCurve {
                each: 2,
                points: vec![8.0, 4.0],
                rest: 1.0,
                rest_count: 1,
            },
            ..TrainingRecord::default()
        };
        // Two points and a half fill one epoch and a quarter.
        (training.partial.batches, training.partial.of) = (1, 4);
        assert_eq!(training.loss_by_batch(), [(0.25, 8.0), (0.75, 4.0)]);
        training.partial = PartialEpoch::default();
        training.batch_loss.rest_count = 0;
        assert_eq!(training.loss_by_batch(), [(0.25, 8.0), (0.75, 4.0)]);
        assert_eq!(TrainingRecord::default().loss_by_batch(), []);
    }
}
