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
use super::super::layout::Place;
use super::super::product::{load, store};
use super::super::team::each;
use super::super::winograd::{OUTPUTS, Transform, transform_inputs};
use super::Frames;
use super::kernel::{Geometry, with_room};
use super::memory::{Memory, Part};
use super::transpose::transpose;
use super::turned::spread;

/// Tiles of a group multiplied together.
const TOGETHER: usize = 2;

/// Maximum number of chunks of groups with their own sums.
const CHUNKS: usize = 8;

/// Maximum points along an axis.
const MOST: usize = 8;

/// Computes the gradients of a convolution's weights.
#[derive(Debug)]
pub struct Filtering {
    transform: Transform,
    taps: usize,
    from: Place,
    sums: Place,
    /// For every tile, the offset of its inputs in elements, and its first row and column of the sums.
    tiles: Vec<(usize, usize, usize)>,
    /// Sums of each chunk of groups, \[points,inputs,outputs\].
    room: Memory,
    /// Total sums, \[points,outputs,inputs\].
    sums_of: Vec<f32>,
}

impl Filtering {
    /// For a convolution with this input and these sums; `None` if it does not use Winograd.
    pub fn new(geometry: Geometry, from: Place, sums: Place) -> Option<Self> {
        let shape = [sums.channels, sums.rows, sums.columns];
        let transform = geometry.transform(from.channels, shape)?;
        let tile = |row: usize, column: usize| {
            let first = (row + from.border.top - geometry.pads.top) * from.width();
            let first = first + column + from.border.left - geometry.pads.left;
            (first, row, column)
        };
        let rows = (0..sums.rows).step_by(OUTPUTS);
        let tiles = rows.flat_map(|row| {
            let columns = (0..sums.columns).step_by(OUTPUTS);
            columns.map(move |column| tile(row, column))
        });
        Some(Self {
            transform,
            taps: geometry.taps,
            from,
            sums,
            tiles: tiles.collect(),
            room: Memory::default(),
            sums_of: Vec::new(),
        })
    }

    /// The gradients, row-major \[outputs,inputs,taps,taps\].
    pub fn by_weights(&mut self, frames: &Frames, gradient: &mut [f32], lanes: Lanes) {
        let points = self.transform.points.pow(2);
        let (inputs, outputs) = (self.from.channels, self.sums.channels);
        // Output channels, rounded up to whole vectors.
        let wide = outputs.next_multiple_of(lanes.count());
        let whole = points * inputs * wide;
        let chunks = CHUNKS.min(frames.groups);
        self.room.reserve(whole, chunks);
        let room = self.room.pointer();
        let layer = &*self;
        each(chunks, usize::MAX, |chunk| {
            let groups = frames.groups * chunk / chunks..frames.groups * (chunk + 1) / chunks;
            let sums = room.part(chunk * whole, whole);
            let scratch = layer.scratch(lanes.count());
            with_room(scratch, |scratch| {
                lanes.arch().dispatch(Chunk {
                    layer,
                    frames: *frames,
                    groups,
                    scratch,
                    sums: sums.as_mut_ptr(),
                });
            });
        });
        let mut sums = std::mem::take(&mut self.sums_of);
        sums.resize(points * inputs * outputs, 0.0);
        let all = Part(sums.as_mut_ptr());
        let layer = &*self;
        each(points, usize::MAX, |point| {
            let into = all.part(point * inputs * outputs, inputs * outputs);
            into.fill(0.0);
            for chunk in 0..chunks {
                let own = room.part(chunk * whole + point * inputs * wide, inputs * wide);
                for (input, own) in own.chunks_exact(wide).enumerate() {
                    let into = into.iter_mut().skip(input).step_by(inputs);
                    into.zip(own).for_each(|(into, own)| *into += own);
                }
            }
        });
        lanes.arch().dispatch(
            #[inline(always)]
            || layer.back(&sums, gradient),
        );
        self.sums_of = sums;
    }

