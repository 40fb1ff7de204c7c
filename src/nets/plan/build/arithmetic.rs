//! Plans unary and binary functions.

use std::sync::Arc;

use super::draft::Draft;
use super::functions::{map_indices, strides};
use crate::nets::graph::op::{Binary, Pads, Unary};
use crate::nets::graph::{NodeId, NodeInput};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::elementwise::{BinaryFunction, Elementwise};
use crate::nets::plan::function::UnaryFunction;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::steps::PlanStep;

impl Draft<'_> {
    pub(super) fn binary(&mut self, id: NodeId, binary: Binary) -> Result<(), UnsupportedNode> {
        let inputs = &self.graph.node(id).inputs;
        let pair = match binary {
            Binary::Add => BinaryFunction::Add,
            Binary::Sub => BinaryFunction::Sub,
            Binary::Mul => BinaryFunction::Mul,
            Binary::Div => BinaryFunction::Div,
            Binary::Max => BinaryFunction::Max,
            Binary::Min => BinaryFunction::Min,
            Binary::Pow => return Err(self.unsupported(id, "this function is not supported")),
        };
        match (&inputs[0], &inputs[1]) {
            (NodeInput::Node(a), NodeInput::Node(b)) => {
                let (a, b) = (*a, *b);
                if self.shape(a)? != self.shape(b)? {
                    return Err(self.unsupported(id, "its inputs have different shapes"));
                }
                let (last, function) = self.fuse_relu(id);
                let places = [self.output(a), self.output(b)];
                let to = self.add_output(last)?;
                self.add_step(PlanStep::Elementwise(Elementwise::Binary(
                    pair, function, places, to,
                )));
                Ok(())
            }
            (NodeInput::Node(node), NodeInput::Weight(_)) => self.with_weight(id, *node, 1, pair),
            (NodeInput::Weight(_), NodeInput::Node(node)) => self.with_weight(id, *node, 0, pair),
            _ => Err(self.unsupported(id, "both of its inputs are weights")),
        }
    }

    /// Plans a function of a tensor and a weight that broadcasts to it; the weight is input `input`.
    fn with_weight(
        &mut self,
        id: NodeId,
        node: NodeId,
        input: usize,
        pair: BinaryFunction,
    ) -> Result<(), UnsupportedNode> {
        let from = self.output(node);
        let Some(weight) = self.weight(id, input) else {
            return Err(self.unsupported(id, "its weight is missing"));
        };
        let values = weight.values();
        let Some(numbers) = self.broadcast_indices(id, node, weight.shape())? else {
            return Err(self.unsupported(id, "its weight does not broadcast to its other input"));
        };
        // The quotient itself: where it lies between two numbers, another last digit would round it to the other.
        if (pair, input) == (BinaryFunction::Div, 1) && self.is_rounded(id) {
            let divisors = numbers.iter().map(|&number| values[number]).collect();
            return self.plan_quotient(id, divisors, from);
        }
        let affine = |value: f32| match (pair, input) {
            (BinaryFunction::Add, _) => Some((1.0, value)),
            (BinaryFunction::Sub, 1) => Some((1.0, -value)),
            (BinaryFunction::Sub, _) => Some((-1.0, value)),
            (BinaryFunction::Mul, _) => Some((value, 0.0)),
            (BinaryFunction::Div, 1) => Some((1.0 / value, 0.0)),
            _ => None,
        };
        let pairs: Option<Vec<(f32, f32)>> = numbers
            .iter()
            .map(|&number| affine(values[number]))
            .collect();
        match pairs {
            Some(pairs) => self.plan_affine(id, pairs, from),
            None => Err(self.unsupported(id, "this function of a weight is not supported")),
        }
    }

    /// For every element of a node's output for one image, the index of the weight element that it is combined with;
    /// `None` if broadcasting changes the shape of the output.
    fn broadcast_indices(
        &self,
        id: NodeId,
        node: NodeId,
        weight: &[usize],
    ) -> Result<Option<Vec<usize>>, UnsupportedNode> {
        let (images, shape) = (self.batch_axis(node), self.shape(node)?);
        let rank = shape.len() + 1;
        if weight.len() > rank || self.shape(id)? != shape || self.batch_axis(id) != images {
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
        Ok(Some(map_indices(&shape, |at| {
            at.iter().zip(aligned.iter().zip(&strides)).map(place).sum()
        })))
    }

    /// Plans scale·x + shift with one pair per element, and fuses a ReLU that is its only user.
    pub(super) fn plan_affine(
        &mut self,
        id: NodeId,
        pairs: Vec<(f32, f32)>,
        from: TensorSlot,
    ) -> Result<(), UnsupportedNode> {
        let (last, function) = self.fuse_relu(id);
        let (pairs, from, to) = self.by_channel(id, last, pairs, from)?;
        self.add_step(PlanStep::Elementwise(Elementwise::ChannelAffine(
            pairs, function, from, to,
        )));
        Ok(())
    }

    /// Plans x/divisor with one divisor per element, and fuses a rounding that is its only user.
    fn plan_quotient(
        &mut self,
        id: NodeId,
        divisors: Vec<f32>,
        from: TensorSlot,
    ) -> Result<(), UnsupportedNode> {
        let (last, function) = self.fuse_round(id);
        let (divisors, from, to) = self.by_channel(id, last, divisors, from)?;
        self.add_step(PlanStep::Elementwise(Elementwise::ChannelQuotient(
            divisors, function, from, to,
        )));
        Ok(())
    }

    /// For a function with parameters for each element: those of each channel, the tensor that it reads, and that for the
    /// output of `last`. If parameters differ within a channel, every element is treated as a channel.
    fn by_channel<T: Copy + PartialEq>(
        &mut self,
        id: NodeId,
        last: NodeId,
        parameters: Vec<T>,
        from: TensorSlot,
    ) -> Result<(Arc<[T]>, TensorSlot, TensorSlot), UnsupportedNode> {
        let area = (from.rows * from.columns).max(1);
        let by_channel = parameters
            .chunks(area)
            .all(|channel| channel.iter().all(|parameter| *parameter == channel[0]));
        let contiguous = from.has_no_border() && self.border(last) == Pads::default();
        if !(by_channel || contiguous) {
            return Err(self.unsupported(id, "its weight differs within a channel"));
        }
        let to = self.add_output(last)?;
        Ok(match by_channel {
            true => {
                let each = parameters.into_iter().step_by(area).collect();
                (each, from, to)
            }
            false => (parameters.into(), from.flattened(), to.flattened()),
        })
    }
}

