//! Convolutions in training.

use std::cell::RefCell;
use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::Lanes;
use super::super::layout::{self, Place};
use super::super::product::{
    Activation, Multiply, POSITIONS, Part, Positions, Product, load, packed, store, tiles,
};
use super::super::winograd::{self, LEAST_CHANNELS, OUTPUTS, Transform, Winograd};
use super::Frames;
use super::adam::Parameter;
use super::memory::Pointer;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Pads;

/// Numbers of k that are summed over all tiles before the next.
const BLOCK: usize = 256;

/// Output channels whose gradients are summed together.
const CHANNELS: usize = 5;

/// A square kernel and the zeros around what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub taps: usize,
    pub pads: Pads,
}

impl Geometry {
    /// The border that what it reads needs.
    pub fn border(taps: usize, pads: Pads, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        Self { taps, pads }.border_of(inputs, outputs)
    }

    /// The border that inputs \[C,H,W\] need for outputs \[C,H,W\].
    pub fn border_of(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let Pads {
            top,
            left,
            bottom,
            right,
        } = self.pads;
        if !self.is_winograd(inputs[0], outputs[0]) {
            return self.pads;
        }
        // Tiles of outputs may reach past the last one.
        let beyond = |before: usize, input: usize, output: usize| {
            (output.next_multiple_of(OUTPUTS) + self.taps - 1).saturating_sub(before + input)
        };
        Pads {
            top,
            left,
            bottom: bottom.max(beyond(top, inputs[1], outputs[1])),
            right: right.max(beyond(left, inputs[2], outputs[2])),
        }
    }

    fn is_winograd(self, inputs: usize, outputs: usize) -> bool {
        Transform::new(self.taps).is_some() && inputs.min(outputs) >= LEAST_CHANNELS
    }

    /// The convolution that takes gradients by the outputs to those by the inputs.
    pub fn back(self) -> Self {
        let other = |pad: usize| self.taps - 1 - pad;
        Self {
            taps: self.taps,
            pads: Pads {
                top: other(self.pads.top),
                left: other(self.pads.left),
                bottom: other(self.pads.bottom),
                right: other(self.pads.right),
            },
        }
    }
}

/// A convolution without groups and strides, by whichever kernel is faster.
#[derive(Debug)]
enum Kernel {
    Direct(Box<Product>),
    Winograd(Box<Winograd>),
}

impl Kernel {
    fn new(geometry: Geometry, from: Place, to: Place, lanes: usize) -> Self {
        let (inputs, outputs) = (from.channels, to.channels);
        let base = |row: usize, column: usize| {
            let row = row + from.border.top - geometry.pads.top;
            let column = column + from.border.left - geometry.pads.left;
            (row * from.width() + column) * lanes
        };
        let tiles = tiles(outputs);
        let transform = Transform::new(geometry.taps);
        if let Some(transform) = transform.filter(|_| geometry.is_winograd(inputs, outputs)) {
            let rows = (0..to.rows).step_by(OUTPUTS);
            let all: Vec<(usize, usize, usize)> = rows
                .flat_map(|row| {
                    let columns = (0..to.columns).step_by(OUTPUTS);
                    columns.map(move |column| (base(row, column), row, column))
                })
                .collect();
            let quads = all.chunks(POSITIONS);
            let places = quads.map(|quad| std::array::from_fn(|i| quad[i.min(quad.len() - 1)]));
            return Self::Winograd(Box::new(Winograd {
                node: NodeId(0),
                from,
                to,
                transform,
                tiles: tiles.into(),
                weights: Arc::new([]),
                bias: Arc::new([]),
                places: places.collect(),
                size: (to.rows, to.columns),
                pooled: false,
                activation: Activation::None,
            }));
        }
        let taps = geometry.taps;
        let area = taps * taps;
        let tap = |at: usize| {
            let (channel, row, column) = (at / area, at % area / taps, at % taps);
            (channel * from.plane() + row * from.width() + column) * lanes
        };
        let all: Vec<(usize, usize)> = (0..to.rows)
            .flat_map(|row| (0..to.columns).map(move |column| (row, column)))
            .collect();
        let quads = all.chunks(POSITIONS).map(|quad| {
            let at = |i: usize| quad[i.min(quad.len() - 1)];
            let bases = std::array::from_fn(|i| base(at(i).0, at(i).1));
            let places = std::array::from_fn(|i| to.offset(0, at(i).0, at(i).1) * lanes);
            (bases, places)
        });
        let step = (BLOCK / area).max(1);
        Self::Direct(Box::new(Product {
            node: NodeId(0),
            from,
            to,
            parts: vec![Part {
                first: 0,
                shift: 0,
                weights: 0,
            }],
            tiles,
            weights: Arc::new([]),
            bias: Arc::new([]),
            offsets: (0..inputs * area).map(tap).collect(),
            blocks: (0..inputs)
                .step_by(step)
                .map(|first| first * area..(first + step).min(inputs) * area)
                .collect(),
            positions: Positions::Each(quads.collect()),
            activation: Activation::None,
        }))
    }

