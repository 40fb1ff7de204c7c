//! Random small graphs of convolutions, poolings and joins, and property tests on them of shapes, rewrites,
//! plans and gradients.

use proptest::prelude::*;

use super::super::op::{
    Binary, Conv, Divisor, Interpolation, NearestMode, PadFill, Pads, PoolWindow, Resize,
    ResizeCoordinates, Rounding, SliceAxis, Unary,
};
use super::*;
use crate::nets::plan::{Lanes, Plan};

/// The operators of a random graph.
#[derive(Clone, Copy, PartialEq)]
pub enum Kinds {
    /// Convolutions only.
    Convolutions,
    /// All operators that keep spatial positions.
    All,
    /// Those that have a gradient everywhere.
    Smooth,
}

/// A graph that depends on the seed alone; its output is its last node, flat.
pub fn graph(seed: u64, kinds: Kinds) -> Graph {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let image = [3, rng.random_range(9..13), rng.random_range(13..16)];
    let mut maker = Maker {
        bench: Bench::new(image),
        rng,
        kinds,
    };
    let mut last = maker.bench.input;
    for _ in 0..4 {
        last = maker.step(last).unwrap_or(last);
    }
    let numbers = maker.bench.builder.shape(last)[1..].iter();
    let shape = vec![
        Dim::batch(1),
        Dim::fixed(numbers.map(|dim| dim.count).product()),
    ];
    let flat = maker.bench.then(Op::Reshape { shape }, last);
    maker.bench.builder.finish(flat).unwrap()
}

struct Maker {
    bench: Bench,
    rng: ChaCha8Rng,
    kinds: Kinds,
}

impl Maker {
    fn below(&mut self, most: usize) -> usize {
        self.rng.random_range(0..most)
    }

    fn pads(&mut self) -> Pads {
        Pads {
            top: self.below(2),
            left: self.below(2),
            bottom: self.below(2),
            right: self.below(2),
        }
    }

    fn side(&mut self, from: usize, most: usize) -> [usize; 2] {
        [from + self.below(most), from + self.below(most)]
    }

    fn name(&self) -> String {
        {
            let builder = &self.bench.builder;
            format!("node {} {}", builder.nodes.len(), builder.weights.len())
        }
    }

    /// Adds a node, unless its windows do not fit.
    fn step(&mut self, x: NodeId) -> Option<NodeId> {
        if self.kinds == Kinds::Convolutions {
            return self.convolution(x);
        }
        let smooth = self.kinds == Kinds::Smooth;
        match self.below(10) {
            0..3 => self.convolution(x),
            3 if smooth => self.try_add(Op::Unary(Unary::Silu), &[x.into()]),
            3 => self.try_add(Op::Unary(Unary::Relu), &[x.into()]),
            4 => {
                let window = self.window();
                let op = match smooth {
                    true => Op::AvgPool {
                        window: PoolWindow {
                            dilation: [1, 1],
                            ..window
                        },
                        divisor: Divisor::Inside,
                    },
                    false => Op::MaxPool(window),
                };
                self.try_add(op, &[x.into()])
            }
            5 => {
                let kept = self.kept_convolution(x)?;
                self.try_add(Op::Binary(Binary::Add), &[x.into(), kept.into()])
            }
            6 => {
                let kept = self.kept_convolution(x)?;
                let pool = Op::AvgPool {
                    window: PoolWindow {
                        pads: Pads::all(1),
                        stride: [1, 1],
                        ..PoolWindow::tiles([3, 3])
                    },
                    divisor: Divisor::WithPadding,
                };
                let pooled = self.try_add(pool, &[x.into()])?;
                self.try_add(Op::Concat { axis: 1 }, &[kept.into(), pooled.into()])
            }
            7 => self.normalized(x),
            8 => {
                let op = Op::Pad {
                    before: vec![0, 0, self.below(3) as isize - 1, 1],
                    after: vec![0, 0, 1, self.below(3) as isize - 1],
                    fill: PadFill::Constant(0.5),
                };
                let padded = self.try_add(op, &[x.into()])?;
                let count = self.bench.builder.shape(padded)[3].count;
                let cut = SliceAxis {
                    axis: 3,
                    start: 1,
                    count: (count - 1).div_ceil(2),
                    step: 2,
                };
                self.try_add(Op::Slice(vec![cut]), &[padded.into()])
            }
            _ => self.twice(x, smooth),
        }
    }

