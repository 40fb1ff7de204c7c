//! Long short-term memories in training, backward through time (Hochreiter & Schmidhuber 1997; Werbos 1990).
//!
//! Two groups of images go through all steps together, forward and back, without waiting for others. The
//! gradients by the weights are then sums over steps and images, rows of which are cut among the tasks.

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::function::{sigmoid, tanh};
use super::super::product::{load, store};
use super::super::team::each;
use super::Frames;
use super::adam::Parameter;
use super::dense::accumulate;
use super::memory::Part;

/// Rows of a tile.
const TILE: usize = 6;

/// Groups that go through the steps together.
const GROUPS: usize = 2;

/// Tasks that the gradients by weights fall into.
const TASKS: usize = 16;

/// Numbers, or vectors of them, of a tile of the gradients by weights.
const VECTORS: usize = 4;

/// A layer, forward in time.
#[derive(Debug)]
pub struct Lstm {
    /// Weights by the input \[4·units,features\] and by the state \[4·units,units\], and the bias, among the
    /// parameters: the gates i, f, g, o one below the other.
    pub parameters: [usize; 3],
    pub steps: usize,
    pub features: usize,
    pub units: usize,
    /// Where in a frame it reads: the numbers of each step in one piece.
    pub from: usize,
    /// The gates of every step, after their functions; on the way back the gradients before these.
    pub gates: usize,
    /// Cell and state after every step; before them those before the first, which are zero.
    pub cells: usize,
    pub states: usize,
    /// Gradients by the states after every step.
    pub gradient: usize,
    /// Whether the state after the last step is all that is read.
    pub last: bool,
    /// The gradient by the cell.
    pub by_cell: usize,
    /// Where the gradient by what it reads is wanted.
    pub before: Option<usize>,
    /// What is read at every step, an image a row: kept from batch to batch.
    pub rows: Vec<f32>,
}

impl Lstm {
    /// Where the state after the last step stands, and the gradient by it.
    pub fn end(&self) -> (usize, usize) {
        let steps = self.steps * self.units;
        (self.states + steps, self.gradient + steps - self.units)
    }

    /// Numbers of the gates of a step.
    fn rows(&self) -> usize {
        4 * self.units
    }

    /// All steps.
    pub fn forward(&self, frames: &Frames, parameters: &[Parameter], lanes: Lanes) {
        self.each(frames, |group| {
            lanes.arch().dispatch(Forward {
                layer: self,
                frames: *frames,
                group,
                parameters: self.parameters.map(|at| &parameters[at].values[..]),
            });
        });
    }

    fn each(&self, frames: &Frames, run: impl Fn(usize) + Sync + Send) {
        each(frames.groups / GROUPS, usize::MAX, |pair| {
            run(pair * GROUPS);
        });
    }

    /// Gradients by its weights and by what it reads.
    pub fn backward(&mut self, frames: &Frames, parameters: &mut [Parameter], lanes: Lanes) {
        self.each(frames, |group| {
            lanes.arch().dispatch(Backward {
                layer: self,
                frames: *frames,
                group,
                parameters: self.parameters.map(|at| &parameters[at].values[..]),
            });
        });
        let [input, hidden, bias] = self.parameters;
        self.by_weights(
            frames,
            (self.from, self.features),
            &mut parameters[input].gradient,
            lanes,
        );
        self.by_weights(
            frames,
            (self.states, self.units),
            &mut parameters[hidden].gradient,
            lanes,
        );
        let bias = &mut parameters[bias].gradient;
        let layer = &*self;
        let sums = Part(bias.as_mut_ptr());
        let added = layer.steps * layer.rows() * frames.groups * lanes.count();
        each(bias.len(), added, |row| {
            sums.part(row, 1)[0] = lanes.arch().dispatch(Bias {
                layer,
                frames: *frames,
                row,
            });
        });
    }

