//! Recurrent layers: at each time step, a product whose k runs over the input and then the state, followed by the
//! state update of the cell.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::function::{sigmoid, tanh};
use super::layout::{GROUPS, MemoryAreas, TensorSlot};
use super::product::{Multiply, Product, load, store};

/// The kind of recurrent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// LSTM, with gates in the order i, o, f, c.
    Lstm,
    /// GRU whose reset gate is applied after the state matrix. Rows: z, r, the input's part of h, the state's part
    /// of h.
    GruAfter,
    /// GRU whose reset gate is applied before the state matrix. Rows: z, r, and h, which is a second product.
    GruBefore,
}

/// A recurrent layer.
#[derive(Debug, Clone)]
pub struct RecurrentLayer {
    /// Units per direction.
    pub units: usize,
    /// The kind of cell.
    pub cell: CellKind,
    /// One pass per direction.
    pub passes: Arc<[DirectionPass]>,
    /// Sums of the gates of one step.
    pub gates: TensorSlot,
    /// The state times the reset gate, \[units\].
    pub reset: TensorSlot,
}

/// A pass over the sequence in one direction.
#[derive(Debug, Clone)]
pub struct DirectionPass {
    /// The initial state, which is zero, \[units\].
    pub initial: TensorSlot,
    /// The cell state of an LSTM, \[units\].
    pub cell_state: TensorSlot,
    /// The steps, in the order of computation.
    pub steps: Vec<TimeStep>,
    /// Where to copy the last state, if it is needed elsewhere.
    pub end: Option<TensorSlot>,
}

/// One time step.
#[derive(Debug, Clone)]
pub struct TimeStep {
    /// The product that computes the gates.
    pub gates: Product,
    /// The product for the gate that depends on the others.
    pub second: Option<Product>,
    /// The states before and after the step, \[units\].
    pub states: [TensorSlot; 2],
}

impl RecurrentLayer {
    /// Number of weights.
    pub fn weight_count(&self) -> usize {
        let first = self.passes.iter().filter_map(|pass| pass.steps.first());
        let products = first.flat_map(|step| [Some(&step.gates), step.second.as_ref()]);
        products
            .flatten()
            .map(|product| product.weights.len())
            .sum()
    }

    /// Floats of scratch memory for the sums of one step.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        let step = self.passes.first().and_then(|pass| pass.steps.first());
        step.map_or(0, |step| {
            let second = step
                .second
                .as_ref()
                .map_or(0, |second| second.scratch_len(lanes));
            step.gates.scratch_len(lanes).max(second)
        })
    }
}

/// A recurrent layer on all groups of images.
pub struct RecurrentOnGroups<'a> {
    pub layer: &'a RecurrentLayer,
    pub frames: MemoryAreas,
    pub memory: *mut f32,
    pub sums: *mut f32,
}

impl RecurrentOnGroups<'_> {
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, product: &Product) {
        simd.vectorize(Multiply {
            product,
            frames: self.frames,
            group: 0,
            memory: self.memory,
            sums: self.sums,
            chosen: None,
        });
    }

    /// Address of an element of a group's tensor.
    #[inline(always)]
    fn at<S: Simd>(&self, place: &TensorSlot, group: usize, number: usize) -> *mut f32 {
        let first = self.frames.start(place, group) + number;
        // SAFETY: tensors lie inside the memory.
        unsafe { self.memory.add(first * S::F32_LANES) }
    }

    /// Copies a state into another in all groups, or clears it if `from` is `None`.
    #[inline(always)]
    fn put<S: Simd>(&self, simd: S, from: Option<&TensorSlot>, to: &TensorSlot) {
        for group in 0..GROUPS {
            for unit in 0..self.layer.units {
                // SAFETY: tensors lie inside the memory.
                unsafe {
                    let x = match from {
                        Some(from) => load(simd, self.at::<S>(from, group, unit)),
                        None => simd.splat_f32s(0.0),
                    };
                    store(simd, self.at::<S>(to, group, unit), x);
                }
            }
        }
    }

    /// Updates the state of one unit in one group.
    #[inline(always)]
    fn unit<S: Simd>(
        &self,
        simd: S,
        pass: &DirectionPass,
        states: &[TensorSlot; 2],
        group: usize,
        unit: usize,
    ) {
        let units = self.layer.units;
        // SAFETY: tensors lie inside the memory.
        unsafe {
            let gate = |index: usize| {
                load(
                    simd,
                    self.at::<S>(&self.layer.gates, group, index * units + unit),
                )
            };
            let after = self.at::<S>(&states[1], group, unit);
            let before = load(simd, self.at::<S>(&states[0], group, unit));
            if self.layer.cell == CellKind::Lstm {
                let memory = self.at::<S>(&pass.cell_state, group, unit);
                let (i, o, f) = (
                    sigmoid(simd, gate(0)),
                    sigmoid(simd, gate(1)),
                    sigmoid(simd, gate(2)),
                );
                let kept = simd.mul_f32s(f, load(simd, memory));
                let c = simd.mul_add_f32s(i, tanh(simd, gate(3)), kept);
                store(simd, memory, c);
                store(simd, after, simd.mul_f32s(o, tanh(simd, c)));
                return;
            }
            // H' = (1 − z)·h + z·H.
            let z = sigmoid(simd, gate(0));
            let h = match self.layer.cell {
                CellKind::GruAfter => simd.mul_add_f32s(sigmoid(simd, gate(1)), gate(3), gate(2)),
                _ => gate(2),
            };
            let h = tanh(simd, h);
            let state = simd.mul_add_f32s(z, simd.sub_f32s(before, h), h);
            store(simd, after, state);
        }
    }
}

impl WithSimd for RecurrentOnGroups<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let layer = self.layer;
        for pass in layer.passes.iter() {
            self.put(simd, None, &pass.initial);
            self.put(simd, None, &pass.cell_state);
            for step in &pass.steps {
                self.multiply(simd, &step.gates);
                if let Some(second) = &step.second {
                    for group in 0..GROUPS {
                        for unit in 0..layer.units {
                            // SAFETY: tensors lie inside the memory.
                            unsafe {
                                let r = self.at::<S>(&layer.gates, group, layer.units + unit);
                                let r = sigmoid(simd, load(simd, r));
                                let state = self.at::<S>(&step.states[0], group, unit);
                                let reset = simd.mul_f32s(r, load(simd, state));
                                store(simd, self.at::<S>(&layer.reset, group, unit), reset);
                            }
                        }
                    }
                    self.multiply(simd, second);
                }
                for group in 0..GROUPS {
                    for unit in 0..layer.units {
                        self.unit(simd, pass, &step.states, group, unit);
                    }
                }
            }
            if let (Some(end), Some(last)) = (&pass.end, pass.steps.last()) {
                self.put(simd, Some(&last.states[1]), end);
            }
        }
    }
}
