//! Gradients of an LSTM's weights: sums over steps and images, with rows divided among tasks.

use pulp::{Simd, WithSimd};

use super::super::BatchMemory;
use super::super::memory::DisjointPointer;
use super::{Lstm, TILE};
use crate::nets::plan::Lanes;
use crate::nets::plan::product::{load, store};
use crate::nets::plan::team::run_tasks;

/// Number of tasks for the gradients of the weights.
const TASKS: usize = 16;

/// Vectors per tile row.
const VECTORS: usize = 4;

impl Lstm {
    /// Gradients of the bias.
    pub(super) fn bias_gradients(&self, frames: &BatchMemory, bias: &mut [f32], lanes: Lanes) {
        let sums = DisjointPointer(bias.as_mut_ptr());
        let added = self.steps * self.rows() * frames.groups * lanes.count();
        run_tasks(bias.len(), added, |row| {
            sums.slice(row, 1)[0] = lanes.arch().dispatch(Bias {
                layer: self,
                frames: *frames,
                row,
            });
        });
    }

    /// Gradients of the weights that multiply the `numbers` values from offset `read` on at every step.
    pub(super) fn weight_gradients(
        &mut self,
        frames: &BatchMemory,
        (read, numbers): (usize, usize),
        gradient: &mut [f32],
        lanes: Lanes,
    ) {
        let count = lanes.count();
        let stride = numbers.next_multiple_of(count);
        // The multiplied values, one image per row: \[steps,images,stride\].
        let images = frames.groups * count;
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        rows.resize(self.steps * images * stride, 0.0);
        let layer = &*self;
        let all = DisjointPointer(rows.as_mut_ptr());
        let pieces = layer.steps * frames.groups;
        run_tasks(pieces, usize::MAX, |piece| {
            let rows = all.slice(piece * count * stride, count * stride);
            let (step, group) = (piece / frames.groups, piece % frames.groups);
            for number in 0..numbers {
                let from = read + step * numbers + number;
                for (lane, row) in rows.chunks_exact_mut(stride).enumerate() {
                    // SAFETY: it lies in the frame, and nobody writes to it now.
                    row[number] = unsafe { *frames.at(group, from, count).add(lane) };
                }
            }
        });
        let task_rows = layer.rows().div_ceil(TASKS).next_multiple_of(TILE);
        let gate_rows = layer.rows();
        let all = DisjointPointer(gradient.as_mut_ptr());
        run_tasks(gate_rows.div_ceil(task_rows), usize::MAX, |task| {
            let count = task_rows.min(gate_rows - task * task_rows);
            let gradient = all.slice(task * task_rows * numbers, count * numbers);
            lanes.arch().dispatch(Weight {
                layer,
                frames: *frames,
                first: task * task_rows,
                rows: &rows,
                stride,
                numbers,
                gradient,
            });
        });
        self.rows = rows;
    }
}

/// The gradient of the bias of one gate row.
struct Bias<'a> {
    layer: &'a Lstm,
    frames: BatchMemory,
    row: usize,
}

impl WithSimd for Bias<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let layer = self.layer;
        let mut sum = simd.splat_f32s(0.0);
        for step in 0..layer.steps {
            for group in 0..self.frames.groups {
                let offset = layer.gates + step * layer.rows() + self.row;
                // SAFETY: it lies in the frame, and nobody writes to it now.
                let d = unsafe { load(simd, self.frames.at(group, offset, S::F32_LANES)) };
                sum = simd.add_f32s(sum, d);
            }
        }
        simd.reduce_sum_f32s(sum)
    }
}

/// The gradients of the weights of some gate rows: sums over steps and images, one after the other.
struct Weight<'a> {
    layer: &'a Lstm,
    frames: BatchMemory,
    /// The first row.
    first: usize,
    /// The multiplied values, \[steps,images,stride\].
    rows: &'a [f32],
    stride: usize,
    numbers: usize,
    /// Gradients of these rows, \[rows,numbers\].
    gradient: &'a mut [f32],
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let count = self.gradient.len() / self.numbers;
        let mut sums = vec![0.0_f32; count * self.stride];
        for step in 0..self.layer.steps {
            for row in (0..count).step_by(TILE) {
                for number in (0..self.stride).step_by(VECTORS * lanes) {
                    let position = (step, row, number);
                    let vectors = ((self.stride - number) / lanes).min(VECTORS);
                    match (count - row).min(TILE) {
                        6 => self.vectors::<S, 6>(simd, position, vectors, &mut sums),
                        5 => self.vectors::<S, 5>(simd, position, vectors, &mut sums),
                        4 => self.vectors::<S, 4>(simd, position, vectors, &mut sums),
                        3 => self.vectors::<S, 3>(simd, position, vectors, &mut sums),
                        2 => self.vectors::<S, 2>(simd, position, vectors, &mut sums),
                        _ => self.vectors::<S, 1>(simd, position, vectors, &mut sums),
                    }
                }
            }
        }
        let rows = self.gradient.chunks_exact_mut(self.numbers);
        for (row, sums) in rows.zip(sums.chunks_exact(self.stride)) {
            row.copy_from_slice(&sums[..self.numbers]);
        }
    }
}

impl Weight<'_> {
    /// Sums the vectors of a tile, two at a time if registers are few.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(
        &self,
        simd: S,
        (step, row, number): (usize, usize, usize),
        vectors: usize,
        sums: &mut [f32],
    ) {
        if vectors == VECTORS && S::REGISTER_COUNT >= 32 {
            self.tile::<S, N, 4>(simd, (step, row, number), sums);
            return;
        }
        for two in 0..vectors / 2 {
            self.tile::<S, N, 2>(simd, (step, row, number + two * 2 * S::F32_LANES), sums);
        }
        if vectors % 2 == 1 {
            let last = number + (vectors - 1) * S::F32_LANES;
            self.tile::<S, N, 1>(simd, (step, row, last), sums);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(
        &self,
        simd: S,
        (step, row, number): (usize, usize, usize),
        sums: &mut [f32],
    ) {
        let lanes = S::F32_LANES;
        let layer = self.layer;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        assert!(number + P * lanes <= self.stride && (row + N) * self.stride <= sums.len());
        let images = self.frames.groups * lanes;
        assert!((step + 1) * images * self.stride <= self.rows.len());
        // SAFETY: checked above; gradients lie in the frames, and nobody writes to them now.
        unsafe {
            let offset = |n: usize, p: usize| (row + n) * self.stride + number + p * lanes;
            for (n, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    *acc = load(simd, sums.as_ptr().add(offset(n, p)));
                }
            }
            let gates = layer.gates + step * layer.rows() + self.first + row;
            for group in 0..self.frames.groups {
                let d = self.frames.at(group, gates, lanes).cast_const();
                let first = (step * images + group * lanes) * self.stride + number;
                let values = self.rows.as_ptr().add(first);
                for lane in 0..lanes {
                    let mut x = [simd.splat_f32s(0.0); P];
                    for (p, x) in x.iter_mut().enumerate() {
                        *x = load(simd, values.add(lane * self.stride + p * lanes));
                    }
                    for (n, acc) in acc.iter_mut().enumerate() {
                        let d = simd.splat_f32s(*d.add(n * lanes + lane));
                        for p in 0..P {
                            acc[p] = simd.mul_add_f32s(d, x[p], acc[p]);
                        }
                    }
                }
            }
            for (n, acc) in acc.iter().enumerate() {
                for (p, sum) in acc.iter().enumerate() {
                    store(simd, sums.as_mut_ptr().add(offset(n, p)), *sum);
                }
            }
        }
    }
}
