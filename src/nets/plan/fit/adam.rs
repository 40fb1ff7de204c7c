//! Adam: parameters with their gradients and moments, and the update step.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::team::run_tasks;
use super::super::vectors::{load, store};
use super::memory::{DisjointPointer, FloatPointer};
use crate::session::array::Array;

/// Decay of the moments (Kingma & Ba 2015), as in Burn and PyTorch.
const BETAS: [f64; 2] = [0.9, 0.999];

/// ε, added to the root of the second moment.
const EPSILON: f64 = 1e-8;

/// Elements per task.
const PIECE: usize = 1 << 14;

/// A parameter tensor.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    pub gradient: Vec<f32>,
    /// First moment.
    pub first_moment: Vec<f32>,
    /// Second moment.
    pub second_moment: Vec<f32>,
    /// Whether gradients do not update it, as for running statistics.
    pub fixed: bool,
}

impl Parameter {
    /// A parameter that is not trained.
    pub fn untrained(name: &str, values: &Array<f32>) -> Self {
        Self {
            name: name.to_owned(),
            shape: values.shape().to_vec(),
            values: values.values().to_vec(),
            gradient: Vec::new(),
            first_moment: Vec::new(),
            second_moment: Vec::new(),
            fixed: true,
        }
    }

    /// A parameter at the start of training.
    pub fn new(name: &str, values: &Array<f32>) -> Self {
        let zeros = vec![0.0; values.values().len()];
        Self {
            name: name.to_owned(),
            shape: values.shape().to_vec(),
            values: values.values().to_vec(),
            gradient: zeros.clone(),
            first_moment: zeros.clone(),
            second_moment: zeros,
            fixed: false,
        }
    }

    /// Its weights and both moments, and its gradients.
    pub fn pointers(&mut self) -> ([FloatPointer; 3], FloatPointer) {
        let values = [
            &mut self.values,
            &mut self.first_moment,
            &mut self.second_moment,
        ];
        let gradient = DisjointPointer(self.gradient.as_mut_ptr());
        let values = values.map(|values| DisjointPointer(values.as_mut_ptr()));
        (values, gradient)
    }
}

/// Adds the gradients of another portion to `sums`; with `last`, also writes the sums back as the gradients.
pub fn add_gradients(sums: &mut [Vec<f32>], parameters: &mut [Parameter], last: bool) {
    let pieces = pieces(parameters);
    let tensors: Vec<[FloatPointer; 2]> = sums
        .iter_mut()
        .zip(parameters)
        .map(|(sums, parameter)| {
            [sums, &mut parameter.gradient].map(|values| DisjointPointer(values.as_mut_ptr()))
        })
        .collect();
    run_tasks(pieces.len(), pieces.len() * PIECE, |task| {
        let (parameter, first, count) = pieces[task];
        let [sums, gradient] = tensors[parameter].map(|pointer| pointer.slice(first, count));
        for (sum, gradient) in sums.iter_mut().zip(gradient) {
            *sum += *gradient;
            if last {
                *gradient = *sum;
            }
        }
    });
}

/// Splits all tensors into pieces: index of the tensor, first element, and count.
fn pieces(parameters: &[Parameter]) -> Vec<(usize, usize, usize)> {
    let pieces_of = |(index, parameter): (usize, &Parameter)| {
        let count = parameter.values.len();
        (0..count)
            .step_by(PIECE)
            .map(move |first| (index, first, PIECE.min(count - first)))
    };
    parameters.iter().enumerate().flat_map(pieces_of).collect()
}

/// One step of Adam (Kingma & Ba 2015), without the gradients.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    rate: f32,
    /// Corrects the bias of both moments.
    factor: f32,
    epsilon: f32,
    decay: f32,
}

impl AdamStep {
    /// The step with this number, from 1 on, at a learning rate and with a weight decay that is added to gradients.
    pub fn new(time: u64, rate: f64, decay: f32) -> Self {
        let power = |beta: f64| beta.powf(time as f64);
        let root = (1.0 - power(BETAS[1])).sqrt();
        Self {
            rate: rate as f32,
            factor: (root / (1.0 - power(BETAS[0]))) as f32,
            epsilon: (EPSILON * root) as f32,
            decay,
        }
    }

