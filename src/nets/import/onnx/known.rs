//! What is known at import of the values of nodes: arrays that do not depend on the images, and numbers that are the same
//! everywhere.

use super::call::ImportValue;
use super::constant::{Constant, affordable};
use super::importer::Importer;
use super::types;
use crate::nets::graph::run::on_arrays;
use crate::nets::graph::{Dim, NodeId, NodeInput, Op};
use crate::session::array::Array;

impl Importer<'_> {
    /// The value of a node whose inputs are weights, or computed from these alone.
    pub fn without_images(&self, id: NodeId, op: &Op, inputs: &[NodeInput]) -> Option<Array<f32>> {
        let arrays = inputs.iter().map(|input| match input {
            NodeInput::Node(before) => self.fixed.get(before),
            NodeInput::Weight(name) => self.graph.weight_values(name),
        });
        let arrays: Vec<&Array<f32>> = arrays.collect::<Option<_>>()?;
        let length = |dim: &Dim| (!dim.batched).then_some(dim.count);
        let shape = self.graph.shape(id).iter().map(length);
        let shape: Vec<usize> = shape.collect::<Option<_>>()?;
        affordable(&shape, 0)?;
        on_arrays(op, &arrays, &shape)
    }

    /// A node's output, as an array if it does not depend on the images, and as integers if they are its number type.
    pub fn settled(&self, value: ImportValue, number_type: i32) -> ImportValue {
        let array = match value {
            ImportValue::Node(id) => self.fixed.get(&id),
            _ => None,
        };
        let value = match array {
            Some(array) => ImportValue::Known(Constant::Floats(array.clone())),
            None => value,
        };
        match value {
            ImportValue::Known(constant @ Constant::Floats(_))
                if types::is_integer(number_type) =>
            {
                let shape = constant.shape().to_vec();
                ImportValue::Known(match constant.counts() {
                    Some(values) => Constant::Ints { shape, values },
                    None => constant,
                })
            }
            other => other,
        }
    }

    /// The number that a value has everywhere, if it is known to be uniform.
    pub fn uniform(&self, value: &ImportValue) -> Option<f32> {
        match value {
            ImportValue::Node(id) => self.uniform.get(id).copied(),
            ImportValue::GreaterThan(..) | ImportValue::Places(_) => None,
            ImportValue::Known(constant)
            | ImportValue::Weight(_, constant)
            | ImportValue::Broadcast(constant, _) => same_everywhere(&constant.floats()?),
        }
    }

    /// That number of a node with this operator and these inputs.
    pub fn uniform_of(&self, op: &Op, inputs: &[NodeInput]) -> Option<f32> {
        let moves_only = matches!(
            op,
            Op::Expand { .. }
                | Op::Slice(_)
                | Op::Reshape { .. }
                | Op::Transpose { .. }
                | Op::Gather { .. }
                | Op::Concat { .. }
        );
        let number = |input: &NodeInput| match input {
            NodeInput::Node(id) => self.uniform.get(id).copied(),
            NodeInput::Weight(name) => same_everywhere(self.graph.weight_values(name)?),
        };
        let (first, rest) = inputs.split_first()?;
        let first = number(first).filter(|_| moves_only)?;
        let same = |input: &NodeInput| number(input) == Some(first);
        rest.iter().all(same).then_some(first)
    }
}

fn same_everywhere(array: &Array<f32>) -> Option<f32> {
    let (first, rest) = array.values().split_first()?;
    rest.iter().all(|number| number == first).then_some(*first)
}
