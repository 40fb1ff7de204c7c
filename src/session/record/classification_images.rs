//! Counts and sums of the noise trials.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES, Grid, Noise, Weighting};
use crate::stats::classification::{self, Estimate, Trials, Weights};

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
    /// The kind of noise.
    #[serde(default = "uniform")]
    pub kind: Noise,
    /// Where the noise's values lie.
    #[serde(default = "uniform_grid")]
    pub grid: Grid,
    /// Standard deviation of one pixel of the noise; `None` where `moments` give it.
    #[serde(default = "uniform_deviation")]
    pub deviation: Option<f64>,
    /// Σk and Σk² over the trials counted, \[2,H,W\]; empty where the deviation is known.
    #[serde(default)]
    pub moments: Array<i64>,
    /// Σw by parity, true class and predicted class, \[2,K,K\], where trials are weighted by
    /// confidence: w is the confidence in steps of 1/[`CONFIDENCE_STEPS`]. Else empty.
    #[serde(default)]
    pub weights: Vec<u64>,
    /// Σw², the same way.
    #[serde(default)]
    pub squared_weights: Vec<u64>,
    /// Trials shown but not counted, since their confidence was too low.
    #[serde(default)]
    pub dropped: u64,
    /// Whether the target reliability was reached before the trials were used up.
    #[serde(default)]
    pub reached: bool,
    #[serde(skip)]
    estimate: OnceLock<Arc<Estimate>>,
}

/// Steps in which a confidence counts where trials are weighted by it.
pub const CONFIDENCE_STEPS: f64 = 1024.0;

fn uniform() -> Noise {
    Noise::Uniform
}

fn uniform_grid() -> Grid {
    Noise::Uniform.grid()
}

fn uniform_deviation() -> Option<f64> {
    Noise::Uniform.deviation()
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
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Σw and Σw² by true and predicted class, \[K,K\] each; empty where trials count the same.
    pub weights: (Vec<u64>, Vec<u64>),
    /// Σk and Σk² by pixel, \[2,H·W\]; empty where the noise's deviation is known.
    pub moments: Vec<i64>,
    /// Trials that were not counted.
    pub dropped: u64,
}

impl ClassificationImages {
    pub(super) fn new(plan: &config::ClassificationImages) -> Self {
        let of_gamma = |&gamma: &f64| {
            let trials = GammaTrials::new(gamma, plan.min_trials, CLASSES, (28, 28));
            trials.of(plan.noise, plan.weighting)
        };
        Self {
            gammas: plan.gammas.iter().map(of_gamma).collect(),
        }
    }

    pub(super) fn fits(&self, plan: &config::ClassificationImages) -> bool {
        let fresh = Self::new(plan);
        let fits = |(a, b): (&GammaTrials, &GammaTrials)| {
            a.gamma == b.gamma
                && a.min_trials == b.min_trials
                && a.kind == b.kind
                && a.grid == b.grid
                && a.deviation == b.deviation
                && a.moments.shape() == b.moments.shape()
                && a.weights.len() == b.weights.len()
                && a.agrees()
                && a.blocks <= plan.blocks()
                && a.trials == (a.blocks * plan.block as u64).min(plan.trials)
        };
        self.gammas.len() == fresh.gammas.len() && self.gammas.iter().zip(&fresh.gammas).all(fits)
    }

    /// Trials done over all γ.
    pub fn trials(&self) -> u64 {
        self.gammas.iter().map(|gamma| gamma.trials).sum()
    }

    /// Trials done and trials to do. A γ that reached its target reliability has no more to do.
    pub fn progress(&self, plan: &config::ClassificationImages) -> (u64, u64) {
        let of_gamma = |it: &GammaTrials| if it.reached { it.trials } else { plan.trials };
        let total = self.gammas.iter().map(of_gamma);
        (self.trials(), total.fold(0, u64::saturating_add))
    }
}

impl GammaTrials {
    /// No trials yet, for `classes` classes and images of `size` (height, width): of uniform
    /// noise, every trial counting the same.
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
            kind: Noise::Uniform,
            grid: uniform_grid(),
            deviation: uniform_deviation(),
            moments: Array::default(),
            weights: Vec::new(),
            squared_weights: Vec::new(),
            dropped: 0,
            reached: false,
            estimate: OnceLock::new(),
        }
    }

    /// The same, of another noise and weighting.
    #[must_use]
    pub fn of(mut self, noise: Noise, weighting: Weighting) -> Self {
        let (height, width) = self.size();
        self.kind = noise;
        self.grid = noise.grid();
        self.deviation = noise.deviation();
        if self.deviation.is_none() {
            self.moments = Array::zeros(&[2, height, width]);
        }
        if weighting == Weighting::Confidence {
            self.weights = vec![0; self.counts.len()];
            self.squared_weights = vec![0; self.counts.len()];
        }
        self
    }

    /// Whether its numbers agree with each other, so that whoever reads them need not check.
    pub fn agrees(&self) -> bool {
        let classes = self.classes();
        let cells = 2 * classes * classes;
        let counted = self
            .counts
            .iter()
            .try_fold(0_u64, |sum, &n| sum.checked_add(n));
        let weighted = self.weights.len();
        classes == CLASSES
            && self.counts.len() == cells
            && self.fed_back.iter().flatten().all(|it| it.class < classes)
            && has_shape(&self.noise, &[2, classes, classes, 28, 28])
            && has_shape(&self.image, &[classes, 28, 28])
            && (weighted == 0 || weighted == cells)
            && self.squared_weights.len() == weighted
            && self.deviation.is_none() == has_shape(&self.moments, &[2, 28, 28])
            && counted.and_then(|n| n.checked_add(self.dropped)) == Some(self.trials)
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
        let weights = self.weights.get_mut(parity * cells..).unwrap_or_default();
        for (own, add) in weights.iter_mut().zip(&block.weights.0) {
            *own += add;
        }
        let squares = self
            .squared_weights
            .get_mut(parity * cells..)
            .unwrap_or_default();
        for (own, add) in squares.iter_mut().zip(&block.weights.1) {
            *own += add;
        }
        if !block.moments.is_empty() {
            let moments = self.moments.values_mut().iter_mut();
            moments
                .zip(&block.moments)
                .for_each(|(own, add)| *own += add);
        }
        self.blocks += 1;
        self.dropped += block.dropped;
        self.trials += block.trials;
        self.estimate = OnceLock::new();
    }

    /// The maps and their statistics, computed once for each state of the sums.
    pub fn estimate(&self) -> Arc<Estimate> {
        let (height, width) = self.size();
        Arc::clone(self.estimate.get_or_init(|| {
            Arc::new(classification::estimate(&Trials {
                gamma: self.gamma,
                classes: self.classes(),
                pixels: height * width,
                width,
                min_trials: self.min_trials,
                counts: &self.counts,
                noise: self.noise.values(),
                image: self.image.values(),
                grid: self.grid,
                white: self.kind.is_white(),
                deviation: self.deviation,
                moments: self.moments.values(),
                weights: (!self.weights.is_empty()).then_some(Weights {
                    sum: &self.weights,
                    squares: &self.squared_weights,
                }),
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
            && self.kind == other.kind
            && self.grid == other.grid
            && self.deviation == other.deviation
            && self.moments == other.moments
            && self.weights == other.weights
            && self.squared_weights == other.squared_weights
            && self.dropped == other.dropped
            && self.reached == other.reached
    }
}

arrays!(GammaTrials: noise, image, moments);
arrays!(ClassificationImages: gammas);
