//! Rewrites: other graphs that give the same logits.
//!
//! [`Graph::simplified`] recognises what exporters have spelled out, so that sites are what a person
//! would call layers; [`Graph::fast`] is only for running. Both say which nodes still give what they
//! gave before.

mod fast;
mod patterns;
mod pushes;

use std::collections::BTreeMap;

use super::{Graph, GraphBuilder, GraphError, Input, Node, NodeId, Op};
use crate::session::array::Array;

pub use pushes::Pushes;

/// A rewritten graph.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// The graph.
    pub graph: Graph,
    /// For every node of the graph before, the node that gives the same now, where there is one.
    pub kept: Vec<Option<NodeId>>,
    /// What a person should know about it.
    pub notes: Vec<Note>,
}

/// A change that a person should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The probabilities at the end were taken off: logits are needed.
    SoftmaxTakenOff {
        /// The node.
        node: String,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::SoftmaxTakenOff { node } => write!(
                f,
                "the softmax `{node}` at the end is left out: logits are needed"
            ),
        }
    }
}

impl Graph {
    /// What exporters have spelled out, as the operators that it means: biases added after a layer,
    /// products with a matrix of weights, SiLU, hard swish, GELU; and without a softmax at the end.
    ///
    /// # Errors
    /// Where a rewrite does not fit together, which would be a mistake in it.
    pub fn simplified(&self) -> Result<Rewritten, GraphError> {
        let mut draft = Draft::of(self);
        draft.take_off_softmax();
        draft.name_products();
        draft.add_biases();
        draft.name_functions();
        draft.finish()
    }

    /// The same logits in less time: batch normalizations inside the layers before them, poolings
    /// before the rectifiers that they follow.
    ///
    /// # Errors
    /// Where a rewrite does not fit together, which would be a mistake in it.
    pub fn fast(&self) -> Result<Rewritten, GraphError> {
        let mut draft = Draft::of(self);
        draft.fold_normalizations();
        draft.pool_first();
        draft.finish()
    }
}

/// A graph while it is rewritten: nodes keep their places until the end.
struct Draft {
    image: crate::session::form::Shape,
    nodes: Vec<Node>,
    output: NodeId,
    weights: BTreeMap<String, Array<f32>>,
    /// Nodes whose value is another one now.
    changed: Vec<bool>,
    notes: Vec<Note>,
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

    /// The node that an input is, where it is one.
    fn source(&self, id: NodeId, input: usize) -> Option<NodeId> {
        self.node(id).inputs.get(input)?.node()
    }

    /// The weight that an input is, where it is one.
    fn weight(&self, id: NodeId, input: usize) -> Option<&Array<f32>> {
        match self.node(id).inputs.get(input)? {
            Input::Weight(name) => self.weights.get(name),
            Input::Node(_) => None,
        }
    }

    /// Whether one node alone computes on a node, once, and nothing else wants it.
    fn is_only_for(&self, id: NodeId, user: NodeId) -> bool {
        let input = Input::Node(id);
        let uses = |node: &Node| node.inputs.iter().filter(|it| **it == input).count();
        let all: usize = self.alive().map(|other| uses(self.node(other))).sum();
        all == 1 && uses(self.node(user)) == 1 && id != self.output
    }

    /// The nodes that the output needs.
    fn alive(&self) -> impl Iterator<Item = NodeId> + use<> {
        let mut needed = vec![false; self.nodes.len()];
        needed[self.output.0] = true;
        for id in self.ids().collect::<Vec<_>>().into_iter().rev() {
            if needed[id.0] {
                for input in &self.node(id).inputs {
                    if let Input::Node(input) = input {
                        needed[input.0] = true;
                    }
                }
            }
        }
        self.ids().filter(move |id| needed[id.0])
    }

    /// A weight under a name that is not taken yet.
    fn new_weight(&mut self, name: &str, values: Array<f32>) -> Input {
        let mut free = name.to_owned();
        let mut number = 2;
        while self.weights.contains_key(&free) {
            free = format!("{name}#{number}");
            number += 1;
        }
        self.weights.insert(free.clone(), values);
        Input::Weight(free)
    }

    /// Another operator gives the same at a node.
    fn replace(&mut self, id: NodeId, op: Op, inputs: Vec<Input>) {
        let node = &mut self.nodes[id.0];
        node.op = op;
        node.inputs = inputs;
    }

    /// Probabilities at the end, or before a last reshape, are left out.
    fn take_off_softmax(&mut self) {
        let mut at = self.output;
        while let Op::Reshape { .. } = self.node(at).op {
            let Some(before) = self.source(at, 0) else {
                return;
            };
            at = before;
        }
        let over_classes = match self.node(at).op {
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                let shape = &self.node(at).shape;
                shape[axis].count == shape.iter().map(|dim| dim.count).product::<usize>()
            }
            _ => false,
        };
        let (true, Some(before)) = (over_classes, self.source(at, 0)) else {
            return;
        };
        self.notes.push(Note::SoftmaxTakenOff {
            node: self.node(at).name.clone(),
        });
        if at == self.output {
            self.output = before;
            return;
        }
        // Everything after it gives something else now.
        for id in self.ids().collect::<Vec<_>>() {
            for input in &mut self.nodes[id.0].inputs {
                if *input == Input::Node(at) {
                    *input = Input::Node(before);
                    self.changed[id.0] = true;
                }
            }
        }
        for id in self.ids().collect::<Vec<_>>() {
            let inputs = &self.nodes[id.0].inputs;
            let changed = |input: &Input| matches!(input, Input::Node(it) if self.changed[it.0]);
            if inputs.iter().any(changed) {
                self.changed[id.0] = true;
            }
        }
    }

    /// The graph of the nodes that are needed, shapes checked again.
    fn finish(self) -> Result<Rewritten, GraphError> {
        let mut needed = vec![false; self.nodes.len()];
        self.alive().for_each(|id| needed[id.0] = true);
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
                    Input::Node(id) => {
                        let missing = GraphError::MissingNode {
                            node: node.name.clone(),
                            input: id.0,
                        };
                        let place = places.get(id.0).copied().flatten();
                        Input::Node(place.ok_or(missing)?)
                    }
                    Input::Weight(name) => {
                        if let Some(values) = weights.remove(&name) {
                            builder.weight(&name, values)?;
                        }
                        Input::Weight(name)
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
        Ok(Rewritten {
            kept: kept.collect(),
            graph: builder.finish(output)?,
            notes: self.notes,
        })
    }
}
