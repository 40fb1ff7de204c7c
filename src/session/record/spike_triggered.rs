//! Activations and the stimuli that came with them.

use serde::{Deserialize, Serialize};

use super::{Progress, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config;

/// Sums of activations are kept as integers in units of one over this: rounded once a block, then
/// added exactly, in any order.
pub const FIXED_POINT: f64 = 1048576.0;

/// Sums for the spike-triggered averages of every layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeTriggered {
    /// How far it is. Parts: noise, training images, mean gradients, covariance.
    pub progress: Progress,
    /// The layers, from the input on. Empty before it has begun.
    pub layers: Vec<LayerResponses>,
    /// The covariance of the chosen unit, if the plan has one.
    pub covariance: Option<Covariance>,
}

/// One layer. U units, receptive fields of h×w pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerResponses {
    /// Its name.
    pub name: String,
    /// U.
    pub units: usize,
    /// Rows and columns of a receptive field.
    pub receptive_field: (usize, usize),
    /// Whether its activations may be negative (no rectifier follows).
    pub signed: bool,
    /// The weights of a layer that sees the image itself: \[U,h,w\]; else empty.
    pub kernel: Array<f32>,
    /// Responses to noise.
    pub noise: Responses,
    /// Responses to training images.
    pub images: Responses,
    /// Mean gradients on noise.
    pub gradients: Gradients,
}

/// Sums over stimuli: for a convolution, over every position whose receptive field lies inside
/// the image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responses {
    /// Receptive fields seen, by parity of the block: \[2\].
    pub fields: [u64; 2],
    /// How often each unit's activation was above zero: \[U\].
    pub fired: Array<i64>,
    /// Σa in units of 1/[`FIXED_POINT`], by parity: \[2,U\].
    pub activation: Array<i64>,
    /// Σ|a|, the same way: \[2,U\]. Equal to Σa where activations are never negative.
    pub magnitude: Array<i64>,
    /// Σs over all receptive fields, by parity: \[2,h,w\].
    pub stimulus: Array<i64>,
    /// Σa·s, by parity: \[2,U,h,w\].
    pub weighted: Array<i64>,
}

/// Mean gradients of a layer's units by the pixels of their receptive field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gradients {
    /// The units that were taken; empty before.
    pub units: Vec<usize>,
    /// Receptive fields seen.
    pub fields: u64,
    /// Σ∇a in units of 1/[`FIXED_POINT`]: \[units taken,h,w\].
    pub sum: Array<i64>,
}

/// Spike-triggered covariance of one unit. P pixels of its receptive field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covariance {
    /// The unit.
    pub unit: config::Unit,
    /// Receptive fields seen.
    pub fields: u64,
    /// Σa, and the same of the shuffled responses, in units of 1/[`FIXED_POINT`].
    pub activation: [i64; 2],
    /// Σa·s and the same of the shuffled responses: \[2,P\].
    pub weighted: Array<i64>,
    /// Σa·s·sᵀ and the same of the shuffled responses: \[2,P,P\]. Emptied at the end.
    pub outer: Array<i64>,
    /// Variance of the prior along the axes found, ascending: the eigenvalues of the difference
    /// of the spike-triggered and the prior covariance. Empty before the end.
    pub eigenvalues: Vec<f64>,
    /// Smallest and largest eigenvalue of the shuffled responses.
    pub shuffled: Option<(f64, f64)>,
    /// The axes of the eigenvalues outside that range, most first, at most 8: \[axes,h,w\].
    pub axes: Array<f32>,
    /// The eigenvalues of the axes.
    pub significant: Vec<f64>,
}

impl Responses {
    /// Nothing seen yet.
    pub fn new(units: usize, (height, width): (usize, usize)) -> Self {
        Self {
            fields: [0; 2],
            fired: Array::zeros(&[units]),
            activation: Array::zeros(&[2, units]),
            magnitude: Array::zeros(&[2, units]),
            stimulus: Array::zeros(&[2, height, width]),
            weighted: Array::zeros(&[2, units, height, width]),
        }
    }

    fn fits(&self, units: usize, (height, width): (usize, usize)) -> bool {
        has_shape(&self.fired, &[units])
            && has_shape(&self.activation, &[2, units])
            && has_shape(&self.magnitude, &[2, units])
            && has_shape(&self.stimulus, &[2, height, width])
            && has_shape(&self.weighted, &[2, units, height, width])
    }
}

impl LayerResponses {
    fn fits(&self) -> bool {
        let (units, (height, width)) = (self.units, self.receptive_field);
        let taken = self.gradients.units.len();
        self.noise.fits(units, self.receptive_field)
            && self.images.fits(units, self.receptive_field)
            && (self.kernel.values().is_empty() && self.kernel.shape() == [0]
                || has_shape(&self.kernel, &[units, height, width]))
            && self.gradients.units.iter().all(|&unit| unit < units)
            && (taken == 0 || has_shape(&self.gradients.sum, &[taken, height, width]))
    }
}

impl SpikeTriggered {
    pub(super) fn new(_: &config::SpikeTriggered) -> Self {
        Self::default()
    }

    pub(super) fn fits(&self, _: &config::SpikeTriggered) -> bool {
        let parts = self.progress.blocks.len();
        (parts == 0 || parts == 4) && self.layers.iter().all(LayerResponses::fits)
    }
}

arrays!(Responses: fired, activation, magnitude, stimulus, weighted);
arrays!(Gradients: sum);
arrays!(LayerResponses: kernel, noise, images, gradients);
arrays!(Covariance: weighted, outer, axes);
arrays!(SpikeTriggered: layers, covariance);