    /// Gradients by weights of what is read at every step, so many numbers from `read` on.
    fn by_weights(
        &mut self,
        frames: &Frames,
        (read, numbers): (usize, usize),
        gradient: &mut [f32],
        lanes: Lanes,
    ) {
        let count = lanes.count();
        let stride = numbers.next_multiple_of(count);
        // What is read, an image a row: \[steps,images,stride\].
        let images = frames.groups * count;
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        rows.resize(self.steps * images * stride, 0.0);
        let layer = &*self;
        let all = Part(rows.as_mut_ptr());
        let pieces = layer.steps * frames.groups;
        each(pieces, usize::MAX, |at| {
            let rows = all.part(at * count * stride, count * stride);
            let (step, group) = (at / frames.groups, at % frames.groups);
            for number in 0..numbers {
                let from = read + step * numbers + number;
                for (lane, row) in rows.chunks_exact_mut(stride).enumerate() {
                    // SAFETY: it stands in the frame; nobody writes it now.
                    row[number] = unsafe { *frames.at(group, from, count).add(lane) };
                }
            }
        });
        let piece = layer.rows().div_ceil(TASKS).next_multiple_of(TILE);
        let most = layer.rows();
        let all = Part(gradient.as_mut_ptr());
        each(most.div_ceil(piece), usize::MAX, |task| {
            let count = piece.min(most - task * piece);
            let gradient = all.part(task * piece * numbers, count * numbers);
            lanes.arch().dispatch(Weight {
                layer,
                frames: *frames,
                first: task * piece,
                rows: &rows,
                stride,
                numbers,
                gradient,
            });
        });
        self.rows = rows;
    }
}

/// Two groups through all steps.
struct Forward<'a> {
    layer: &'a Lstm,
    frames: Frames,
    group: usize,
    parameters: [&'a [f32]; 3],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let units = own.units;
        // SAFETY: all values stand in the frames of these groups, which are this task's.
        let at = |group: usize, number: usize| unsafe {
            self.frames.at(self.group + group, number, lanes)
        };
        for step in 0..own.steps {
            for first in (0..own.rows()).step_by(TILE) {
                match (own.rows() - first).min(TILE) {
                    6 => self.tile::<S, 6>(simd, step, first),
                    5 => self.tile::<S, 5>(simd, step, first),
                    4 => self.tile::<S, 4>(simd, step, first),
                    3 => self.tile::<S, 3>(simd, step, first),
                    2 => self.tile::<S, 2>(simd, step, first),
                    _ => self.tile::<S, 1>(simd, step, first),
                }
            }
            for group in 0..GROUPS {
                for unit in 0..units {
                    let gate = |which: usize| {
                        at(group, own.gates + step * own.rows() + which * units + unit)
                    };
                    let cell = |step: usize| at(group, own.cells + step * units + unit);
                    // SAFETY: as above.
                    unsafe {
                        let i = sigmoid(simd, load(simd, gate(0)));
                        let f = sigmoid(simd, load(simd, gate(1)));
                        let g = tanh(simd, load(simd, gate(2)));
                        let o = sigmoid(simd, load(simd, gate(3)));
                        for (which, value) in [i, f, g, o].into_iter().enumerate() {
                            store(simd, gate(which), value);
                        }
                        let kept = simd.mul_f32s(f, load(simd, cell(step)));
                        let c = simd.mul_add_f32s(i, g, kept);
                        store(simd, cell(step + 1), c);
                        let state = at(group, own.states + (step + 1) * units + unit);
                        store(simd, state, simd.mul_f32s(o, tanh(simd, c)));
                    }
                }
            }
        }
    }
}

impl Forward<'_> {
    /// Some rows of the gates of a step, before their functions.
    #[inline(always)]
    fn tile<S: Simd, const N: usize>(&self, simd: S, step: usize, first: usize) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let [input, hidden, bias] = self.parameters;
        let mut acc = [[simd.splat_f32s(0.0); GROUPS]; N];
        for (n, acc) in acc.iter_mut().enumerate() {
            *acc = [simd.splat_f32s(bias[first + n]); GROUPS];
        }
        assert!(input.len() >= (first + N) * own.features);
        assert!(hidden.len() >= (first + N) * own.units);
        // SAFETY: all values stand in the frames of these groups; weights were checked.
        unsafe {
            let at = |number: usize| {
                std::array::from_fn(|group| {
                    self.frames
                        .at(self.group + group, number, lanes)
                        .cast_const()
                })
            };
            let x = (at(own.from + step * own.features), own.features);
            let weight = input.as_ptr().add(first * own.features);
            accumulate(simd, &mut acc, x, weight, (1, own.features));
            let h = (at(own.states + step * own.units), own.units);
            let weight = hidden.as_ptr().add(first * own.units);
            accumulate(simd, &mut acc, h, weight, (1, own.units));
            for (n, acc) in acc.iter().enumerate() {
                for (group, sum) in acc.iter().enumerate() {
                    let to = own.gates + step * own.rows() + first + n;
                    store(simd, self.frames.at(self.group + group, to, lanes), *sum);
                }
            }
        }
    }
}

