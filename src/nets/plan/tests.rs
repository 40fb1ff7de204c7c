//! Tests of plans against Burn.

use burn::tensor::Device;

use super::*;
use crate::nets::graph::op::{
    Binary, Conv, PadFill, Pads, PoolWindow, ReducedAxes, Reduction, Unary,
};
use crate::nets::graph::{GraphBuilder, Op};
use crate::nets::{NetworkShape, Subject};
use crate::session::array::Array;
use crate::session::config::NetworkKind;

mod convolutions;
mod functions;
mod not_numbers;
mod sequences;

/// Random images in \[0,1\].
fn images(count: usize, numbers: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count * numbers).map(|_| next()).collect()
}

fn kinds() -> Vec<NetworkKind> {
    let all = NetworkKind::ALL.into_iter();
    all.filter(|kind| *kind != NetworkKind::Onnx).collect()
}

fn subject(kind: NetworkKind, image: [usize; 3], classes: usize) -> Subject {
    let ports = NetworkShape { image, classes };
    Subject::untrained(kind, ports, 5, &Device::flex()).unwrap()
}

/// The largest difference, relative to the largest logit.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let max = a.iter().fold(0.0_f32, |max, a| max.max(a.abs()));
    let pairs = a.iter().zip(b);
    pairs.fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / max
}

/// The mean of each channel of a node's output, as the logits.
fn finished(mut builder: GraphBuilder, last: NodeId) -> Graph {
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[last.into()]).unwrap();
    builder.finish(mean).unwrap()
}

#[test]
fn every_kind_gives_the_logits_that_burn_gives() {
    for kind in kinds() {
        for (image, classes) in [([1, 28, 28], 10), ([3, 32, 32], 7)] {
            let subject = subject(kind, image, classes);
            let graph = subject.graph().fast().unwrap().graph;
            let pixels = images(70, image.iter().product());
            let reference = subject.logits(pixels.clone(), &Device::flex());
            for direct in [true, false] {
                let plan = Plan::with_lanes(&graph, Lanes::widest(), direct).unwrap();
                let worst = difference(&reference, &plan.logits(&pixels));
                assert!(worst < 1e-5, "{kind:?} {image:?} direct {direct}: {worst}");
            }
        }
    }
}

/// Three residual blocks of 3×3 convolutions with `channels` channels on 3×40×40 images.
fn residual(channels: usize) -> Graph {
    let mut builder = GraphBuilder::new([3, 40, 40]);
    let weight = |builder: &mut GraphBuilder, name: &str, shape: &[usize]| {
        let count: usize = shape.iter().product();
        let spread = (count / shape[0]) as f32;
        let values = images(1, count)
            .iter()
            .map(|v| (v - 0.5) / spread.sqrt())
            .collect();
        builder.weight(name, Array::new(shape, values)).unwrap()
    };
    let conv = Op::Conv(Conv {
        pads: Pads::all(1),
        ..Conv::default()
    });
    let mut last = builder.add("images", Op::Input, &[]).unwrap();
    let mut before = 3;
    for block in 0..3 {
        let w = weight(
            &mut builder,
            &format!("w{block}"),
            &[channels, before, 3, 3],
        );
        let first = builder
            .add(&format!("a{block}"), conv.clone(), &[last.into(), w])
            .unwrap();
        let relu = Op::Unary(Unary::Relu);
        let first = builder
            .add(&format!("r{block}"), relu.clone(), &[first.into()])
            .unwrap();
        let w = weight(
            &mut builder,
            &format!("v{block}"),
            &[channels, channels, 3, 3],
        );
        let second = builder
            .add(&format!("b{block}"), conv.clone(), &[first.into(), w])
            .unwrap();
        let sum = [second.into(), first.into()];
        let sum = builder
            .add(&format!("s{block}"), Op::Binary(Binary::Add), &sum)
            .unwrap();
        last = builder
            .add(&format!("t{block}"), relu, &[sum.into()])
            .unwrap();
        before = channels;
    }
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[last.into()]).unwrap();
    let w = weight(&mut builder, "logits.weight", &[channels, 10]);
    let logits = builder.add("logits", Op::Dense, &[mean.into(), w]).unwrap();
    builder.finish(logits).unwrap()
}

#[test]
fn values_that_are_not_needed_together_share_memory_where_they_are_large() {
    let device = Device::flex();
    let (small, large) = (residual(4), residual(24));
    let scratch = |graph: &Graph| Plan::new(graph).unwrap().bytes().1;
    // Six times the channels in less than three times the memory.
    assert!(
        scratch(&large) < 3 * scratch(&small),
        "{} {}",
        scratch(&large),
        scratch(&small)
    );
    let pixels = images(20, 3 * 40 * 40);
    for graph in [small, large] {
        let subject = Subject::new(graph.clone(), &device).unwrap();
        let reference = subject.logits(pixels.clone(), &device);
        for lanes in Lanes::all().into_iter().filter(|lanes| lanes.count() > 1) {
            let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
            // The second run finds stale values where the borders are.
            for _ in 0..2 {
                let worst = difference(&reference, &plan.logits(&pixels));
                assert!(worst < 1e-5, "{lanes:?}: {worst}");
            }
        }
    }
}

