//! Types of 16 bits. What a file computes in them is computed in 32 bits, as ONNX Runtime does on a processor. A value is
//! rounded where it is stored in 16 bits between two nodes neither of which computes: one converts it or moves it, and the
//! next one does so, too. The images and the logits are not rounded.

use std::collections::HashSet;

use burn::tensor::{DType, TensorData};
use onnx_ir::NodeProto;

use super::call::ImportValue;
use super::error::NodeProblem;
use super::importer::Importer;
use super::types::{BFLOAT16, FLOAT16};
use crate::nets::graph::op::Unary;
use crate::nets::graph::{NodeId, NodeInput, Op};
use crate::session::array::Array;

/// The rounding to the type of this ONNX code; `None` if that has more than 16 bits.
fn rounding(code: i32) -> Option<Unary> {
    match code {
        FLOAT16 => Some(Unary::Float16),
        BFLOAT16 => Some(Unary::BFloat16),
        _ => None,
    }
}

/// An array in the type of this ONNX code. A number beyond the range of 16-bit floats stays: masks have such, where a
/// large one does the same as infinity.
pub fn rounded(array: Array<f32>, code: i32) -> Array<f32> {
    let narrow = match code {
        FLOAT16 => DType::F16,
        BFLOAT16 => DType::BF16,
        _ => return array,
    };
    let wide = array.values();
    let data = TensorData::new(wide.to_vec(), [wide.len()]);
    let data = data.convert_dtype(narrow).convert::<f32>();
    let near: Vec<f32> = data.try_into_vec().unwrap_or_default();
    let kept = |(&near, &wide): (&f32, &f32)| if near.is_finite() { near } else { wide };
    let values = near.iter().zip(wide).map(kept).collect();
    Array::new(array.shape(), values)
}

/// The values that one node converts or moves and another one, too.
pub fn passed_on(nodes: &[&NodeProto]) -> HashSet<String> {
    let idle = || {
        let nodes = nodes.iter();
        nodes.filter(|node| is_conversion(node) || is_only_moved(node))
    };
    let read: HashSet<&String> = idle().flat_map(|node| &node.input).collect();
    let made = idle().flat_map(|node| &node.output);
    made.filter(|name| read.contains(name)).cloned().collect()
}

/// Whether a node gives values that it was given, in other places.
fn is_only_moved(node: &NodeProto) -> bool {
    matches!(
        node.op_type.as_str(),
        "Reshape"
            | "Flatten"
            | "Squeeze"
            | "Unsqueeze"
            | "Transpose"
            | "Concat"
            | "Split"
            | "Gather"
            | "GatherND"
            | "ScatterND"
    )
}

fn is_conversion(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "Cast" | "CastLike")
}

impl Importer<'_> {
    /// Whether a node moves values that are stored in 16 bits, before it or behind it.
    pub fn moves_stored(&self, node: &NodeProto) -> bool {
        let is_narrow = |name: &&String| rounding(self.number_type(name)).is_some();
        let before = node.input.iter().filter(is_narrow);
        let mut around = before.chain(&node.output);
        is_only_moved(node) && around.any(|name| self.passed_on.contains(name))
    }

    /// Rounds those inputs of a node that are stored in 16 bits.
    pub fn round_stored(
        &mut self,
        node: &NodeProto,
        inputs: &mut [Option<ImportValue>],
    ) -> Result<(), NodeProblem> {
        let moves = self.moves_stored(node);
        for (name, input) in node.input.iter().zip(inputs) {
            let code = self.number_type(name);
            let (Some(rounding), &Some(ImportValue::Node(id))) = (rounding(code), &*input) else {
                continue;
            };
            let twice = is_conversion(node) && self.converted.contains(name);
            if !(twice || moves) {
                continue;
            }
            let stored = match self.stored.get(&(id, code)) {
                Some(&stored) => stored,
                None => self.emit(
                    &format!("{name}.rounded"),
                    Op::Unary(rounding),
                    &[id.into()],
                )?,
            };
            self.stored.insert((id, code), stored);
            self.stored.insert((stored, code), stored);
            *input = Some(ImportValue::Node(stored));
        }
        Ok(())
    }

    /// Records that a value has numbers of a type only, so that none has to be rounded to it.
    pub fn mark_as_stored(&mut self, value: &ImportValue, code: i32) {
        if let (ImportValue::Node(id), Some(_)) = (value, rounding(code)) {
            self.stored.insert((*id, code), *id);
        }
    }

    /// A node, or what it rounds to 16 bits if it does that.
    pub fn before_rounding(&self, id: NodeId) -> NodeId {
        match self.operator_of(&id.into()) {
            Some((Op::Unary(Unary::Float16 | Unary::BFloat16), [NodeInput::Node(before)])) => {
                *before
            }
            _ => id,
        }
    }

    /// Records that a node's output, of this type, is converted from another type, or is such a value of an earlier node.
    pub fn note_converted(&mut self, node: &NodeProto, code: i32) {
        let (Some(before), Some(output)) = (node.input.first(), node.output.first()) else {
            return;
        };
        let unchanged = matches!(node.op_type.as_str(), "Identity" | "Dropout");
        let converted = is_conversion(node) && self.number_type(before) != code;
        if rounding(code).is_some() && (converted || unchanged && self.converted.contains(before)) {
            self.converted.insert(output.clone());
        }
    }
}