    /// The new weights and moments, for the gradients `g`.
    #[inline(always)]
    pub fn updated<S: Simd>(&self, simd: S, g: S::f32s, [w, m, v]: [S::f32s; 3]) -> [S::f32s; 3] {
        let splat = |value: f64| simd.splat_f32s(value as f32);
        let g = simd.add_f32s(g, simd.mul_f32s(simd.splat_f32s(self.decay), w));
        let m = simd.add_f32s(
            simd.mul_f32s(splat(BETAS[0]), m),
            simd.mul_f32s(splat(1.0 - BETAS[0]), g),
        );
        let square = simd.mul_f32s(simd.mul_f32s(splat(1.0 - BETAS[1]), g), g);
        let v = simd.add_f32s(simd.mul_f32s(splat(BETAS[1]), v), square);
        let moved = simd.div_f32s(
            simd.mul_f32s(m, simd.splat_f32s(self.factor)),
            simd.add_f32s(simd.sqrt_f32s(v), simd.splat_f32s(self.epsilon)),
        );
        let w = simd.sub_f32s(w, simd.mul_f32s(simd.splat_f32s(self.rate), moved));
        [w, m, v]
    }

    /// Updates `count` weights and their moments, at most a vector of them.
    ///
    /// # Safety
    /// They must be readable and writable, and nobody else may access them.
    #[inline(always)]
    pub unsafe fn update<S: Simd>(&self, simd: S, g: S::f32s, count: usize, places: [*mut f32; 3]) {
        // SAFETY: the caller's.
        unsafe {
            if count == S::F32_LANES {
                let updated = self.updated(simd, g, places.map(|place| load(simd, place)));
                for (place, value) in places.into_iter().zip(updated) {
                    store(simd, place, value);
                }
                return;
            }
            let places = places.map(|place| std::slice::from_raw_parts_mut(place, count));
            let [w, m, v] = places;
            let before = [&*w, &*m, &*v].map(|values| simd.partial_load_f32s(values));
            let updated = self.updated(simd, g, before);
            for (place, value) in [w, m, v].into_iter().zip(updated) {
                simd.partial_store_f32s(place, value);
            }
        }
    }

    /// Updates the weights of all parameters by their gradients, except those that are `done` already.
    pub fn apply(&self, parameters: &mut [Parameter], lanes: Lanes, done: impl Fn(usize) -> bool) {
        let mut pieces = pieces(parameters);
        pieces.retain(|&(parameter, ..)| !parameters[parameter].fixed && !done(parameter));
        let tensors: Vec<_> = parameters.iter_mut().map(Parameter::pointers).collect();
        let operations = 8 * PIECE * pieces.len();
        run_tasks(pieces.len(), operations, |task| {
            let (parameter, first, count) = pieces[task];
            lanes.arch().dispatch(OnPiece {
                step: self,
                tensors: tensors[parameter],
                piece: first..first + count,
            });
        });
    }
}

/// A step on consecutive weights of a parameter.
struct OnPiece<'a> {
    step: &'a AdamStep,
    tensors: ([FloatPointer; 3], FloatPointer),
    piece: Range<usize>,
}

impl WithSimd for OnPiece<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (tensors, gradient) = self.tensors;
        for first in self.piece.clone().step_by(S::F32_LANES) {
            let count = S::F32_LANES.min(self.piece.end - first);
            // SAFETY: the weights of the piece, with their gradients and moments, belong to this task.
            unsafe {
                let gradient = gradient.0.add(first);
                let g = match count == S::F32_LANES {
                    true => load(simd, gradient),
                    false => simd.partial_load_f32s(std::slice::from_raw_parts(gradient, count)),
                };
                let places = tensors.map(|tensor| tensor.0.add(first));
                self.step.update(simd, g, count, places);
            }
        }
    }
}
