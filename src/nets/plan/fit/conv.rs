//! Convolutions in training.

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

/// Output channels whose gradients by a row of so many taps are summed together: as many as leave registers for
/// what is read.
fn channels(taps: usize) -> usize {
    match taps {
        5 => 4,
        _ => 6,
    }
}

/// Input channels of a task of the gradients by weights.
const INPUTS: usize = 10;

/// A convolution with what follows it.
#[derive(Debug)]
pub struct Convolution {
    weight: usize,
    bias: usize,
    geometry: Geometry,
    from: Place,
    /// Its sums; on the way back the gradients by them.
    sums: Place,
    to: Place,
    /// The gradient by what it gives.
    gradient: Place,
    window: [usize; 2],
    relu: bool,
    forward: Kernel,
    back: Option<Kernel>,
    /// Where the gradients by weights are by minimal filtering.
    filtering: Option<Filtering>,
}

impl Convolution {
    /// Reads, sums, gives, and has the gradient by that in these places; `before` is that by what it reads.
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

    /// Brings the weights into the order in which they are read.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        let taps = self.geometry.taps;
        let values = &parameters[self.weight].values;
        let bias = parameters[self.bias].values.clone();
        self.forward.take(values, bias, lanes);
        if let Some(back) = &mut self.back {
            // Turned by 180° where it is a convolution too, inputs and outputs exchanged.
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

    /// Where its sums stand and, on the way back, the gradients by them.
    pub fn sums(&self) -> Place {
        self.sums
    }

    /// Sums, windows and rectifier of a group.
    pub fn forward(&self, frames: &Frames, group: usize, lanes: Lanes) {
        self.forward.run(frames, group, lanes);
        lanes.arch().dispatch(Shrink {
            layer: self,
            frames: *frames,
            group,
        });
    }

    /// Gradients of a group by its sums and by what it reads.
    pub fn backward(&self, frames: &Frames, group: usize, lanes: Lanes) {
        self.grow(frames, group, lanes);
        self.by_inputs(frames, group, lanes);
    }

    /// Gradients by its sums.
    pub fn grow(&self, frames: &Frames, group: usize, lanes: Lanes) {
        lanes.arch().dispatch(Grow {
            layer: self,
            frames: *frames,
            group,
        });
    }

    /// Gradients by what it reads, once those by its sums are there.
    pub fn by_inputs(&self, frames: &Frames, group: usize, lanes: Lanes) {
        if let Some(back) = &self.back {
            back.run(frames, group, lanes);
        }
    }

    /// Gradients by its weights, once those by its sums are there.
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

/// The most of every window, rectified.
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
        // SAFETY: values stand in the frame of the group, which is this task's.
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

/// The gradient by what a layer gives, brought to the first of the greatest sums of every window, where a
/// rectifier lets it through.
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
        // SAFETY: values stand in the frame of the group, which is this task's.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        // Sums that no window sees have no gradient.
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

/// The gradient by the bias of a channel.
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
                    // SAFETY: sums stand in the frame; nobody writes them now.
                    sum = simd.add_f32s(sum, unsafe {
                        load(simd, self.frames.at(group, first + column, lanes))
                    });
                }
            }
        }
        // SAFETY: a bias a channel, and the channel is this task's.
        unsafe { *self.bias.0.add(self.channel) = simd.reduce_sum_f32s(sum) };
    }
}

/// The gradients by the kernels between some output and some input channels.
struct Weight<'a> {
    layer: &'a Convolution,
    frames: Frames,
    /// The first output channel, and how many.
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

/// Vectors of the gradients by the sums that are read before others: half of a first cache of sixteen lanes.
const AT_ONCE: usize = 256;

impl Weight<'_> {
    /// T taps from one on of every row of the kernels of O output channels. Group by group and some rows at a
    /// time, so that what is read stays in the cache for all inputs and rows of taps.
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

    /// Adds what some rows of the images of a group say of some taps of a row.
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
            // The border of what is read is at least the padding.
            let x = input * from.plane()
                + (row + tap_row + from.border.top - pads.top) * from.width()
                + tap
                + from.border.left
                - pads.left;
            let d = sums.offset(first, row, 0);
            // SAFETY: both values stand in the frame; nobody writes them now.
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

    /// Writes the gradients of some taps of a row.
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
                // SAFETY: the kernels of these channels are this task's.
                unsafe {
                    let at = kernel + tap_row * taps + tap + t;
                    *self.weight.0.add(at) = simd.reduce_sum_f32s(*sum);
                }
            }
        }
    }
}

/// scale·x + shift of a value of a group into another place.
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
                // SAFETY: both values stand in the frame of the group, which is the caller's.
                unsafe {
                    let x = *frames.at(group, from.at + a, count).add(i);
                    *frames.at(group, to.at + b, count).add(i) = scale * x + shift;
                }
            }
        }
    }
}
