//! Batch normalization in training, using the statistics of the batch (Ioffe & Szegedy 2015).

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::product::{load, store};
use super::super::team;
use super::BatchMemory;
use super::adam::Parameter;
use super::memory::{DisjointPointer, FloatPointer};

/// The weight of a batch in the running statistics, as in Burn and PyTorch.
const MOMENTUM: f32 = 0.1;

/// Indices of a normalization's parameters.
#[derive(Debug, Clone, Copy)]
pub struct NormParameters {
    pub scale: usize,
    pub shift: usize,
    /// Running mean and variance, which gradients do not update.
    pub mean: usize,
    pub variance: usize,
}

/// A batch normalization layer.
#[derive(Debug)]
pub struct Norm {
    parameters: NormParameters,
    epsilon: f64,
    from: TensorSlot,
    to: TensorSlot,
    /// The gradients of the output and of the input.
    gradient: TensorSlot,
    input_gradient: TensorSlot,
    /// Mean and variance of every channel in this batch.
    batch: Vec<(f32, f32)>,
}

impl Norm {
    /// A layer with its input, its output, and the gradients of output and input.
    pub fn new(
        parameters: NormParameters,
        epsilon: f64,
        [from, to, gradient, input_gradient]: [TensorSlot; 4],
    ) -> Self {
        Self {
            parameters,
            epsilon,
            from,
            to,
            gradient,
            input_gradient,
            batch: Vec::new(),
        }
    }

    /// 1/√(variance + ε).
    fn inverse(&self, variance: f32) -> f32 {
        (1.0 / (f64::from(variance) + self.epsilon).sqrt()) as f32
    }

    /// The forward pass, using the statistics of the batch.
    pub fn forward(&mut self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        let mut batch = vec![(0.0, 0.0); self.from.channels];
        let layer = &*self;
        let statistics_of_channels = DisjointPointer(batch.as_mut_ptr());
        team::run_tasks(batch.len(), usize::MAX, |channel| {
            let statistics = &mut statistics_of_channels.slice(channel, 1)[0];
            let moment = |centre: f32, squared: bool| {
                lanes.arch().dispatch(Moment {
                    frames: *frames,
                    tensor: &layer.from,
                    channel,
                    centre,
                    squared,
                })
            };
            let mean = moment(0.0, false) as f32;
            // Subtract the mean first, so that a large mean costs no precision.
            *statistics = (mean, moment(mean, true) as f32);
            let factor =
                parameters[layer.parameters.scale].values[channel] * layer.inverse(statistics.1);
            let shift = parameters[layer.parameters.shift].values[channel];
            lanes.arch().dispatch(Forward {
                layer,
                frames: *frames,
                channel,
                mean,
                factor,
                shift,
            });
        });
        self.batch = batch;
    }

    /// Gradients of the weights and of the input.
    pub fn backward(&self, frames: &BatchMemory, parameters: &mut [Parameter], lanes: Lanes) {
        let scale = DisjointPointer(parameters[self.parameters.scale].gradient.as_mut_ptr());
        let shift = DisjointPointer(parameters[self.parameters.shift].gradient.as_mut_ptr());
        let values = &parameters[self.parameters.scale].values;
        team::run_tasks(self.from.channels, usize::MAX, |channel| {
            let (mean, variance) = self.batch[channel];
            lanes.arch().dispatch(Backward {
                layer: self,
                frames: *frames,
                channel,
                mean,
                inverse: self.inverse(variance),
                factor: values[channel] * self.inverse(variance),
                gradients: [scale, shift],
            });
        });
    }

    /// Updates the running statistics from the batch.
    pub fn update_statistics(&self, parameters: &mut [Parameter]) {
        for (channel, (mean, variance)) in self.batch.iter().enumerate() {
            for (parameter, value) in [
                (self.parameters.mean, mean),
                (self.parameters.variance, variance),
            ] {
                let running = &mut parameters[parameter].values[channel];
                *running = (1.0 - MOMENTUM) * *running + MOMENTUM * value;
            }
        }
    }
}

/// Calls `run` with the group, row and column of every vector of a channel.
#[inline(always)]
fn for_each_vector(groups: usize, slot: &TensorSlot, mut run: impl FnMut(usize, usize, usize)) {
    for group in 0..groups {
        for row in 0..slot.rows {
            for column in 0..slot.columns {
                run(group, row, column);
            }
        }
    }
}

/// The mean over images and positions of a channel minus a centre, or of the square of that difference.
struct Moment<'a> {
    frames: BatchMemory,
    tensor: &'a TensorSlot,
    channel: usize,
    centre: f32,
    squared: bool,
}

