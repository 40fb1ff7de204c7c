//! Gradients of a convolution's weights, tap by tap: tiles of output channels × taps of a row stay in registers, and
//! their lanes are added last.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::layout::TensorSlot;
use super::super::product::load;
use super::super::windows::{SIDE, SumGradients};
use super::BatchMemory;
use super::kernel::Geometry;
use super::memory::FloatPointer;

/// Output channels whose weight gradients are summed together, for a row of `taps` taps: as many as leave registers for
/// the inputs.
pub fn channels(taps: usize) -> usize {
    match taps {
        5 => 4,
        _ => 6,
    }
}

/// Maximum input channels of a task.
pub const INPUTS: usize = 10;

/// The gradients of the kernels between some output and some input channels.
pub struct Weight {
    pub geometry: Geometry,
    /// The convolution's input.
    pub from: TensorSlot,
    /// The gradients of its sums.
    pub sums: SumGradients,
    pub frames: BatchMemory,
    /// The first output channel, and their number.
    pub outputs: (usize, usize),
    pub inputs: Range<usize>,
    /// The gradients, row-major \[outputs,inputs,taps,taps\]; of a depthwise convolution \[channels,taps,taps\].
    pub weight: FloatPointer,
}

impl WithSimd for Weight {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (first, count) = self.outputs;
        match (count, self.geometry.taps) {
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

/// Vectors of a band of gradients of the sums: with sixteen lanes they fill half of an L1 cache.
const BAND_VECTORS: usize = 256;

/// A band: the gradients of some rows of the sums of some channels. `width` and `plane` are the vectors from one row and
/// from one channel to the next.
#[derive(Clone, Copy)]
struct Band {
    first: *const f32,
    width: usize,
    plane: usize,
}

impl Weight {
    /// The gradients of T taps, from `tap` on, of every row of the kernels of O output channels. Works group by group and
    /// band by band, so that a band stays in the cache for all inputs and tap rows.
    #[inline(always)]
    fn kernels<S: Simd, const O: usize, const T: usize>(&self, simd: S, first: usize, tap: usize) {
        let [_, height, width] = self.sums.shape();
        let taps = self.geometry.taps;
        let mut sums = vec![[[simd.splat_f32s(0.0); T]; O]; self.inputs.len() * taps];
        let rows = (BAND_VECTORS / (O * width).max(1))
            .max(1)
            .next_multiple_of(SIDE);
        let mut scratch = match self.sums {
            SumGradients::Each(_) => Vec::new(),
            SumGradients::Windows(_) => vec![simd.splat_f32s(0.0); O * rows * width],
        };
        for group in 0..self.frames.groups {
            for from in (0..height).step_by(rows) {
                let rows = from..height.min(from + rows);
                let band = self.band::<S, O>(simd, (group, first), rows.clone(), &mut scratch);
                for (input, tap_rows) in self.inputs.clone().zip(sums.chunks_exact_mut(taps)) {
                    for (tap_row, acc) in tap_rows.iter_mut().enumerate() {
                        self.tile(
                            simd,
                            (group, input),
                            (tap_row, tap),
                            (band, rows.clone()),
                            acc,
                        );
                    }
                }
            }
        }
        for (input, tap_rows) in self.inputs.clone().zip(sums.chunks_exact(taps)) {
            for (tap_row, sums) in tap_rows.iter().enumerate() {
                self.write(simd, (first, input), (tap_row, tap), sums);
            }
        }
    }

    /// The band of some rows of O channels: in the frame or, for pooled windows, unpooled into `scratch`.
    #[inline(always)]
    fn band<S: Simd, const O: usize>(
        &self,
        simd: S,
        (group, first): (usize, usize),
        rows: Range<usize>,
        scratch: &mut [S::f32s],
    ) -> Band {
        let lanes = S::F32_LANES;
        // SAFETY: all of these lie in the frame; nobody writes them now.
        let pointer = |number: usize| unsafe { self.frames.at(group, number, lanes).cast_const() };
        match self.sums {
            SumGradients::Each(sums) => Band {
                first: pointer(sums.origin + sums.offset(first, rows.start, 0)),
                width: sums.padded_width(),
                plane: sums.padded_plane(),
            },
            SumGradients::Windows(windows) => {
                let [_, _, width] = windows.shape;
                let plane = rows.len() * width;
                let maxima = windows.gradient;
                for channel in 0..O {
                    for (row, y) in rows.clone().step_by(SIDE).zip((0..).step_by(SIDE)) {
                        // Sums outside all windows are zero.
                        if row / SIDE >= maxima.rows {
                            let rest_of_channel =
                                &mut scratch[channel * plane + y * width..(channel + 1) * plane];
                            rest_of_channel.fill(simd.splat_f32s(0.0));
                            break;
                        }
                        for x in 0..maxima.columns {
                            let window = [first + channel, row / SIDE, x];
                            // SAFETY: as above.
                            let [a, b, c, d] = unsafe { windows.window(simd, pointer, window) };
                            let to = channel * plane + y * width + SIDE * x;
                            (scratch[to], scratch[to + 1]) = (a, b);
                            (scratch[to + width], scratch[to + width + 1]) = (c, d);
                        }
                        if maxima.columns * SIDE < width {
                            let to = channel * plane + y * width + width - 1;
                            scratch[to] = simd.splat_f32s(0.0);
                            scratch[to + width] = simd.splat_f32s(0.0);
                        }
                    }
                }
                Band {
                    first: scratch.as_ptr().cast(),
                    width,
                    plane,
                }
            }
        }
    }

    /// Adds the contribution of one band to the gradients of some taps of a row.
    #[inline(always)]
    fn tile<S: Simd, const O: usize, const T: usize>(
        &self,
        simd: S,
        (group, input): (usize, usize),
        (tap_row, tap): (usize, usize),
        (band, rows): (Band, Range<usize>),
        acc: &mut [[S::f32s; T]; O],
    ) {
        let lanes = S::F32_LANES;
        let (from, pads) = (&self.from, self.geometry.pads);
        let [_, _, columns] = self.sums.shape();
        let step = band.plane * lanes;
        let mut sums = *acc;
        for (index, row) in rows.enumerate() {
            // The border of the input is at least the padding.
            let x = input * from.padded_plane()
                + (row + tap_row + from.border.top - pads.top) * from.padded_width()
                + tap
                + from.border.left
                - pads.left;
            // SAFETY: both lie in the frame, or in the scratch memory; nobody writes them now.
            unsafe {
                let mut x = self.frames.at(group, from.origin + x, lanes).cast_const();
                let mut d = band.first.add(index * band.width * lanes);
                for _ in 0..columns {
                    let mut inputs = [simd.splat_f32s(0.0); T];
                    for (t, vector) in inputs.iter_mut().enumerate() {
                        *vector = load(simd, x.add(t * lanes));
                    }
                    for (o, sums) in sums.iter_mut().enumerate() {
                        let d = load(simd, d.add(o * step));
                        for t in 0..T {
                            sums[t] = simd.mul_add_f32s(d, inputs[t], sums[t]);
                        }
                    }
                    x = x.add(lanes);
                    d = d.add(lanes);
                }
            }
        }
        *acc = sums;
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
        let taps = self.geometry.taps;
        for (o, sums) in sums.iter().enumerate() {
            let kernel = match self.geometry.depthwise {
                true => first + o,
                false => (first + o) * self.from.channels + input,
            } * taps
                * taps;
            for (t, sum) in sums.iter().enumerate() {
                // SAFETY: the kernels of these channels are this task's.
                unsafe {
                    let offset = kernel + tap_row * taps + tap + t;
                    *self.weight.0.add(offset) = simd.reduce_sum_f32s(*sum);
                }
            }
        }
    }
}
