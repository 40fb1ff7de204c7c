//! Rewrites that make a graph faster.

use super::super::op::Unary;
use super::super::{NodeId, NodeInput, Op};
use super::Draft;
use crate::session::array::Array;

impl Draft {
    /// Folds batch normalizations into the convolution or dense layer right before them:
    /// W' = W·s and b' = (b − mean)·s + β with s = γ/√(variance + ε).
    pub fn fold_normalizations(&mut self) {
        for id in self.ids().collect::<Vec<_>>() {
            if let Some((op, inputs)) = self.folded(id) {
                self.replace(id, op, inputs);
            }
        }
    }

    /// The layer that replaces a batch normalization and the layer before it.
    fn folded(&mut self, id: NodeId) -> Option<(Op, Vec<NodeInput>)> {
        let Op::BatchNorm { epsilon } = self.node(id).op else {
            return None;
        };
        let layer = self.source(id, 0)?;
        // The channels of a dense layer are its units only if they directly follow the images.
        let by_unit = match self.node(layer).op {
            Op::Conv(_) => true,
            Op::Dense => self.node(layer).shape.len() == 2,
            _ => false,
        };
        if !by_unit || !self.is_sole_user(layer, id) {
            return None;
        }
        let [scale, beta, mean, variance] = [1, 2, 3, 4].map(|input| self.weight(id, input));
        let (scale, beta) = (scale?.values(), beta?.values());
        let (mean, variance) = (mean?.values(), variance?.values());
        let by = |channel: usize| scale[channel] / (variance[channel] + epsilon as f32).sqrt();
        let factors: Vec<f32> = (0..scale.len()).map(by).collect();
        let weight = self.weight(layer, 1)?;
        let values = weight.values();
        // Output channels are the first axis of a convolution's weight, the last of a dense layer's.
        let factor = |place: usize| match self.node(layer).op {
            Op::Conv(_) => Some(factors[place / (values.len() / factors.len())]),
            Op::Dense => Some(factors[place % factors.len()]),
            _ => None,
        };
        let scaled = values.iter().enumerate();
        let scaled: Option<Vec<f32>> = scaled
            .map(|(place, value)| Some(value * factor(place)?))
            .collect();
        let weight = Array::new(weight.shape(), scaled?);
        let bias = match self.node(layer).inputs.len() {
            2 => vec![0.0; factors.len()],
            _ => self.weight(layer, 2)?.values().to_vec(),
        };
        let moved =
            |channel: usize| (bias[channel] - mean[channel]) * factors[channel] + beta[channel];
        let bias: Vec<f32> = (0..factors.len()).map(moved).collect();
        let bias = Array::new(&[bias.len()], bias);
        let name = self.node(id).name.clone();
        let op = self.node(layer).op.clone();
        let x = self.node(layer).inputs[0].clone();
        let weight = self.new_weight(&format!("{name}.folded.weight"), weight);
        let bias = self.new_weight(&format!("{name}.folded.bias"), bias);
        Some((op, vec![x, weight, bias]))
    }

    /// Moves max-pooling before a rectifier: rectifiers are monotone, so the numbers are the same and
    /// the rectifier has less to do.
    pub fn pool_first(&mut self) {
        for id in self.ids().collect::<Vec<_>>() {
            let Op::MaxPool(window) = self.node(id).op else {
                continue;
            };
            let Some(before) = self.source(id, 0) else {
                continue;
            };
            let function = match self.node(before).op {
                Op::Unary(function) if is_non_decreasing(function) => function,
                _ => continue,
            };
            if !self.is_sole_user(before, id) {
                continue;
            }
            let x = self.node(before).inputs.clone();
            self.replace(before, Op::MaxPool(window), x);
            self.changed[before.0] = true;
            self.replace(id, Op::Unary(function), vec![NodeInput::Node(before)]);
        }
    }
}

/// Non-decreasing functions, in floating point too.
fn is_non_decreasing(function: Unary) -> bool {
    match function {
        Unary::Relu | Unary::Clip { .. } => true,
        Unary::LeakyRelu { slope } => slope >= 0.0,
        _ => false,
    }
}