    /// Takes weights: the kernel of an output and an input channel, row-major.
    fn take(&mut self, kernels: &[f32], bias: Vec<f32>, lanes: Lanes) {
        match self {
            Self::Direct(own) => {
                let k = own.offsets.len();
                let weight = |_: usize, channel: usize, at: usize| kernels[channel * k + at];
                own.weights = packed(1, &own.tiles, &own.blocks, weight).into();
                own.bias = bias.into();
            }
            Self::Winograd(own) => {
                let inputs = own.from.channels;
                let packed = own.transform.packed(kernels, inputs, &own.tiles, lanes);
                own.weights = packed.into();
                own.bias = bias.into();
            }
        }
    }

    /// Convolves every group.
    fn run(&self, frames: &Frames, lanes: Lanes) {
        let room = match self {
            Self::Direct(own) => own.sums(lanes.count()),
            Self::Winograd(own) => own.room(lanes.count()),
        };
        (0..frames.groups).into_par_iter().for_each(|group| {
            let memory = frames.pointer.0;
            let layout = layout::Frames {
                local: 0,
                frame: frames.frame,
            };
            with_room(room, |room| match self {
                Self::Direct(product) => lanes.arch().dispatch(Multiply {
                    product,
                    frames: layout,
                    group,
                    memory,
                    sums: room,
                }),
                Self::Winograd(winograd) => lanes.arch().dispatch(winograd::OnGroup {
                    winograd,
                    frames: layout,
                    group,
                    memory,
                    room,
                }),
            });
        });
    }
}

thread_local! {
    static ROOM: RefCell<Vec<[f32; 16]>> = const { RefCell::new(Vec::new()) };
}

/// Room for so many floats, which this thread keeps.
fn with_room(floats: usize, run: impl FnOnce(*mut f32)) {
    ROOM.with_borrow_mut(|room| {
        // One line more, so that vectors can begin where they should.
        room.resize(room.len().max(floats.div_ceil(16) + 1), [0.0; 16]);
        let start = room.as_mut_ptr().cast::<f32>();
        run(start.wrapping_add(start.align_offset(64)));
    });
}

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
            back: before.map(|before| Kernel::new(geometry.back(), sums, before, lanes)),
        }
    }

    /// Brings the weights into the order in which they are read.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        let taps = self.geometry.taps;
        let values = &parameters[self.weight].values;
        let bias = parameters[self.bias].values.clone();
        self.forward.take(values, bias, lanes);
        if let Some(back) = &mut self.back {
            // Turned by 180°, inputs and outputs exchanged.
            let area = taps * taps;
            let (inputs, outputs) = (self.from.channels, self.sums.channels);
            let mut turned = Vec::with_capacity(values.len());
            for input in 0..inputs {
                for output in 0..outputs {
                    let own = &values[(output * inputs + input) * area..][..area];
                    turned.extend(own.iter().rev());
                }
            }
            back.take(&turned, vec![0.0; inputs], lanes);
        }
    }

    /// Sums, windows and rectifier.
    pub fn forward(&self, frames: &Frames, lanes: Lanes) {
        self.forward.run(frames, lanes);
        (0..frames.groups).into_par_iter().for_each(|group| {
            let (layer, frames) = (self, *frames);
            lanes.arch().dispatch(Shrink {
                layer,
                frames,
                group,
            });
        });
    }

    /// Gradients by its sums, its weights and what it reads.
    pub fn backward(&self, frames: &Frames, parameters: &mut [Parameter], lanes: Lanes) {
        self.grow(frames, lanes);
        self.by_weights(frames, parameters, lanes);
        self.by_inputs(frames, lanes);
    }

    /// Gradients by its sums.
    pub fn grow(&self, frames: &Frames, lanes: Lanes) {
        (0..frames.groups).into_par_iter().for_each(|group| {
            let (layer, frames) = (self, *frames);
            lanes.arch().dispatch(Grow {
                layer,
                frames,
                group,
            });
        });
    }

    /// Gradients by its weights, once those by its sums are there.
    pub fn by_weights(&self, frames: &Frames, parameters: &mut [Parameter], lanes: Lanes) {
        let outputs = self.sums.channels;
        let bias = Pointer(parameters[self.bias].gradient.as_mut_ptr());
        (0..outputs).into_par_iter().for_each(|channel| {
            let (layer, frames) = (self, *frames);
            lanes.arch().dispatch(Bias {
                layer,
                frames,
                channel,
                bias,
            });
        });
        let weight = Pointer(parameters[self.weight].gradient.as_mut_ptr());
        let tiles = outputs.div_ceil(CHANNELS);
        (0..tiles * self.from.channels)
            .into_par_iter()
            .for_each(|task| {
                let (layer, frames) = (self, *frames);
                let first = task / self.from.channels * CHANNELS;
                lanes.arch().dispatch(Weight {
                    layer,
                    frames,
                    outputs: (first, CHANNELS.min(outputs - first)),
                    input: task % self.from.channels,
                    weight,
                });
            });
    }

    /// Gradients by what it reads, once those by its sums are there.
    pub fn by_inputs(&self, frames: &Frames, lanes: Lanes) {
        if let Some(back) = &self.back {
            back.run(frames, lanes);
        }
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

/// The gradients by the kernels between some output channels and an input channel.
struct Weight<'a> {
    layer: &'a Convolution,
    frames: Frames,
    /// The first output channel, and how many.
    outputs: (usize, usize),
    input: usize,
    weight: Pointer,
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.outputs.1, self.layer.geometry.taps) {
            (5, 5) => self.kernels::<S, 5, 5>(simd),
            (5, 3) => self.kernels::<S, 5, 3>(simd),
            (4, 3) => self.kernels::<S, 4, 3>(simd),
            (2, 3) => self.kernels::<S, 2, 3>(simd),
            (count, taps) => {
                for output in 0..count {
                    for row in 0..taps {
                        for tap in 0..taps {
                            let first = self.outputs.0 + output;
                            let mut sum = [[simd.splat_f32s(0.0); 1]; 1];
                            for group in 0..self.frames.groups {
                                self.tile(simd, (group, first), (row, tap), &mut sum);
                            }
                            self.write(simd, first, (row, tap), &sum);
                        }
                    }
                }
            }
        }
    }
}