/// Two groups back through all steps.
struct Backward<'a> {
    layer: &'a Lstm,
    frames: Frames,
    group: usize,
    parameters: [&'a [f32]; 3],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let units = own.units;
        let [input, hidden, _] = self.parameters;
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        // SAFETY: all values stand in the frames of these groups, which are this task's.
        let at = |group: usize, number: usize| unsafe {
            self.frames.at(self.group + group, number, lanes)
        };
        for group in 0..GROUPS {
            let others = match own.last {
                true => own.gradient..own.gradient + (own.steps - 1) * units,
                false => 0..0,
            };
            for number in others.chain(own.by_cell..own.by_cell + units) {
                // SAFETY: as above.
                unsafe { store(simd, at(group, number), zero) };
            }
        }
        for step in (0..own.steps).rev() {
            for group in 0..GROUPS {
                for unit in 0..units {
                    let gate = |which: usize| {
                        at(group, own.gates + step * own.rows() + which * units + unit)
                    };
                    let cell = |step: usize| at(group, own.cells + step * units + unit);
                    let by_cell = at(group, own.by_cell + unit);
                    // SAFETY: as above.
                    unsafe {
                        let [i, f, g, o] = [0, 1, 2, 3].map(|which| load(simd, gate(which)));
                        let c = tanh(simd, load(simd, cell(step + 1)));
                        let h = load(simd, at(group, own.gradient + step * units + unit));
                        // ∂c = ∂c' + ∂h·o·(1 − tanh²c).
                        let slope = simd.sub_f32s(one, simd.mul_f32s(c, c));
                        let through = simd.mul_f32s(simd.mul_f32s(h, o), slope);
                        let d = simd.add_f32s(load(simd, by_cell), through);
                        let sloped = |d: S::f32s, y: S::f32s| {
                            simd.mul_f32s(d, simd.mul_f32s(y, simd.sub_f32s(one, y)))
                        };
                        store(simd, gate(0), sloped(simd.mul_f32s(d, g), i));
                        let before = load(simd, cell(step));
                        store(simd, gate(1), sloped(simd.mul_f32s(d, before), f));
                        let slope = simd.sub_f32s(one, simd.mul_f32s(g, g));
                        let by_g = simd.mul_f32s(simd.mul_f32s(d, i), slope);
                        store(simd, gate(2), by_g);
                        store(simd, gate(3), sloped(simd.mul_f32s(h, c), o));
                        store(simd, by_cell, simd.mul_f32s(d, f));
                    }
                }
            }
            if step > 0 {
                let to = own.gradient + (step - 1) * units;
                self.back(simd, step, (hidden, units), to, true);
            }
            if let Some(before) = own.before {
                let to = before + step * own.features;
                self.back(simd, step, (input, own.features), to, false);
            }
        }
    }
}