pub(super) fn unary_function(unary: Unary) -> Option<UnaryFunction> {
    Some(match unary {
        Unary::Relu => UnaryFunction::Relu,
        Unary::LeakyRelu { slope } => UnaryFunction::LeakyRelu(slope as f32),
        Unary::Clip { min, max } => UnaryFunction::Clip(min as f32, max as f32),
        Unary::Affine { scale, shift } => UnaryFunction::Affine(scale as f32, shift as f32),
        Unary::Neg => UnaryFunction::Affine(-1.0, 0.0),
        Unary::Sigmoid => UnaryFunction::Sigmoid,
        Unary::Tanh => UnaryFunction::Tanh,
        Unary::Silu => UnaryFunction::Silu,
        Unary::HardSigmoid { alpha, beta } => UnaryFunction::HardSigmoid(alpha as f32, beta as f32),
        Unary::HardSwish => UnaryFunction::HardSwish(1.0 / 6.0, 0.5),
        Unary::Exp => UnaryFunction::Exp,
        Unary::Abs => UnaryFunction::Abs,
        Unary::Round => UnaryFunction::Round,
        Unary::Elu { alpha } => exponential(alpha, 1.0, 1.0),
        Unary::Selu { alpha, gamma } => exponential(alpha, 1.0, gamma),
        Unary::Celu { alpha } => exponential(alpha, alpha, 1.0),
        Unary::Gelu => UnaryFunction::Gelu,
        Unary::GeluTanh => UnaryFunction::GeluTanh,
        Unary::Mish => UnaryFunction::Mish,
        Unary::Softplus => UnaryFunction::Softplus,
        Unary::Softsign => UnaryFunction::Softsign,
        Unary::Erf => UnaryFunction::Erf,
        Unary::Sqrt => UnaryFunction::Sqrt,
        Unary::Reciprocal => UnaryFunction::Reciprocal,
        Unary::Log | Unary::Floor | Unary::Ceil | Unary::Sign => return None,
    })
}

fn exponential(height: f64, width: f64, factor: f64) -> UnaryFunction {
    UnaryFunction::Exponential {
        height: height as f32,
        width: width as f32,
        factor: factor as f32,
    }
}
