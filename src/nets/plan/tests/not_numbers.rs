//! Tests of what is not a number: it reaches the logits, as with Burn, instead of becoming one on the way.

use super::*;
use crate::nets::graph::op::SliceAxis;

/// Rows and columns of the images.
const SIDE: usize = 4;

/// Operators after a convolution that copies the image to two channels.
fn chain(ops: &[Op]) -> Graph {
    let mut builder = GraphBuilder::new([1, SIDE, SIDE]);
    let input = builder.add("images", Op::Input, &[]).unwrap();
    let kernel = Array::new(&[2, 1, 1, 1], vec![1.0, -0.5]);
    let kernel = builder.weight("kernel", kernel).unwrap();
    let conv = Op::Conv(Conv::default());
    let mut last = builder.add("conv", conv, &[input.into(), kernel]).unwrap();
    for (index, op) in ops.iter().enumerate() {
        let name = format!("op{index}");
        last = builder.add(&name, op.clone(), &[last.into()]).unwrap();
    }
    finished(builder, last)
}

/// A function of the upper and the lower half of the image.
fn of_halves(binary: Binary) -> Graph {
    let mut builder = GraphBuilder::new([1, SIDE, SIDE]);
    let input = builder.add("images", Op::Input, &[]).unwrap();
    let halves = [0, SIDE / 2].map(|start| {
        let half = Op::Slice(vec![SliceAxis {
            axis: 2,
            start,
            count: SIDE / 2,
            step: 1,
        }]);
        let name = format!("from{start}");
        builder.add(&name, half, &[input.into()]).unwrap()
    });
    let [upper, lower] = halves;
    let both = [upper.into(), lower.into()];
    let last = builder.add("both", Op::Binary(binary), &both).unwrap();
    finished(builder, last)
}

/// Asserts that of several images only the one with a NaN, whichever its pixel, has NaN for logits.
fn assert_seen(graph: &Graph, what: &str) {
    let area = SIDE * SIDE;
    let pixels = images(3, area);
    for lanes in Lanes::all() {
        let plan = Plan::with_lanes(graph, lanes, false).unwrap();
        let expected = plan.logits(&pixels);
        let classes = expected.len() / 3;
        assert!(expected.iter().all(|logit| logit.is_finite()));
        for pixel in 0..area {
            let mut pixels = pixels.clone();
            pixels[area + pixel] = f32::NAN;
            let found = plan.logits(&pixels);
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                match index / classes {
                    1 => assert!(found.is_nan(), "{what} {lanes:?} {pixel}: {found}"),
                    _ => assert_eq!(found, expected, "{what} {lanes:?} {pixel}"),
                }
            }
        }
    }
}

#[test]
fn functions_and_poolings_keep_what_is_not_a_number() {
    let unary = [
        Unary::Relu,
        Unary::LeakyRelu { slope: 0.1 },
        Unary::Elu { alpha: 0.7 },
        Unary::Clip {
            min: -0.5,
            max: 0.25,
        },
        Unary::HardSigmoid {
            alpha: 0.2,
            beta: 0.5,
        },
        Unary::HardSwish,
        Unary::Sigmoid,
        Unary::Tanh,
        Unary::Softplus,
        Unary::Mish,
        Unary::Gelu,
        Unary::Exp,
    ];
    let abs = Op::Unary(Unary::Abs);
    for unary in unary {
        let op = Op::Unary(unary);
        // Computed with the convolution where it can be, and apart.
        for ops in [vec![op.clone()], vec![abs.clone(), op]] {
            assert_seen(&chain(&ops), &format!("{ops:?}"));
        }
    }
    let relu = Op::Unary(Unary::Relu);
    for kernel in [[2, 2], [4, 2], [1, 4]] {
        let pool = Op::MaxPool(PoolWindow::tiles(kernel));
        for ops in [
            vec![pool.clone()],
            vec![relu.clone(), pool.clone()],
            vec![abs.clone(), pool.clone()],
        ] {
            assert_seen(&chain(&ops), &format!("{ops:?}"));
        }
    }
    for binary in [Binary::Max, Binary::Min] {
        assert_seen(&of_halves(binary), &format!("{binary:?}"));
    }
}

/// The maxima of sums computed by Winograd's algorithm, along rows and along both axes.
#[test]
fn winograd_convolutions_keep_what_is_not_a_number() {
    for (inputs, outputs, taps, side) in [(1, 20, 5, 28), (16, 16, 3, 14)] {
        let mut builder = GraphBuilder::new([inputs, side, side]);
        let input = builder.add("images", Op::Input, &[]).unwrap();
        let shape = [outputs, inputs, taps, taps];
        let values = images(1, shape.iter().product());
        let kernel = Array::new(&shape, values.iter().map(|v| v - 0.5).collect());
        let kernel = builder.weight("kernel", kernel).unwrap();
        let conv = Op::Conv(Conv {
            pads: Pads::all(taps / 2),
            ..Conv::default()
        });
        let conv = builder.add("conv", conv, &[input.into(), kernel]).unwrap();
        let relu = Op::Unary(Unary::Relu);
        let relu = builder.add("relu", relu, &[conv.into()]).unwrap();
        let pool = Op::MaxPool(PoolWindow::tiles([2, 2]));
        let pool = builder.add("pool", pool, &[relu.into()]).unwrap();
        let graph = finished(builder, pool);
        let area = inputs * side * side;
        let mut pixels = images(2, area);
        pixels[area + area / 2] = f32::NAN;
        for lanes in Lanes::all() {
            let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
            let label = plan.program.steps[1].label();
            assert!(label.starts_with("winograd"), "{label}");
            let logits = plan.logits(&pixels);
            let (first, second) = logits.split_at(outputs);
            assert!(first.iter().all(|logit| logit.is_finite()), "{label}");
            assert!(second.iter().all(|logit| logit.is_nan()), "{label}");
        }
    }
}
