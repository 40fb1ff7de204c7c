//! Sums of a chunk of groups of images: transforms tiles of inputs and gradients, and multiplies them at every point.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::super::product::{load, store};
use super::super::super::winograd::{TILE_OUTPUTS, transform_inputs};
use super::super::BatchMemory;
use super::super::transpose::transpose;
use super::super::winograd_backward::transform_gradients;
use super::{TOGETHER, WinogradWeightGradient};

/// Maximum points along an axis.
const MAX_POINTS: usize = 8;

/// A chunk of groups of images, summed one after the other.
pub(super) struct Chunk<'a> {
    pub layer: &'a WinogradWeightGradient,
    pub frames: BatchMemory,
    pub groups: Range<usize>,
    /// Scratch memory of [`WinogradWeightGradient::scratch_len`] floats.
    pub scratch: *mut f32,
    /// Sums, \[points,inputs,outputs\].
    pub sums: *mut f32,
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.layer.transform.points {
            MAX_POINTS => self.add::<S, 8>(simd),
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
                for (slot, tile) in tiles.iter().enumerate() {
                    self.inputs::<S, N>(simd, group, *tile, slot);
                }
                let (outputs, part) = (self.layer.outputs(), self.layer.part_len(S::F32_LANES));
                for channel in (0..outputs).step_by(part.max(1)) {
                    let channels = channel..outputs.min(channel + part);
                    for (slot, tile) in tiles.iter().enumerate() {
                        self.gradients::<S, N>(simd, group, *tile, (slot, channels.clone()));
                    }
                    for point in 0..N * N {
                        self.multiply(simd, point, channels.clone(), (tiles.len(), first));
                    }
                }
                first = false;
            }
        }
    }

    /// Transforms the inputs of a tile into scratch memory, \[points,tiles,channels,images\]; `slot` is its index among the
    /// tiles there.
    #[inline(always)]
    fn inputs<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: usize,
        (base, ..): (usize, usize, usize),
        slot: usize,
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let from = &layer.from;
        let (point_stride, _) = layer.point_strides(lanes);
        for channel in 0..from.channels {
            let offset = from.origin + channel * from.padded_plane() + base;
            // SAFETY: tiles lie inside the tensor and its border; the scratch memory is long enough.
            unsafe {
                let x = self.frames.at(group, offset, lanes).cast_const();
                let to = self.scratch.add((slot * from.channels + channel) * lanes);
                transform_inputs::<S, N>(simd, x, from.padded_width() * lanes, (to, point_stride));
            }
        }
    }

    /// Transforms the gradients of a tile of some output channels into scratch memory, \[points,tiles,images,channels\];
    /// `slot` is its index among the tiles there. Lanes become channels before the transform, while there are only
    /// sixteen numbers per tile instead of one per point.
    #[inline(always)]
    fn gradients<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: usize,
        (_, row, column): (usize, usize, usize),
        (slot, channels): (usize, Range<usize>),
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let (input_stride, gradient_stride) = layer.point_strides(lanes);
        let row_len = channels.len().next_multiple_of(lanes);
        // SAFETY: the scratch is long enough, and the values lie in the frame.
        unsafe {
            let by_channel = self.scratch.add(N * N * (input_stride + gradient_stride));
            let by_image = by_channel.add(TILE_OUTPUTS * TILE_OUTPUTS * lanes * lanes);
            let pointer = |number: usize| self.frames.at(group, number, lanes).cast_const();
            let sum_offset = |y: usize, x: usize| (y * TILE_OUTPUTS + x) * lanes * lanes;
            for first in channels.clone().step_by(lanes) {
                let count = lanes.min(channels.end - first);
                for channel in 0..count {
                    let tile = layer.sums.tile::<S, TILE_OUTPUTS>(
                        simd,
                        pointer,
                        [first + channel, row, column],
                    );
                    for (y, tile) in tile.iter().enumerate() {
                        for (x, gradient) in tile.iter().enumerate() {
                            store(
                                simd,
                                by_channel.add(sum_offset(y, x) + channel * lanes),
                                *gradient,
                            );
                        }
                    }
                }
                for index in 0..TILE_OUTPUTS * TILE_OUTPUTS {
                    let offset = sum_offset(0, index);
                    transpose(by_channel.add(offset), (count, lanes), by_image.add(offset));
                }
                let to = self
                    .scratch
                    .add(N * N * input_stride + slot * lanes * row_len + first - channels.start);
                for image in 0..lanes {
                    let mut tile = [[simd.splat_f32s(0.0); TILE_OUTPUTS]; TILE_OUTPUTS];
                    for (y, tile) in tile.iter_mut().enumerate() {
                        for (x, gradient) in tile.iter_mut().enumerate() {
                            *gradient = load(simd, by_image.add(sum_offset(y, x) + image * lanes));
                        }
                    }
                    transform_gradients::<S, N>(
                        simd,
                        &tile,
                        (to.add(image * row_len), gradient_stride),
                    );
                }
            }
        }
    }

    /// Adds the products of some tiles at a point for some output channels. The first tiles of a chunk overwrite the sums.
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
        let (input_stride, gradient_stride) = layer.point_strides(lanes);
        let points = layer.transform.points.pow(2);
        let padded_outputs = outputs.next_multiple_of(lanes);
        let row = channels.len().next_multiple_of(lanes);
        // SAFETY: the scratch is as long as points, tiles and channels say.
        let (x, rows, sums) = unsafe {
            let rows = self
                .scratch
                .add(points * input_stride + point * gradient_stride);
            let x = self.scratch.add(point * input_stride).cast_const();
            let sums = self
                .sums
                .add(point * inputs * padded_outputs + channels.start);
            (x, rows.cast_const(), sums)
        };
        let product = Point {
            x,
            rows,
            sums,
            inputs,
            row,
            padded_outputs,
            tiles,
            first,
        };
        let vectors = row / lanes;
        let mut input = 0;
        while input < inputs {
            let left = inputs - input;
            input += match (S::REGISTER_COUNT >= 32, vectors, left) {
                (true, 2, 10..) => product.add::<S, 10, 2>(simd, input),
                (true, 2, 8..) => product.add::<S, 8, 2>(simd, input),
                (true, 1, 16..) => product.add::<S, 16, 1>(simd, input),
                (true, 1, 10..) => product.add::<S, 10, 1>(simd, input),
                (_, 2, 4..) => product.add::<S, 4, 2>(simd, input),
                (_, 2, _) => product.add::<S, 1, 2>(simd, input),
                (_, _, 4..) => product.add::<S, 4, 1>(simd, input),
                _ => product.add::<S, 1, 1>(simd, input),
            };
        }
    }
}

