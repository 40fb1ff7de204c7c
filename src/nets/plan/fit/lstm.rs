//! LSTMs in training, with backpropagation through time (Hochreiter & Schmidhuber 1997; Werbos 1990).
//!
//! Two groups of images run through all time steps together, forward and backward, without waiting for other groups.
//! The gradients of the weights are then sums over steps and images.

mod weights;

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::function::{sigmoid, tanh};
use super::super::product::{load, store};
use super::super::team::run_tasks;
use super::BatchMemory;
use super::adam::Parameter;
use super::dense::accumulate;

/// Rows per tile.
const TILE: usize = 6;

/// Groups that run through the time steps together.
const GROUPS: usize = 2;

/// An LSTM layer that runs forward in time.
#[derive(Debug)]
pub struct Lstm {
    /// Indices of the parameters: input weights \[4·units,features\], state weights \[4·units,units\], and bias, with
    /// the gates in the order i, f, g, o.
    pub parameters: [usize; 3],
    pub steps: usize,
    pub features: usize,
    pub units: usize,
    /// Offset of the input in a frame: contiguous for each step.
    pub from: usize,
    /// The activated gates of every step; after the backward pass, the gradients before activation.
    pub gates: usize,
    /// Cell states and hidden states: initial ones, which are zero, then those after every step.
    pub cells: usize,
    pub states: usize,
    /// Gradients of the hidden states after every step.
    pub gradient: usize,
    /// Whether only the state after the last step is used.
    pub last: bool,
    /// The gradient of the cell state.
    pub cell_gradient: usize,
    /// Where to write the gradient of the input, if needed.
    pub input_gradient: Option<usize>,
    /// Buffer for the inputs of every step, one image per row; reused from batch to batch.
    pub rows: Vec<f32>,
}

impl Lstm {
    /// Offsets of the state after the last step and of its gradient.
    pub fn end(&self) -> (usize, usize) {
        let steps = self.steps * self.units;
        (self.states + steps, self.gradient + steps - self.units)
    }

    /// Rows of the gates of a step.
    fn rows(&self) -> usize {
        4 * self.units
    }

    /// The forward pass through all time steps.
    pub fn forward(&self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        self.for_each_pair(frames, parameters, |pair| {
            lanes.arch().dispatch(Forward(pair));
        });
    }

    /// Runs a function on every pair of groups, in parallel.
    fn for_each_pair(
        &self,
        frames: &BatchMemory,
        parameters: &[Parameter],
        run: impl Fn(GroupPair) + Sync + Send,
    ) {
        run_tasks(frames.groups / GROUPS, usize::MAX, |pair| {
            run(GroupPair {
                layer: self,
                frames: *frames,
                group: pair * GROUPS,
                parameters: self.parameters.map(|index| &parameters[index].values[..]),
            });
        });
    }

    /// Gradients of the weights and of the input.
    pub fn backward(&mut self, frames: &BatchMemory, parameters: &mut [Parameter], lanes: Lanes) {
        self.for_each_pair(frames, parameters, |pair| {
            lanes.arch().dispatch(Backward(pair));
        });
        let [input, hidden, bias] = self.parameters;
        self.weight_gradients(
            frames,
            (self.from, self.features),
            &mut parameters[input].gradient,
            lanes,
        );
        self.weight_gradients(
            frames,
            (self.states, self.units),
            &mut parameters[hidden].gradient,
            lanes,
        );
        self.bias_gradients(frames, &mut parameters[bias].gradient, lanes);
    }
}

/// Two groups of images, which belong to one task, with the layer and its weights.
#[derive(Clone, Copy)]
struct GroupPair<'a> {
    layer: &'a Lstm,
    frames: BatchMemory,
    /// The first of the two.
    group: usize,
    /// Input weights, state weights, and bias.
    parameters: [&'a [f32]; 3],
}

