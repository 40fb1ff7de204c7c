//! [`OnnxCall`], a node of the file with its attributes and inputs, and [`ImportValue`], what an input can be.

use super::attributes::Attributes;
use super::constant::Constant;
use super::count::SymbolicInt;
use super::error::NodeProblem;
use super::strided_indices::StridedIndices;
use super::types;
use crate::nets::graph::NodeId;

/// The meaning of a name in the file.
#[derive(Debug, Clone)]
pub enum ImportValue {
    /// Numbers known at import.
    Known(Constant),
    /// Weights, with their name in the file.
    Weight(String, Constant),
    /// The output of a node of the graph.
    Node(NodeId),
    /// Known numbers repeated along axes, the batch among them.
    Broadcast(Constant, Vec<SymbolicInt>),
    /// The comparison of a node's output with a number: greater than.
    GreaterThan(NodeId, f32),
    /// Indices into an array, which may depend on the image number.
    Places(StridedIndices),
}

impl ImportValue {
    /// Numbers known at import; `None` if they are computed from the images.
    pub fn constant(&self) -> Option<&Constant> {
        match self {
            ImportValue::Known(constant) | ImportValue::Weight(_, constant) => Some(constant),
            ImportValue::Node(_)
            | ImportValue::Broadcast(..)
            | ImportValue::GreaterThan(..)
            | ImportValue::Places(_) => None,
        }
    }

    /// Indices into an array; known numbers count if they are evenly spaced.
    pub fn places(&self) -> Option<StridedIndices> {
        match self {
            ImportValue::Places(places) => Some(places.clone()),
            other => StridedIndices::of(other.constant()?),
        }
    }
}

/// A node of the file with its inputs.
pub struct OnnxCall<'a> {
    /// Its operator, without domain.
    pub operator: &'a str,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// Its inputs; `None` for an omitted one.
    pub inputs: Vec<Option<ImportValue>>,
    /// The number types of its inputs.
    pub types: Vec<i32>,
    /// The names of its outputs; empty for an unused one.
    pub outputs: Vec<&'a str>,
    /// How many outputs the file names, used or not.
    pub declared: usize,
    /// Its name in the graph.
    pub name: String,
    /// The version of the ONNX operator set.
    pub opset: i64,
    /// Whether it is a softmax that gives the network's output.
    pub is_final_softmax: bool,
}

impl OnnxCall<'_> {
    /// A required input.
    pub fn input(&self, place: usize) -> Result<&ImportValue, NodeProblem> {
        let missing = || NodeProblem::Cannot(format!("its input {place} is missing"));
        self.optional(place).ok_or_else(missing)
    }

    /// An optional input.
    pub fn optional(&self, place: usize) -> Option<&ImportValue> {
        self.inputs.get(place).and_then(Option::as_ref)
    }

    /// Whether an input is of integers.
    pub fn is_whole(&self, place: usize) -> bool {
        let code = self.types.get(place);
        code.is_some_and(|&code| types::is_integer(code))
    }

    /// An input that must be known at import; `role` names it in the error.
    pub fn known(&self, place: usize, role: &str) -> Result<&Constant, NodeProblem> {
        let value = self.input(place)?;
        let why = match value {
            ImportValue::Broadcast(..) | ImportValue::Places(_) => {
                "depends on the number of images; export the network for one image, without dynamic axes"
            }
            _ => "is computed from the images; it must be fixed",
        };
        let unknown = || NodeProblem::Cannot(format!("its {role} {why}"));
        value.constant().ok_or_else(unknown)
    }

    /// Integers that must be known at import, from an input or, in older files, an attribute.
    pub fn ints(&self, place: usize, name: &str) -> Result<Option<Vec<i64>>, NodeProblem> {
        if let Some(ints) = self.attributes.ints(name) {
            return Ok(Some(ints.to_vec()));
        }
        if self.optional(place).is_none() {
            return Ok(None);
        }
        let ints = self.known(place, name)?.ints();
        let words = || NodeProblem::Cannot(format!("its {name} depends on the number of images"));
        Ok(Some(ints.ok_or_else(words)?))
    }
}
