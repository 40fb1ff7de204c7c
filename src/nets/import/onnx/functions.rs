//! Inlines the functions that a model defines.

use std::collections::HashMap;

use super::error::OnnxFault;
use super::messages::{AttributeProto, GraphProto, ModelProto, NodeProto};

/// Maximum depth of nested calls.
const DEEPEST: usize = 32;

/// The most operators and calls that a model may consist of after inlining.
const MOST: usize = 1 << 18;

/// The nodes of a model's graph with functions inlined.
///
/// # Errors
/// If calls are nested too deeply, as in recursion, or there are absurdly many.
pub fn inlined(model: &ModelProto) -> Result<Vec<NodeProto>, OnnxFault> {
    let mut inliner = Inliner {
        model,
        calls: 0,
        visited: 0,
    };
    inliner.expand(&model.graph.node, 0)
}

struct Inliner<'a> {
    model: &'a ModelProto,
    calls: usize,
    /// Operators and calls so far.
    visited: usize,
}

impl Inliner<'_> {
    fn expand(&mut self, nodes: &[NodeProto], depth: usize) -> Result<Vec<NodeProto>, OnnxFault> {
        let mut flat = Vec::new();
        for node in nodes {
            self.visited += 1;
            if self.visited > MOST {
                let message = format!("it consists of more than {MOST} operators");
                return Err(OnnxFault::Damaged(message));
            }
            let mut functions = self.model.functions.iter();
            let called = functions.find(|function| {
                function.name == node.op_type
                    && function.domain == node.domain
                    && function.overload == node.overload
            });
            let Some(function) = called else {
                flat.push(node.clone());
                continue;
            };
            if depth == DEEPEST {
                let message = format!("its functions call each other: {}", node.op_type);
                return Err(OnnxFault::Damaged(message));
            }
            self.calls += 1;
            let prefix = format!("{}#{}/", node.op_type, self.calls);
            let mut names: HashMap<&str, String> = HashMap::new();
            let pairs = function.input.iter().zip(&node.input);
            names.extend(pairs.map(|(inner, outer)| (inner.as_str(), outer.clone())));
            for left_out in function.input.iter().skip(node.input.len()) {
                names.insert(left_out, String::new());
            }
            let pairs = function.output.iter().zip(&node.output);
            let pairs = pairs.filter(|(_, outer)| !outer.is_empty());
            names.extend(pairs.map(|(inner, outer)| (inner.as_str(), outer.clone())));
            let attributes = |name: &str| {
                let given = node.attribute.iter().chain(&function.attribute_proto);
                let mut given = given.filter(|attribute| attribute.name == name);
                given.next()
            };
            let body = function.node.iter().map(|inner| {
                let mut inner = renamed(inner, &names, &prefix);
                inner.attribute = resolved(&inner.attribute, &attributes);
                if !inner.name.is_empty() && !node.name.is_empty() {
                    inner.name = format!("{}/{}", node.name, inner.name);
                }
                inner
            });
            let body: Vec<NodeProto> = body.collect();
            flat.extend(self.expand(&body, depth + 1)?);
        }
        Ok(flat)
    }
}

fn renamed(node: &NodeProto, names: &HashMap<&str, String>, prefix: &str) -> NodeProto {
    let rename = |name: &String| match names.get(name.as_str()) {
        Some(outer) => outer.clone(),
        None if name.is_empty() => String::new(),
        None => format!("{prefix}{name}"),
    };
    let mut node = node.clone();
    node.input = node.input.iter().map(rename).collect();
    node.output = node.output.iter().map(rename).collect();
    for attribute in &mut node.attribute {
        if let Some(graph) = attribute.g.as_mut() {
            rename_graph(graph, names, prefix);
        }
    }
    node
}

fn rename_graph(graph: &mut GraphProto, names: &HashMap<&str, String>, prefix: &str) {
    graph.node = graph
        .node
        .iter()
        .map(|node| renamed(node, names, prefix))
        .collect();
    for output in &mut graph.output {
        output.name = match names.get(output.name.as_str()) {
            Some(outer) => outer.clone(),
            None => format!("{prefix}{}", output.name),
        };
    }
    for array in &mut graph.initializer {
        array.name = format!("{prefix}{}", array.name);
    }
}

/// A body's attributes, with references replaced by the call's attributes, or dropped if the call omits
/// them.
fn resolved<'a>(
    attributes: &[AttributeProto],
    given: &impl Fn(&str) -> Option<&'a AttributeProto>,
) -> Vec<AttributeProto> {
    let resolve = |attribute: &AttributeProto| {
        if attribute.ref_attr_name.is_empty() {
            return Some(attribute.clone());
        }
        let mut value = given(&attribute.ref_attr_name)?.clone();
        attribute.name.clone_into(&mut value.name);
        Some(value)
    };
    attributes.iter().filter_map(resolve).collect()
}
