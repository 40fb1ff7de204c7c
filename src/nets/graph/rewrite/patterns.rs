//! Recognises patterns that exporters write as several nodes.

use super::super::op::{Binary, Unary};
use super::super::{NodeId, NodeInput, Op};
use super::Draft;
use crate::session::array::Array;

impl Draft {
    /// Turns a product with a weight matrix into a dense layer without a bias.
    pub fn name_products(&mut self) {
        for id in self.ids().collect::<Vec<_>>() {
            let node = self.node(id);
            let matrix = self
                .weight(id, 1)
                .is_some_and(|weight| weight.shape().len() == 2);
            if node.op == Op::MatMul && self.source(id, 0).is_some() && matrix {
                let inputs = node.inputs.clone();
                self.replace(id, Op::Dense, inputs);
            }
        }
    }

    /// Turns a constant added to every unit of a layer without a bias into its bias.
    pub fn add_biases(&mut self) {
        for id in self.ids().collect::<Vec<_>>() {
            if self.node(id).op != Op::Binary(Binary::Add) {
                continue;
            }
            let Some((layer, bias)) = self.layer_and_bias(id) else {
                continue;
            };
            let op = self.node(layer).op.clone();
            let mut inputs = self.node(layer).inputs.clone();
            let name = format!("{}.bias", self.node(layer).name);
            inputs.push(self.new_weight(&name, bias));
            self.replace(id, op, inputs);
        }
    }

    /// The layer that a sum adds a bias to, and the bias \[units\].
    fn layer_and_bias(&self, id: NodeId) -> Option<(NodeId, Array<f32>)> {
        let (layer, bias) = match (self.source(id, 0), self.source(id, 1)) {
            (Some(layer), None) => (layer, self.weight(id, 1)?),
            (None, Some(layer)) => (layer, self.weight(id, 0)?),
            _ => return None,
        };
        let node = self.node(layer);
        // Axes after the units, along which the bias must be constant.
        let after = match node.op {
            Op::Conv(_) => 2,
            Op::Dense => 0,
            _ => return None,
        };
        let units = node.shape[node.shape.len() - 1 - after].count;
        let mut shape = bias.shape().to_vec();
        let tail = shape.split_off(shape.len().checked_sub(after)?);
        let by_unit = shape.pop() == Some(units)
            && tail.iter().chain(&shape).all(|&length| length == 1)
            && shape.len() < node.shape.len();
        let fits = by_unit && node.inputs.len() == 2 && self.is_sole_user(layer, id);
        fits.then(|| (layer, Array::new(&[units], bias.values().to_vec())))
    }

    /// Recognises SiLU, hard swish and GELU.
    pub fn name_functions(&mut self) {
        for id in self.ids().collect::<Vec<_>>() {
            let Some((function, x)) = self.swish(id).or_else(|| self.gelu(id)) else {
                continue;
            };
            self.replace(id, Op::Unary(function), vec![NodeInput::Node(x)]);
        }
    }

    /// x·sigmoid(x), x·hard sigmoid(x).
    fn swish(&self, id: NodeId) -> Option<(Unary, NodeId)> {
        let (a, b) = self.product(id)?;
        for (x, gate) in [(a, b), (b, a)] {
            if self.source(gate, 0) != Some(x) {
                continue;
            }
            match self.node(gate).op {
                Op::Unary(Unary::Sigmoid) => return Some((Unary::Silu, x)),
                Op::Unary(Unary::HardSigmoid { alpha, beta })
                    if (alpha - 1.0 / 6.0).abs() < 1e-6 && beta == 0.5 =>
                {
                    return Some((Unary::HardSwish, x));
                }
                _ => {}
            }
        }
        None
    }

    /// x·(1 + erf(x/√2))·½, with the factor ½ in any place.
    fn gelu(&self, id: NodeId) -> Option<(Unary, NodeId)> {
        let whole = |x: NodeId, gate: NodeId| {
            (self.one_and_error_function(gate) == Some(x)).then_some((Unary::Gelu, x))
        };
        // (x·gate)·½.
        if let Some((half, product)) = self.times_number(id) {
            let (a, b) = self.product(product).filter(|_| half == 0.5)?;
            return whole(a, b).or_else(|| whole(b, a));
        }
        // (x·½)·gate or x·(gate·½).
        let (a, b) = self.product(id)?;
        for (halved, other) in [(a, b), (b, a)] {
            if let Some((half, inner)) = self.times_number(halved)
                && half == 0.5
                && let Some(found) = whole(inner, other).or_else(|| whole(other, inner))
            {
                return Some(found);
            }
        }
        None
    }

    /// x, if a node is 1 + erf(x/√2).
    fn one_and_error_function(&self, id: NodeId) -> Option<NodeId> {
        let (one, erf) = self.with_number(id, Binary::Add)?;
        if one != 1.0 || self.node(erf).op != Op::Unary(Unary::Erf) {
            return None;
        }
        let scaled = self.source(erf, 0)?;
        let root = std::f32::consts::SQRT_2;
        let near = |value: f32, wanted: f32| (value - wanted).abs() < 1e-5;
        if let Some((factor, x)) = self.times_number(scaled) {
            return near(factor, 1.0 / root).then_some(x);
        }
        match self.node(scaled).op {
            Op::Binary(Binary::Div) => {
                let divisor = number(self.weight(scaled, 1)?)?;
                self.source(scaled, 0).filter(|_| near(divisor, root))
            }
            _ => None,
        }
    }

    /// The two nodes that a node multiplies.
    fn product(&self, id: NodeId) -> Option<(NodeId, NodeId)> {
        match self.node(id).op {
            Op::Binary(Binary::Mul) => Some((self.source(id, 0)?, self.source(id, 1)?)),
            _ => None,
        }
    }

    fn times_number(&self, id: NodeId) -> Option<(f32, NodeId)> {
        self.with_number(id, Binary::Mul)
    }

    /// The number and the node that a commutative function combines.
    fn with_number(&self, id: NodeId, function: Binary) -> Option<(f32, NodeId)> {
        if self.node(id).op != Op::Binary(function) {
            return None;
        }
        let operands = |constant: usize, node: usize| {
            Some((number(self.weight(id, constant)?)?, self.source(id, node)?))
        };
        operands(0, 1).or_else(|| operands(1, 0))
    }
}

/// The number in a weight that has only one.
fn number(weight: &Array<f32>) -> Option<f32> {
    match *weight.values() {
        [number] => Some(number),
        _ => None,
    }
}
