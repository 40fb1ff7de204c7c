//! Rewrites of a graph into equivalent ones with the same logits.
//!
//! [`Graph::simplified`] merges what exporters write as several nodes, so that sites match the layers
//! a person would name; [`Graph::fast`] only speeds up the computation. Both map the nodes whose value
//! is unchanged.

mod fast;
mod patterns;
mod pushes;

use std::collections::BTreeMap;

use super::{Graph, GraphBuilder, GraphError, Node, NodeId, NodeInput, Op};
use crate::session::array::Array;

pub use pushes::PushGraph;

/// A rewritten graph.
#[derive(Debug, Clone)]
pub struct RewrittenGraph {
    /// The graph.
    pub graph: Graph,
    /// For every node of the original graph, the node with the same value now, if any.
    pub new_ids: Vec<Option<NodeId>>,
    /// Changes the user should know about.
    pub notes: Vec<RewriteNote>,
}

/// A change the user should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RewriteNote {
    /// The softmax at the end was removed: logits are needed.
    SoftmaxRemoved {
        /// The node.
        node: String,
    },
}

impl std::fmt::Display for RewriteNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RewriteNote::SoftmaxRemoved { node } => write!(
                f,
                "the softmax `{node}` at the end is removed: logits are needed"
            ),
        }
    }
}

impl Graph {
    /// Merges patterns that exporters write as several nodes into single operators: biases added after a
    /// layer, products with a weight matrix, SiLU, hard swish, GELU; and removes a softmax at the end.
    ///
    /// # Errors
    /// If the rewritten graph is invalid, which would be a bug in a rewrite.
    pub fn simplified(&self) -> Result<RewrittenGraph, GraphError> {
        let mut draft = Draft::of(self);
        draft.remove_softmax();
        draft.name_products();
        draft.add_biases();
        draft.name_functions();
        draft.finish()
    }

    /// The same logits in less time: folds batch normalizations into the layers before them, and moves
    /// poolings ahead of the rectifiers that they follow.
    ///
    /// # Errors
    /// If the rewritten graph is invalid, which would be a bug in a rewrite.
    pub fn fast(&self) -> Result<RewrittenGraph, GraphError> {
        let mut draft = Draft::of(self);
        draft.fold_normalizations();
        draft.pool_first();
        draft.finish()
    }
}

/// A graph being rewritten: nodes keep their indices until the end.
struct Draft {
    image: crate::session::form::Shape,
    nodes: Vec<Node>,
    output: NodeId,
    weights: BTreeMap<String, Array<f32>>,
    /// Whether each node's value has changed.
    changed: Vec<bool>,
    notes: Vec<RewriteNote>,
}

impl Draft {
    fn of(graph: &Graph) -> Self {
        Self {
            image: graph.image,
            nodes: graph.nodes().to_vec(),
            output: graph.output,
            weights: graph.weights().clone(),
            changed: vec![false; graph.nodes().len()],
            notes: Vec::new(),
        }
    }

    fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The node behind an input, if it is one.
    fn source(&self, id: NodeId, input: usize) -> Option<NodeId> {
        self.node(id).inputs.get(input)?.node()
    }

    /// The weight behind an input, if it is one.
    fn weight(&self, id: NodeId, input: usize) -> Option<&Array<f32>> {
        match self.node(id).inputs.get(input)? {
            NodeInput::Weight(name) => self.weights.get(name),
            NodeInput::Node(_) => None,
        }
    }

    /// Whether `user` is the only user of `id`, takes it once, and `id` is not the output.
    fn is_sole_user(&self, id: NodeId, user: NodeId) -> bool {
        let input = NodeInput::Node(id);
        let uses = |node: &Node| node.inputs.iter().filter(|other| **other == input).count();
        let all: usize = self
            .needed_nodes()
            .map(|other| uses(self.node(other)))
            .sum();
        all == 1 && uses(self.node(user)) == 1 && id != self.output
    }

