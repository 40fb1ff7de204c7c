//! Translates the nodes of a file one by one: looks up inputs, applies the operator's rule, records outputs.

use std::collections::HashMap;

use super::attributes::Attributes;
use super::call::{ImportValue, OnnxCall};
use super::constant::Constant;
use super::error::{NodeProblem, OnnxFault};
use super::importer::Importer;
use super::messages::NodeProto;
use super::{io, names, ops, types};

impl Importer<'_> {
    /// Translates nodes in order. An array is dropped after the last node that uses it: as integers and as reals, the
    /// arrays of a large network take several times the memory of its weights.
    pub fn walk(&mut self, nodes: &[&NodeProto]) -> Result<(), OnnxFault> {
        let used = |node: &NodeProto| {
            let mut names = Vec::new();
            io::inputs(node, &mut names);
            names
        };
        let mut last_use: HashMap<String, usize> = HashMap::new();
        for (place, node) in nodes.iter().enumerate() {
            last_use.extend(used(node).into_iter().map(|name| (name, place)));
        }
        for (place, node) in nodes.iter().enumerate() {
            self.node(node)?;
            for name in used(node) {
                let value = self.values.get(&name);
                let is_array = value.is_some_and(|value| value.constant().is_some());
                if is_array && last_use.get(&name) == Some(&place) {
                    self.values.remove(&name);
                }
            }
        }
        Ok(())
    }

    fn node<'b>(&mut self, node: &'b NodeProto) -> Result<(), OnnxFault> {
        if node.op_type == "If" && ops::is_standard(&node.domain) {
            return self.branch(node);
        }
        let inputs = node.input.iter().map(|name| match name.as_str() {
            "" => Ok(None),
            name => self.value(name).map(Some),
        });
        let inputs: Vec<Option<ImportValue>> = inputs.collect::<Result<_, _>>()?;
        let used = |name: &'b String| match self.used.contains(name) {
            true => name.as_str(),
            false => "",
        };
        let call = OnnxCall {
            operator: &node.op_type,
            attributes: Attributes::of(node),
            inputs,
            types: node
                .input
                .iter()
                .map(|name| self.number_type(name))
                .collect(),
            outputs: node.output.iter().map(used).collect(),
            declared: node.output.iter().filter(|name| !name.is_empty()).count(),
            name: names::readable_name(node),
            opset: self.opset,
            is_final_softmax: node.output.iter().any(|name| self.last.contains(name)),
        };
        let Some(translate) = ops::translation(&node.domain, &node.op_type) else {
            return Err(OnnxFault::Operators(ops::missing(&[node]), None));
        };
        let unsupported = |problem: String| OnnxFault::UnsupportedUse {
            operator: node.op_type.clone(),
            node: match node.name.as_str() {
                "" => call.name.clone(),
                name => name.to_owned(),
            },
            problem,
        };
        let values = translate(self, &call).map_err(|problem| match problem {
            NodeProblem::Fault(fault) => fault,
            NodeProblem::Cannot(problem) => unsupported(problem),
        })?;
        let made = types::of_outputs(call.operator, call.attributes, &call.types);
        let values: Vec<ImportValue> = values
            .into_iter()
            .map(|value| self.settled(value, made))
            .collect();
        if !self.can_afford(&values) {
            return Err(unsupported(
                "with it, the arrays that are made at import would take an absurd amount of memory"
                    .into(),
            ));
        }
        for (name, value) in node.output.iter().zip(values) {
            if !name.is_empty() {
                self.set(name, value);
                self.set_number_type(name, made);
            }
        }
        Ok(())
    }

    /// Translates the taken branch of an `If`, whose condition must be known.
    fn branch(&mut self, node: &NodeProto) -> Result<(), OnnxFault> {
        let condition = node.input.first().map_or("", String::as_str);
        let truth = self.value(condition)?.constant().and_then(Constant::only);
        let Some(truth) = truth else {
            return Err(OnnxFault::UnsupportedUse {
                operator: node.op_type.clone(),
                node: node.name.clone(),
                problem: "which branch is taken depends on the images or their number".into(),
            });
        };
        let name = if truth == 0.0 {
            "else_branch"
        } else {
            "then_branch"
        };
        let Some(graph) = Attributes::of(node).graph(name) else {
            return Err(OnnxFault::Damaged(format!("`{}` has no {name}", node.name)));
        };
        for tensor in &graph.initializer {
            let value = ImportValue::Weight(tensor.name.clone(), self.arrays.read(tensor)?);
            self.set(&tensor.name, value);
            self.set_number_type(&tensor.name, tensor.data_type);
        }
        for node in &graph.node {
            self.node(node)?;
        }
        for (outer, inner) in node.output.iter().zip(&graph.output) {
            let value = self.value(&inner.name)?;
            self.set(outer, value);
            let code = self.number_type(&inner.name);
            self.set_number_type(outer, code);
        }
        Ok(())
    }
}
