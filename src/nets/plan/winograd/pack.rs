//! Kernels, transformed and in the order in which they are used.

use std::sync::Mutex;

use pulp::{Simd, WithSimd};

use super::transform::{MAX_POINTS, TILE_OUTPUTS, Transform};
use crate::nets::plan::Lanes;
use crate::nets::plan::product::Tile;
use crate::nets::plan::team::run_tasks;

impl Transform {
    /// Floats of the kernels between `inputs` and `outputs` channels, transformed along both axes.
    pub fn squares_len(&self, inputs: usize, outputs: usize) -> usize {
        outputs * inputs * self.points.pow(2)
    }

    /// Transforms kernels \[outputs,inputs,kernel rows,taps\] along their rows: \[outputs,inputs,kernel rows,points\].
    pub fn pack_rows(&self, kernels: &[f32], packed: &mut [f32]) {
        let taps = self.points + 1 - TILE_OUTPUTS;
        let matrix: Vec<Vec<f64>> = (0..self.points).map(|j| self.kernel_row(j, taps)).collect();
        let rows = kernels.chunks_exact(taps);
        for (row, packed) in rows.zip(packed.chunks_exact_mut(self.points)) {
            for (factors, packed) in matrix.iter().zip(packed) {
                let terms = factors.iter().zip(row);
                *packed = terms.map(|(a, g)| a * f64::from(*g)).sum::<f64>() as f32;
            }
        }
    }

    /// Writes the kernels \[taps,taps\], transformed along both axes, in the order of [`Winograd::weights`], in single
    /// precision: for weights that change with every batch. `strides` are the offsets from the kernel of one input
    /// channel to the next, and of one output channel to the next.
    ///
    /// [`Winograd::weights`]: super::Winograd::weights
    pub fn pack_squares(
        &self,
        (kernels, strides): (&[f32], [usize; 2]),
        inputs: usize,
        tiles: &[Tile],
        lanes: Lanes,
        packed: &mut [f32],
    ) {
        let taps = self.points + 1 - TILE_OUTPUTS;
        let points = self.points;
        let mut matrix = [[0.0_f32; 5]; MAX_POINTS];
        for (j, row) in matrix.iter_mut().enumerate().take(points) {
            let factors = self.kernel_row(j, taps);
            row.iter_mut()
                .zip(factors)
                .for_each(|(to, v)| *to = v as f32);
        }
        let mut parts = Vec::with_capacity(tiles.len());
        let mut rest = packed;
        for tile in tiles {
            let (part, after) = rest.split_at_mut(tile.count * inputs * points * points);
            parts.push(Mutex::new((tile, part)));
            rest = after;
        }
        run_tasks(parts.len(), usize::MAX, |part| {
            // Only one task locks each part.
            let Ok(mut part) = parts[part].lock() else {
                return;
            };
            let (tile, out) = &mut *part;
            lanes.arch().dispatch(Pack {
                kernels,
                matrix: &matrix,
                taps,
                tile,
                inputs,
                strides,
                out,
            });
        });
    }
}

/// Transforms the kernels of a tile of output channels. A lane is a pair of an input channel and an output channel of
/// the tile, in the order in which they are stored at every point.
struct Pack<'a> {
    kernels: &'a [f32],
    matrix: &'a [[f32; 5]; MAX_POINTS],
    taps: usize,
    tile: &'a Tile,
    inputs: usize,
    /// Offsets from the kernel of one input channel to the next, and of one output channel to the next.
    strides: [usize; 2],
    out: &'a mut [f32],
}

impl WithSimd for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.taps {
            5 => self.pack::<S, 5, 8>(simd),
            _ => self.pack::<S, 3, 6>(simd),
        }
    }
}

impl Pack<'_> {
    #[inline(always)]
    fn pack<S: Simd, const R: usize, const N: usize>(self, simd: S) {
        let lanes = S::F32_LANES;
        let pairs = self.inputs * self.tile.count;
        for first in (0..pairs).step_by(lanes) {
            let count = lanes.min(pairs - first);
            let mut numbers = [[[0.0_f32; 16]; R]; R];
            for lane in 0..count {
                let (input, channel) = (
                    (first + lane) / self.tile.count,
                    (first + lane) % self.tile.count,
                );
                let channel = self.tile.first + channel;
                let kernel = input * self.strides[0] + channel * self.strides[1];
                let kernel = &self.kernels[kernel..][..R * R];
                for (y, numbers) in numbers.iter_mut().enumerate() {
                    for (x, numbers) in numbers.iter_mut().enumerate() {
                        numbers[lane] = kernel[y * R + x];
                    }
                }
            }
            let mut half = [[simd.splat_f32s(0.0); R]; N];
            for (half, row) in half.iter_mut().zip(self.matrix) {
                for (x, half) in half.iter_mut().enumerate() {
                    for y in 0..R {
                        let g = simd.partial_load_f32s(&numbers[y][x][..lanes]);
                        *half = simd.mul_add_f32s(simd.splat_f32s(row[y]), g, *half);
                    }
                }
            }
            for (j, half) in half.iter().enumerate() {
                for (l, row) in self.matrix.iter().enumerate().take(N) {
                    let mut whole = simd.splat_f32s(0.0);
                    for x in 0..R {
                        whole = simd.mul_add_f32s(simd.splat_f32s(row[x]), half[x], whole);
                    }
                    let at = (j * N + l) * pairs + first;
                    simd.partial_store_f32s(&mut self.out[at..at + count], whole);
                }
            }
        }
    }
}