impl WithSimd for Moment<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let lanes = S::F32_LANES;
        let centre = simd.splat_f32s(self.centre);
        let mut total = 0.0;
        for group in 0..self.frames.groups {
            for row in 0..self.tensor.rows {
                let mut sum = simd.splat_f32s(0.0);
                let first = self.tensor.origin + self.tensor.offset(self.channel, row, 0);
                for column in 0..self.tensor.columns {
                    // SAFETY: the tensor lies in the frame, and nobody writes to it now.
                    let x = unsafe { load(simd, self.frames.at(group, first + column, lanes)) };
                    let x = simd.sub_f32s(x, centre);
                    sum = match self.squared {
                        true => simd.mul_add_f32s(x, x, sum),
                        false => simd.add_f32s(sum, x),
                    };
                }
                let mut lane_sums = [0.0_f32; 16];
                simd.partial_store_f32s(&mut lane_sums[..lanes], sum);
                let images = self.frames.images_of(group, lanes);
                total += lane_sums[..images]
                    .iter()
                    .map(|&sum| f64::from(sum))
                    .sum::<f64>();
            }
        }
        total / (self.frames.images * self.tensor.rows * self.tensor.columns).max(1) as f64
    }
}

/// Computes scale·(x − mean)/√(variance + ε) + shift for one channel.
struct Forward<'a> {
    layer: &'a Norm,
    frames: BatchMemory,
    channel: usize,
    mean: f32,
    factor: f32,
    shift: f32,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let (from, to) = (&self.layer.from, &self.layer.to);
        let (mean, factor) = (simd.splat_f32s(self.mean), simd.splat_f32s(self.factor));
        let shift = simd.splat_f32s(self.shift);
        for_each_vector(self.frames.groups, from, |group, row, column| {
            // SAFETY: both tensors lie in the frame; the channel belongs to this task.
            unsafe {
                let offset = from.origin + from.offset(self.channel, row, column);
                let x = load(simd, self.frames.at(group, offset, lanes));
                let y = simd.mul_add_f32s(simd.sub_f32s(x, mean), factor, shift);
                let offset = to.origin + to.offset(self.channel, row, column);
                store(simd, self.frames.at(group, offset, lanes), y);
            }
        });
    }
}

/// The backward pass of one channel.
struct Backward<'a> {
    layer: &'a Norm,
    frames: BatchMemory,
    channel: usize,
    mean: f32,
    inverse: f32,
    factor: f32,
    /// Gradients of scale and shift.
    gradients: [FloatPointer; 2],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let Norm {
            from,
            gradient,
            input_gradient,
            ..
        } = self.layer;
        let (mean, inverse) = (simd.splat_f32s(self.mean), simd.splat_f32s(self.inverse));
        // SAFETY: both tensors lie in the frame; the channel belongs to this task.
        let normalized_and_gradient = |group: usize, row: usize, column: usize| unsafe {
            let offset = from.origin + from.offset(self.channel, row, column);
            let x = load(simd, self.frames.at(group, offset, lanes));
            let offset = gradient.origin + gradient.offset(self.channel, row, column);
            let d = load(simd, self.frames.at(group, offset, lanes));
            (simd.mul_f32s(simd.sub_f32s(x, mean), inverse), d)
        };
        // Σd and Σd·x̂. In lanes without an image, d is zero.
        let (mut d_sum, mut dx_sum) = (0.0_f64, 0.0_f64);
        for group in 0..self.frames.groups {
            for row in 0..from.rows {
                let mut sums = [simd.splat_f32s(0.0); 2];
                for column in 0..from.columns {
                    let (x, d) = normalized_and_gradient(group, row, column);
                    sums[0] = simd.add_f32s(sums[0], d);
                    sums[1] = simd.mul_add_f32s(d, x, sums[1]);
                }
                d_sum += f64::from(simd.reduce_sum_f32s(sums[0]));
                dx_sum += f64::from(simd.reduce_sum_f32s(sums[1]));
            }
        }
        let [scale, shift] = self.gradients;
        // SAFETY: there is one number per channel, and the channel belongs to this task.
        unsafe {
            *scale.0.add(self.channel) = dx_sum as f32;
            *shift.0.add(self.channel) = d_sum as f32;
        }
        let count = (self.frames.images * from.rows * from.columns).max(1) as f64;
        let (d_mean, dx_mean) = ((d_sum / count) as f32, (dx_sum / count) as f32);
        let (d_mean, dx_mean) = (simd.splat_f32s(d_mean), simd.splat_f32s(dx_mean));
        let factor = simd.splat_f32s(self.factor);
        for_each_vector(self.frames.groups, from, |group, row, column| {
            let (x, d) = normalized_and_gradient(group, row, column);
            let input_d = simd.sub_f32s(simd.sub_f32s(d, d_mean), simd.mul_f32s(x, dx_mean));
            let mut input_d = simd.mul_f32s(factor, input_d);
            let images = self.frames.images_of(group, lanes);
            if images < lanes {
                // Lanes without an image pass on no gradient.
                let mut lane_values = [0.0_f32; 16];
                simd.partial_store_f32s(&mut lane_values[..lanes], input_d);
                lane_values[images..].fill(0.0);
                input_d = simd.partial_load_f32s(&lane_values[..lanes]);
            }
            let offset = input_gradient.origin + input_gradient.offset(self.channel, row, column);
            // SAFETY: as above.
            unsafe { store(simd, self.frames.at(group, offset, lanes), input_d) };
        });
    }
}
