//! Exports weights of the built-in kinds as a PyTorch state dict: the inverse of [`super::import`].
//!
//! Linear weights are \[in,out\] here and \[out,in\] in PyTorch. PyTorch's LSTM has two bias vectors, of which only
//! the sum matters: the first gets our bias, the second is zero.

use crate::session::array::Array;
use crate::session::record::NetworkWeights;

/// The tensors of a state dict, in the network's order.
pub fn state_dict(weights: &NetworkWeights) -> Vec<(String, Array<f32>)> {
    let tensors = weights.tensors.iter();
    tensors
        .flat_map(|(name, values)| tensor(name, values))
        .collect()
}

/// The PyTorch tensors for one of ours: one, or the two biases of an LSTM.
fn tensor(name: &str, values: &Array<f32>) -> Vec<(String, Array<f32>)> {
    let (layer, role) = name.rsplit_once('.').unwrap_or(("", name));
    let renamed = |role: &str| vec![(format!("{layer}.{role}"), values.clone())];
    match (role, values.shape()) {
        ("weight", &[inputs, outputs]) => {
            vec![(name.to_owned(), transposed(values, inputs, outputs))]
        }
        ("gamma", _) => renamed("weight"),
        ("beta", _) => renamed("bias"),
        ("input", _) => renamed("weight_ih_l0"),
        ("hidden", _) => renamed("weight_hh_l0"),
        ("bias", shape) if layer.starts_with("lstm") => {
            let mut both = renamed("bias_ih_l0");
            both.push((format!("{layer}.bias_hh_l0"), Array::zeros(shape)));
            both
        }
        _ => vec![(name.to_owned(), values.clone())],
    }
}

/// \[in,out\] as \[out,in\].
fn transposed(values: &Array<f32>, inputs: usize, outputs: usize) -> Array<f32> {
    let numbers = values.values();
    let row = |output: usize| (0..inputs).map(move |input| numbers[input * outputs + output]);
    Array::new(&[outputs, inputs], (0..outputs).flat_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(shapes: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        let tensor = |(name, shape): &(&str, &[usize])| ((*name).to_owned(), Array::zeros(shape));
        let weights = NetworkWeights {
            tensors: shapes.iter().map(tensor).collect(),
        };
        let exported = state_dict(&weights).into_iter();
        exported
            .map(|(name, values)| (name, values.shape().to_vec()))
            .collect()
    }

    #[test]
    fn tensors_have_pytorchs_names_and_shapes() {
        let found = names(&[
            ("conv1.weight", &[20, 1, 5, 5]),
            ("norm1.gamma", &[20]),
            ("norm1.running_mean", &[20]),
            ("lstm1.input", &[512, 28]),
            ("lstm1.bias", &[512]),
            ("logits.weight", &[500, 10]),
            ("logits.bias", &[10]),
        ]);
        let expected: [(&str, &[usize]); 8] = [
            ("conv1.weight", &[20, 1, 5, 5]),
            ("norm1.weight", &[20]),
            ("norm1.running_mean", &[20]),
            ("lstm1.weight_ih_l0", &[512, 28]),
            ("lstm1.bias_ih_l0", &[512]),
            ("lstm1.bias_hh_l0", &[512]),
            ("logits.weight", &[10, 500]),
            ("logits.bias", &[10]),
        ];
        let expected = expected.map(|(name, shape)| (name.to_owned(), shape.to_vec()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_linear_weight_is_transposed() {
        let values = Array::new(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let turned = transposed(&values, 2, 3);
        assert_eq!(turned.shape(), [3, 2]);
        assert_eq!(turned.values(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
