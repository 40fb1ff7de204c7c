//! Gradients of a convolution's weights, by the transposed Winograd algorithm.
//!
//! A tile of outputs is Y = Aᵀ\[(G g Gᵀ) ⊙ (Bᵀ d B)\]A of its inputs d (see `winograd`), which is linear in g. The
//! gradient of g is therefore Gᵀ\[Σ (A y Aᵀ) ⊙ (Bᵀ d B)\]G, summed over images and tiles, where y is the gradient of the
//! outputs.
//!
//! At every point, this is a matrix product over images and tiles. It processes one group of images at a time, which
//! stays in a core's own cache, and each lane is an output channel, so nothing is added across lanes. A fixed number of
//! chunks of groups each have their own sums, so the gradients do not depend on the number of workers.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::product::{load, store};
use super::super::team::run_tasks;
use super::super::windows::SumGradients;
use super::super::winograd::{TILE_OUTPUTS, Transform, transform_inputs};
use super::BatchMemory;
use super::kernel::{Geometry, with_scratch};
use super::memory::{DisjointPointer, FloatPointer, Memory};
use super::transpose::transpose;
use super::winograd_backward::transform_gradients;

/// Tiles of a group multiplied together.
const TOGETHER: usize = 2;

/// Vectors of output channels that are transformed and multiplied together: with the sums they stay in the second
/// cache.
const VECTORS: usize = 2;

/// Most sums of groups that are kept apart.
const CHUNKS: usize = 8;

/// Maximum points along an axis.
const MOST: usize = 8;

/// Computes the gradients of a convolution's weights.
#[derive(Debug)]
pub struct WinogradWeightGradient {
    transform: Transform,
    taps: usize,
    from: TensorSlot,
    /// The gradients by the sums.
    sums: SumGradients,
    /// Where the inputs of every tile begin, in numbers, and its first row and column of the sums.
    tiles: Vec<(usize, usize, usize)>,
    /// Sums of each chunk of groups, \[points,inputs,outputs\].
    room: Memory,
    /// Sums by point, input and output channel.
    totals: Vec<f32>,
}

impl WinogradWeightGradient {
    /// Of a convolution that reads and sums in these places; `None` where it is not one for minimal filtering.
    pub fn new(geometry: Geometry, from: TensorSlot, sums: SumGradients) -> Option<Self> {
        let shape = sums.shape();
        let transform = geometry.transform(from.channels, shape)?;
        let tile = |row: usize, column: usize| {
            let first = (row + from.border.top - geometry.pads.top) * from.padded_width();
            let first = first + column + from.border.left - geometry.pads.left;
            (first, row, column)
        };
        let rows = (0..shape[1]).step_by(TILE_OUTPUTS);
        let tiles = rows.flat_map(|row| {
            let columns = (0..shape[2]).step_by(TILE_OUTPUTS);
            columns.map(move |column| tile(row, column))
        });
        Some(Self {
            transform,
            taps: geometry.taps,
            from,
            sums,
            tiles: tiles.collect(),
            room: Memory::default(),
            totals: Vec::new(),
        })
    }

    /// The gradients, row-major \[outputs,inputs,taps,taps\].
    pub fn weight_gradients(&mut self, frames: &BatchMemory, gradient: &mut [f32], lanes: Lanes) {
        let points = self.transform.points.pow(2);
        let inputs = self.from.channels;
        let outputs = self.outputs();
        // As many numbers as fill vectors.
        let wide = outputs.next_multiple_of(lanes.count());
        let whole = points * inputs * wide;
        let chunks = CHUNKS.min(frames.groups);
        self.room.reserve(whole, chunks);
        let room = self.room.pointer();
        let layer = &*self;
        run_tasks(chunks, usize::MAX, |chunk| {
            let groups = frames.groups * chunk / chunks..frames.groups * (chunk + 1) / chunks;
            let sums = room.slice(chunk * whole, whole);
            let scratch = layer.scratch(lanes.count());
            with_scratch(scratch, |scratch| {
                lanes.arch().dispatch(Chunk {
                    layer,
                    frames: *frames,
                    groups,
                    scratch,
                    sums: sums.as_mut_ptr(),
                });
            });
        });
        let mut sums = std::mem::take(&mut self.totals);
        sums.resize(whole, 0.0);
        let all = DisjointPointer(sums.as_mut_ptr());
        let vectors = lanes.arch();
        run_tasks(points, usize::MAX, |point| {
            let count = inputs * wide;
            let into = all.slice(point * count, count);
            vectors.dispatch(
                #[inline(always)]
                || {
                    into.fill(0.0);
                    for chunk in 0..chunks {
                        let own = room.slice(chunk * whole + point * count, count);
                        into.iter_mut()
                            .zip(own)
                            .for_each(|(into, own)| *into += *own);
                    }
                },
            );
        });
        let layer = &*self;
        let gradient = DisjointPointer(gradient.as_mut_ptr());
        let sums_of = &sums;
        run_tasks(inputs, usize::MAX, |input| {
            vectors.dispatch(
                #[inline(always)]
                || layer.back(sums_of, input, outputs, gradient),
            );
        });
        self.totals = sums;
    }

