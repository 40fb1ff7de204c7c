//! Gradients of a convolution's weights, by the transposed Winograd algorithm.
//!
//! A tile of outputs is Y = Aᵀ\[(G g Gᵀ) ⊙ (Bᵀ d B)\]A of its inputs d (see `winograd`), which is linear in g. The
//! gradient of g is therefore Gᵀ\[Σ (A y Aᵀ) ⊙ (Bᵀ d B)\]G, summed over images and tiles, where y is the gradient of the
//! outputs.
//!
//! At every point, this is a matrix product over images and tiles. It processes one group of images at a time, which
//! stays in a core's own cache, and each lane is an output channel, so nothing is added across lanes. A fixed number of
//! chunks of groups each have their own sums, so the gradients do not depend on the number of workers.

mod chunk;

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::team::run_tasks;
use super::super::windows::SumGradients;
use super::super::winograd::{TILE_OUTPUTS, Transform};
use super::BatchMemory;
use super::kernel::{Geometry, with_scratch};
use super::memory::{DisjointPointer, FloatPointer, Memory};
use chunk::Chunk;

/// Tiles of a group multiplied together.
const TOGETHER: usize = 2;

/// Vectors of output channels that are transformed and multiplied together: with the sums they stay in the L2 cache.
const VECTORS: usize = 2;

/// Maximum number of chunks of groups with separate sums.
const CHUNKS: usize = 8;

/// Computes the gradients of a convolution's weights.
#[derive(Debug)]
pub struct WinogradWeightGradient {
    transform: Transform,
    taps: usize,
    from: TensorSlot,
    /// The gradients of the convolution's sums.
    sums: SumGradients,
    /// For every tile, the offset of its inputs within a channel, and its first row and column of the sums.
    tiles: Vec<(usize, usize, usize)>,
    /// Sums of each chunk of groups, \[points,inputs,outputs\].
    chunk_sums: Memory,
    /// Sums by point, input and output channel.
    totals: Vec<f32>,
}

impl WinogradWeightGradient {
    /// For a convolution with this input and these gradients of its sums; `None` if it does not use
    /// Winograd along both axes.
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
            chunk_sums: Memory::default(),
            totals: Vec::new(),
        })
    }

    /// The gradients, row-major \[outputs,inputs,taps,taps\].
    pub fn weight_gradients(&mut self, frames: &BatchMemory, gradient: &mut [f32], lanes: Lanes) {
        let points = self.transform.points.pow(2);
        let inputs = self.from.channels;
        let outputs = self.outputs();
        // Output channels, rounded up to whole vectors.
        let padded_outputs = outputs.next_multiple_of(lanes.count());
        let sums_len = points * inputs * padded_outputs;
        let chunks = CHUNKS.min(frames.groups);
        self.chunk_sums.reserve(sums_len, chunks);
        let chunk_sums = self.chunk_sums.pointer();
        let layer = &*self;
        run_tasks(chunks, usize::MAX, |chunk| {
            let groups = frames.groups * chunk / chunks..frames.groups * (chunk + 1) / chunks;
            let sums = chunk_sums.slice(chunk * sums_len, sums_len);
            let scratch = layer.scratch_len(lanes.count());
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
        sums.resize(sums_len, 0.0);
        let total = DisjointPointer(sums.as_mut_ptr());
        let vectors = lanes.arch();
        run_tasks(points, usize::MAX, |point| {
            let count = inputs * padded_outputs;
            let into = total.slice(point * count, count);
            vectors.dispatch(
                #[inline(always)]
                || {
                    into.fill(0.0);
                    for chunk in 0..chunks {
                        let sums_of_chunk =
                            chunk_sums.slice(chunk * sums_len + point * count, count);
                        into.iter_mut()
                            .zip(sums_of_chunk)
                            .for_each(|(into, sum)| *into += *sum);
                    }
                },
            );
        });
        let layer = &*self;
        let gradient = DisjointPointer(gradient.as_mut_ptr());
        let point_sums = &sums;
        run_tasks(inputs, usize::MAX, |input| {
            vectors.dispatch(
                #[inline(always)]
                || layer.kernel_gradients(point_sums, input, outputs, gradient),
            );
        });
        self.totals = sums;
    }

    /// Floats from one point to the next of the transformed inputs, and of the transformed gradients of a part of the
    /// output channels, of [`TOGETHER`] tiles. One vector is left unused, so that points do not map to the same few cache
    /// sets.
    #[inline(always)]
    fn point_strides(&self, lanes: usize) -> (usize, usize) {
        let stride = |numbers: usize| TOGETHER * numbers + lanes;
        (
            stride(self.from.channels * lanes),
            stride(lanes * self.row_len(lanes)),
        )
    }

    /// Output channels that are processed together: a part.
    #[inline(always)]
    fn part_len(&self, lanes: usize) -> usize {
        self.outputs().min(VECTORS * lanes)
    }

    /// Output channels of a part, rounded up to whole vectors.
    #[inline(always)]
    fn row_len(&self, lanes: usize) -> usize {
        self.part_len(lanes).next_multiple_of(lanes)
    }

    /// Output channels.
    #[inline(always)]
    fn outputs(&self) -> usize {
        self.sums.shape()[0]
    }

    /// Floats of scratch memory: the transformed tiles that are multiplied together, and a tile of gradients of one vector
    /// of output channels, by channel and by image.
    fn scratch_len(&self, lanes: usize) -> usize {
        let (inputs, gradients) = self.point_strides(lanes);
        let tile = TILE_OUTPUTS * TILE_OUTPUTS * lanes * lanes;
        self.transform.points.pow(2) * (inputs + gradients) + 2 * tile
    }

    /// Transforms sums \[points,inputs,outputs\] to the gradients of the kernels of an input channel.
    #[inline(always)]
    fn kernel_gradients(&self, sums: &[f32], input: usize, outputs: usize, gradient: FloatPointer) {
        let (n, r) = (self.transform.points, self.taps);
        let inputs = self.from.channels;
        let padded_outputs = sums.len() / (n * n * inputs);
        let points: Vec<Vec<f64>> = (0..n).map(|j| self.transform.kernel_row(j, r)).collect();
        let mut half = vec![0.0; n * outputs];
        let mut whole = vec![0.0; outputs];
        for k in 0..r {
            half.fill(0.0);
            for (j, row) in points.iter().enumerate().filter(|(_, row)| row[k] != 0.0) {
                for (l, half) in half.chunks_exact_mut(outputs).enumerate() {
                    let sums_at_point =
                        &sums[((j * n + l) * inputs + input) * padded_outputs..][..outputs];
                    let factor = row[k] as f32;
                    half.iter_mut()
                        .zip(sums_at_point)
                        .for_each(|(half, sum)| *half += factor * sum);
                }
            }
            for l in 0..r {
                whole.fill(0.0);
                for (row, half) in points.iter().zip(half.chunks_exact(outputs)) {
                    let factor = row[l] as f32;
                    whole
                        .iter_mut()
                        .zip(half)
                        .for_each(|(whole, half)| *whole += factor * half);
                }
                for (output, value) in whole.iter().enumerate() {
                    let offset = ((output * inputs + input) * r + k) * r + l;
                    gradient.slice(offset, 1)[0] = *value;
                }
            }
        }
    }
}
