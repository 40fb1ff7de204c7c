//! Convolutions in training, with the max pooling and ReLU that follow them.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::Place;
use super::super::product::{load, store};
use super::super::team::each;
use super::Frames;
use super::adam::Parameter;
use super::filtering::Filtering;
use super::kernel::{Geometry, Kernel};
use super::memory::{Part, Pointer};

/// Output channels whose weight gradients for a row of `taps` taps are summed together: as many as leave registers for
/// the inputs.
fn channels(taps: usize) -> usize {
    match taps {
        5 => 4,
        _ => 6,
    }
}

/// Maximum input channels per task of the gradients of the weights.
const INPUTS: usize = 10;

/// A convolution with the max pooling and ReLU that follow it.
#[derive(Debug)]
pub struct Convolution {
    weight: usize,
    bias: usize,
    geometry: Geometry,
    from: Place,
    /// The sums, before pooling and ReLU; in the backward pass, their gradients.
    sums: Place,
    to: Place,
    /// The gradient of the output.
    gradient: Place,
    window: [usize; 2],
    relu: bool,
    forward: Kernel,
    back: Option<Kernel>,
    /// Computes the gradients of the weights if the convolution uses Winograd.
    filtering: Option<Filtering>,
}

impl Convolution {
    /// A convolution with its input, sums, output, and gradient of the output; `before` is the gradient of the input.
    pub fn new(
        [weight, bias]: [usize; 2],
        geometry: Geometry,
        [from, sums, to, gradient]: [Place; 4],
        before: Option<Place>,
        (window, relu): (Option<[usize; 2]>, bool),
        lanes: usize,
    ) -> Self {
        Self {
            weight,
            bias,
            geometry,
            from,
            sums,
            to,
            gradient,
            window: window.unwrap_or([1, 1]),
            relu,
            forward: Kernel::new(geometry, from, sums, lanes),
            filtering: Filtering::new(geometry, from, sums),
            back: before.map(|before| Kernel::back(geometry, sums, before, lanes)),
        }
    }

    /// Packs the weights for the kernels.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        let taps = self.geometry.taps;
        let values = &parameters[self.weight].values;
        let bias = parameters[self.bias].values.clone();
        self.forward.take(values, bias, lanes);
        if let Some(back) = &mut self.back {
            // Inputs and outputs are exchanged; kernels are rotated by 180° if the backward kernel is a plain convolution.
            let turns = back.turns();
            let area = taps * taps;
            let (inputs, outputs) = (self.from.channels, self.sums.channels);
            if self.geometry.apart {
                let kernels = values.chunks_exact(area);
                let turned = kernels.flat_map(|own| own.iter().rev()).copied();
                back.take(&turned.collect::<Vec<f32>>(), vec![0.0; inputs], lanes);
                return;
            }
            let mut turned = Vec::with_capacity(values.len());
            for input in 0..inputs {
                for output in 0..outputs {
                    let own = &values[(output * inputs + input) * area..][..area];
                    match turns {
                        true => turned.extend(own.iter().rev()),
                        false => turned.extend(own),
                    }
                }
            }
            back.take(&turned, vec![0.0; inputs], lanes);
        }
    }

    /// Where the sums lie and, in the backward pass, their gradients.
    pub fn sums(&self) -> Place {
        self.sums
    }

    /// The forward pass of a group: sums, pooling and ReLU.
    pub fn forward(&self, frames: &Frames, group: usize, lanes: Lanes) {
        self.forward.run(frames, group, lanes);
        lanes.arch().dispatch(Shrink {
            layer: self,
            frames: *frames,
            group,
        });
    }

    /// The backward pass of a group: gradients of the sums and of the input.
    pub fn backward(&self, frames: &Frames, group: usize, lanes: Lanes) {
        self.grow(frames, group, lanes);
        self.by_inputs(frames, group, lanes);
    }

    /// Gradients of the sums.
    pub fn grow(&self, frames: &Frames, group: usize, lanes: Lanes) {
        lanes.arch().dispatch(Grow {
            layer: self,
            frames: *frames,
            group,
        });
    }

    /// Gradients of the input, from those of the sums.
    pub fn by_inputs(&self, frames: &Frames, group: usize, lanes: Lanes) {
        if let Some(back) = &self.back {
            back.run(frames, group, lanes);
        }
    }

    /// Gradients of the weights, from those of the sums.
    pub fn by_weights(&mut self, frames: &Frames, parameters: &mut [Parameter], lanes: Lanes) {
        let outputs = self.sums.channels;
        let bias = Part(parameters[self.bias].gradient.as_mut_ptr());
        let layer = &*self;
        let added = frames.groups * lanes.count() * self.sums.numbers();
        each(outputs, added, |channel| {
            let frames = *frames;
            lanes.arch().dispatch(Bias {
                layer,
                frames,
                channel,
                bias,
            });
        });
        if let Some(filtering) = &mut self.filtering {
            filtering.by_weights(frames, &mut parameters[self.weight].gradient, lanes);
            return;
        }
        let layer = &*self;
        let weight = Part(parameters[self.weight].gradient.as_mut_ptr());
        let inputs = self.from.channels;
        let together = channels(self.geometry.taps);
        let pieces = inputs.div_ceil(INPUTS);
        let tasks = match self.geometry.apart {
            true => outputs,
            false => outputs.div_ceil(together) * pieces,
        };
        each(tasks, usize::MAX, |task| {
            let frames = *frames;
            let (first, count, inputs) = match layer.geometry.apart {
                true => (task, 1, task..task + 1),
                false => {
                    let (first, piece) = (task / pieces * together, task % pieces);
                    let inputs = inputs * piece / pieces..inputs * (piece + 1) / pieces;
                    (first, together.min(outputs - first), inputs)
                }
            };
            lanes.arch().dispatch(Weight {
                layer,
                frames,
                outputs: (first, count),
                inputs,
                weight,
            });
        });
    }
}

