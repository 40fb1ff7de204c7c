//! The Winograd transforms, and the choice between Winograd and direct convolution.

use std::sync::Mutex;

use pulp::{Simd, WithSimd};

use crate::nets::plan::Lanes;
use crate::nets::plan::product::{POSITIONS, Tile};
use crate::nets::plan::team::run_tasks;

/// Rows and columns of a tile of outputs.
pub const TILE_OUTPUTS: usize = 4;

/// The pairs of points ±a, in order of use.
const PAIRS: [f64; 3] = [1.0, 2.0, 0.5];

/// Maximum points along an axis: those of a kernel with 5 taps.
pub const MAX_POINTS: usize = 8;

/// The transforms for a kernel with r taps along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transform {
    /// Points along an axis: rows and columns of a tile of inputs.
    pub points: usize,
}

/// The cost model of a tile, in multiplications: measured on AVX-512 with `bench --pieces`; proportions on AVX2 are
/// about the same. These are constants rather than run-time measurements, so that a session has the same logits on
/// whatever machine it is resumed.
mod cost {
    /// Share of the processor's peak that direct convolutions reach.
    pub const DIRECT: f64 = 0.85;
    /// Share of the processor's peak that the products at the points reach.
    pub const POINTS: f64 = 0.9;
    /// Cost per point of transforming one channel of one tile.
    pub const TRANSFORM: f64 = 7.8;
}

impl Transform {
    /// The transforms for a kernel between `inputs` and `outputs` channels with outputs of this size, if Winograd
    /// costs less than direct convolution.
    pub fn if_cheaper(
        taps: usize,
        inputs: usize,
        outputs: usize,
        [rows, columns]: [usize; 2],
    ) -> Option<Self> {
        let transform = Self::new(taps)?;
        let pairs = (inputs * outputs) as f64;
        let direct = (rows * columns * taps * taps) as f64 * pairs / cost::DIRECT;
        // Tiles are always computed four at a time.
        let tiles = rows.div_ceil(TILE_OUTPUTS) * columns.div_ceil(TILE_OUTPUTS);
        let tiles = tiles.next_multiple_of(POSITIONS);
        let points = transform.points.pow(2) as f64;
        let channels = (inputs + outputs) as f64;
        let tile = points * (pairs / cost::POINTS + channels * cost::TRANSFORM);
        (tiles as f64 * tile < direct).then_some(transform)
    }

    /// The transforms for 3 or 5 taps; `None` for others.
    pub fn new(taps: usize) -> Option<Self> {
        matches!(taps, 3 | 5).then_some(Self {
            points: TILE_OUTPUTS + taps - 1,
        })
    }

    /// Row j of G: the factors of the kernel's taps at point j. Points are 0, then +a and −a of each pair, then ∞.
    pub fn kernel_row(&self, j: usize, taps: usize) -> Vec<f64> {
        let count = (self.points - 2) / 2;
        if j + 1 == self.points {
            return (0..taps)
                .map(|k| f64::from(u8::from(k + 1 == taps)))
                .collect();
        }
        let a = point(j);
        let others = (0..=2 * count).filter(|&l| l != j).map(point);
        let scale: f64 = others.map(|b| a - b).product();
        (0..taps).map(|k| a.powi(k as i32) / scale).collect()
    }

    /// G g Gᵀ of a kernel g, row-major \[taps,taps\]: \[points,points\].
    pub fn transform_kernel(&self, g: &[f32], taps: usize) -> Vec<f32> {
        let rows: Vec<Vec<f64>> = (0..self.points).map(|j| self.kernel_row(j, taps)).collect();
        let mut out = Vec::with_capacity(self.points * self.points);
        for down in &rows {
            for across in &rows {
                let mut sum = 0.0;
                for (y, u) in down.iter().enumerate() {
                    for (x, v) in across.iter().enumerate() {
                        sum += u * v * f64::from(g[y * taps + x]);
                    }
                }
                out.push(sum as f32);
            }
        }
        out
    }
}

impl Transform {
    /// Floats of the transformed kernels between `inputs` and `outputs` channels.
    pub fn packed_len(&self, inputs: usize, outputs: usize) -> usize {
        outputs * inputs * self.points.pow(2)
    }

    /// Writes the transformed kernels \[taps,taps\] in the order of [`Winograd::weights`], in single precision: for weights
    /// that change with every batch. `strides` are the offsets from the kernel of one input channel to the next, and of
    /// one output channel to the next.
    ///
    /// [`Winograd::weights`]: super::Winograd::weights
    pub fn pack(
        &self,
        kernels: &[f32],
        (inputs, strides): (usize, [usize; 2]),
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

/// Point j of 0, 1, −1, 2, −2, ½, −½.
fn point(j: usize) -> f64 {
    match j {
        0 => 0.0,
        j if j % 2 == 1 => PAIRS[j / 2],
        j => -PAIRS[j / 2 - 1],
    }
}
