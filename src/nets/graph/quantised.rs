//! Quantised activations: divided by a scale, rounded, bounded, and multiplied by the scale again, around a zero point.

use std::collections::HashSet;

use super::op::{Binary, Unary};
use super::{Graph, NodeId, NodeInput, Op};

impl Graph {
    /// The names of the scales and zero points of quantised activations. They belong to the encoding of numbers and are
    /// no parameters of the network.
    pub fn quantisation_weights(&self) -> HashSet<&str> {
        let users = self.users();
        let mut found = HashSet::new();
        for id in self.ids() {
            let node = self.node(id);
            let Some(NodeInput::Node(scaled)) = node.inputs.first() else {
                continue;
            };
            let Some(scale) = self.constant_of(*scaled, &[Binary::Div]) else {
                continue;
            };
            if node.op != Op::Unary(Unary::Round) {
                continue;
            }
            let is_clip =
                |id: &&NodeId| matches!(self.node(**id).op, Op::Unary(Unary::Clip { .. }));
            let mut open: Vec<NodeId> = users[id.0].iter().filter(is_clip).copied().collect();
            if !open.is_empty() {
                found.insert(scale);
            }
            while let Some(steps) = open.pop() {
                for &next in &users[steps.0] {
                    if let Some(zero) = self.constant_of(next, &[Binary::Add, Binary::Sub]) {
                        found.insert(zero);
                        open.push(next);
                    } else if let Some(scale) = self.constant_of(next, &[Binary::Mul]) {
                        found.insert(scale);
                    }
                }
            }
        }
        found
    }

    /// The weight that is the second input of a node, if that is one of these operations on another node.
    fn constant_of(&self, id: NodeId, operations: &[Binary]) -> Option<&str> {
        let node = self.node(id);
        let Op::Binary(operation) = &node.op else {
            return None;
        };
        match node.inputs.as_slice() {
            [NodeInput::Node(_), NodeInput::Weight(name)] if operations.contains(operation) => {
                Some(name.as_str())
            }
            _ => None,
        }
    }
}
