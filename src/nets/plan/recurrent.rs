//! Recurrent layers: a product a step, whose k runs over the input and then over the state, and what moves
//! the state on.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::function::{sigmoid, tanh};
use super::layout::{Frames, GROUPS, Place};
use super::product::{Multiply, Product, load, store};

/// What moves a state on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Long short-term memory; the gates i, o, f, c, one below the other.
    Lstm,
    /// Gated recurrent units whose reset gate acts on what the matrix makes of the state; the gates z, r, what
    /// the input adds to h, and what the state adds to it.
    GruAfter,
    /// Gated recurrent units whose reset gate acts on the state itself; the gates z, r, h, of which h is a
    /// second product.
    GruBefore,
}

/// A layer.
#[derive(Debug, Clone)]
pub struct Recurrent {
    /// Units of a direction.
    pub units: usize,
    /// What moves its states on.
    pub cell: Cell,
    /// Its directions.
    pub passes: Arc<[Pass]>,
    /// Sums of the gates of a step.
    pub gates: Place,
    /// The state as the reset gate leaves it, \[units\].
    pub reset: Place,
}

/// One direction.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The state before the first step, which is zero, \[units\].
    pub first: Place,
    /// What an LSTM remembers, \[units\].
    pub memory: Place,
    /// The steps in the order in which they are taken.
    pub steps: Vec<Move>,
    /// Where the last state is brought to, where it is wanted elsewhere.
    pub end: Option<Place>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Move {
    /// The gates.
    pub gates: Product,
    /// Those that need the others first.
    pub second: Option<Product>,
    /// The states before it and after it, \[units\].
    pub states: [Place; 2],
}

impl Recurrent {
    /// Numbers of its weights.
    pub fn weights(&self) -> usize {
        let first = self.passes.iter().filter_map(|pass| pass.steps.first());
        let products = first.flat_map(|step| [Some(&step.gates), step.second.as_ref()]);
        products.flatten().map(|it| it.weights.len()).sum()
    }

    /// Floats that the sums of a step take while they are made.
    pub fn sums(&self, lanes: usize) -> usize {
        let step = self.passes.first().and_then(|pass| pass.steps.first());
        step.map_or(0, |step| {
            let second = step.second.as_ref().map_or(0, |it| it.sums(lanes));
            step.gates.sums(lanes).max(second)
        })
    }
}

/// A layer on all groups.
pub struct OnGroups<'a> {
    pub layer: &'a Recurrent,
    pub frames: Frames,
    pub memory: *mut f32,
    pub sums: *mut f32,
}

impl OnGroups<'_> {
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

    /// Where a number of a value of a group stands.
    #[inline(always)]
    fn at<S: Simd>(&self, place: &Place, group: usize, number: usize) -> *mut f32 {
        let first = self.frames.start(place, group) + number;
        // SAFETY: values lie inside the memory.
        unsafe { self.memory.add(first * S::F32_LANES) }
    }

    /// Sets a value to zero, or copies another into it, in all groups.
    #[inline(always)]
    fn put<S: Simd>(&self, simd: S, from: Option<&Place>, to: &Place) {
        for group in 0..GROUPS {
            for unit in 0..self.layer.units {
                // SAFETY: values lie inside the memory.
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

    /// What the gates make of one unit of one group.
    #[inline(always)]
    fn unit<S: Simd>(&self, simd: S, pass: &Pass, states: &[Place; 2], group: usize, unit: usize) {
        let units = self.layer.units;
        // SAFETY: values lie inside the memory.
        unsafe {
            let gate = |which: usize| {
                load(
                    simd,
                    self.at::<S>(&self.layer.gates, group, which * units + unit),
                )
            };
            let after = self.at::<S>(&states[1], group, unit);
            let before = load(simd, self.at::<S>(&states[0], group, unit));
            if self.layer.cell == Cell::Lstm {
                let memory = self.at::<S>(&pass.memory, group, unit);
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
                Cell::GruAfter => simd.mul_add_f32s(sigmoid(simd, gate(1)), gate(3), gate(2)),
                _ => gate(2),
            };
            let h = tanh(simd, h);
            let moved = simd.mul_add_f32s(z, simd.sub_f32s(before, h), h);
            store(simd, after, moved);
        }
    }
}

impl WithSimd for OnGroups<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let layer = self.layer;
        for pass in layer.passes.iter() {
            self.put(simd, None, &pass.first);
            self.put(simd, None, &pass.memory);
            for step in &pass.steps {
                self.multiply(simd, &step.gates);
                if let Some(second) = &step.second {
                    for group in 0..GROUPS {
                        for unit in 0..layer.units {
                            // SAFETY: values lie inside the memory.
                            unsafe {
                                let r = self.at::<S>(&layer.gates, group, layer.units + unit);
                                let r = sigmoid(simd, load(simd, r));
                                let state = self.at::<S>(&step.states[0], group, unit);
                                let left = simd.mul_f32s(r, load(simd, state));
                                store(simd, self.at::<S>(&layer.reset, group, unit), left);
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
