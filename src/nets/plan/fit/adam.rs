//! Weights with their gradients and moments, and the step of Adam.

use pulp::Arch;
use rayon::prelude::*;

use crate::session::array::Array;

/// Decay of the moments (Kingma & Ba 2015), as in Burn and PyTorch.
const BETAS: [f64; 2] = [0.9, 0.999];

/// ε beside the root of the second moment.
const EPSILON: f64 = 1e-8;

/// Numbers of a task.
const PIECE: usize = 1 << 14;

/// One tensor.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    pub gradient: Vec<f32>,
    /// First moment.
    pub first: Vec<f32>,
    /// Second moment.
    pub second: Vec<f32>,
    /// Whether gradients do not move it: a running statistic.
    pub fixed: bool,
}

impl Parameter {
    /// At the beginning.
    pub fn new(name: &str, values: &Array<f32>) -> Self {
        let zeros = vec![0.0; values.values().len()];
        Self {
            name: name.to_owned(),
            shape: values.shape().to_vec(),
            values: values.values().to_vec(),
            gradient: zeros.clone(),
            first: zeros.clone(),
            second: zeros,
            fixed: false,
        }
    }
}

/// Adds the gradients of another portion to sums; `last`: and puts these in their place.
pub fn add(sums: &mut [Vec<f32>], parameters: &mut [Parameter], last: bool) {
    for (sums, own) in sums.iter_mut().zip(parameters) {
        let pieces = sums.par_chunks_mut(PIECE);
        pieces
            .zip(own.gradient.par_chunks_mut(PIECE))
            .for_each(|(sums, gradient)| {
                for (sum, gradient) in sums.iter_mut().zip(gradient) {
                    *sum += *gradient;
                    if last {
                        *gradient = *sum;
                    }
                }
            });
    }
}

/// Moves all weights by their gradients.
pub fn step(parameters: &mut [Parameter], time: u64, rate: f64, decay: f32) {
    let power = |beta: f64| beta.powf(time as f64);
    let root = (1.0 - power(BETAS[1])).sqrt();
    let factor = (root / (1.0 - power(BETAS[0]))) as f32;
    let epsilon = (EPSILON * root) as f32;
    let [one, two] = BETAS.map(|beta| beta as f32);
    let [new_one, new_two] = BETAS.map(|beta| (1.0 - beta) as f32);
    let rate = rate as f32;
    let vectors = Arch::new();
    for own in parameters.iter_mut().filter(|own| !own.fixed) {
        let Parameter {
            values,
            gradient,
            first,
            second,
            ..
        } = own;
        let pieces = values
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(
                first
                    .par_chunks_mut(PIECE)
                    .zip(second.par_chunks_mut(PIECE)),
            );
        pieces.for_each(|((values, gradient), (first, second))| {
            vectors.dispatch(
                #[inline(always)]
                || {
                    let numbers = values.iter_mut().zip(gradient);
                    for ((w, g), (m, v)) in numbers.zip(first.iter_mut().zip(second)) {
                        let g = *g + decay * *w;
                        *m = one * *m + new_one * g;
                        *v = two * *v + new_two * g * g;
                        *w -= rate * (*m * factor / (v.sqrt() + epsilon));
                    }
                },
            );
        });
    }
}
