//! Gradients of a dense layer's weights: sums over images, with inputs divided among tasks.

use pulp::{Simd, WithSimd};

use super::super::super::product::{load, store};
use super::super::BatchMemory;
use super::super::adam::AdamStep;
use super::super::memory::FloatPointer;
use super::super::transpose::transpose;
use super::{Dense, TASK_INPUTS, VECTORS};

/// Images that are summed before the next inputs: their gradients for four vectors of outputs stay in the L1 cache.
const IMAGE_BLOCK: usize = 128;

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

    /// The rows of all images in the block that contains an output.
    pub(super) fn block(&self, output: usize, lanes: usize) -> &[f32] {
        let first = output / (VECTORS * lanes) * (VECTORS * lanes);
        let count = self.stride(output, lanes) * self.images;
        // SAFETY: blocks lie one after the other in the rows, which nobody writes to now.
        unsafe { std::slice::from_raw_parts(self.pointer.0.add(first * self.images), count) }
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
                // SAFETY: both values stand in the frame of the group, which is this task's.
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

/// The gradients of the weights of some inputs: sums over the images, one after the other. Works on [`IMAGE_BLOCK`] images
/// at a time, so that their gradients for a few outputs stay in the cache for all inputs.
pub(super) struct Weight<'a> {
    pub layer: &'a Dense,
    pub frames: BatchMemory,
    /// The range of inputs: first, and one past the last.
    pub inputs: (usize, usize),
    pub rows: Rows,
    /// Scratch memory for the sums of the inputs, each [`VECTORS`] vectors.
    pub sums: *mut f32,
    pub gradient: FloatPointer,
    /// The step that updates the weights instead of storing the gradients, with the weights and both moments.
    pub update: Option<(&'a AdamStep, [FloatPointer; 3])>,
}

/// What a tile sums: consecutive groups, and a first input and output.
#[derive(Clone, Copy)]
struct Place {
    groups: (usize, usize),
    input: usize,
    output: usize,
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = match S::REGISTER_COUNT >= 32 {
            true => VECTORS,
            false => VECTORS / 2,
        };
        let mut output = 0;
        while output < self.rows.width {
            // With few outputs, a tile has more inputs instead.
            let left = ((self.rows.width - output) / S::F32_LANES).min(vectors);
            let block = (IMAGE_BLOCK / S::F32_LANES).max(1);
            for first in (0..self.frames.groups).step_by(block) {
                let place = Place {
                    groups: (first, self.frames.groups.min(first + block)),
                    input: self.inputs.0,
                    output,
                };
                match left {
                    4 => self.column::<S, 6, 4>(simd, place),
                    2..4 => self.column::<S, 6, 2>(simd, place),
                    _ if S::REGISTER_COUNT >= 32 => self.column::<S, 24, 1>(simd, place),
                    _ => self.column::<S, 12, 1>(simd, place),
                }
            }
            output += match left {
                4 => 4,
                2..4 => 2,
                _ => 1,
            } * S::F32_LANES;
        }
    }
}

impl Weight<'_> {
    /// All tiles of N inputs and P vectors of outputs; remaining inputs are processed by fours, then one by one.
    #[inline(always)]
    fn column<S: Simd, const N: usize, const P: usize>(&self, simd: S, mut place: Place) {
        let last = self.inputs.1;
        while place.input + N <= last {
            self.tile::<S, N, P>(simd, place);
            place.input += N;
        }
        while place.input + 4 <= last {
            self.tile::<S, 4, P>(simd, place);
            place.input += 4;
        }
        while place.input < last {
            self.tile::<S, 1, P>(simd, place);
            place.input += 1;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(&self, simd: S, place: Place) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let Place {
            groups: (first, end),
            input,
            output,
        } = place;
        let stride = self.rows.stride(output, lanes);
        assert!(end * lanes <= self.rows.images && output + P * lanes <= self.rows.width);
        assert!(self.inputs.0 <= input && input + N <= self.inputs.0 + TASK_INPUTS);
        // Where the sums of the images before are kept.
        let kept = self
            .sums
            .wrapping_add((input - self.inputs.0) * VECTORS * lanes);
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        if first > 0 {
            for (n, acc) in acc.iter_mut().enumerate() {
                for (p, sum) in acc.iter_mut().enumerate() {
                    // SAFETY: the scratch memory has vectors for all inputs of the task, as checked.
                    *sum = unsafe { load(simd, kept.add((n * VECTORS + p) * lanes)) };
                }
            }
        }
        // A local copy stays in registers; nothing in the loop may panic, or the sums would be written to memory.
        let mut sums = acc;
        for group in first..end {
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
        let is_last = end == self.frames.groups;
        for (n, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                if is_last {
                    self.write(simd, *sum, input + n, output + p * lanes);
                    continue;
                }
                // SAFETY: as above.
                unsafe { store(simd, kept.add((n * VECTORS + p) * lanes), *sum) };
            }
        }
    }

    /// Stores the gradients for an input and a vector of outputs, or updates the weights by them.
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, sum: S::f32s, input: usize, output: usize) {
        let outputs = self.layer.outputs;
        let count = (outputs - output).min(S::F32_LANES);
        let offset = input * outputs + output;
        // SAFETY: the weights of these inputs, with their gradients and moments, belong to this task.
        unsafe {
            match self.update {
                Some((step, tensors)) => {
                    let places = tensors.map(|tensor| tensor.0.add(offset));
                    step.update(simd, sum, count, places);
                }
                None if count == S::F32_LANES => {
                    store(simd, self.gradient.0.add(offset), sum);
                }
                None => {
                    let gradient =
                        std::slice::from_raw_parts_mut(self.gradient.0.add(offset), count);
                    simd.partial_store_f32s(gradient, sum);
                }
            }
        }
    }
}