#[test]
fn an_image_has_the_same_bits_in_any_batch_and_with_any_vectors() {
    for kind in kinds() {
        let subject = subject(kind, [1, 28, 28], 10);
        let graph = subject.graph().fast().unwrap().graph;
        let pixels = images(9, 784);
        let whole = Plan::with_lanes(&graph, Lanes::widest(), false)
            .unwrap()
            .logits(&pixels);
        for lanes in Lanes::all() {
            let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
            // Vectors of one image are slow.
            let count = if lanes.count() == 1 { 2 } else { 9 };
            for image in 0..count {
                let alone = plan.logits(&pixels[image * 784..(image + 1) * 784]);
                assert_eq!(
                    alone,
                    whole[image * 10..(image + 1) * 10],
                    "{kind:?} {lanes:?}"
                );
            }
        }
    }
}

/// Functions, normalizations and padding, each between two layers of a small network.
#[test]
fn every_function_gives_what_burn_gives() {
    let unary = [
        Unary::Relu,
        Unary::LeakyRelu { slope: 0.1 },
        Unary::Elu { alpha: 0.7 },
        Unary::Selu {
            alpha: 1.673_263_2,
            gamma: 1.050_701,
        },
        Unary::Celu { alpha: 1.3 },
        Unary::Sigmoid,
        Unary::Tanh,
        Unary::HardSigmoid {
            alpha: 0.2,
            beta: 0.5,
        },
        Unary::HardSwish,
        Unary::Silu,
        Unary::Gelu,
        Unary::GeluTanh,
        Unary::Mish,
        Unary::Softplus,
        Unary::Softsign,
        Unary::Erf,
        Unary::Exp,
        Unary::Neg,
        Unary::Abs,
        Unary::Round,
        Unary::Clip {
            min: -0.5,
            max: 0.25,
        },
    ];
    let pad = |number: f32| Op::Pad {
        before: vec![0, 0, 1, 2],
        after: vec![0, 0, 0, 1],
        fill: PadFill::Constant(number),
    };
    let others = [
        Op::Softmax { axis: 1 },
        Op::LogSoftmax { axis: 1 },
        Op::GroupNorm {
            groups: 2,
            epsilon: 1e-5,
        },
        Op::InstanceNorm { epsilon: 1e-5 },
        pad(0.0),
        pad(-1.5),
    ];
    let all = unary.into_iter().map(Op::Unary).chain(others);
    let pixels = images(21, 3 * 12 * 10);
    let device = Device::flex();
    for op in all {
        let mut builder = GraphBuilder::new([3, 12, 10]);
        let mut drawn = images(1, 6 * 27 + 18).into_iter().map(|v| 4.0 * (v - 0.5));
        let mut weight = |builder: &mut GraphBuilder, name: &str, shape: &[usize]| {
            let values = drawn.by_ref().take(shape.iter().product()).collect();
            builder.weight(name, Array::new(shape, values)).unwrap()
        };
        let input = builder.add("images", Op::Input, &[]).unwrap();
        let w = weight(&mut builder, "w", &[6, 3, 3, 3]);
        let conv = Op::Conv(Conv::default());
        let conv = builder.add("conv", conv, &[input.into(), w]).unwrap();
        let mut inputs = vec![conv.into()];
        if matches!(op, Op::GroupNorm { .. } | Op::InstanceNorm { .. }) {
            inputs.push(weight(&mut builder, "scale", &[6]));
            inputs.push(weight(&mut builder, "shift", &[6]));
        }
        let tested = builder.add("tested", op.clone(), &inputs).unwrap();
        let mean = Op::Reduce {
            reduction: Reduction::Mean,
            axes: vec![2, 3],
            axes_after: ReducedAxes::Dropped,
        };
        // Absolute values, because the mean of a standardized tensor is its shift, whatever its scale.
        let size = Op::Unary(Unary::Abs);
        let size = builder.add("size", size, &[tested.into()]).unwrap();
        let mean = builder.add("mean", mean, &[size.into()]).unwrap();
        let logits = Op::Softmax { axis: 1 };
        let logits = builder.add("logits", logits, &[mean.into()]).unwrap();
        let graph = builder.finish(logits).unwrap();
        let subject = Subject::new(graph.clone(), &device).unwrap();
        let reference = subject.logits(pixels.clone(), &device);
        for lanes in Lanes::all() {
            let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
            let worst = difference(&reference, &plan.logits(&pixels));
            assert!(worst < 1e-5, "{op:?} {lanes:?}: {worst}");
        }
    }
}

#[test]
fn what_a_plan_does_not_know_is_named() {
    let mut builder = GraphBuilder::new([1, 4, 4]);
    let input = builder.add("images", Op::Input, &[]).unwrap();
    let op = Op::Unary(Unary::Floor);
    let floor = builder.add("steps", op, &[input.into()]).unwrap();
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[floor.into()]).unwrap();
    let graph = builder.finish(mean).unwrap();
    let error = Plan::new(&graph).unwrap_err().to_string();
    assert!(error.contains("Floor at `steps`"), "{error}");
}