    /// Numbers between two points of the transformed inputs, and of the transformed gradients of a part of the output
    /// channels, of a few tiles. A vector more, so that points do not fall into the same few sets of the cache.
    #[inline(always)]
    fn apart(&self, lanes: usize) -> (usize, usize) {
        let of = |numbers: usize| TOGETHER * numbers + lanes;
        (of(self.from.channels * lanes), of(lanes * self.row(lanes)))
    }

    /// Output channels that are taken together.
    #[inline(always)]
    fn part(&self, lanes: usize) -> usize {
        self.outputs().min(VECTORS * lanes)
    }

    /// Numbers of an image's row of these.
    #[inline(always)]
    fn row(&self, lanes: usize) -> usize {
        self.part(lanes).next_multiple_of(lanes)
    }

    /// Output channels.
    #[inline(always)]
    fn outputs(&self) -> usize {
        self.sums.shape()[0]
    }

    /// Floats of the transformed tiles that are multiplied together, and of a tile of a vector of output channels, by
    /// channel and by image.
    fn scratch(&self, lanes: usize) -> usize {
        let (inputs, gradients) = self.apart(lanes);
        let tile = TILE_OUTPUTS * TILE_OUTPUTS * lanes * lanes;
        self.transform.points.pow(2) * (inputs + gradients) + 2 * tile
    }

    /// From sums \[points,inputs,outputs\] to the kernels of an input channel.
    #[inline(always)]
    fn back(&self, sums: &[f32], input: usize, outputs: usize, gradient: FloatPointer) {
        let (n, r) = (self.transform.points, self.taps);
        let inputs = self.from.channels;
        let wide = sums.len() / (n * n * inputs);
        let points: Vec<Vec<f64>> = (0..n).map(|j| self.transform.kernel_row(j, r)).collect();
        let mut half = vec![0.0; n * outputs];
        let mut whole = vec![0.0; outputs];
        for k in 0..r {
            half.fill(0.0);
            for (j, row) in points.iter().enumerate().filter(|(_, row)| row[k] != 0.0) {
                for (l, half) in half.chunks_exact_mut(outputs).enumerate() {
                    let own = &sums[((j * n + l) * inputs + input) * wide..][..outputs];
                    let by = row[k] as f32;
                    half.iter_mut()
                        .zip(own)
                        .for_each(|(half, sum)| *half += by * sum);
                }
            }
            for l in 0..r {
                whole.fill(0.0);
                for (row, half) in points.iter().zip(half.chunks_exact(outputs)) {
                    let by = row[l] as f32;
                    whole
                        .iter_mut()
                        .zip(half)
                        .for_each(|(whole, half)| *whole += by * half);
                }
                for (output, value) in whole.iter().enumerate() {
                    let at = ((output * inputs + input) * r + k) * r + l;
                    gradient.slice(at, 1)[0] = *value;
                }
            }
        }
    }
}

