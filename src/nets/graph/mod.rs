//! A network as a graph: nodes in the order of computation, weights by name.
//!
//! This module defines the graph and its builder. Every node has one output, whose shape is inferred
//! and checked when the node is added, for any number of images N. Operators are in [`op`], shape
//! inference in [`shape`], receptive fields in [`field`], the sites to observe and push in [`site`],
//! the architecture in [`structure`], and the computation in [`run`].

pub mod dim;
pub mod field;
pub mod kinds;
pub mod op;
mod quantised;
pub mod rewrite;
pub mod run;
pub mod shape;
pub mod site;
pub mod structure;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use dim::Dim;
pub use op::Op;

use crate::session::array::Array;
use crate::session::form::Shape;

/// The index of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// An input of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeInput {
    /// The output of an earlier node.
    Node(NodeId),
    /// A weight, by name.
    Weight(String),
}

impl NodeInput {
    /// The node, if it is one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Node(id) => Some(*id),
            Self::Weight(_) => None,
        }
    }
}

impl From<NodeId> for NodeInput {
    fn from(node: NodeId) -> Self {
        NodeInput::Node(node)
    }
}

impl From<&str> for NodeInput {
    fn from(weight: &str) -> Self {
        NodeInput::Weight(weight.to_owned())
    }
}

impl From<String> for NodeInput {
    fn from(weight: String) -> Self {
        NodeInput::Weight(weight)
    }
}

/// One operator with its name and inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its unique name, taken from the file if it has one there.
    pub name: String,
    /// The operator.
    pub op: Op,
    /// The inputs, in the operator's order.
    pub inputs: Vec<NodeInput>,
    /// The shape of its output.
    pub shape: Vec<Dim>,
}

/// A network from images \[N,C,H,W\] to logits \[N,K\], for any N. Copies share the weights.
#[derive(Debug, Clone)]
pub struct Graph {
    image: Shape,
    nodes: Arc<[Node]>,
    output: NodeId,
    weights: Arc<BTreeMap<String, Array<f32>>>,
}

/// Why a graph cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// An operator that cannot compute on its inputs.
    #[error("{op} at `{node}`: {why}")]
    Misfit {
        /// The node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// The reason.
        why: String,
    },
    /// A weight is missing.
    #[error("`{node}` needs the weight `{weight}`, which is missing")]
    MissingWeight {
        /// The node.
        node: String,
        /// The weight's name.
        weight: String,
    },
    /// A node is missing or comes later.
    #[error("`{node}` needs node {input}, which does not come before it")]
    MissingNode {
        /// The node.
        node: String,
        /// The index of the missing node.
        input: usize,
    },
    /// Two nodes or two weights have the same name.
    #[error("the name `{0}` is used twice")]
    DuplicateName(String),
    /// A graph with pushes was asked for, but no push was given.
    #[error("there is no push to compute; give at least one")]
    NoPush,
    /// There is not exactly one image input.
    #[error("a network has exactly one input, but this one has {0}")]
    Inputs(usize),
    /// The output is not a class vector.
    #[error("`{node}` gives {shape}; logits [N,classes] are needed")]
    Output {
        /// The node.
        node: String,
        /// The shape of its output, as text.
        shape: String,
    },
}

impl Graph {
    /// Channels, rows and columns of an image.
    pub fn image(&self) -> Shape {
        self.image
    }

    /// Classes: K.
    pub fn classes(&self) -> usize {
        self.node(self.output).shape[1].count
    }

    /// All nodes, each after its inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ids of all nodes, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// One node.
    ///
    /// # Panics
    /// If the id belongs to another graph and is out of range.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The node with this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.ids().find(|&id| self.node(id).name == name)
    }

    /// The node that gives the logits \[N,K\].
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// The weights by name.
    pub fn weights(&self) -> &BTreeMap<String, Array<f32>> {
        &self.weights
    }

    /// For every node, the nodes that take it as input, in order, each listed once.
    pub fn users(&self) -> Vec<Vec<NodeId>> {
        let mut users = vec![Vec::new(); self.nodes.len()];
        for id in self.ids() {
            for input in &self.node(id).inputs {
                if let NodeInput::Node(input) = input
                    && users[input.0].last() != Some(&id)
                {
                    users[input.0].push(id);
                }
            }
        }
        users
    }
}