    /// Floats between two points of the transformed inputs, and of the transformed gradients, of a few tiles. Includes
    /// one unused vector, so that points do not map to the same few cache sets.
    #[inline(always)]
    fn apart(&self, lanes: usize) -> (usize, usize) {
        let of = |channels: usize| (TOGETHER * channels + 1) * lanes;
        (of(self.from.channels), of(self.sums.channels))
    }

    /// Floats of scratch memory for the transformed tiles multiplied together, and for the gradients of one point, one
    /// image per row.
    fn scratch(&self, lanes: usize) -> usize {
        let (inputs, gradients) = self.apart(lanes);
        let rows = TOGETHER * lanes * self.sums.channels.next_multiple_of(lanes);
        self.transform.points.pow(2) * (inputs + gradients) + rows
    }

    /// Transforms sums \[points,outputs,inputs\] back to gradients of kernels.
    #[inline(always)]
    fn back(&self, sums: &[f32], gradient: &mut [f32]) {
        let (n, r) = (self.transform.points, self.taps);
        let kernels = self.from.channels * self.sums.channels;
        let points: Vec<Vec<f64>> = (0..n).map(|j| self.transform.kernel_row(j, r)).collect();
        let rows: Vec<Vec<f32>> = (0..r)
            .map(|k| points.iter().map(|row| row[k] as f32).collect())
            .collect();
        let mut half = vec![0.0; n * kernels];
        let mut whole = vec![0.0; kernels];
        for (k, by_row) in rows.iter().enumerate() {
            half.fill(0.0);
            for (j, &by) in by_row.iter().enumerate().filter(|(_, by)| **by != 0.0) {
                let own = &sums[j * n * kernels..(j + 1) * n * kernels];
                half.iter_mut()
                    .zip(own)
                    .for_each(|(half, sum)| *half += by * sum);
            }
            for (l, by_column) in rows.iter().enumerate() {
                whole.fill(0.0);
                for (by, half) in by_column.iter().zip(half.chunks_exact(kernels)) {
                    whole
                        .iter_mut()
                        .zip(half)
                        .for_each(|(whole, half)| *whole += by * half);
                }
                let into = gradient.iter_mut().skip(k * r + l).step_by(r * r);
                into.zip(&whole).for_each(|(into, value)| *into = *value);
            }
        }
    }
}

