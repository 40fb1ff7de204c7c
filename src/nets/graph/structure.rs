//! The architecture of a network: its graph without the values of the weights.

use sha2::{Digest, Sha256};

use super::{Dim, Graph, NodeId, NodeInput, Op};
use crate::session::form::Shape;

/// The operators that the logits depend on, with their attributes, the shapes of their outputs and weights, and which
/// takes what. Two networks of one architecture have equal structures, whatever the names, the values of their weights
/// and the order in which a file lists its nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    image: Shape,
    /// Each after its inputs; the last one gives the logits.
    nodes: Vec<StructureNode>,
}

/// One operator.
#[derive(Debug, Clone, PartialEq)]
struct StructureNode {
    op: Op,
    inputs: Vec<StructureInput>,
    shape: Vec<Dim>,
}

/// An input of an operator.
#[derive(Debug, Clone, PartialEq)]
enum StructureInput {
    /// The output of the node with this index.
    Node(usize),
    /// The weight that is the nth to be used, and its shape.
    Weight(usize, Vec<usize>),
}

impl Graph {
    /// The structure that networks of the same architecture share.
    pub fn structure(&self) -> Structure {
        let order = self.by_wiring();
        let mut places = vec![0; self.nodes().len()];
        for (place, id) in order.iter().enumerate() {
            places[id.0] = place;
        }
        let mut used: Vec<&str> = Vec::new();
        let mut nodes = Vec::with_capacity(order.len());
        for id in order {
            let node = self.node(id);
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for input in &node.inputs {
                inputs.push(match input {
                    NodeInput::Node(before) => StructureInput::Node(places[before.0]),
                    NodeInput::Weight(name) => {
                        let known = used.iter().position(|other| *other == name.as_str());
                        let nth = known.unwrap_or_else(|| {
                            used.push(name);
                            used.len() - 1
                        });
                        let shape = self
                            .weights()
                            .get(name)
                            .map(|values| values.shape().to_vec());
                        StructureInput::Weight(nth, shape.unwrap_or_default())
                    }
                });
            }
            nodes.push(StructureNode {
                op: node.op.clone(),
                inputs,
                shape: node.shape.clone(),
            });
        }
        Structure {
            image: self.image(),
            nodes,
        }
    }

    /// The SHA-256 of the values of the weights, as they are used: of networks of one structure it is equal for the same
    /// network alone, whatever the names.
    pub fn weights_sha256(&self) -> Vec<u8> {
        let mut sum = Sha256::new();
        for id in self.by_wiring() {
            for input in &self.node(id).inputs {
                if let NodeInput::Weight(name) = input
                    && let Some(weight) = self.weights().get(name)
                {
                    let values = weight.values().iter();
                    values.for_each(|value| sum.update(value.to_le_bytes()));
                }
            }
        }
        sum.finalize().to_vec()
    }