/// Max pooling and ReLU.
struct Shrink<'a> {
    layer: &'a Convolution,
    frames: Frames,
    group: usize,
}

impl WithSimd for Shrink<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let [high, wide] = own.window;
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        for channel in 0..own.to.channels {
            for row in 0..own.to.rows {
                for column in 0..own.to.columns {
                    let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                    for tap in 0..high * wide {
                        let (row, column) = (row * high + tap / wide, column * wide + tap % wide);
                        let place = own.sums.at + own.sums.offset(channel, row, column);
                        // SAFETY: as above.
                        most = simd.max_f32s(most, unsafe { load(simd, at(place)) });
                    }
                    if own.relu {
                        most = simd.max_f32s(most, simd.splat_f32s(0.0));
                    }
                    let place = own.to.at + own.to.offset(channel, row, column);
                    // SAFETY: as above.
                    unsafe { store(simd, at(place), most) };
                }
            }
        }
    }
}

/// The backward pass of max pooling and ReLU: routes the gradient of the output to the first maximum of every window, if
/// the ReLU passes it.
struct Grow<'a> {
    layer: &'a Convolution,
    frames: Frames,
    group: usize,
}

impl WithSimd for Grow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let [high, wide] = own.window;
        let zero = simd.splat_f32s(0.0);
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        // Sums outside all windows have no gradient.
        let rows = own.to.rows * high..own.sums.rows;
        let columns = own.to.columns * wide..own.sums.columns;
        for channel in 0..own.to.channels {
            for row in 0..own.sums.rows {
                for column in 0..own.sums.columns {
                    if rows.contains(&row) || columns.contains(&column) {
                        let place = own.sums.at + own.sums.offset(channel, row, column);
                        // SAFETY: as above.
                        unsafe { store(simd, at(place), zero) };
                    }
                }
            }
            for row in 0..own.to.rows {
                for column in 0..own.to.columns {
                    let place = |tap: usize| {
                        let (row, column) = (row * high + tap / wide, column * wide + tap % wide);
                        own.sums.at + own.sums.offset(channel, row, column)
                    };
                    let given = own.gradient.at + own.gradient.offset(channel, row, column);
                    // SAFETY: as above.
                    let mut gradient = unsafe { load(simd, at(given)) };
                    let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                    for tap in 0..high * wide {
                        // SAFETY: as above.
                        most = simd.max_f32s(most, unsafe { load(simd, at(place(tap))) });
                    }
                    if own.relu {
                        let through = simd.less_than_f32s(zero, most);
                        gradient = simd.select_f32s(through, gradient, zero);
                    }
                    for tap in 0..high * wide {
                        // SAFETY: as above.
                        unsafe {
                            let own = at(place(tap));
                            let hit = simd.equal_f32s(load(simd, own), most);
                            store(simd, own, simd.select_f32s(hit, gradient, zero));
                            gradient = simd.select_f32s(hit, zero, gradient);
                        }
                    }
                }
            }
        }
    }
}

/// The gradient of the bias of one channel.
struct Bias<'a> {
    layer: &'a Convolution,
    frames: Frames,
    channel: usize,
    bias: Pointer,
}

impl WithSimd for Bias<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let sums = &self.layer.sums;
        let mut sum = simd.splat_f32s(0.0);
        for group in 0..self.frames.groups {
            for row in 0..sums.rows {
                let first = sums.at + sums.offset(self.channel, row, 0);
                for column in 0..sums.columns {
                    // SAFETY: the sums lie in the frame, and nobody writes to them now.
                    sum = simd.add_f32s(sum, unsafe {
                        load(simd, self.frames.at(group, first + column, lanes))
                    });
                }
            }
        }
        // SAFETY: there is one bias per channel, and the channel belongs to this task.
        unsafe { *self.bias.0.add(self.channel) = simd.reduce_sum_f32s(sum) };
    }
}