/// A chunk of groups of images, summed one after the other.
struct Chunk<'a> {
    layer: &'a WinogradWeightGradient,
    frames: BatchMemory,
    groups: Range<usize>,
    /// Scratch memory of [`WinogradWeightGradient::scratch`] floats.
    scratch: *mut f32,
    /// Sums, \[points,inputs,outputs\].
    sums: *mut f32,
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.layer.transform.points {
            MOST => self.add::<S, 8>(simd),
            _ => self.add::<S, 6>(simd),
        }
    }
}

impl Chunk<'_> {
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&self, simd: S) {
        let mut first = true;
        for group in self.groups.clone() {
            for tiles in self.layer.tiles.chunks(TOGETHER) {
                for (at, tile) in tiles.iter().enumerate() {
                    self.inputs::<S, N>(simd, group, *tile, at);
                }
                let (outputs, part) = (self.layer.outputs(), self.layer.part(S::F32_LANES));
                for channel in (0..outputs).step_by(part.max(1)) {
                    let channels = channel..outputs.min(channel + part);
                    for (at, tile) in tiles.iter().enumerate() {
                        self.gradients::<S, N>(simd, group, *tile, (at, channels.clone()));
                    }
                    for point in 0..N * N {
                        self.multiply(simd, point, channels.clone(), (tiles.len(), first));
                    }
                }
                first = false;
            }
        }
    }

    /// The inputs of a tile, transformed, as one of those in the scratch: by point, tile and channel.
    #[inline(always)]
    fn inputs<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: usize,
        (base, ..): (usize, usize, usize),
        at: usize,
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let from = &layer.from;
        let (apart, _) = layer.apart(lanes);
        for channel in 0..from.channels {
            let number = from.origin + channel * from.padded_plane() + base;
            // SAFETY: tiles lie inside the tensor and its border; the scratch memory is long enough.
            unsafe {
                let x = self.frames.at(group, number, lanes).cast_const();
                let to = self.scratch.add((at * from.channels + channel) * lanes);
                transform_inputs::<S, N>(simd, x, from.padded_width() * lanes, (to, apart));
            }
        }
    }

    /// The gradients of a tile of some output channels, transformed, as one of those in the scratch: by point, tile,
    /// image and channel. A lane is a channel: what is transformed are its sixteen numbers before they become as many
    /// as there are points.
    #[inline(always)]
    fn gradients<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: usize,
        (_, row, column): (usize, usize, usize),
        (at, channels): (usize, Range<usize>),
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let (apart, by_apart) = layer.apart(lanes);
        let width = channels.len().next_multiple_of(lanes);
        // SAFETY: the scratch is long enough, and the values stand in the frame.
        unsafe {
            let by_channel = self.scratch.add(N * N * (apart + by_apart));
            let by_image = by_channel.add(TILE_OUTPUTS * TILE_OUTPUTS * lanes * lanes);
            let place = |number: usize| self.frames.at(group, number, lanes).cast_const();
            let number = |y: usize, x: usize| (y * TILE_OUTPUTS + x) * lanes * lanes;
            for first in channels.clone().step_by(lanes) {
                let count = lanes.min(channels.end - first);
                for channel in 0..count {
                    let tile = layer.sums.tile::<S, TILE_OUTPUTS>(
                        simd,
                        place,
                        [first + channel, row, column],
                    );
                    for (y, tile) in tile.iter().enumerate() {
                        for (x, gradient) in tile.iter().enumerate() {
                            store(
                                simd,
                                by_channel.add(number(y, x) + channel * lanes),
                                *gradient,
                            );
                        }
                    }
                }
                for at in 0..TILE_OUTPUTS * TILE_OUTPUTS {
                    let (from, to) = (number(0, at), number(0, at));
                    transpose(by_channel.add(from), (count, lanes), by_image.add(to));
                }
                let to = self
                    .scratch
                    .add(N * N * apart + at * lanes * width + first - channels.start);
                for image in 0..lanes {
                    let mut tile = [[simd.splat_f32s(0.0); TILE_OUTPUTS]; TILE_OUTPUTS];
                    for (y, tile) in tile.iter_mut().enumerate() {
                        for (x, gradient) in tile.iter_mut().enumerate() {
                            *gradient = load(simd, by_image.add(number(y, x) + image * lanes));
                        }
                    }
                    transform_gradients::<S, N>(simd, &tile, (to.add(image * width), by_apart));
                }
            }
        }
    }

    /// Adds the products of some tiles at a point for some output channels; the first of a chunk do not add but set.
    #[inline(always)]
    fn multiply<S: Simd>(
        &self,
        simd: S,
        point: usize,
        channels: Range<usize>,
        (tiles, first): (usize, bool),
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let (inputs, outputs) = (layer.from.channels, layer.outputs());
        let (apart, by_apart) = layer.apart(lanes);
        let points = layer.transform.points.pow(2);
        let wide = outputs.next_multiple_of(lanes);
        let row = channels.len().next_multiple_of(lanes);
        // SAFETY: the scratch is as long as points, tiles and channels say.
        let (x, rows, sums) = unsafe {
            let rows = self.scratch.add(points * apart + point * by_apart);
            let x = self.scratch.add(point * apart).cast_const();
            let sums = self.sums.add(point * inputs * wide + channels.start);
            (x, rows.cast_const(), sums)
        };
        let own = Point {
            x,
            rows,
            sums,
            inputs,
            row,
            wide,
            tiles,
            first,
        };
        let vectors = row / lanes;
        let mut input = 0;
        while input < inputs {
            let left = inputs - input;
            input += match (S::REGISTER_COUNT >= 32, vectors, left) {
                (true, 2, 10..) => own.add::<S, 10, 2>(simd, input),
                (true, 2, 8..) => own.add::<S, 8, 2>(simd, input),
                (true, 1, 16..) => own.add::<S, 16, 1>(simd, input),
                (true, 1, 10..) => own.add::<S, 10, 1>(simd, input),
                (_, 2, 4..) => own.add::<S, 4, 2>(simd, input),
                (_, 2, _) => own.add::<S, 1, 2>(simd, input),
                (_, _, 4..) => own.add::<S, 4, 1>(simd, input),
                _ => own.add::<S, 1, 1>(simd, input),
            };
        }
    }
}

