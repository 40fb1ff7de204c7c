//! Tests of rewritten graphs against the originals.

use super::super::op::{Binary, Conv, PoolWindow, Unary};
use super::super::rewrite::{RewriteNote, RewrittenGraph};
use super::*;

fn scalar(bench: &mut Bench, name: &str, value: f32) -> NodeInput {
    bench.weight(name, Array::new(&[], vec![value]))
}

/// Checks that two graphs have the same output.
fn assert_same(before: &Graph, after: &Graph) {
    let device = Device::flex();
    let pictures = images(2, before.image(), 1, &device);
    let wanted = host(before.load(&device).forward(pictures.clone()));
    assert_near(
        &host(after.load(&device).forward(pictures)),
        &wanted,
        "rewritten",
    );
}

/// The graph with a node's value, flattened, as its output.
fn flat(mut bench: Bench, node: NodeId) -> Graph {
    let numbers = bench.builder.shape(node)[1..].iter();
    let shape = vec![
        Dim::batch(1),
        Dim::fixed(numbers.map(|dim| dim.count).product()),
    ];
    let last = bench.then(Op::Reshape { shape }, node);
    bench.builder.finish(last).unwrap()
}

#[test]
fn normalizations_are_folded_into_the_layers_before_them() {
    let mut bench = Bench::new([3, 6, 7]);
    let weight = bench.weight("conv.weight", array(&[4, 3, 3, 3], 2));
    let bias = bench.weight("conv.bias", array(&[4], 3));
    let inputs = [bench.input.into(), weight, bias];
    let conv = bench.add("conv", Op::Conv(Conv::default()), &inputs);
    let normalized = |bench: &mut Bench, x: NodeId, name: &str, channels: usize| {
        let mut inputs = vec![x.into()];
        for seed in 4..8 {
            let size = array(&[channels], seed);
            let size = size.values().iter().map(|x| x.abs() + 0.3);
            let size = Array::new(&[channels], size.collect());
            inputs.push(bench.weight(&format!("{name}.{seed}"), size));
        }
        bench.add(name, Op::BatchNorm { epsilon: 1e-5 }, &inputs)
    };
    let norm = normalized(&mut bench, conv, "norm1", 4);
    let relu = bench.then(Op::Unary(Unary::Relu), norm);
    let shape = vec![Dim::batch(1), Dim::fixed(4 * 4 * 5)];
    let rows = bench.then(Op::Reshape { shape }, relu);
    // Without a bias.
    let weight = bench.weight("fc.weight", array(&[80, 5], 2));
    let fc = bench.add("fc", Op::Dense, &[rows.into(), weight]);
    let last = normalized(&mut bench, fc, "norm2", 5);
    let graph = bench.builder.finish(last).unwrap();
    let fast = graph.fast().unwrap();
    assert_eq!(
        labels(&fast.graph),
        ["Input", "Conv", "Relu", "Reshape", "Dense"]
    );
    assert_eq!(fast.new_ids[conv.0], None);
    assert!(fast.new_ids[norm.0].is_some());
    assert_same(&graph, &fast.graph);
}

#[test]
fn a_layer_that_others_read_keeps_its_values() {
    let mut bench = Bench::new([3, 6, 7]);
    let weight = bench.weight("conv.weight", array(&[3, 3, 1, 1], 2));
    let conv = Op::Conv(Conv::default());
    let conv = bench.add("conv", conv, &[bench.input.into(), weight]);
    let mut inputs = vec![conv.into()];
    for seed in 4..8 {
        inputs.push(bench.weight(&format!("{seed}"), Array::new(&[3], vec![0.7; 3])));
    }
    let norm = bench.add("norm", Op::BatchNorm { epsilon: 1e-5 }, &inputs);
    let sum = [conv.into(), norm.into()];
    let sum = bench.add("sum", Op::Binary(Binary::Add), &sum);
    let relu = bench.then(Op::Unary(Unary::Relu), sum);
    let pool = bench.then(Op::MaxPool(PoolWindow::tiles([2, 2])), relu);
    let all = [pool.into(), pool.into()];
    let twice = bench.add("twice", Op::Binary(Binary::Mul), &all);
    let graph = flat(bench, twice);
    let fast = graph.fast().unwrap().graph;
    let wanted = [
        "Input",
        "Conv",
        "BatchNormalization",
        "Add",
        "MaxPool",
        "Relu",
        "Mul",
        "Reshape",
    ];
    assert_eq!(labels(&fast), wanted);
    assert_same(&graph, &fast);
}

#[test]
fn a_softmax_at_the_end_is_removed_and_noted() {
    for reshaped in [false, true] {
        let mut bench = Bench::new([3, 1, 1]);
        let shape = vec![Dim::batch(1), Dim::fixed(3)];
        let reshape = Op::Reshape { shape };
        let last = match reshaped {
            false => {
                let rows = bench.then(reshape, bench.input);
                bench.add("probabilities", Op::Softmax { axis: 1 }, &[rows.into()])
            }
            true => {
                let inputs = [bench.input.into()];
                let soft = bench.add("probabilities", Op::Softmax { axis: 1 }, &inputs);
                bench.then(reshape, soft)
            }
        };
        let graph = bench.builder.finish(last).unwrap();
        let RewrittenGraph {
            graph,
            notes,
            new_ids: kept,
        } = graph.simplified().unwrap();
        let node = "probabilities".to_owned();
        assert_eq!(notes, [RewriteNote::SoftmaxRemoved { node }]);
        assert_eq!(
            notes[0].to_string(),
            "the softmax `probabilities` at the end is removed: logits are needed"
        );
        assert_eq!(labels(&graph), ["Input", "Reshape"]);
        // The last reshape now gives logits instead of probabilities.
        assert_eq!(kept[last.0], None);
        let device = Device::flex();
        let pictures = images(2, [3, 1, 1], 1, &device);
        assert_eq!(
            host(graph.load(&device).forward(pictures)),
            shown([3, 1, 1])
        );
    }
}