    /// Twice as many rows and columns.
    fn twice(&mut self, x: NodeId, smooth: bool) -> Option<NodeId> {
        let shape = self.bench.builder.shape(x);
        if shape[2].count > 8 {
            return self.convolution(x);
        }
        let resize = Resize {
            size: [2 * shape[2].count, 2 * shape[3].count],
            scale: [2.0, 2.0],
            sampling: match smooth {
                true => Interpolation::Bilinear,
                false => Interpolation::Nearest(NearestMode::Floor),
            },
            coordinates: match smooth {
                true => ResizeCoordinates::HalfPixel,
                false => ResizeCoordinates::Asymmetric,
            },
        };
        self.try_add(Op::Resize(resize), &[x.into()])
    }

    fn try_add(&mut self, op: Op, inputs: &[NodeInput]) -> Option<NodeId> {
        let name = self.name();
        self.bench.builder.add(&name, op, inputs).ok()
    }

    fn window(&mut self) -> PoolWindow {
        PoolWindow {
            kernel: self.side(2, 2),
            stride: self.side(1, 2),
            pads: self.pads(),
            dilation: [1, 1 + self.below(2)],
            rounding: match self.below(2) {
                0 => Rounding::Floor,
                _ => Rounding::Ceil,
            },
        }
    }

    fn convolution(&mut self, x: NodeId) -> Option<NodeId> {
        let channels = self.bench.builder.shape(x)[1].count;
        let groups = if self.below(3) == 0 { channels } else { 1 };
        let kernel = self.side(1, 3);
        let conv = Conv {
            stride: self.side(1, 2),
            pads: self.pads(),
            dilation: self.side(1, 2),
            groups,
        };
        let outs = if groups == 1 { 4 } else { channels };
        self.with_weights(x, conv, [outs, channels / groups, kernel[0], kernel[1]])
    }

    /// A 3×3 convolution that keeps the shape.
    fn kept_convolution(&mut self, x: NodeId) -> Option<NodeId> {
        let channels = self.bench.builder.shape(x)[1].count;
        let conv = Conv {
            pads: Pads::all(1),
            ..Conv::default()
        };
        self.with_weights(x, conv, [channels, channels, 3, 3])
    }

    /// Weights are positive, so that nothing cancels.
    fn with_weights(&mut self, x: NodeId, conv: Conv, shape: [usize; 4]) -> Option<NodeId> {
        let name = self.name();
        let share = 1.0 / shape[1..].iter().product::<usize>() as f32;
        let count: usize = shape.iter().product();
        let values = (0..count).map(|_| share * (0.2 + self.rng.random::<f32>()));
        let values = Array::new(&shape, values.collect());
        let weight = self.bench.weight(&format!("{name}.weight"), values);
        let bias = array(&shape[..1], 4);
        let bias = self.bench.weight(&format!("{name}.bias"), bias);
        self.try_add(Op::Conv(conv), &[x.into(), weight, bias])
    }

    fn normalized(&mut self, x: NodeId) -> Option<NodeId> {
        let channels = self.bench.builder.shape(x)[1].count;
        let name = self.name();
        let mut inputs = vec![x.into()];
        for parameter in ["scale", "bias", "mean", "variance"] {
            let values = (0..channels).map(|_| 0.3 + self.rng.random::<f32>());
            let values = Array::new(&[channels], values.collect());
            inputs.push(self.bench.weight(&format!("{name}.{parameter}"), values));
        }
        self.try_add(Op::BatchNorm { epsilon: 1e-5 }, &inputs)
    }
}

#[test]
fn random_graphs_use_every_operator() {
    let graphs = (0..100).map(|seed| graph(seed, Kinds::All));
    let labels: std::collections::BTreeSet<&str> =
        graphs.flat_map(|graph| labels(&graph)).collect();
    let wanted = [
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Concat",
        "Conv",
        "Input",
        "MaxPool",
        "Pad",
        "Relu",
        "Reshape",
        "Resize",
        "Slice",
    ];
    assert!(labels.into_iter().eq(wanted));
}