/// A chunk of groups of images, summed one after the other.
struct Chunk<'a> {
    layer: &'a Filtering,
    frames: Frames,
    groups: Range<usize>,
    /// Scratch memory of [`Filtering::scratch`] floats.
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
                    self.transform::<S, N>(simd, group, *tile, at);
                }
                for point in 0..N * N {
                    self.multiply(simd, point, (tiles.len(), first));
                }
                first = false;
            }
        }
    }

    /// Transforms a tile of all channels into slot `at` of the scratch memory, where inputs and gradients are each
    /// ordered by point, tile and channel.
    #[inline(always)]
    fn transform<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: usize,
        (base, row, column): (usize, usize, usize),
        at: usize,
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let (from, sums) = (&layer.from, &layer.sums);
        let (apart, by_apart) = layer.apart(lanes);
        for channel in 0..from.channels {
            let number = from.at + channel * from.plane() + base;
            // SAFETY: tiles lie inside the tensor and its border; the scratch memory is long enough.
            unsafe {
                let x = self.frames.at(group, number, lanes).cast_const();
                let to = self.scratch.add((at * from.channels + channel) * lanes);
                transform_inputs::<S, N>(simd, x, from.width() * lanes, (to, apart));
            }
        }
        for channel in 0..sums.channels {
            let first = N * N * apart + (at * sums.channels + channel) * lanes;
            // SAFETY: as above.
            unsafe {
                let to = self.scratch.add(first);
                let tile = |y: usize, x: usize| {
                    let number = sums.at + sums.offset(channel, row + y, column + x);
                    self.frames.at(group, number, lanes).cast_const()
                };
                let size = (sums.rows - row, sums.columns - column);
                spread::<S, N>(simd, size, tile, (to, by_apart));
            }
        }
    }

    /// Adds the products of a few tiles at one point; the first tiles of a chunk overwrite the sums instead.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, point: usize, (tiles, first): (usize, bool)) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let (inputs, outputs) = (layer.from.channels, layer.sums.channels);
        let (apart, by_apart) = layer.apart(lanes);
        let points = layer.transform.points.pow(2);
        let wide = outputs.next_multiple_of(lanes);
        // SAFETY: points, tiles and channels determine the length of the scratch memory.
        let (x, rows, sums) = unsafe {
            let d = self.scratch.add(points * apart + point * by_apart);
            let rows = self.scratch.add(points * (apart + by_apart));
            for tile in 0..tiles {
                let from = d.add(tile * outputs * lanes).cast_const();
                transpose(from, (outputs, lanes), rows.add(tile * lanes * wide));
            }
            let x = self.scratch.add(point * apart).cast_const();
            (x, rows.cast_const(), self.sums.add(point * inputs * wide))
        };
        let own = Point {
            x,
            rows,
            sums,
            inputs,
            wide,
            tiles,
            first,
        };
        let vectors = wide / lanes;
        let (tall, many) = match S::REGISTER_COUNT >= 32 {
            true => (5, 4),
            false => (4, 2),
        };
        for vector in (0..vectors).step_by(many) {
            for input in (0..inputs).step_by(tall) {
                let at = (input, vector);
                let whole = inputs - input >= tall;
                match (whole, tall, many.min(vectors - vector)) {
                    (true, 5, 4) => own.add::<S, 5, 4>(simd, at),
                    (true, 5, 3) => own.add::<S, 5, 3>(simd, at),
                    (true, 5, 2) => own.add::<S, 5, 2>(simd, at),
                    (true, 5, 1) => own.add::<S, 5, 1>(simd, at),
                    (true, 4, 2) => own.add::<S, 4, 2>(simd, at),
                    (true, 4, 1) => own.add::<S, 4, 1>(simd, at),
                    (_, _, count) => {
                        for input in input..inputs.min(input + tall) {
                            (vector..vector + count)
                                .for_each(|vector| own.add::<S, 1, 1>(simd, (input, vector)));
                        }
                    }
                }
            }
        }
    }
}

/// The product at one point, over a few tiles.
struct Point {
    /// Transformed inputs, \[tiles,channels,images\].
    x: *const f32,
    /// Transformed gradients, \[tiles,images,outputs\].
    rows: *const f32,
    /// Sums, \[inputs,outputs\].
    sums: *mut f32,
    inputs: usize,
    /// Output channels, rounded up to whole vectors.
    wide: usize,
    tiles: usize,
    /// Whether nothing has been summed yet.
    first: bool,
}

impl Point {
    /// Adds to the sums of I input channels and V vectors of output channels.
    #[inline(always)]
    fn add<S: Simd, const I: usize, const V: usize>(
        &self,
        simd: S,
        (input, vector): (usize, usize),
    ) {
        let lanes = S::F32_LANES;
        let first = vector * lanes;
        // SAFETY: tiles, channels and lanes determine the lengths of all of these.
        unsafe {
            let sum =
                |i: usize, v: usize| self.sums.add((input + i) * self.wide + first + v * lanes);
            let mut acc = [[simd.splat_f32s(0.0); V]; I];
            for (i, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate().filter(|_| !self.first) {
                    *acc = load(simd, sum(i, v));
                }
            }
            for tile in 0..self.tiles {
                let mut x = self.x.add((tile * self.inputs + input) * lanes);
                let mut d = self.rows.add(tile * lanes * self.wide + first);
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
                    d = d.add(self.wide);
                }
            }
            for (i, acc) in acc.iter().enumerate() {
                for (v, acc) in acc.iter().enumerate() {
                    store(simd, sum(i, v), *acc);
                }
            }
        }
    }
}