/// The gradients of the kernels between some output channels and some input channels.
struct Weight<'a> {
    layer: &'a Convolution,
    frames: Frames,
    /// The first output channel, and their number.
    outputs: (usize, usize),
    inputs: Range<usize>,
    weight: Pointer,
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (first, count) = self.outputs;
        match (count, self.layer.geometry.taps) {
            (4, 5) => self.kernels::<S, 4, 5>(simd, first, 0),
            (2, 5) => self.kernels::<S, 2, 5>(simd, first, 0),
            (6, 3) => self.kernels::<S, 6, 3>(simd, first, 0),
            (4, 3) => self.kernels::<S, 4, 3>(simd, first, 0),
            (2, 3) => self.kernels::<S, 2, 3>(simd, first, 0),
            (1, 3) => self.kernels::<S, 1, 3>(simd, first, 0),
            (count, taps) => {
                for output in first..first + count {
                    for tap in 0..taps {
                        self.kernels::<S, 1, 1>(simd, output, tap);
                    }
                }
            }
        }
    }
}

/// Vectors of the sums' gradients that are processed at a time: half of an L1 cache with sixteen lanes.
const AT_ONCE: usize = 256;

impl Weight<'_> {
    /// T taps, from `tap` on, of every kernel row of O output channels. Works group by group and on a few rows at a time,
    /// so that the data stays in the cache for all inputs and tap rows.
    #[inline(always)]
    fn kernels<S: Simd, const O: usize, const T: usize>(&self, simd: S, first: usize, tap: usize) {
        let sums = &self.layer.sums;
        let taps = self.layer.geometry.taps;
        let mut all = vec![[[simd.splat_f32s(0.0); T]; O]; self.inputs.len() * taps];
        let rows = (AT_ONCE / (O * sums.columns).max(1)).max(1);
        for group in 0..self.frames.groups {
            for from in (0..sums.rows).step_by(rows) {
                let rows = from..sums.rows.min(from + rows);
                for (input, all) in self.inputs.clone().zip(all.chunks_exact_mut(taps)) {
                    for (tap_row, acc) in all.iter_mut().enumerate() {
                        let at = (group, first, input);
                        self.tile(simd, at, (tap_row, tap), rows.clone(), acc);
                    }
                }
            }
        }
        for (input, all) in self.inputs.clone().zip(all.chunks_exact(taps)) {
            for (tap_row, sums) in all.iter().enumerate() {
                self.write(simd, (first, input), (tap_row, tap), sums);
            }
        }
    }

    /// Adds the contribution of some rows of a group's images to some taps of a kernel row.
    #[inline(always)]
    fn tile<S: Simd, const O: usize, const T: usize>(
        &self,
        simd: S,
        (group, first, input): (usize, usize, usize),
        (tap_row, tap): (usize, usize),
        rows: Range<usize>,
        acc: &mut [[S::f32s; T]; O],
    ) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let (sums, from, pads) = (&own.sums, &own.from, own.geometry.pads);
        let step = sums.plane() * lanes;
        let mut kept = *acc;
        for row in rows {
            // The border of the input is at least the padding.
            let x = input * from.plane()
                + (row + tap_row + from.border.top - pads.top) * from.width()
                + tap
                + from.border.left
                - pads.left;
            let d = sums.offset(first, row, 0);
            // SAFETY: both tensors lie in the frame, and nobody writes to them now.
            unsafe {
                let mut x = self.frames.at(group, from.at + x, lanes).cast_const();
                let mut d = self.frames.at(group, sums.at + d, lanes).cast_const();
                for _ in 0..sums.columns {
                    let mut taken = [simd.splat_f32s(0.0); T];
                    for (t, taken) in taken.iter_mut().enumerate() {
                        *taken = load(simd, x.add(t * lanes));
                    }
                    for (o, kept) in kept.iter_mut().enumerate() {
                        let d = load(simd, d.add(o * step));
                        for t in 0..T {
                            kept[t] = simd.mul_add_f32s(d, taken[t], kept[t]);
                        }
                    }
                    x = x.add(lanes);
                    d = d.add(lanes);
                }
            }
        }
        *acc = kept;
    }

    /// Writes the gradients of some taps of a kernel row.
    #[inline(always)]
    fn write<S: Simd, const O: usize, const T: usize>(
        &self,
        simd: S,
        (first, input): (usize, usize),
        (tap_row, tap): (usize, usize),
        sums: &[[S::f32s; T]; O],
    ) {
        let taps = self.layer.geometry.taps;
        for (o, sums) in sums.iter().enumerate() {
            let kernel = match self.layer.geometry.apart {
                true => first + o,
                false => (first + o) * self.layer.from.channels + input,
            } * taps
                * taps;
            for (t, sum) in sums.iter().enumerate() {
                // SAFETY: the kernels of these channels belong to this task.
                unsafe {
                    let at = kernel + tap_row * taps + tap + t;
                    *self.weight.0.add(at) = simd.reduce_sum_f32s(*sum);
                }
            }
        }
    }
}

/// Writes scale·x + shift of a group's tensor to another tensor.
pub fn scale(
    frames: &Frames,
    (group, lanes): (usize, Lanes),
    (scale, shift): (f32, f32),
    from: &Place,
    to: &Place,
) {
    let count = lanes.count();
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
            for i in 0..from.columns * count {
                // SAFETY: both tensors lie in the frame of the group, which belongs to the caller.
                unsafe {
                    let x = *frames.at(group, from.at + a, count).add(i);
                    *frames.at(group, to.at + b, count).add(i) = scale * x + shift;
                }
            }
        }
    }
}
