//! Long short-term memories: a product a step, whose k runs over the input and then over the state, and
//! what moves the state on.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::function::{sigmoid, tanh};
use super::layout::{Frames, GROUPS, Place};
use super::product::{Multiply, Product, load, store};

/// A layer, forward in time.
#[derive(Debug, Clone)]
pub struct Lstm {
    /// Units.
    pub units: usize,
    /// One product a step: the gates i, o, f, c of all units, one below the other.
    pub steps: Arc<[Product]>,
    /// The gates, [4·units].
    pub gates: Place,
    /// The cell, [units].
    pub cell: Place,
    /// Where the state stands after each step, [units]. The first stands before the first step.
    pub states: Arc<[Place]>,
}

/// A layer on all groups.
pub struct OnGroups<'a> {
    pub lstm: &'a Lstm,
    pub frames: Frames,
    pub memory: *mut f32,
    pub sums: *mut f32,
}

impl WithSimd for OnGroups<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let lstm = self.lstm;
        // SAFETY: values lie inside the memory.
        let at = |place: &Place, group: usize, unit: usize| unsafe {
            self.memory
                .add((self.frames.start(place, group) + unit) * lanes)
        };
        for group in 0..GROUPS {
            for unit in 0..lstm.units {
                let zero = simd.splat_f32s(0.0);
                // SAFETY: as above.
                unsafe {
                    store(simd, at(&lstm.cell, group, unit), zero);
                    store(simd, at(&lstm.states[0], group, unit), zero);
                }
            }
        }
        for (product, state) in lstm.steps.iter().zip(&lstm.states[1..]) {
            let (frames, memory, sums) = (self.frames, self.memory, self.sums);
            simd.vectorize(Multiply {
                product,
                frames,
                group: 0,
                memory,
                sums,
            });
            for group in 0..GROUPS {
                for unit in 0..lstm.units {
                    // SAFETY: as above.
                    unsafe {
                        let gate = |which: usize| {
                            load(simd, at(&lstm.gates, group, which * lstm.units + unit))
                        };
                        let cell = at(&lstm.cell, group, unit);
                        let (i, o, f) = (
                            sigmoid(simd, gate(0)),
                            sigmoid(simd, gate(1)),
                            sigmoid(simd, gate(2)),
                        );
                        let kept = simd.mul_f32s(f, load(simd, cell));
                        let c = simd.mul_add_f32s(i, tanh(simd, gate(3)), kept);
                        store(simd, cell, c);
                        store(
                            simd,
                            at(state, group, unit),
                            simd.mul_f32s(o, tanh(simd, c)),
                        );
                    }
                }
            }
        }
    }
}
