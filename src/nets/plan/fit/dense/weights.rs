//! Gradients of a dense layer's weights: sums over images, with inputs divided among tasks.

use pulp::{Simd, WithSimd};

use super::super::super::product::{load, store};
use super::super::BatchMemory;
use super::super::memory::FloatPointer;
use super::super::transpose::transpose;
use super::{Dense, VECTORS};

/// Maximum inputs of a tile.
pub(super) const MAX_TILE_INPUTS: usize = 24;

/// Groups that are summed before the next outputs: their gradients for four vectors of outputs stay in the L2 cache.
const GROUP_BLOCK: usize = 16;

/// The gradients of a layer's output, one image per row. Blocks of [`VECTORS`] vectors of outputs follow one another, each
/// stored row by row, so that they are read sequentially.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub pointer: FloatPointer,
    pub images: usize,
    /// Number of outputs, rounded up to whole vectors.
    pub width: usize,
}

impl Rows {
    /// Elements of a row in the block that contains an output.
    #[inline(always)]
    pub(super) fn stride(&self, output: usize, lanes: usize) -> usize {
        let block = VECTORS * lanes;
        block.min(self.width - output / block * block)
    }

    /// Address of the element for an image and an output.
    #[inline(always)]
    fn address(&self, image: usize, output: usize, lanes: usize) -> *mut f32 {
        let first = output / (VECTORS * lanes) * (VECTORS * lanes);
        let offset = first * self.images + image * self.stride(output, lanes) + output - first;
        self.pointer.0.wrapping_add(offset)
    }
}

/// Applies the ReLU to the gradients of the output of one group, and writes them as rows.
pub(super) struct ReluTranspose<'a> {
    pub layer: &'a Dense,
    pub frames: BatchMemory,
    pub group: usize,
    pub rows: Rows,
}

impl WithSimd for ReluTranspose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let zero = simd.splat_f32s(0.0);
        if layer.relu {
            for output in 0..layer.outputs {
                // SAFETY: both values lie in the frame of the group, which is this task's.
                unsafe {
                    let gradient = self.frames.at(self.group, layer.gradient + output, lanes);
                    let value = self.frames.at(self.group, layer.to + output, lanes);
                    let passes = simd.less_than_f32s(zero, load(simd, value));
                    store(
                        simd,
                        gradient,
                        simd.select_f32s(passes, load(simd, gradient), zero),
                    );
                }
            }
        }
        let block = VECTORS * lanes;
        for first in (0..layer.outputs).step_by(block) {
            // SAFETY: the rows of the images of the group are this task's, whole vectors long.
            unsafe {
                let from = self.frames.at(self.group, layer.gradient + first, lanes);
                let to = self.rows.address(self.group * lanes, first, lanes);
                transpose(from, (block.min(layer.outputs - first), lanes), to);
            }
        }
    }
}

/// The gradients of the weights of some inputs: sums over the images, one after the other. Works on [`GROUP_BLOCK`]
/// groups of images at a time, so that their gradients for a few outputs stay in the cache for all inputs.
pub(super) struct Weight<'a> {
    pub layer: &'a Dense,
    pub frames: BatchMemory,
    /// The range of inputs: first, and one past the last.
    pub inputs: (usize, usize),
    pub rows: Rows,
    pub gradient: FloatPointer,
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = match S::REGISTER_COUNT >= 32 {
            true => VECTORS,
            false => VECTORS / 2,
        };
        for group in (0..self.frames.groups).step_by(GROUP_BLOCK) {
            let mut output = 0;
            while output < self.rows.width {
                // With few outputs, a tile has more inputs instead.
                let left = ((self.rows.width - output) / S::F32_LANES).min(vectors);
                match left {
                    4 => self.column::<S, 6, 4>(simd, (group, output)),
                    2..4 => self.column::<S, 6, 2>(simd, (group, output)),
                    _ if S::REGISTER_COUNT >= 32 => {
                        self.column::<S, MAX_TILE_INPUTS, 1>(simd, (group, output));
                    }
                    _ => self.column::<S, 12, 1>(simd, (group, output)),
                }
                output += match left {
                    4 => 4,
                    2..4 => 2,
                    _ => 1,
                } * S::F32_LANES;
            }
        }
    }
}

impl Weight<'_> {
    /// All tiles of N inputs and P vectors of outputs; remaining inputs are processed by fours, then one by one.
    #[inline(always)]
    fn column<S: Simd, const N: usize, const P: usize>(
        &self,
        simd: S,
        (group, output): (usize, usize),
    ) {
        let (mut input, last) = self.inputs;
        while input + N <= last {
            self.tile::<S, N, P>(simd, (group, input, output));
            input += N;
        }
        while input + 4 <= last {
            self.tile::<S, 4, P>(simd, (group, input, output));
            input += 4;
        }
        for input in input..last {
            self.tile::<S, 1, P>(simd, (group, input, output));
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(
        &self,
        simd: S,
        (first_group, input, output): (usize, usize, usize),
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        if first_group > 0 {
            for (n, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    let (address, count) =
                        self.gradient_address(input + n, output + p * lanes, lanes);
                    // SAFETY: the weights of these inputs belong to this task.
                    unsafe {
                        if count == lanes {
                            *acc = load(simd, address);
                        } else {
                            *acc =
                                simd.partial_load_f32s(std::slice::from_raw_parts(address, count));
                        }
                    }
                }
            }
        }
        let groups = first_group..self.frames.groups.min(first_group + GROUP_BLOCK);
        let stride = self.rows.stride(output, lanes);
        assert!(groups.end * lanes <= self.rows.images && output + P * lanes <= self.rows.width);
        // A local copy stays in registers; nothing in the loop may panic, or the sums would be written to memory.
        let mut sums = acc;
        for group in groups {
            // SAFETY: the input lies in the frame, nobody writes to it now, and the rows were checked.
            unsafe {
                let mut x = self
                    .frames
                    .at(group, layer.from + input, lanes)
                    .cast_const();
                let mut row = self.rows.address(group * lanes, output, lanes).cast_const();
                for _ in 0..lanes {
                    let mut d = [simd.splat_f32s(0.0); P];
                    for (p, d) in d.iter_mut().enumerate() {
                        *d = load(simd, row.add(p * lanes));
                    }
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let x = simd.splat_f32s(*x.add(n * lanes));
                        for p in 0..P {
                            sums[p] = simd.mul_add_f32s(x, d[p], sums[p]);
                        }
                    }
                    x = x.add(1);
                    row = row.add(stride);
                }
            }
        }
        let acc = sums;
        for (n, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                let (address, count) = self.gradient_address(input + n, output + p * lanes, lanes);
                // SAFETY: the weights of these inputs belong to this task.
                unsafe {
                    if count == lanes {
                        store(simd, address, *sum);
                    } else {
                        simd.partial_store_f32s(
                            std::slice::from_raw_parts_mut(address, count),
                            *sum,
                        );
                    }
                }
            }
        }
    }

    /// Address of the gradients for an input and a vector of outputs, and their count.
    #[inline(always)]
    fn gradient_address(&self, input: usize, output: usize, lanes: usize) -> (*mut f32, usize) {
        let outputs = self.layer.outputs;
        let count = (outputs - output).min(lanes);
        let offset = input * outputs + output;
        (self.gradient.0.wrapping_add(offset), count)
    }
}
