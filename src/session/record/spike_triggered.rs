//! The record of spike-triggered analysis: activations and the stimuli that caused them.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{BlockProgress, Covariance, arrays, has_shape};
use crate::ids::BlockIndex;
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::{Form, Shape};
use crate::stats::spike_triggered::{self, GradientSums, LayerEstimate, StaSums};
use crate::stats::sums::add;

/// Sums for the spike-triggered averages of every layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeTriggered {
    /// Progress. Parts: noise, training images, mean gradients, covariance.
    pub progress: BlockProgress,
    /// The layers, from the input on. Empty before it has begun.
    pub layers: Vec<LayerResponses>,
    /// The covariance of the chosen unit, if the plan has one.
    pub covariance: Option<Covariance>,
}

/// One layer. U units, receptive fields of C×h×w numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerResponses {
    /// Its name.
    pub name: String,
    /// U.
    pub units: usize,
    /// Rows and columns of a receptive field.
    pub receptive_field: (usize, usize),
    /// C: channels of the images.
    #[serde(default = "one")]
    pub channels: usize,
    /// Whether its activations can be negative (no rectifier follows).
    pub signed: bool,
    /// The weights of a layer that receives the image directly: \[U,C,h,w\]; otherwise empty.
    pub kernel: Array<f32>,
    /// Responses to noise.
    pub noise: UnitResponses,
    /// Responses to training images.
    pub images: UnitResponses,
    /// Mean gradients on noise.
    pub gradients: Gradients,
    /// The cached estimate; clones share it until one of them adds to its sums.
    #[serde(skip)]
    estimate: Arc<OnceLock<Arc<LayerEstimate>>>,
    /// Whether the sums were dropped because they are kept elsewhere.
    #[serde(skip)]
    dropped_sums: bool,
}

/// Sums over stimuli: for a convolution, over every position whose receptive field lies inside the
/// image. Stimuli are centred on ½, the mean of the noise, to keep the sums small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Responses")]
pub struct UnitResponses {
    /// Receptive fields counted, by parity of the block: \[2\].
    pub fields: [u64; 2],
    /// How often each unit's activation was above zero, or, if it can be negative, not zero: \[U\].
    pub fired: Array<i64>,
    /// Σa in units of 1/[`FIXED_POINT`](super::FIXED_POINT), by parity: \[2,U\].
    pub activation: Array<i64>,
    /// Σ|a|, in the same layout: \[2,U\]. Equal to Σa if activations are never negative. Averages use
    /// Σ|a|, since Σa of signed activations may be close to zero.
    pub magnitude: Array<i64>,
    /// Σ(s−½) over all receptive fields, in the same units, by parity: \[2,C,h,w\].
    pub stimulus: Array<i64>,
    /// Σa·(s−½), in the same units, by parity: \[2,U,C,h,w\].
    pub weighted: Array<i64>,
}

/// A block's contribution to [`UnitResponses`], in the same units, for one parity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockResponses {
    /// Receptive fields counted.
    pub fields: u64,
    /// How often each unit fired: \[U\].
    pub fired: Vec<i64>,
    /// Σa: \[U\].
    pub activation: Vec<i64>,
    /// Σ|a|: \[U\].
    pub magnitude: Vec<i64>,
    /// Σ(s−½): \[C·h·w\].
    pub stimulus: Vec<i64>,
    /// Σa·(s−½): \[U,C·h·w\].
    pub weighted: Vec<i64>,
}

/// Mean gradients of a layer's units with respect to the pixels of their receptive field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gradients {
    /// The selected units; empty before selection.
    pub units: Vec<usize>,
    /// Receptive fields counted.
    pub fields: u64,
    /// Σ∇a in units of 1/[`FIXED_POINT`](super::FIXED_POINT): \[selected units,C,h,w\].
    pub sum: Array<i64>,
}

/// Images of version 1 had one channel.
pub(super) fn one() -> usize {
    1
}