impl GroupPair<'_> {
    /// Address of an element of one of the groups.
    #[inline(always)]
    fn address(&self, group: usize, number: usize, lanes: usize) -> *mut f32 {
        // SAFETY: callers pass an element of the layer, which lies in the frame.
        unsafe { self.frames.at(self.group + group, number, lanes) }
    }

    /// One of the four gates of a unit at a step.
    #[inline(always)]
    fn gate(&self, group: usize, [step, gate, unit]: [usize; 3], lanes: usize) -> *mut f32 {
        let layer = self.layer;
        let offset = layer.gates + step * layer.rows() + gate * layer.units + unit;
        self.address(group, offset, lanes)
    }

    /// The cell state of a unit before a step.
    #[inline(always)]
    fn cell(&self, group: usize, [step, unit]: [usize; 2], lanes: usize) -> *mut f32 {
        self.address(
            group,
            self.layer.cells + step * self.layer.units + unit,
            lanes,
        )
    }
}

/// The forward pass of two groups.
struct Forward<'a>(GroupPair<'a>);

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let pair = self.0;
        let layer = pair.layer;
        let units = layer.units;
        for step in 0..layer.steps {
            for first in (0..layer.rows()).step_by(TILE) {
                match (layer.rows() - first).min(TILE) {
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
                    let gate = |index: usize| pair.gate(group, [step, index, unit], lanes);
                    let cell = |step: usize| pair.cell(group, [step, unit], lanes);
                    // SAFETY: all tensors lie in the frames of these groups, which belong to this task.
                    unsafe {
                        let i = sigmoid(simd, load(simd, gate(0)));
                        let f = sigmoid(simd, load(simd, gate(1)));
                        let g = tanh(simd, load(simd, gate(2)));
                        let o = sigmoid(simd, load(simd, gate(3)));
                        for (index, value) in [i, f, g, o].into_iter().enumerate() {
                            store(simd, gate(index), value);
                        }
                        let remembered = simd.mul_f32s(f, load(simd, cell(step)));
                        let c = simd.mul_add_f32s(i, g, remembered);
                        store(simd, cell(step + 1), c);
                        let state = layer.states + (step + 1) * units + unit;
                        let state = pair.address(group, state, lanes);
                        store(simd, state, simd.mul_f32s(o, tanh(simd, c)));
                    }
                }
            }
        }
    }
}

impl Forward<'_> {
    /// Some rows of the gates of a step, before activation.
    #[inline(always)]
    fn tile<S: Simd, const N: usize>(&self, simd: S, step: usize, first: usize) {
        let lanes = S::F32_LANES;
        let pair = self.0;
        let layer = pair.layer;
        let [input, hidden, bias] = pair.parameters;
        let mut acc = [[simd.splat_f32s(0.0); GROUPS]; N];
        for (n, acc) in acc.iter_mut().enumerate() {
            *acc = [simd.splat_f32s(bias[first + n]); GROUPS];
        }
        assert!(input.len() >= (first + N) * layer.features);
        assert!(hidden.len() >= (first + N) * layer.units);
        // SAFETY: all tensors lie in the frames of these groups; the lengths of the weights were checked.
        unsafe {
            let addresses = |number: usize| {
                std::array::from_fn(|group| pair.address(group, number, lanes).cast_const())
            };
            let x = (
                addresses(layer.from + step * layer.features),
                layer.features,
            );
            let weight = input.as_ptr().add(first * layer.features);
            accumulate(simd, &mut acc, x, weight, (1, layer.features));
            let h = (addresses(layer.states + step * layer.units), layer.units);
            let weight = hidden.as_ptr().add(first * layer.units);
            accumulate(simd, &mut acc, h, weight, (1, layer.units));
            for (n, acc) in acc.iter().enumerate() {
                for (group, sum) in acc.iter().enumerate() {
                    let to = layer.gates + step * layer.rows() + first + n;
                    store(simd, pair.address(group, to, lanes), *sum);
                }
            }
        }
    }
}

