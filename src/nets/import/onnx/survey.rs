//! Summarises a model: its exporter, inputs, outputs and operators, including unsupported ones.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::OnnxFault;
use super::messages::ModelProto;
use super::{functions, io, ops};

/// A model's exporter, inputs, outputs and operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSummary {
    /// The version of the ONNX operator set.
    pub opset: i64,
    /// The exporter: `pytorch 2.9.0`; empty if not given.
    pub exporter: String,
    /// Inputs that are not weights, each with its shape: `` `images` [N,3,32,32] ``.
    pub inputs: Vec<String>,
    /// Outputs, each with its shape.
    pub outputs: Vec<String>,
    /// The operators, the most frequent first.
    pub operators: Vec<Operator>,
}

/// One operator of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// Its ONNX name, with its domain unless that is the standard one.
    pub name: String,
    /// Number of nodes with it.
    pub times: usize,
    /// Whether it is supported.
    pub known: bool,
}

impl ModelSummary {
    /// The opset and exporter: `opset 18, by pytorch 2.9.0`.
    pub fn origin(&self) -> String {
        match self.exporter.as_str() {
            "" => format!("opset {}", self.opset),
            exporter => format!("opset {}, by {exporter}", self.opset),
        }
    }
}

/// The version of the ONNX operator set that a model uses.
pub fn opset(model: &ModelProto) -> i64 {
    let mut versions = model.opset_import.iter();
    let standard = versions.find(|version| ops::is_standard(&version.domain));
    standard.map_or(1, |version| version.version)
}

/// Summarises a model; its functions count as the operators they consist of.
///
/// # Errors
/// If its functions are nested too deeply, as in recursion.
pub fn summarise(model: &ModelProto) -> Result<ModelSummary, OnnxFault> {
    let nodes = functions::inlined(model)?;
    let mut times: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for node in &nodes {
        let (name, known) = (ops::name(node), ops::is_known(node));
        times.entry(name).or_insert((0, known)).0 += 1;
    }
    let each = times.into_iter();
    let mut operators: Vec<Operator> = each
        .map(|(name, (times, known))| Operator { name, times, known })
        .collect();
    operators.sort_by_key(|operator| std::cmp::Reverse(operator.times));
    let graph = &model.graph;
    let inputs = io::free(graph).into_iter();
    Ok(ModelSummary {
        opset: opset(model),
        exporter: format!("{} {}", model.producer_name, model.producer_version)
            .trim()
            .to_owned(),
        inputs: inputs.map(io::described).collect(),
        outputs: graph.output.iter().map(io::described).collect(),
        operators,
    })
}
