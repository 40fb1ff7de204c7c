//! What has happened so far: one struct a stage, all counts and sums exact, so that two parts of
//! a run merge by addition and a resumed run equals an uninterrupted one to the last bit.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::array::{Array, Arrays, Payload};
use super::config::{self, Config};
use crate::stats::classification::{self, Estimate, Trials};

/// Everything measured so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// How the last engine left the run.
    pub state: State,
    /// When the file was last written, seconds since the Unix epoch.
    pub updated: i64,
    /// Seconds of work so far, over all engines that ran it; pauses do not count.
    pub elapsed_s: f64,
    /// The devices that worked on it, in order.
    pub devices: Vec<String>,
    /// Where the images came from: `embedded`, `full set`, or a folder.
    pub images: Option<String>,
    /// Training, from its start on.
    pub training: Option<Training>,
    /// One record for each entry of `config.analyses`, in the same order.
    pub analyses: Vec<Analysis>,
}

/// How the last engine left the run. Whether one runs now is not in the file: the lock says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// No engine has run it yet.
    New,
    /// An engine was at work when the file was written. Where none runs now, it was interrupted.
    Running,
    /// Stopped after a checkpoint.
    Stopped,
    /// Everything in the plan is done.
    Finished,
    /// It could not go on: the message.
    Failed(String),
}

/// What an analysis has measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Analysis {
    /// See [`ClassificationImages`].
    ClassificationImages(ClassificationImages),
}

impl Record {
    /// A record of nothing.
    pub fn new(config: &Config) -> Self {
        Self {
            state: State::New,
            updated: 0,
            elapsed_s: 0.0,
            devices: Vec::new(),
            images: None,
            training: None,
            analyses: config
                .analyses
                .iter()
                .map(|analysis| match analysis {
                    config::Analysis::ClassificationImages(it) => {
                        Analysis::ClassificationImages(ClassificationImages::new(it))
                    }
                })
                .collect(),
        }
    }

    /// The first classification images of the plan, if it has any.
    pub fn classification_images(&self) -> Option<&ClassificationImages> {
        self.analyses
            .iter()
            .map(|Analysis::ClassificationImages(it)| it)
            .next()
    }
}

// ---------------------------------------------------------------------------------------------
// Training

/// The course of training, and the weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Trainable parameters of the network.
    pub parameters: usize,
    /// Whether it is over (all epochs, or stopped early).
    pub finished: bool,
    /// Share of test images classified correctly, with the best epoch's weights.
    pub test_accuracy: Option<f64>,
    /// The epoch (from 1) whose weights are kept: the first of best validation accuracy.
    pub best_epoch: Option<usize>,
    /// Every finished epoch, from the first.
    pub epochs: Vec<Epoch>,
    /// The unfinished epoch.
    pub partial: PartialEpoch,
    /// Loss of every batch so far, coarser as it grows.
    pub batch_loss: Curve,
    /// Weights of the best epoch.
    pub best: Weights,
    /// Weights at the last checkpoint, to go on from; empty once training is over.
    pub current: Weights,
    /// The optimizer's state at the last checkpoint (burnpack bytes); empty once training is over.
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

/// Sums of an epoch that is not over.
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
    /// How many of them were classified correctly.
    pub correct: usize,
    /// Learning rate of the last batch.
    pub lr: f64,
}

/// A curve that halves its resolution instead of growing: at most [`Curve::MOST`] points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Values averaged in each point; 0 before the first value.
    pub each: usize,
    /// Means of `each` successive values.
    pub points: Vec<f32>,
    /// Sum of the values that do not fill a point yet.
    pub rest: f64,
    /// How many those are.
    pub rest_count: usize,
}

impl Curve {
    /// Most points kept.
    pub const MOST: usize = 512;

    /// Adds one value.
    pub fn push(&mut self, value: f64) {
        self.each = self.each.max(1);
        self.rest += value;
        self.rest_count += 1;
        if self.rest_count < self.each {
            return;
        }
        self.points.push((self.rest / self.each as f64) as f32);
        (self.rest, self.rest_count) = (0.0, 0);
        if self.points.len() >= Self::MOST {
            self.points = self
                .points
                .chunks(2)
                .map(|pair| pair.iter().sum::<f32>() / pair.len() as f32)
                .collect();
            self.each *= 2;
        }
    }
}

/// A network's tensors by name, in the network's order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weights {
    /// Name (`conv1.weight`) and values.
    pub tensors: Vec<(String, Array<f32>)>,
}

impl Weights {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }
}

impl<T: super::array::Element> Default for Array<T> {
    fn default() -> Self {
        Self::zeros(&[0])
    }
}

// ---------------------------------------------------------------------------------------------
// Classification images

/// Counts and sums of the noise trials, for every γ of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationImages {
    /// In the order of `gammas` in the configuration.
    pub gammas: Vec<GammaTrials>,
}

/// Counts and sums of the trials at one γ. K classes, images of H×W pixels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTrials {
    /// Signal strength.
    pub gamma: f64,
    /// Blocks done: exactly the blocks 0 … `blocks` − 1 are in the sums.
    pub blocks: u64,
    /// Trials done.
    pub trials: u64,
    /// Trials needed before a class says anything.
    pub min_trials: u64,
    /// What the network calls the mean stimulus of each class when it is fed back to it.
    pub fed_back: Vec<Option<FedBack>>,
    /// Trials by parity of the block, true class and predicted class: \[2,K,K\], even blocks first.
    pub counts: Vec<u64>,
    /// Sum of the noise on its integer grid: \[2,K true,K predicted,H,W\].
    pub noise: Array<i64>,
    /// Sum of the images' bytes (0 to 255): \[K predicted,H,W\].
    pub image: Array<i64>,
    #[serde(skip)]
    estimate: OnceLock<Arc<Estimate>>,
}