/// The product at one point, over a few tiles.
struct Point {
    /// Transformed inputs, \[tiles,channels,images\].
    x: *const f32,
    /// Transformed gradients, by tile, image and output channel of the part.
    rows: *const f32,
    /// By input and output channel, from the first of the part on.
    sums: *mut f32,
    inputs: usize,
    /// Output channels of the part, to the next whole vector.
    row: usize,
    /// All output channels, to the next whole vector.
    wide: usize,
    tiles: usize,
    /// Whether nothing has been summed yet.
    first: bool,
}

impl Point {
    /// Adds to the sums of I input channels and the V vectors of output channels; gives I.
    #[inline(always)]
    fn add<S: Simd, const I: usize, const V: usize>(&self, simd: S, input: usize) -> usize {
        let lanes = S::F32_LANES;
        // SAFETY: all of these are as long as tiles, channels and lanes say.
        unsafe {
            let sum = |i: usize, v: usize| self.sums.add((input + i) * self.wide + v * lanes);
            let mut acc = [[simd.splat_f32s(0.0); V]; I];
            for (i, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate().filter(|_| !self.first) {
                    *acc = load(simd, sum(i, v));
                }
            }
            for tile in 0..self.tiles {
                let mut x = self.x.add((tile * self.inputs + input) * lanes);
                let mut d = self.rows.add(tile * lanes * self.row);
                for _ in 0..lanes {
                    let mut own = [simd.splat_f32s(0.0); V];
                    for (v, own) in own.iter_mut().enumerate() {
                        *own = load(simd, d.add(v * lanes));
                    }
                    for (i, acc) in acc.iter_mut().enumerate() {
                        let x = simd.splat_f32s(*x.add(i * lanes));
                        for (acc, own) in acc.iter_mut().zip(own) {
                            *acc = simd.mul_add_f32s(x, own, *acc);
                        }
                    }
                    x = x.add(1);
                    d = d.add(self.row);
                }
            }
            for (i, acc) in acc.iter().enumerate() {
                for (v, acc) in acc.iter().enumerate() {
                    store(simd, sum(i, v), *acc);
                }
            }
        }
        I
    }
}
