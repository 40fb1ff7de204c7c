//! Adam: parameters with their gradients and moments, and the update step.

use pulp::Arch;

use super::super::team::run_tasks;
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

/// Updates all weights by their gradients.
pub fn step(parameters: &mut [Parameter], time: u64, rate: f64, decay: f32) {
    let power = |beta: f64| beta.powf(time as f64);
    let root = (1.0 - power(BETAS[1])).sqrt();
    let factor = (root / (1.0 - power(BETAS[0]))) as f32;
    let epsilon = (EPSILON * root) as f32;
    let [one, two] = BETAS.map(|beta| beta as f32);
    let [new_one, new_two] = BETAS.map(|beta| (1.0 - beta) as f32);
    let rate = rate as f32;
    let vectors = Arch::new();
    let pieces = pieces(parameters);
    let fixed: Vec<bool> = parameters.iter().map(|parameter| parameter.fixed).collect();
    let tensors: Vec<[FloatPointer; 4]> = parameters
        .iter_mut()
        .map(|parameter| {
            let all = [
                &mut parameter.values,
                &mut parameter.gradient,
                &mut parameter.first_moment,
                &mut parameter.second_moment,
            ];
            all.map(|values| DisjointPointer(values.as_mut_ptr()))
        })
        .collect();
    let operations = 8 * PIECE * pieces.len();
    run_tasks(pieces.len(), operations, |task| {
        let (parameter, first, count) = pieces[task];
        if fixed[parameter] {
            return;
        }
        let [values, gradient, first, second] =
            tensors[parameter].map(|pointer| pointer.slice(first, count));
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