/// A graph under construction: shapes are inferred and checked as nodes are added.
#[derive(Debug, Clone)]
pub struct GraphBuilder {
    image: Shape,
    nodes: Vec<Node>,
    names: HashMap<String, NodeId>,
    weights: BTreeMap<String, Array<f32>>,
}

impl GraphBuilder {
    /// An empty graph for images of these channels, rows and columns.
    pub fn new(image: Shape) -> Self {
        Self {
            image,
            nodes: Vec::new(),
            names: HashMap::new(),
            weights: BTreeMap::new(),
        }
    }

    /// Adds a weight for nodes added later. Unused weights are allowed.
    ///
    /// # Errors
    /// If there already is one of that name.
    pub fn weight(&mut self, name: &str, values: Array<f32>) -> Result<NodeInput, GraphError> {
        match self.weights.insert(name.to_owned(), values) {
            None => Ok(name.into()),
            Some(_) => Err(GraphError::DuplicateName(name.to_owned())),
        }
    }

    /// Appends a node.
    ///
    /// # Errors
    /// Names the node and what does not fit: its inputs, their shapes or its attributes.
    pub fn add(&mut self, name: &str, op: Op, inputs: &[NodeInput]) -> Result<NodeId, GraphError> {
        let shapes: Vec<Vec<Dim>> = inputs
            .iter()
            .map(|input| self.input_shape(name, input))
            .collect::<Result<_, _>>()?;
        let shape = match op {
            Op::Input => dim::images(self.image),
            _ => shape::infer(&op, &shapes).map_err(|why| GraphError::Misfit {
                node: name.to_owned(),
                op: op.label(),
                why,
            })?,
        };
        let id = NodeId(self.nodes.len());
        if self.names.insert(name.to_owned(), id).is_some() {
            return Err(GraphError::DuplicateName(name.to_owned()));
        }
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.to_vec(),
            shape,
        });
        Ok(id)
    }

    /// The shape of a node's output.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn shape(&self, id: NodeId) -> &[Dim] {
        &self.nodes[id.0].shape
    }

    /// The values of a weight added before.
    pub fn weight_values(&self, name: &str) -> Option<&Array<f32>> {
        self.weights.get(name)
    }

    /// The finished graph, with `output` as its logits.
    ///
    /// # Errors
    /// If `output` is not a class vector \[N,K\], or there is not exactly one [`Op::Input`].
    pub fn finish(self, output: NodeId) -> Result<Graph, GraphError> {
        let images = self.nodes.iter().filter(|node| node.op == Op::Input);
        let images = images.count();
        if images != 1 {
            return Err(GraphError::Inputs(images));
        }
        let last = self.nodes.get(output.0).ok_or(GraphError::MissingNode {
            node: "the output".into(),
            input: output.0,
        })?;
        match last.shape.as_slice() {
            [batch, classes] if *batch == Dim::batch(1) && !classes.batched => {}
            shape => {
                return Err(GraphError::Output {
                    node: last.name.clone(),
                    shape: dim::shape_text(shape),
                });
            }
        }
        Ok(Graph {
            image: self.image,
            nodes: self.nodes.into(),
            output,
            weights: Arc::new(self.weights),
        })
    }

    fn input_shape(&self, node: &str, input: &NodeInput) -> Result<Vec<Dim>, GraphError> {
        match input {
            NodeInput::Node(id) => {
                let found = self.nodes.get(id.0).ok_or(GraphError::MissingNode {
                    node: node.to_owned(),
                    input: id.0,
                })?;
                Ok(found.shape.clone())
            }
            NodeInput::Weight(weight) => {
                let found = self.weights.get(weight);
                let found = found.ok_or_else(|| GraphError::MissingWeight {
                    node: node.to_owned(),
                    weight: weight.clone(),
                })?;
                Ok(found
                    .shape()
                    .iter()
                    .map(|&length| Dim::fixed(length))
                    .collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