    /// The nodes that the logits depend on, each after its inputs, in an order that follows from the wiring alone.
    fn by_wiring(&self) -> Vec<NodeId> {
        let mut order = Vec::new();
        let mut placed = vec![false; self.nodes().len()];
        // A node, and how many of its inputs have been visited.
        let mut path = vec![(self.output(), 0)];
        while let Some((id, visited)) = path.pop() {
            if placed[id.0] {
                continue;
            }
            match self.node(id).inputs.get(visited) {
                Some(input) => {
                    path.push((id, visited + 1));
                    path.extend(input.node().map(|before| (before, 0)));
                }
                None => {
                    placed[id.0] = true;
                    order.push(id);
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::super::GraphBuilder;
    use super::super::op::Binary;
    use super::super::op::Unary;
    use super::*;
    use crate::session::array::Array;

    /// What a graph of two branches that are added is made of.
    #[derive(Clone, Copy)]
    struct Made {
        names: &'static str,
        /// The first number of the weights.
        first: f32,
        hidden: usize,
        left: Unary,
        right_first: bool,
        /// Whether both branches use one matrix.
        is_shared: bool,
        /// Whether the addition takes one branch twice.
        is_doubled: bool,
        /// Whether there is a node that the logits do not depend on.
        has_rest: bool,
    }

    const MADE: Made = Made {
        names: "a",
        first: 0.0,
        hidden: 3,
        left: Unary::Relu,
        right_first: false,
        is_shared: false,
        is_doubled: false,
        has_rest: false,
    };

    fn graph(made: Made) -> Graph {
        let named = |name: &str| format!("{}.{name}", made.names);
        let numbers = |rows: usize, columns: usize| {
            let values = (0..rows * columns).map(|i| made.first + i as f32);
            Array::new(&[rows, columns], values.collect())
        };
        let mut builder = GraphBuilder::new([1, 1, 2]);
        let images = builder.add(&named("images"), Op::Input, &[]).unwrap();
        let shape = vec![Dim::batch(1), Dim::fixed(2)];
        let flat = builder
            .add(&named("flat"), Op::Reshape { shape }, &[images.into()])
            .unwrap();
        let one = builder
            .weight(&named("one"), numbers(2, made.hidden))
            .unwrap();
        let two = builder
            .weight(&named("two"), numbers(2, made.hidden))
            .unwrap();
        let last = builder
            .weight(&named("last"), numbers(made.hidden, 2))
            .unwrap();
        let two = if made.is_shared { one.clone() } else { two };
        let mut branch = |name: &str, weight: NodeInput, function: Unary| {
            let dense = builder
                .add(&named(name), Op::Dense, &[flat.into(), weight])
                .unwrap();
            let name = format!("{name} function");
            builder
                .add(&named(&name), Op::Unary(function), &[dense.into()])
                .unwrap()
        };
        let (left, right) = match made.right_first {
            true => {
                let right = branch("right", two, Unary::Tanh);
                (branch("left", one, made.left), right)
            }
            false => {
                let left = branch("left", one, made.left);
                (left, branch("right", two, Unary::Tanh))
            }
        };
        let other = if made.is_doubled { left } else { right };
        let sum = builder
            .add(
                &named("sum"),
                Op::Binary(Binary::Add),
                &[left.into(), other.into()],
            )
            .unwrap();
        if made.has_rest {
            builder
                .add(&named("rest"), Op::Unary(Unary::Exp), &[sum.into()])
                .unwrap();
        }
        let logits = builder
            .add(&named("logits"), Op::Dense, &[sum.into(), last])
            .unwrap();
        builder.finish(logits).unwrap()
    }

    fn structure(made: Made) -> Structure {
        graph(made).structure()
    }

    #[test]
    fn a_network_is_recognised_by_the_values_of_its_weights_in_their_places() {
        let sum = |made: Made| graph(made).weights_sha256();
        let same = sum(MADE);
        for other in [
            Made { names: "b", ..MADE },
            Made {
                right_first: true,
                ..MADE
            },
        ] {
            assert_eq!(sum(other), same);
        }
        let other = Made { first: 7.0, ..MADE };
        assert_ne!(sum(other), same);
    }

    #[test]
    fn networks_of_one_architecture_differ_in_names_order_and_numbers_alone() {
        let same = structure(MADE);
        for other in [
            Made { names: "b", ..MADE },
            Made { first: 7.0, ..MADE },
            Made {
                right_first: true,
                ..MADE
            },
            Made {
                has_rest: true,
                ..MADE
            },
        ] {
            assert_eq!(structure(other), same);
        }
        for (place, other) in [
            Made { hidden: 4, ..MADE },
            Made {
                left: Unary::Sigmoid,
                ..MADE
            },
            Made {
                left: Unary::LeakyRelu { slope: 0.1 },
                ..MADE
            },
            Made {
                is_shared: true,
                ..MADE
            },
            Made {
                is_doubled: true,
                ..MADE
            },
        ]
        .into_iter()
        .enumerate()
        {
            assert_ne!(structure(other), same, "change {place}");
        }
        let slope = |slope| {
            structure(Made {
                left: Unary::LeakyRelu { slope },
                ..MADE
            })
        };
        assert_ne!(slope(0.1), slope(0.2));
    }
}