    /// The nodes that the output needs.
    fn needed_nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        let mut needed = vec![false; self.nodes.len()];
        needed[self.output.0] = true;
        for id in self.ids().collect::<Vec<_>>().into_iter().rev() {
            if needed[id.0] {
                for input in &self.node(id).inputs {
                    if let NodeInput::Node(input) = input {
                        needed[input.0] = true;
                    }
                }
            }
        }
        self.ids().filter(move |id| needed[id.0])
    }

    /// Adds a weight under an unused name.
    fn new_weight(&mut self, name: &str, values: Array<f32>) -> NodeInput {
        let mut free = name.to_owned();
        let mut number = 2;
        while self.weights.contains_key(&free) {
            free = format!("{name}#{number}");
            number += 1;
        }
        self.weights.insert(free.clone(), values);
        NodeInput::Weight(free)
    }

    /// Replaces a node's operator by one with the same value.
    fn replace(&mut self, id: NodeId, op: Op, inputs: Vec<NodeInput>) {
        let node = &mut self.nodes[id.0];
        node.op = op;
        node.inputs = inputs;
    }

    /// Removes a softmax at the end, or before final reshapes.
    fn remove_softmax(&mut self) {
        let mut last = self.output;
        while let Op::Reshape { .. } = self.node(last).op {
            let Some(before) = self.source(last, 0) else {
                return;
            };
            last = before;
        }
        let over_classes = match self.node(last).op {
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                let shape = &self.node(last).shape;
                shape[axis].count == shape.iter().map(|dim| dim.count).product::<usize>()
            }
            _ => false,
        };
        let (true, Some(before)) = (over_classes, self.source(last, 0)) else {
            return;
        };
        self.notes.push(RewriteNote::SoftmaxRemoved {
            node: self.node(last).name.clone(),
        });
        if last == self.output {
            self.output = before;
            return;
        }
        // The values of all nodes after it change.
        for id in self.ids().collect::<Vec<_>>() {
            for input in &mut self.nodes[id.0].inputs {
                if *input == NodeInput::Node(last) {
                    *input = NodeInput::Node(before);
                    self.changed[id.0] = true;
                }
            }
        }
        for id in self.ids().collect::<Vec<_>>() {
            let inputs = &self.nodes[id.0].inputs;
            let changed = |input: &NodeInput| matches!(input, NodeInput::Node(before) if self.changed[before.0]);
            if inputs.iter().any(changed) {
                self.changed[id.0] = true;
            }
        }
    }

    /// The graph of the nodes that are needed, with shapes checked again.
    fn finish(self) -> Result<RewrittenGraph, GraphError> {
        let mut needed = vec![false; self.nodes.len()];
        self.needed_nodes().for_each(|id| needed[id.0] = true);
        let mut builder = GraphBuilder::new(self.image);
        let mut weights = self.weights;
        let mut places: Vec<Option<NodeId>> = Vec::with_capacity(self.nodes.len());
        for (node, needed) in self.nodes.into_iter().zip(needed) {
            if !needed && node.op != Op::Input {
                places.push(None);
                continue;
            }
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for input in node.inputs {
                inputs.push(match input {
                    NodeInput::Node(id) => {
                        let missing = GraphError::MissingNode {
                            node: node.name.clone(),
                            input: id.0,
                        };
                        let place = places.get(id.0).copied().flatten();
                        NodeInput::Node(place.ok_or(missing)?)
                    }
                    NodeInput::Weight(name) => {
                        if let Some(values) = weights.remove(&name) {
                            builder.weight(&name, values)?;
                        }
                        NodeInput::Weight(name)
                    }
                });
            }
            places.push(Some(builder.add(&node.name, node.op, &inputs)?));
        }
        let missing = GraphError::MissingNode {
            node: "output".into(),
            input: self.output.0,
        };
        let output = places[self.output.0].ok_or(missing)?;
        let kept = places.iter().zip(&self.changed);
        let kept = kept.map(|(place, changed)| place.filter(|_| !changed));
        Ok(RewrittenGraph {
            new_ids: kept.collect(),
            graph: builder.finish(output)?,
            notes: self.notes,
        })
    }
}