/// Most rows of a kernel.
const ROWS: usize = 5;

impl Weight<'_> {
    /// Whole kernels: group by group, so that what a group reads stays in the cache for all rows of taps.
    #[inline(always)]
    fn kernels<S: Simd, const O: usize, const T: usize>(&self, simd: S) {
        let first = self.outputs.0;
        let mut sums = [[[simd.splat_f32s(0.0); T]; O]; ROWS];
        for group in 0..self.frames.groups {
            for (row, sums) in sums.iter_mut().enumerate().take(T) {
                self.tile(simd, (group, first), (row, 0), sums);
            }
        }
        for (row, sums) in sums.iter().enumerate().take(T) {
            self.write(simd, first, (row, 0), sums);
        }
    }

    /// Adds what the images of a group say of some taps of a row, of some output channels.
    #[inline(always)]
    fn tile<S: Simd, const O: usize, const T: usize>(
        &self,
        simd: S,
        (group, first): (usize, usize),
        (tap_row, tap): (usize, usize),
        acc: &mut [[S::f32s; T]; O],
    ) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let (sums, from, pads) = (&own.sums, &own.from, own.geometry.pads);
        let step = sums.plane() * lanes;
        let mut kept = *acc;
        for row in 0..sums.rows {
            // The border of what is read is at least the padding.
            let x = self.input * from.plane()
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
        first: usize,
        (tap_row, tap): (usize, usize),
        sums: &[[S::f32s; T]; O],
    ) {
        let taps = self.layer.geometry.taps;
        for (o, sums) in sums.iter().enumerate() {
            let kernel = ((first + o) * self.layer.from.channels + self.input) * taps * taps;
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

/// scale·x + shift of a value into another place.
pub fn scale(frames: &Frames, lanes: Lanes, (scale, shift): (f32, f32), from: &Place, to: &Place) {
    let count = lanes.count();
    (0..frames.groups).into_par_iter().for_each(|group| {
        for channel in 0..from.channels {
            for row in 0..from.rows {
                let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
                for i in 0..from.columns * count {
                    // SAFETY: both values stand in the frame of the group, which is this task's.
                    unsafe {
                        let x = *frames.at(group, from.at + a, count).add(i);
                        *frames.at(group, to.at + b, count).add(i) = scale * x + shift;
                    }
                }
            }
        }
    });
}
