//! Tests of layers on sequences: recurrent layers, and dense layers and normalizations of every vector.

use super::*;
use crate::nets::graph::dim::Dim;
use crate::nets::graph::op::{GruReset, RecurrentDirection, RecurrentOutput, RecurrentSpec};

const STEPS: usize = 7;
const FEATURES: usize = 5;
const UNITS: usize = 6;

/// Builds a network with random weights, node after node.
struct RandomNetwork {
    builder: GraphBuilder,
    numbers: Vec<f32>,
    last: NodeId,
    nodes: usize,
}

impl RandomNetwork {
    /// Starts with images of one channel.
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
        for (index, shape) in weights.iter().enumerate() {
            let count: usize = shape.iter().product();
            let values = self.numbers.split_off(self.numbers.len() - count);
            let values = values.iter().map(|v| 1.6 * (v - 0.5)).collect();
            let name = format!("weight {index} of {}", self.nodes);
            let weight = self.builder.weight(&name, Array::new(shape, values));
            inputs.push(weight.unwrap());
        }
        let name = format!("node {}", self.nodes);
        self.last = self.builder.add(&name, op, &inputs).unwrap();
    }

    /// Flattens the last output to vectors of `numbers` elements and adds a dense layer to three logits.
    fn finish(mut self, numbers: usize) -> Graph {
        let shape = vec![Dim::batch(1), Dim::fixed(numbers)];
        self.then(Op::Reshape { shape }, &[]);
        self.then(Op::Dense, &[&[numbers, 3]]);
        self.builder.finish(self.last).unwrap()
    }
}

fn assert_as_burn(graph: &Graph, case: &str) {
    let device = Device::flex();
    let pixels = images(37, graph.image().iter().product());
    let subject = Subject::new(graph.clone(), &device).unwrap();
    let reference = subject.logits(pixels.clone(), &device);
    for lanes in Lanes::all() {
        let plan =
            Plan::with_lanes(graph, lanes, false).unwrap_or_else(|error| panic!("{case}: {error}"));
        // The second run finds stale values in memory.
        for _ in 0..2 {
            let worst = difference(&reference, &plan.logits(&pixels));
            assert!(worst < 1e-5, "{case} {lanes:?}: {worst}");
        }
    }
}

/// Every cell, direction and output, with and without a bias, in stacks of two layers.
#[test]
fn recurrent_layers_give_what_burn_gives() {
    use RecurrentOutput::{All, Cell, Last};
    let directions = [
        RecurrentDirection::Forward,
        RecurrentDirection::Reverse,
        RecurrentDirection::Bidirectional,
    ];
    let resets = [
        None,
        Some(GruReset::BeforeMatrix),
        Some(GruReset::AfterMatrix),
    ];
    for (direction, reset) in directions
        .into_iter()
        .flat_map(|direction| resets.map(|reset| (direction, reset)))
    {
        let count = 1 + usize::from(direction == RecurrentDirection::Bidirectional);
        let gates = if reset.is_some() { 3 } else { 4 };
        for (output, bias) in [(All, true), (Last, true), (Cell, false), (All, false)] {
            if reset.is_some() && output == Cell {
                continue;
            }
            let mut network = RandomNetwork::new(STEPS, FEATURES);
            network.then(
                Op::Transpose {
                    axes: vec![2, 0, 1, 3],
                },
                &[],
            );
            for (layer, output) in [All, output].into_iter().enumerate() {
                let features = if layer == 0 { FEATURES } else { count * UNITS };
                // One matrix of all directions per step.
                let shape = vec![Dim::fixed(STEPS), Dim::batch(1), Dim::fixed(features)];
                if layer == 1 {
                    let axes = vec![0, 2, 1, 3];
                    network.then(Op::Transpose { axes }, &[]);
                }
                network.then(Op::Reshape { shape }, &[]);
                let recurrent = RecurrentSpec {
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
                    &[count, rows, features],
                    &[count, rows, UNITS],
                    &[count, 2 * rows],
                ];
                network.then(op, &weights[..2 + usize::from(bias)]);
                // An elementwise function on the axes of a recurrent layer's output.
                network.then(Op::Unary(Unary::Tanh), &[]);
            }
            let (steps, axes) = match output {
                All => (STEPS, vec![2, 0, 1, 3]),
                Last | Cell => (1, vec![1, 0, 2]),
            };
            network.then(Op::Transpose { axes }, &[]);
            let graph = network.finish(steps * count * UNITS);
            assert_as_burn(
                &graph,
                &format!("{direction:?} {reset:?} {output:?} {bias}"),
            );
        }
    }
}

/// A dense layer on every vector of a sequence, and normalizations over its elements.
#[test]
fn every_vector_of_a_sequence_goes_through_dense_layers_and_normalizations() {
    let (tokens, width) = (9, 6);
    for axis in [1, 2] {
        let mut network = RandomNetwork::new(tokens, width);
        let shape = vec![Dim::batch(1), Dim::fixed(tokens), Dim::fixed(width)];
        network.then(Op::Reshape { shape }, &[]);
        let norm = |axis| Op::LayerNorm {
            axis,
            epsilon: 1e-5,
        };
        let normalized: &[usize] = if axis == 1 {
            &[tokens, width]
        } else {
            &[width]
        };
        network.then(norm(axis), &[normalized, normalized]);
        network.then(Op::Dense, &[&[width, 11], &[11]]);
        network.then(Op::Unary(Unary::Relu), &[]);
        network.then(norm(2), &[&[11]]);
        // Vectors over the tokens.
        let axes = vec![0, 2, 1];
        network.then(Op::Transpose { axes }, &[]);
        network.then(Op::MatMul, &[&[tokens, 4]]);
        network.then(norm(2), &[]);
        let graph = network.finish(11 * 4);
        assert_as_burn(&graph, &format!("axis {axis}"));
    }
}

/// A batch normalization of sequences \[N,C,L\], as after a one-dimensional convolution.
#[test]
fn batch_normalizations_of_sequences_give_what_burn_gives() {
    let mut network = RandomNetwork::new(STEPS, FEATURES);
    let shape = vec![Dim::batch(1), Dim::fixed(STEPS), Dim::fixed(FEATURES)];
    network.then(Op::Reshape { shape }, &[]);
    let mut inputs = vec![network.last.into()];
    for (index, role) in ["scale", "bias", "mean", "variance"].iter().enumerate() {
        let numbers = images(index + 1, STEPS);
        let values = numbers[index * STEPS..].iter().map(|v| v + 0.3).collect();
        let weight = network.builder.weight(role, Array::new(&[STEPS], values));
        inputs.push(weight.unwrap());
    }
    let norm = Op::BatchNorm { epsilon: 1e-5 };
    network.last = network.builder.add("norm", norm, &inputs).unwrap();
    assert_as_burn(&network.finish(STEPS * FEATURES), "batch normalization");
}
