//! Winograd convolutions along rows, F(4, r): four adjacent outputs of a row take n multiplications for each row of the
//! kernel instead of 4·r. The rows of the kernel are summed directly, so the kernel may have any number of them.
//!
//! The sums of two rows of outputs stay in registers until they are transformed, with each weight used for both; so
//! there is little to do besides multiplying, which is why this is the fastest way for few input channels.

use std::ops::Range;

use pulp::Simd;

use super::WinogradOnGroup;
use super::basis::{inputs, outputs};
use super::transform::TILE_OUTPUTS;
use crate::nets::plan::product::{load, store};

/// Rows of outputs computed at once: those of a pooling window.
pub(super) const BAND: usize = 2;

/// The rows of a convolution.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Rows of the kernel.
    pub kernel_rows: usize,
    /// Offset of the first input of the first output, in floats.
    pub base: usize,
}

impl Rows {
    /// Floats of scratch memory for the transformed inputs, with n points, for outputs of a size (rows, columns).
    pub(super) fn scratch_len(
        &self,
        n: usize,
        channels: usize,
        (rows, columns): (usize, usize),
        lanes: usize,
    ) -> usize {
        let rows = rows.next_multiple_of(BAND) + self.kernel_rows - 1;
        channels * rows * self.tiles_at_once(n, channels, columns) * n * lanes
    }

    /// Tiles of four columns computed at once, with n points: as many as stay in the L1 cache with what a band reads of
    /// them, so that outputs are written along rows.
    fn tiles_at_once(&self, n: usize, channels: usize, columns: usize) -> usize {
        let of_tile = channels * (self.kernel_rows + BAND - 1) * n;
        (CACHED_INPUTS / of_tile.max(1)).clamp(1, columns.div_ceil(TILE_OUTPUTS).max(1))
    }
}

/// Floats per lane of the transformed inputs that a band reads at once, to stay in the L1 cache: 24 kB with vectors of
/// 64 bytes.
const CACHED_INPUTS: usize = 384;

/// Transformed inputs, \[channel,row,tile,point\], seen from the first row of a band.
#[derive(Clone, Copy)]
struct Transformed {
    first: *const f32,
    channels: usize,
    /// Floats from one channel to the next, and from one row to the next.
    strides: [usize; 2],
}

impl WinogradOnGroup<'_> {
    /// Convolves with N points, of which HALF is half.
    #[inline(always)]
    pub(super) fn convolve_rows<S: Simd, const N: usize, const HALF: usize>(
        &self,
        simd: S,
        rows: &Rows,
    ) {
        let winograd = self.winograd;
        let lanes = S::F32_LANES;
        let (from, to) = (&winograd.from, &winograd.to);
        let kernel_rows = rows.kernel_rows;
        let bands = match winograd.pooled {
            true => to.rows,
            false => winograd.size.0.div_ceil(BAND),
        };
        let transformed_rows = BAND * bands + kernel_rows - 1;
        let tiles = winograd.size.1.div_ceil(TILE_OUTPUTS);
        let at_once = rows.tiles_at_once(N, from.channels, winograd.size.1);
        let tile_len = N * lanes;
        let strides = [transformed_rows * at_once * tile_len, at_once * tile_len];
        let into = self.frames.start(to, self.group);
        for first in (0..tiles).step_by(at_once) {
            let tiles = first..tiles.min(first + at_once);
            let mut ready = 0;
            for band in 0..bands {
                // The rows that this band is the first to read, while they are in the cache.
                let needed = BAND * (band + 1) + kernel_rows - 1;
                for channel in 0..from.channels {
                    for row in ready..needed {
                        // SAFETY: the scratch memory is long enough.
                        unsafe {
                            let to = self.scratch.add(channel * strides[0] + row * strides[1]);
                            self.transform_row::<S, N>(
                                simd,
                                rows,
                                (channel, row, tiles.clone()),
                                to,
                            );
                        }
                    }
                }
                ready = needed;
                let mut weights = winograd.weights.as_ptr();
                for channel in 0..to.channels {
                    for tile in tiles.clone() {
                        // SAFETY: as above; channels, rows and points determine the length of the weights.
                        unsafe {
                            let at = BAND * band * strides[1] + (tile - first) * tile_len;
                            let x = Transformed {
                                first: self.scratch.add(at),
                                channels: from.channels,
                                strides,
                            };
                            let m = band_sums::<S, N, HALF>(simd, x, kernel_rows, weights);
                            let y = [outputs::<S, N>(simd, m[0]), outputs::<S, N>(simd, m[1])];
                            self.write(simd, y, channel, (BAND * band, tile * TILE_OUTPUTS), into);
                        }
                    }
                    weights = weights.wrapping_add(from.channels * kernel_rows * N);
                }
            }
        }
    }

    /// Transforms a row of a channel, counted from the first row that outputs read: \[tile,point\]. A row beyond the
    /// last one that outputs inside the tensor read is taken as zeros.
    ///
    /// # Safety
    /// The output must be writable.
    #[inline(always)]
    unsafe fn transform_row<S: Simd, const N: usize>(
        &self,
        simd: S,
        rows: &Rows,
        (channel, row, tiles): (usize, usize, Range<usize>),
        to: *mut f32,
    ) {
        let lanes = S::F32_LANES;
        let (from, size) = (&self.winograd.from, self.winograd.size);
        let start = self.frames.start(from, self.group) * lanes + rows.base;
        let at = channel * from.padded_plane() + row * from.padded_width();
        for (index, tile) in tiles.enumerate() {
            let mut d = [simd.splat_f32s(0.0); N];
            // SAFETY: tiles lie inside the tensor and its border; for the output the caller's.
            unsafe {
                if row < size.0 + rows.kernel_rows - 1 {
                    let at = start + (at + tile * TILE_OUTPUTS) * lanes;
                    let x = self.memory.add(at).cast_const();
                    for (j, d) in d.iter_mut().enumerate() {
                        *d = load(simd, x.add(j * lanes));
                    }
                }
                let v = inputs::<S, N>(simd, d);
                for (j, v) in v.iter().enumerate() {
                    store(simd, to.add((index * N + j) * lanes), *v);
                }
            }
        }
    }
}

