//! Layers on sequences: recurrent ones, and dense ones and normalizations of every vector of a sequence.

use super::*;
use crate::nets::graph::dim::Dim;
use crate::nets::graph::op::{Direction, Recurrent, RecurrentOutput, Reset};

const STEPS: usize = 7;
const FEATURES: usize = 5;
const UNITS: usize = 6;

/// A network in the making whose weights are drawn.
struct Drawn {
    builder: GraphBuilder,
    numbers: Vec<f32>,
    last: NodeId,
    nodes: usize,
}

impl Drawn {
    /// Images of one channel.
    fn new(rows: usize, columns: usize) -> Self {
        let mut builder = GraphBuilder::new([1, rows, columns]);
        let last = builder.add("images", Op::Input, &[]).unwrap();
        Self {
            builder,
            numbers: images(1, 20_000),
            last,
            nodes: 0,
        }
    }

    fn then(&mut self, op: Op, weights: &[&[usize]]) {
        self.nodes += 1;
        let mut inputs = vec![self.last.into()];
        for (at, shape) in weights.iter().enumerate() {
            let count: usize = shape.iter().product();
            let own = self.numbers.split_off(self.numbers.len() - count);
            let own = own.iter().map(|it| 1.6 * (it - 0.5)).collect();
            let name = format!("weight {at} of {}", self.nodes);
            inputs.push(self.builder.weight(&name, Array::new(shape, own)).unwrap());
        }
        let name = format!("node {}", self.nodes);
        self.last = self.builder.add(&name, op, &inputs).unwrap();
    }

    /// The same numbers as N vectors, weighed into three logits.
    fn ends(mut self, numbers: usize) -> Graph {
        let shape = vec![Dim::batch(1), Dim::fixed(numbers)];
        self.then(Op::Reshape { shape }, &[]);
        self.then(Op::Dense, &[&[numbers, 3]]);
        self.builder.finish(self.last).unwrap()
    }
}

fn assert_as_burn(graph: &Graph, what: &str) {
    let device = Device::flex();
    let pixels = images(37, graph.image().iter().product());
    let subject = Subject::new(graph.clone(), &device).unwrap();
    let reference = subject.logits(pixels.clone(), &device);
    for lanes in Lanes::all() {
        let plan =
            Plan::with(graph, lanes, false).unwrap_or_else(|error| panic!("{what}: {error}"));
        // The second time other values have stood where they are.
        for _ in 0..2 {
            let worst = difference(&reference, &plan.logits(&pixels));
            assert!(worst < 1e-5, "{what} {lanes:?}: {worst}");
        }
    }
}

/// Every cell, direction and output, with a bias and without, alone and one upon the other.
#[test]
fn recurrent_layers_give_what_burn_gives() {
    use RecurrentOutput::{All, Cell, Last};
    let directions = [
        Direction::Forward,
        Direction::Reverse,
        Direction::Bidirectional,
    ];
    let resets = [None, Some(Reset::BeforeMatrix), Some(Reset::AfterMatrix)];
    for (direction, reset) in directions
        .into_iter()
        .flat_map(|it| resets.map(|own| (it, own)))
    {
        let many = 1 + usize::from(direction == Direction::Bidirectional);
        let gates = if reset.is_some() { 3 } else { 4 };
        for (output, bias) in [(All, true), (Last, true), (Cell, false), (All, false)] {
            if reset.is_some() && output == Cell {
                continue;
            }
            let mut drawn = Drawn::new(STEPS, FEATURES);
            drawn.then(
                Op::Transpose {
                    axes: vec![2, 0, 1, 3],
                },
                &[],
            );
            for (layer, output) in [All, output].into_iter().enumerate() {
                let features = if layer == 0 { FEATURES } else { many * UNITS };
                // One matrix of all directions a step.
                let shape = vec![Dim::fixed(STEPS), Dim::batch(1), Dim::fixed(features)];
                if layer == 1 {
                    let axes = vec![0, 2, 1, 3];
                    drawn.then(Op::Transpose { axes }, &[]);
                }
                drawn.then(Op::Reshape { shape }, &[]);
                let recurrent = Recurrent {
                    units: UNITS,
                    direction,
                    output,
                };
                let op = match reset {
                    None => Op::Lstm { recurrent },
                    Some(reset) => Op::Gru { recurrent, reset },
                };
                let rows = gates * UNITS;
                let weights: [&[usize]; 3] = [
                    &[many, rows, features],
                    &[many, rows, UNITS],
                    &[many, 2 * rows],
                ];
                drawn.then(op, &weights[..2 + usize::from(bias)]);
                // What follows sees it in the axes that it has.
                drawn.then(Op::Unary(Unary::Tanh), &[]);
            }
            let (steps, axes) = match output {
                All => (STEPS, vec![2, 0, 1, 3]),
                Last | Cell => (1, vec![1, 0, 2]),
            };
            drawn.then(Op::Transpose { axes }, &[]);
            let graph = drawn.ends(steps * many * UNITS);
            assert_as_burn(
                &graph,
                &format!("{direction:?} {reset:?} {output:?} {bias}"),
            );
        }
    }
}

/// A layer of every vector of a sequence, and normalizations over its numbers.
#[test]
fn every_vector_of_a_sequence_goes_through_dense_layers_and_normalizations() {
    let (tokens, width) = (9, 6);
    for axis in [1, 2] {
        let mut drawn = Drawn::new(tokens, width);
        let shape = vec![Dim::batch(1), Dim::fixed(tokens), Dim::fixed(width)];
        drawn.then(Op::Reshape { shape }, &[]);
        let norm = |axis| Op::LayerNorm {
            axis,
            epsilon: 1e-5,
        };
        let own: &[usize] = if axis == 1 {
            &[tokens, width]
        } else {
            &[width]
        };
        drawn.then(norm(axis), &[own, own]);
        drawn.then(Op::Dense, &[&[width, 11], &[11]]);
        drawn.then(Op::Unary(Unary::Relu), &[]);
        drawn.then(norm(2), &[&[11]]);
        // The vectors across the tokens.
        let axes = vec![0, 2, 1];
        drawn.then(Op::Transpose { axes }, &[]);
        drawn.then(Op::MatMul, &[&[tokens, 4]]);
        drawn.then(norm(2), &[]);
        let graph = drawn.ends(11 * 4);
        assert_as_burn(&graph, &format!("axis {axis}"));
    }
}
