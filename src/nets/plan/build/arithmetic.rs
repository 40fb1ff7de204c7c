//! Plans unary and binary functions.

use super::draft::Draft;
use super::functions::{strides, table};
use crate::nets::graph::op::{Binary, Pads, Unary};
use crate::nets::graph::{Input, NodeId};
use crate::nets::plan::Unplanned;
use crate::nets::plan::each::{Each, Pair};
use crate::nets::plan::function::Function;
use crate::nets::plan::layout::Place;
use crate::nets::plan::steps::Step;

impl Draft<'_> {
    pub(super) fn binary(&mut self, id: NodeId, binary: Binary) -> Result<(), Unplanned> {
        let inputs = &self.graph.node(id).inputs;
        let pair = match binary {
            Binary::Add => Pair::Add,
            Binary::Sub => Pair::Sub,
            Binary::Mul => Pair::Mul,
            Binary::Div => Pair::Div,
            Binary::Max => Pair::Max,
            Binary::Min => Pair::Min,
            Binary::Pow => return Err(self.unplanned(id, "this function is not supported")),
        };
        match (&inputs[0], &inputs[1]) {
            (Input::Node(a), Input::Node(b)) => {
                let (a, b) = (*a, *b);
                if self.shape(a)? != self.shape(b)? {
                    return Err(self.unplanned(id, "its inputs have different shapes"));
                }
                let (last, function) = self.follow_relu(id);
                let places = [self.place(a), self.place(b)];
                let to = self.give(last)?;
                self.step(Step::Each(Each::Two(pair, function, places, to)));
                Ok(())
            }
            (Input::Node(node), Input::Weight(_)) => self.with_weight(id, *node, 1, pair),
            (Input::Weight(_), Input::Node(node)) => self.with_weight(id, *node, 0, pair),
            _ => Err(self.unplanned(id, "both of its inputs are weights")),
        }
    }

    /// Plans a function of a tensor and a weight that broadcasts to it; the weight is input `input`.
    fn with_weight(
        &mut self,
        id: NodeId,
        node: NodeId,
        input: usize,
        pair: Pair,
    ) -> Result<(), Unplanned> {
        let from = self.place(node);
        let Some(weight) = self.weight(id, input) else {
            return Err(self.unplanned(id, "its weight is missing"));
        };
        let values = weight.values();
        let Some(numbers) = self.broadcast_indices(id, node, weight.shape())? else {
            return Err(self.unplanned(id, "its weight does not broadcast to its other input"));
        };
        let affine = |value: f32| match (pair, input) {
            (Pair::Add, _) => Some((1.0, value)),
            (Pair::Sub, 1) => Some((1.0, -value)),
            (Pair::Sub, _) => Some((-1.0, value)),
            (Pair::Mul, _) => Some((value, 0.0)),
            (Pair::Div, 1) => Some((1.0 / value, 0.0)),
            _ => None,
        };
        let pairs: Option<Vec<(f32, f32)>> = numbers
            .iter()
            .map(|&number| affine(values[number]))
            .collect();
        match pairs {
            Some(pairs) => self.pairs(id, pairs, from),
            None => Err(self.unplanned(id, "this function of a weight is not supported")),
        }
    }

    /// For every element of a node's output for one image, the index of the weight element that it is combined with;
    /// `None` if broadcasting changes the shape of the output.
    fn broadcast_indices(
        &self,
        id: NodeId,
        node: NodeId,
        weight: &[usize],
    ) -> Result<Option<Vec<usize>>, Unplanned> {
        let (images, shape) = (self.images(node), self.shape(node)?);
        let rank = shape.len() + 1;
        if weight.len() > rank || self.shape(id)? != shape || self.images(id) != images {
            return Ok(None);
        }
        let mut aligned = vec![1; rank - weight.len()];
        aligned.extend(weight);
        if aligned.remove(images) != 1 {
            return Ok(None);
        }
        let strides = strides(&aligned);
        let place = |(at, (length, stride)): (&usize, (&usize, &usize))| match length {
            1 => 0,
            _ => at * stride,
        };
        Ok(Some(table(&shape, |at| {
            at.iter().zip(aligned.iter().zip(&strides)).map(place).sum()
        })))
    }

    /// Plans scale·x + shift with one pair per element, and fuses a ReLU that is its only user.
    pub(super) fn pairs(
        &mut self,
        id: NodeId,
        pairs: Vec<(f32, f32)>,
        from: Place,
    ) -> Result<(), Unplanned> {
        let area = (from.rows * from.columns).max(1);
        let by_channel = pairs
            .chunks(area)
            .all(|channel| channel.iter().all(|pair| *pair == channel[0]));
        let (last, function) = self.follow_relu(id);
        // If pairs differ within a channel, every element is treated as a channel.
        let contiguous = from.is_dense() && self.border(last) == Pads::default();
        if !(by_channel || contiguous) {
            return Err(self.unplanned(id, "its weight differs within a channel"));
        }
        let to = self.give(last)?;
        let [from, to] = [from, to].map(|place| match by_channel {
            true => place,
            false => place.as_numbers(),
        });
        let pairs = match by_channel {
            true => pairs.into_iter().step_by(area).collect(),
            false => pairs.into(),
        };
        self.step(Step::Each(Each::Channels(pairs, function, from, to)));
        Ok(())
    }
}

pub(super) fn unary_function(unary: Unary) -> Option<Function> {
    Some(match unary {
        Unary::Relu => Function::Relu,
        Unary::LeakyRelu { slope } => Function::Leaky(slope as f32),
        Unary::Clip { min, max } => Function::Clip(min as f32, max as f32),
        Unary::Affine { scale, shift } => Function::Affine(scale as f32, shift as f32),
        Unary::Neg => Function::Affine(-1.0, 0.0),
        Unary::Sigmoid => Function::Sigmoid,
        Unary::Tanh => Function::Tanh,
        Unary::Silu => Function::Silu,
        Unary::HardSigmoid { alpha, beta } => Function::HardSigmoid(alpha as f32, beta as f32),
        Unary::HardSwish => Function::HardSwish(1.0 / 6.0, 0.5),
        Unary::Exp => Function::Exp,
        Unary::Abs => Function::Abs,
        Unary::Elu { alpha } => exponential(alpha, 1.0, 1.0),
        Unary::Selu { alpha, gamma } => exponential(alpha, 1.0, gamma),
        Unary::Celu { alpha } => exponential(alpha, alpha, 1.0),
        Unary::Gelu => Function::Gelu,
        Unary::GeluTanh => Function::GeluTanh,
        Unary::Mish => Function::Mish,
        Unary::Softplus => Function::Softplus,
        Unary::Softsign => Function::Softsign,
        Unary::Erf => Function::Erf,
        Unary::Sqrt => Function::Sqrt,
        Unary::Reciprocal => Function::Reciprocal,
        Unary::Log | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Sign => return None,
    })
}

fn exponential(height: f64, width: f64, factor: f64) -> Function {
    Function::Exponential {
        height: height as f32,
        width: width as f32,
        factor: factor as f32,
    }
}