impl UnitResponses {
    /// A record without stimuli.
    pub fn new(units: usize, [c, h, w]: Shape) -> Self {
        Self {
            fields: [0; 2],
            fired: Array::zeros(&[units]),
            activation: Array::zeros(&[2, units]),
            magnitude: Array::zeros(&[2, units]),
            stimulus: Array::zeros(&[2, c, h, w]),
            weighted: Array::zeros(&[2, units, c, h, w]),
        }
    }

    /// Adds a block's sums. Integers, so the order of blocks does not matter.
    fn add(&mut self, block: BlockIndex, sums: &BlockResponses) {
        let parity = (block.0 % 2) as usize;
        self.fields[parity] = self.fields[parity].saturating_add(sums.fields);
        add_at(&mut self.fired, 0, &sums.fired);
        add_at(&mut self.activation, parity, &sums.activation);
        add_at(&mut self.magnitude, parity, &sums.magnitude);
        add_at(&mut self.stimulus, parity, &sums.stimulus);
        add_at(&mut self.weighted, parity, &sums.weighted);
    }

    fn sums(&self) -> StaSums<'_> {
        StaSums {
            fields: self.fields,
            fired: self.fired.values(),
            activation: self.activation.values(),
            magnitude: self.magnitude.values(),
            stimulus: self.stimulus.values(),
            weighted: self.weighted.values(),
        }
    }

    fn fits(&self, units: usize, [c, h, w]: Shape) -> bool {
        has_shape(&self.fired, &[units])
            && has_shape(&self.activation, &[2, units])
            && has_shape(&self.magnitude, &[2, units])
            && has_shape(&self.stimulus, &[2, c, h, w])
            && has_shape(&self.weighted, &[2, units, c, h, w])
    }
}

/// Adds to the part of an array that begins at `place` times the length of `more`.
pub(super) fn add_at(array: &mut Array<i64>, place: usize, more: &[i64]) {
    add(&mut array.values_mut()[place * more.len()..], more);
}

impl LayerResponses {
    /// A layer without stimuli. `field`: channels, rows and columns of a receptive field; `kernel`,
    /// \[U,C,h,w\], if it receives the image directly.
    pub fn new(
        name: &str,
        units: usize,
        field: Shape,
        signed: bool,
        kernel: Option<Vec<f32>>,
    ) -> Self {
        let [channels, height, width] = field;
        Self {
            name: name.to_owned(),
            units,
            receptive_field: (height, width),
            channels,
            signed,
            kernel: kernel
                .map(|values| Array::new(&[units, channels, height, width], values))
                .unwrap_or_default(),
            noise: UnitResponses::new(units, field),
            images: UnitResponses::new(units, field),
            gradients: Gradients::default(),
            estimate: Arc::default(),
            dropped_sums: false,
        }
    }

    /// Channels, rows and columns of a receptive field.
    pub fn field(&self) -> Shape {
        let (height, width) = self.receptive_field;
        [self.channels, height, width]
    }

    /// Discards the cached estimate after the sums have changed.
    pub(super) fn invalidate_estimate(&mut self) {
        self.estimate = Arc::default();
    }

    /// Adds a block of noise trials.
    pub fn add_noise(&mut self, block: BlockIndex, sums: &BlockResponses) {
        self.noise.add(block, sums);
        self.estimate = Arc::default();
    }

    /// Adds a block of training images.
    pub fn add_images(&mut self, block: BlockIndex, sums: &BlockResponses) {
        self.images.add(block, sums);
        self.estimate = Arc::default();
    }

    /// Selects the units whose gradients are measured. Previous gradients are discarded.
    pub fn select_gradient_units(&mut self, units: Vec<usize>) {
        let [c, h, w] = self.field();
        self.gradients = Gradients {
            sum: Array::zeros(&[units.len(), c, h, w]),
            units,
            fields: 0,
        };
        self.estimate = Arc::default();
    }