/// The backward pass of two groups.
struct Backward<'a>(GroupPair<'a>);

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let pair = self.0;
        let layer = pair.layer;
        let units = layer.units;
        let [input, hidden, _] = pair.parameters;
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let address = |group: usize, offset: usize| pair.address(group, offset, lanes);
        for group in 0..GROUPS {
            let earlier_states = match layer.last {
                true => layer.gradient..layer.gradient + (layer.steps - 1) * units,
                false => 0..0,
            };
            for offset in earlier_states.chain(layer.cell_gradient..layer.cell_gradient + units) {
                // SAFETY: all tensors lie in the frames of these groups, which belong to this task.
                unsafe { store(simd, address(group, offset), zero) };
            }
        }
        for step in (0..layer.steps).rev() {
            for group in 0..GROUPS {
                for unit in 0..units {
                    let gate = |index: usize| pair.gate(group, [step, index, unit], lanes);
                    let cell = |step: usize| pair.cell(group, [step, unit], lanes);
                    let cell_gradient = address(group, layer.cell_gradient + unit);
                    // SAFETY: as above.
                    unsafe {
                        let [i, f, g, o] = [0, 1, 2, 3].map(|index| load(simd, gate(index)));
                        let c = tanh(simd, load(simd, cell(step + 1)));
                        let h = load(simd, address(group, layer.gradient + step * units + unit));
                        // ∂c = ∂c' + ∂h·o·(1 − tanh²c).
                        let slope = simd.sub_f32s(one, simd.mul_f32s(c, c));
                        let through = simd.mul_f32s(simd.mul_f32s(h, o), slope);
                        let d = simd.add_f32s(load(simd, cell_gradient), through);
                        let before_sigmoid = |d: S::f32s, y: S::f32s| {
                            simd.mul_f32s(d, simd.mul_f32s(y, simd.sub_f32s(one, y)))
                        };
                        store(simd, gate(0), before_sigmoid(simd.mul_f32s(d, g), i));
                        let previous = load(simd, cell(step));
                        store(simd, gate(1), before_sigmoid(simd.mul_f32s(d, previous), f));
                        let slope = simd.sub_f32s(one, simd.mul_f32s(g, g));
                        let g_gradient = simd.mul_f32s(simd.mul_f32s(d, i), slope);
                        store(simd, gate(2), g_gradient);
                        store(simd, gate(3), before_sigmoid(simd.mul_f32s(h, c), o));
                        store(simd, cell_gradient, simd.mul_f32s(d, f));
                    }
                }
            }
            if step > 0 {
                let to = layer.gradient + (step - 1) * units;
                self.propagate(simd, step, (hidden, units), to, true);
            }
            if let Some(input_gradient) = layer.input_gradient {
                let to = input_gradient + step * layer.features;
                self.propagate(simd, step, (input, layer.features), to, false);
            }
        }
    }
}

impl Backward<'_> {
    /// Propagates the gradients of a step's gates back through `weight` to the `numbers` values that they were computed
    /// from, adding to or replacing what is stored at `to`.
    #[inline(always)]
    fn propagate<S: Simd>(
        &self,
        simd: S,
        step: usize,
        (weight, numbers): (&[f32], usize),
        to: usize,
        add: bool,
    ) {
        for first in (0..numbers).step_by(TILE) {
            let rows = (first, numbers);
            match (numbers - first).min(TILE) {
                6 => self.tile::<S, 6>(simd, step, weight, rows, (to, add)),
                5 => self.tile::<S, 5>(simd, step, weight, rows, (to, add)),
                4 => self.tile::<S, 4>(simd, step, weight, rows, (to, add)),
                3 => self.tile::<S, 3>(simd, step, weight, rows, (to, add)),
                2 => self.tile::<S, 2>(simd, step, weight, rows, (to, add)),
                _ => self.tile::<S, 1>(simd, step, weight, rows, (to, add)),
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
        let pair = self.0;
        let layer = pair.layer;
        let mut acc = [[simd.splat_f32s(0.0); GROUPS]; N];
        assert!(weight.len() >= layer.rows() * numbers && first + N <= numbers);
        // SAFETY: all tensors lie in the frames of these groups; the lengths of the weights were checked.
        unsafe {
            let address = |group: usize, number: usize| pair.address(group, number, lanes);
            if add {
                for (n, acc) in acc.iter_mut().enumerate() {
                    for (group, acc) in acc.iter_mut().enumerate() {
                        *acc = load(simd, address(group, to + first + n));
                    }
                }
            }
            let gates = layer.gates + step * layer.rows();
            let d = std::array::from_fn(|group| address(group, gates).cast_const());
            let weight = weight.as_ptr().add(first);
            accumulate(simd, &mut acc, (d, layer.rows()), weight, (numbers, 1));
            for (n, acc) in acc.iter().enumerate() {
                for (group, sum) in acc.iter().enumerate() {
                    store(simd, address(group, to + first + n), *sum);
                }
            }
        }
    }
}