/// What the network says of a class's mean stimulus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FedBack {
    /// The class that it is called.
    pub class: usize,
    /// Softmax probability of that class, in \[0,1\].
    pub confidence: f64,
}

/// What one block of trials adds to [`GammaTrials`].
#[derive(Debug, Clone, PartialEq)]
pub struct BlockSums {
    /// Which block.
    pub block: u64,
    /// Trials in it.
    pub trials: u64,
    /// Trials by true and predicted class: \[K,K\].
    pub counts: Vec<u64>,
    /// For each cell that has trials: its index in \[K,K\] and the sum of the noise, \[H·W\].
    pub noise: Vec<(usize, Vec<i64>)>,
    /// For each predicted class that has trials: the class and the sum of the images' bytes, \[H·W\].
    pub image: Vec<(usize, Vec<i64>)>,
}

impl ClassificationImages {
    fn new(config: &config::ClassificationImages) -> Self {
        Self {
            gammas: config
                .gammas
                .iter()
                .map(|&gamma| GammaTrials::new(gamma, config.min_trials, 10, (28, 28)))
                .collect(),
        }
    }

    /// Trials done over all γ.
    pub fn trials(&self) -> u64 {
        self.gammas.iter().map(|gamma| gamma.trials).sum()
    }
}

impl GammaTrials {
    /// No trials yet, for `classes` classes and images of `size` (height, width).
    pub fn new(gamma: f64, min_trials: u64, classes: usize, size: (usize, usize)) -> Self {
        let (height, width) = size;
        Self {
            gamma,
            blocks: 0,
            trials: 0,
            min_trials,
            fed_back: vec![None; classes],
            counts: vec![0; 2 * classes * classes],
            noise: Array::zeros(&[2, classes, classes, height, width]),
            image: Array::zeros(&[classes, height, width]),
            estimate: OnceLock::new(),
        }
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.fed_back.len()
    }

    /// Height and width of the images.
    pub fn size(&self) -> (usize, usize) {
        let shape = self.image.shape();
        (shape[1], shape[2])
    }

    /// Adds one block's sums. Addition of integers: the order of blocks does not matter.
    pub fn add(&mut self, block: &BlockSums) {
        let classes = self.classes();
        let pixels = self.size().0 * self.size().1;
        let parity = (block.block % 2) as usize;
        let cells = classes * classes;
        for (own, add) in self.counts[parity * cells..].iter_mut().zip(&block.counts) {
            *own += add;
        }
        let noise = self.noise.values_mut();
        for (cell, sums) in &block.noise {
            let start = (parity * cells + cell) * pixels;
            for (own, add) in noise[start..start + pixels].iter_mut().zip(sums) {
                *own += add;
            }
        }
        let image = self.image.values_mut();
        for (class, sums) in &block.image {
            let start = class * pixels;
            for (own, add) in image[start..start + pixels].iter_mut().zip(sums) {
                *own += add;
            }
        }
        self.blocks += 1;
        self.trials += block.trials;
        self.estimate = OnceLock::new();
    }

    /// The maps and their statistics, computed once for each state of the sums.
    pub fn estimate(&self) -> Arc<Estimate> {
        Arc::clone(self.estimate.get_or_init(|| {
            Arc::new(classification::estimate(&Trials {
                gamma: self.gamma,
                classes: self.classes(),
                pixels: self.size().0 * self.size().1,
                min_trials: self.min_trials,
                counts: &self.counts,
                noise: self.noise.values(),
                image: self.image.values(),
            }))
        }))
    }
}

impl PartialEq for GammaTrials {
    fn eq(&self, other: &Self) -> bool {
        self.gamma == other.gamma
            && self.blocks == other.blocks
            && self.trials == other.trials
            && self.min_trials == other.min_trials
            && self.fed_back == other.fed_back
            && self.counts == other.counts
            && self.noise == other.noise
            && self.image == other.image
    }
}

// ---------------------------------------------------------------------------------------------
// Where the arrays are

macro_rules! visit_arrays {
    ($name:ident, $payload:ty, $self:ty, $iter:ident, ($($borrow:tt)*)) => {
        fn $name<'a>(self: $self, visit: &mut dyn FnMut(String, $payload)) {
            if let Some(training) = $($borrow)* self.training {
                for (name, array) in training.best.tensors.$iter() {
                    visit(format!("training.best.{name}"), array);
                }
                for (name, array) in training.current.tensors.$iter() {
                    visit(format!("training.current.{name}"), array);
                }
                visit("training.optimizer".into(), $($borrow)* training.optimizer);
            }
            for (i, analysis) in self.analyses.$iter().enumerate() {
                let Analysis::ClassificationImages(it) = analysis;
                for (g, gamma) in it.gammas.$iter().enumerate() {
                    visit(format!("analyses[{i}].gammas[{g}].noise"), $($borrow)* gamma.noise);
                    visit(format!("analyses[{i}].gammas[{g}].image"), $($borrow)* gamma.image);
                }
            }
        }
    };
}

impl Arrays for Record {
    visit_arrays!(arrays, &'a dyn Payload, &'a Self, iter, (&));
    visit_arrays!(arrays_mut, &'a mut dyn Payload, &'a mut Self, iter_mut, (&mut));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_stays_small_and_keeps_its_mean() {
        let mut curve = Curve::default();
        let values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        values.iter().for_each(|&value| curve.push(value));
        assert!(curve.points.len() < Curve::MOST);
        let sum: f64 = curve.points.iter().map(|&p| f64::from(p)).sum::<f64>() * curve.each as f64
            + curve.rest;
        assert!((sum - values.iter().sum::<f64>()).abs() < 1.0, "{sum}");
    }
}