impl Backward<'_> {
    /// The gates' gradients of a step by so many numbers that they were computed from, to what stands there or
    /// in its place.
    #[inline(always)]
    fn back<S: Simd>(
        &self,
        simd: S,
        step: usize,
        (weight, numbers): (&[f32], usize),
        to: usize,
        add: bool,
    ) {
        for first in (0..numbers).step_by(TILE) {
            let at = (first, numbers);
            match (numbers - first).min(TILE) {
                6 => self.tile::<S, 6>(simd, step, weight, at, (to, add)),
                5 => self.tile::<S, 5>(simd, step, weight, at, (to, add)),
                4 => self.tile::<S, 4>(simd, step, weight, at, (to, add)),
                3 => self.tile::<S, 3>(simd, step, weight, at, (to, add)),
                2 => self.tile::<S, 2>(simd, step, weight, at, (to, add)),
                _ => self.tile::<S, 1>(simd, step, weight, at, (to, add)),
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize>(
        &self,
        simd: S,
        step: usize,
        weight: &[f32],
        (first, numbers): (usize, usize),
        (to, add): (usize, bool),
    ) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let mut acc = [[simd.splat_f32s(0.0); GROUPS]; N];
        assert!(weight.len() >= own.rows() * numbers && first + N <= numbers);
        // SAFETY: all values stand in the frames of these groups; weights were checked.
        unsafe {
            let at =
                |group: usize, number: usize| self.frames.at(self.group + group, number, lanes);
            if add {
                for (n, acc) in acc.iter_mut().enumerate() {
                    for (group, acc) in acc.iter_mut().enumerate() {
                        *acc = load(simd, at(group, to + first + n));
                    }
                }
            }
            let gates = own.gates + step * own.rows();
            let d = std::array::from_fn(|group| at(group, gates).cast_const());
            let weight = weight.as_ptr().add(first);
            accumulate(simd, &mut acc, (d, own.rows()), weight, (numbers, 1));
            for (n, acc) in acc.iter().enumerate() {
                for (group, sum) in acc.iter().enumerate() {
                    store(simd, at(group, to + first + n), *sum);
                }
            }
        }
    }
}

/// The gradient by the bias of a row of the gates.
struct Bias<'a> {
    layer: &'a Lstm,
    frames: Frames,
    row: usize,
}

impl WithSimd for Bias<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let own = self.layer;
        let mut sum = simd.splat_f32s(0.0);
        for step in 0..own.steps {
            for group in 0..self.frames.groups {
                let at = own.gates + step * own.rows() + self.row;
                // SAFETY: it stands in the frame; nobody writes it now.
                let d = unsafe { load(simd, self.frames.at(group, at, S::F32_LANES)) };
                sum = simd.add_f32s(sum, d);
            }
        }
        simd.reduce_sum_f32s(sum)
    }
}

/// The gradients by the weights of some rows of the gates: sums over steps and images, one after the other.
struct Weight<'a> {
    layer: &'a Lstm,
    frames: Frames,
    /// The first row.
    first: usize,
    /// What is read, \[steps,images,stride\].
    rows: &'a [f32],
    stride: usize,
    numbers: usize,
    /// Of these rows, \[rows,numbers\].
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
                    let at = (step, row, number);
                    let vectors = ((self.stride - number) / lanes).min(VECTORS);
                    match (count - row).min(TILE) {
                        6 => self.vectors::<S, 6>(simd, at, vectors, &mut sums),
                        5 => self.vectors::<S, 5>(simd, at, vectors, &mut sums),
                        4 => self.vectors::<S, 4>(simd, at, vectors, &mut sums),
                        3 => self.vectors::<S, 3>(simd, at, vectors, &mut sums),
                        2 => self.vectors::<S, 2>(simd, at, vectors, &mut sums),
                        _ => self.vectors::<S, 1>(simd, at, vectors, &mut sums),
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
    /// Vectors of a tile; where registers are few, two by two.
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
        let own = self.layer;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        assert!(number + P * lanes <= self.stride && (row + N) * self.stride <= sums.len());
        let images = self.frames.groups * lanes;
        assert!((step + 1) * images * self.stride <= self.rows.len());
        // SAFETY: checked above; gradients stand in the frames, and nobody writes them now.
        unsafe {
            let place = |n: usize, p: usize| (row + n) * self.stride + number + p * lanes;
            for (n, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    *acc = load(simd, sums.as_ptr().add(place(n, p)));
                }
            }
            let gates = own.gates + step * own.rows() + self.first + row;
            for group in 0..self.frames.groups {
                let d = self.frames.at(group, gates, lanes).cast_const();
                let first = (step * images + group * lanes) * self.stride + number;
                let shown = self.rows.as_ptr().add(first);
                for lane in 0..lanes {
                    let mut x = [simd.splat_f32s(0.0); P];
                    for (p, x) in x.iter_mut().enumerate() {
                        *x = load(simd, shown.add(lane * self.stride + p * lanes));
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
                    store(simd, sums.as_mut_ptr().add(place(n, p)), *sum);
                }
            }
        }
    }
}