/// The product at one point, over a few tiles.
struct Point {
    /// Transformed inputs, \[tiles,channels,images\].
    x: *const f32,
    /// Transformed gradients, \[tiles,images,output channels of the part\].
    rows: *const f32,
    /// Sums, \[inputs,outputs\], from the first output channel of the part on.
    sums: *mut f32,
    inputs: usize,
    /// Output channels of the part, rounded up to whole vectors.
    row: usize,
    /// All output channels, rounded up to whole vectors.
    padded_outputs: usize,
    tiles: usize,
    /// Whether nothing has been summed yet.
    first: bool,
}

impl Point {
    /// Adds to the sums of I input channels and V vectors of output channels. Returns I.
    #[inline(always)]
    fn add<S: Simd, const I: usize, const V: usize>(&self, simd: S, input: usize) -> usize {
        let lanes = S::F32_LANES;
        // SAFETY: all of these are as long as tiles, channels and lanes say.
        unsafe {
            let sum =
                |i: usize, v: usize| self.sums.add((input + i) * self.padded_outputs + v * lanes);
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
                    let mut gradients = [simd.splat_f32s(0.0); V];
                    for (v, gradient) in gradients.iter_mut().enumerate() {
                        *gradient = load(simd, d.add(v * lanes));
                    }
                    for (i, acc) in acc.iter_mut().enumerate() {
                        let x = simd.splat_f32s(*x.add(i * lanes));
                        for (acc, gradient) in acc.iter_mut().zip(gradients) {
                            *acc = simd.mul_add_f32s(x, gradient, *acc);
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