#[test]
fn plans_are_made_for_most_random_graphs() {
    let planned = (0..200).filter(|&seed| {
        let graph = graph(seed, Kinds::All).fast().unwrap().graph;
        Plan::with_lanes(&graph, Lanes::widest(), false).is_ok()
    });
    let planned = planned.count();
    assert!(planned > 60, "{planned} of 200");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn shapes_match_the_inferred_ones(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::All);
        let device = Device::flex();
        let loaded = graph.load(&device);
        let all: Vec<NodeId> = graph.ids().collect();
        for n in [1, 3] {
            let values = loaded.values(images(n, graph.image(), 1, &device), &all);
            for (node, value) in graph.nodes().iter().zip(values) {
                let inferred: Vec<usize> = node.shape.iter().map(|dim| dim.length(n)).collect();
                prop_assert_eq!(value.dims(), inferred, "{}", node.op.label());
            }
        }
    }

    #[test]
    fn images_are_computed_independently(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::All);
        let device = Device::flex();
        let loaded = graph.load(&device);
        let both = images(2, graph.image(), 1, &device);
        let together = host(loaded.forward(both.clone()));
        let apart = (0..2).flat_map(|n| host(loaded.forward(both.clone().narrow(0, n, 1))));
        assert_near(&together, &apart.collect::<Vec<f32>>(), "alone");
    }

    #[test]
    fn rewritten_graphs_give_the_same_output(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::All);
        let fast = graph.fast().unwrap();
        let device = Device::flex();
        let pictures = images(2, graph.image(), 1, &device);
        let wanted = host(graph.load(&device).forward(pictures.clone()));
        let loaded = fast.graph.load(&device);
        assert_near(&host(loaded.forward(pictures.clone())), &wanted, "fast");
        // So does every node that is mapped as kept.
        for (id, kept) in graph.ids().zip(&fast.new_ids) {
            if let Some(kept) = kept {
                let before = graph.load(&device).values(pictures.clone(), &[id]).remove(0);
                let after = loaded.values(pictures.clone(), &[*kept]).remove(0);
                assert_near(&host_of(after), &host_of(before), "kept");
            }
        }
    }

    #[test]
    fn plans_give_the_same_output(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::All).fast().unwrap().graph;
        let device = Device::flex();
        let pictures = images(3, graph.image(), 1, &device);
        for direct in [true, false] {
            if let Ok(plan) = Plan::with_lanes(&graph, Lanes::widest(), direct) {
                let wanted = host(graph.load(&device).forward(pictures.clone()));
                let found = plan.logits(&host(pictures.clone()));
                assert_near(&found, &wanted, "by plan");
            }
        }
    }

    #[test]
    fn gradients_match_slopes(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::Smooth);
        let device = Device::flex().autodiff();
        let loaded = graph.load(&device);
        let pixels = graph.image().iter().product::<usize>();
        let [channels, height, width] = graph.image();
        let image = |pixels: Vec<f32>| {
            let data = TensorData::new(pixels, [1, channels, height, width]);
            Tensor::<4>::from_data(data, &device)
        };
        let answer = |pixels: Vec<f32>| -> f64 {
            host(loaded.forward(image(pixels))).iter().map(|&x| f64::from(x * x)).sum()
        };
        let point = numbers(pixels, 1);
        let stimulus = image(point.clone()).require_grad();
        let sum = loaded.forward(stimulus.clone()).square().sum();
        let gradient = host(stimulus.grad(&sum.backward()).unwrap());
        for pixel in [0, pixels / 3, pixels / 2, pixels - 1] {
            let step = 0.02;
            let moved = |by: f32| {
                let mut moved = point.clone();
                moved[pixel] += by;
                answer(moved)
            };
            let slope = (moved(step) - moved(-step)) / f64::from(2.0 * step);
            let error = (slope - f64::from(gradient[pixel])).abs();
            prop_assert!(error < 0.02 * (1.0 + slope.abs()), "{} {}", slope, gradient[pixel]);
        }
    }
}