    /// Adds the gradients over `fields` receptive fields, Σ∇a in units of 1/[`FIXED_POINT`](super::FIXED_POINT): \[selected
    /// units,C·h·w\].
    pub fn add_gradients(&mut self, fields: u64, sums: &[i64]) {
        self.gradients.fields = self.gradients.fields.saturating_add(fields);
        add_at(&mut self.gradients.sum, 0, sums);
        self.estimate = Arc::default();
    }

    /// Computes the estimate, then drops the large sums.
    pub(super) fn drop_sums(&mut self) {
        if !self.dropped_sums {
            self.estimate();
        }
        self.discard_sums();
    }

    /// Drops the large sums without computing the estimate.
    pub(super) fn discard_sums(&mut self) {
        self.dropped_sums = true;
        for sums in [
            &mut self.noise.weighted,
            &mut self.images.weighted,
            &mut self.gradients.sum,
        ] {
            *sums = Array::default();
        }
    }

    /// Stores an estimate whose sums are kept elsewhere; `false` if it does not fit this layer.
    pub(super) fn set_estimate(&mut self, estimate: Arc<LayerEstimate>) -> bool {
        // The record of a peer may contain any shape.
        let pixels = self.field().into_iter().fold(1, usize::saturating_mul);
        let fits = estimate.fits(self.units, pixels);
        self.discard_sums();
        self.estimate = Arc::new(OnceLock::from(estimate));
        fits
    }

    /// Averages and their reliability, computed once per state of the sums.
    pub fn estimate(&self) -> Arc<LayerEstimate> {
        if self.dropped_sums && self.estimate.get().is_none() {
            return Arc::default();
        }
        Arc::clone(self.estimate.get_or_init(|| {
            let gradients = GradientSums {
                units: &self.gradients.units,
                fields: self.gradients.fields,
                sum: self.gradients.sum.values(),
            };
            Arc::new(spike_triggered::estimate(
                &self.noise.sums(),
                &self.images.sums(),
                self.kernel.values(),
                &gradients,
            ))
        }))
    }

    fn fits(&self) -> bool {
        let (units, field) = (self.units, self.field());
        let [c, h, w] = field;
        let taken = self.gradients.units.len();
        let dropped = self.dropped_sums;
        let counted = |responses: &UnitResponses| {
            let [even, odd] = responses.fields;
            even.checked_add(odd).is_some()
        };
        counted(&self.noise)
            && counted(&self.images)
            && (dropped || self.noise.fits(units, field) && self.images.fits(units, field))
            && (has_shape(&self.kernel, &[0]) || has_shape(&self.kernel, &[units, c, h, w]))
            && self.gradients.units.iter().all(|&unit| unit < units)
            && (dropped || taken == 0 || has_shape(&self.gradients.sum, &[taken, c, h, w]))
    }
}

impl PartialEq for LayerResponses {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.units == other.units
            && self.receptive_field == other.receptive_field
            && self.channels == other.channels
            && self.signed == other.signed
            && self.kernel == other.kernel
            && self.noise == other.noise
            && self.images == other.images
            && self.gradients == other.gradients
    }
}

impl SpikeTriggered {
    pub(super) fn new(_: &config::SpikeTriggered) -> Self {
        Self::default()
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::SpikeTriggered) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::SpikeTriggered, form: Option<&Form>) -> bool {
        let channels = form.map_or(0, |form| form.channels);
        let parts = self.progress.blocks.len();
        let covariance = match (&self.covariance, &plan.covariance) {
            (Some(covariance), Some(unit)) => covariance.fits(unit),
            (Some(_), None) => false,
            (None, _) => parts == 0 || plan.covariance.is_none(),
        };
        (parts == 0 || parts == 4)
            && covariance
            && self
                .layers
                .iter()
                .all(|layer| layer.channels == channels && layer.fits())
    }
}

arrays!(UnitResponses: fired, activation, magnitude, stimulus, weighted);
arrays!(Gradients: sum);
arrays!(LayerResponses: kernel, noise, images, gradients);
arrays!(SpikeTriggered: layers, covariance);

#[cfg(test)]
mod tests;