/// The sums at the N points of a band, half of them at a time if registers are few.
///
/// # Safety
/// As for [`sums`].
#[inline(always)]
unsafe fn band_sums<S: Simd, const N: usize, const HALF: usize>(
    simd: S,
    x: Transformed,
    kernel_rows: usize,
    weights: *const f32,
) -> [[S::f32s; N]; BAND] {
    // SAFETY: the caller's.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            return sums::<S, N, N>(simd, x, kernel_rows, weights, 0);
        }
        let mut m = [[simd.splat_f32s(0.0); N]; BAND];
        for first in [0, HALF] {
            let half = sums::<S, N, HALF>(simd, x, kernel_rows, weights, first);
            for (m, half) in m.iter_mut().zip(half) {
                for (j, half) in half.into_iter().enumerate() {
                    m[first + j] = half;
                }
            }
        }
        m
    }
}

/// The sums at P of the N points, beginning with `point`, of a band. Weights are \[channel,kernel row,point\].
///
/// # Safety
/// The transformed inputs and the weights must be readable.
#[inline(always)]
unsafe fn sums<S: Simd, const N: usize, const P: usize>(
    simd: S,
    x: Transformed,
    kernel_rows: usize,
    weights: *const f32,
    point: usize,
) -> [[S::f32s; P]; BAND] {
    let lanes = S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let (mut above, mut below) = ([zero; P], [zero; P]);
    let mut weights = weights.wrapping_add(point);
    for channel in 0..x.channels {
        // SAFETY: the caller's.
        unsafe {
            let mut row = x.first.add(channel * x.strides[0] + point * lanes);
            let mut upper = [zero; P];
            for (j, upper) in upper.iter_mut().enumerate() {
                *upper = load(simd, row.add(j * lanes));
            }
            for _ in 0..kernel_rows {
                row = row.add(x.strides[1]);
                for j in 0..P {
                    let weight = simd.splat_f32s(*weights.add(j));
                    let lower = load(simd, row.add(j * lanes));
                    above[j] = simd.mul_add_f32s(weight, upper[j], above[j]);
                    below[j] = simd.mul_add_f32s(weight, lower, below[j]);
                    upper[j] = lower;
                }
                weights = weights.wrapping_add(N);
            }
        }
    }
    [above, below]
}