#[test]
fn patterns_of_exporters_are_recognised() {
    let root = std::f32::consts::SQRT_2;
    let multiply = |bench: &mut Bench, a: NodeInput, b: NodeInput| {
        let name = format!("product {}", bench.builder.nodes.len());
        bench.add(&name, Op::Binary(Binary::Mul), &[a, b])
    };
    fn gate(bench: &mut Bench, x: NodeId, root: f32) -> NodeId {
        let divisor = scalar(bench, "root", root);
        let scaled = bench.add("div", Op::Binary(Binary::Div), &[x.into(), divisor]);
        let erf = bench.then(Op::Unary(Unary::Erf), scaled);
        let one = scalar(bench, "one", 1.0);
        bench.add("plus one", Op::Binary(Binary::Add), &[erf.into(), one])
    }
    // SiLU, hard swish.
    let gates = [
        (Unary::Sigmoid, "Silu"),
        (
            Unary::HardSigmoid {
                alpha: 1.0 / 6.0,
                beta: 0.5,
            },
            "HardSwish",
        ),
    ];
    for (function, label) in gates {
        let mut bench = Bench::new([2, 3, 4]);
        let x = bench.input;
        let gate = bench.then(Op::Unary(function), x);
        let product = multiply(&mut bench, gate.into(), x.into());
        let graph = flat(bench, product);
        let simple = graph.simplified().unwrap().graph;
        assert_eq!(labels(&simple), ["Input", label, "Reshape"]);
        assert_same(&graph, &simple);
    }
    // GELU: (x·gate)·½, (x·½)·gate.
    for half_first in [false, true] {
        let mut bench = Bench::new([2, 3, 4]);
        let x = bench.input;
        let gate = gate(&mut bench, x, root);
        let half = scalar(&mut bench, "half", 0.5);
        let last = match half_first {
            true => {
                let halved = multiply(&mut bench, x.into(), half);
                multiply(&mut bench, halved.into(), gate.into())
            }
            false => {
                let product = multiply(&mut bench, x.into(), gate.into());
                multiply(&mut bench, product.into(), half)
            }
        };
        let graph = flat(bench, last);
        let simple = graph.simplified().unwrap().graph;
        assert_eq!(labels(&simple), ["Input", "Gelu", "Reshape"]);
        assert_same(&graph, &simple);
    }
}

#[test]
fn biases_and_matrices_become_layers() {
    let mut bench = Bench::new([2, 3, 4]);
    let weight = bench.weight("conv.weight", array(&[3, 2, 1, 1], 2));
    let conv = Op::Conv(Conv::default());
    let conv = bench.add("conv", conv, &[bench.input.into(), weight]);
    let bias = bench.weight("b1", array(&[1, 3, 1, 1], 3));
    let sum = bench.add("sum", Op::Binary(Binary::Add), &[bias, conv.into()]);
    let weight = bench.weight("fc.weight", array(&[4, 5], 3));
    let product = bench.add("product", Op::MatMul, &[sum.into(), weight]);
    let bias = bench.weight("b2", array(&[5], 3));
    let dense = bench.add("dense", Op::Binary(Binary::Add), &[product.into(), bias]);
    // Not a bias: it differs from row to row.
    let other = bench.weight("b3", array(&[3, 5], 3));
    let last = bench.add("last", Op::Binary(Binary::Add), &[dense.into(), other]);
    let graph = flat(bench, last);
    let simple = graph.simplified().unwrap().graph;
    assert_eq!(
        labels(&simple),
        ["Input", "Conv", "Dense", "Add", "Reshape"]
    );
    assert_same(&graph, &simple);
}

#[test]
fn a_graph_with_no_push_is_refused_for_that_reason() {
    let graph = Bench::new([2, 3, 4]).finish();
    let images = graph.find("images").unwrap();
    let error = graph.with_each_push(images, 1, &[]).unwrap_err();
    assert_eq!(error, GraphError::NoPush);
}

#[test]
fn a_normalization_along_another_axis_than_the_units_is_not_folded() {
    // As many channels as units, and fewer.
    for channels in [3, 2] {
        let mut bench = Bench::new([channels, 1, 4]);
        let shape = vec![Dim::batch(1), Dim::fixed(channels), Dim::fixed(4)];
        let rows = bench.then(Op::Reshape { shape }, bench.input);
        let weight = bench.weight("fc.weight", array(&[4, 3], 2));
        let fc = bench.add("fc", Op::Dense, &[rows.into(), weight]);
        let mut inputs = vec![fc.into()];
        for seed in 4..8 {
            let size = array(&[channels], seed);
            let size = size.values().iter().map(|x| x.abs() + 0.3);
            let size = Array::new(&[channels], size.collect());
            inputs.push(bench.weight(&format!("norm.{seed}"), size));
        }
        let norm = bench.add("norm", Op::BatchNorm { epsilon: 1e-5 }, &inputs);
        let graph = flat(bench, norm);
        let fast = graph.fast().unwrap().graph;
        assert_same(&graph, &fast);
    }
}
