//! Tests of the graph against naive loops, closed forms and the built-in modules.

mod arranging;
mod fields;
mod functions;
mod kinds;
mod random;
mod recurrent;
mod rewrites;
mod sites;
mod windows;

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Numbers in ±1 that depend on the seed alone.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| 2.0 * rng.random::<f32>() - 1.0)
        .collect()
}

fn array(shape: &[usize], seed: u64) -> Array<f32> {
    Array::new(shape, numbers(shape.iter().product(), seed))
}

fn images(n: usize, [channels, height, width]: Shape, seed: u64, device: &Device) -> Tensor<4> {
    let pixels = numbers(n * channels * height * width, seed);
    Tensor::from_data(
        TensorData::new(pixels, [n, channels, height, width]),
        device,
    )
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

fn host_of(value: run::DynTensor) -> Vec<f32> {
    let count = value.dims().iter().product();
    host::<1>(value.reshaped(&[count]).into_tensor())
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}: length");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        // The maximum of an empty window is −∞ in both.
        let close = a == b || (a - b).abs() <= 2e-5 * (1.0 + b.abs());
        assert!(close, "{case}: {a} instead of {b}, at {i}");
    }
}

/// The operators of all nodes.
fn labels(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().iter().map(|node| node.op.label()).collect()
}

/// A graph around one node under test: any class vector is its output.
struct Bench {
    builder: GraphBuilder,
    input: NodeId,
}

impl Bench {
    fn new(image: Shape) -> Self {
        let mut builder = GraphBuilder::new(image);
        let input = builder.add("images", Op::Input, &[]).unwrap();
        Self { builder, input }
    }

    fn weight(&mut self, name: &str, values: Array<f32>) -> NodeInput {
        self.builder.weight(name, values).unwrap()
    }

    fn add(&mut self, name: &str, op: Op, inputs: &[NodeInput]) -> NodeId {
        self.builder.add(name, op, inputs).unwrap()
    }

    /// Adds a node with `before` as its only input.
    fn then(&mut self, op: Op, before: NodeId) -> NodeId {
        let name = format!("node {}", self.builder.nodes.len());
        self.add(&name, op, &[before.into()])
    }

    fn finish(mut self) -> Graph {
        let shape = vec![
            Dim::batch(1),
            Dim::fixed(self.builder.image.iter().product()),
        ];
        let last = self.then(Op::Reshape { shape }, self.input);
        self.builder.finish(last).unwrap()
    }

    /// A node's output on two images with numbers from seed 1: shape and numbers.
    fn run(self, node: NodeId) -> (Vec<usize>, Vec<f32>) {
        let graph = self.finish();
        let device = Device::flex();
        let pictures = images(2, graph.image(), 1, &device);
        let value = graph.load(&device).values(pictures, &[node]).remove(0);
        let inferred: Vec<usize> = graph
            .node(node)
            .shape
            .iter()
            .map(|dim| dim.length(2))
            .collect();
        assert_eq!(value.dims(), inferred, "shape");
        (inferred, host_of(value))
    }
}

/// The images of [`Bench::run`].
fn shown(image: Shape) -> Vec<f32> {
    numbers(2 * image.iter().product::<usize>(), 1)
}

#[test]
fn errors_name_the_shapes_that_do_not_fit() {
    let says = |op: Op, weight: &[usize]| {
        let mut builder = GraphBuilder::new([3, 8, 9]);
        let input = builder.add("images", Op::Input, &[]).unwrap();
        let weight = builder.weight("w", Array::zeros(weight)).unwrap();
        let added = builder.add("here", op, &[input.into(), weight]);
        added.unwrap_err().to_string()
    };
    assert_eq!(
        says(Op::Conv(op::Conv::default()), &[4, 2, 3, 3]),
        "Conv at `here`: a weight [4,2,3,3] with 1 groups does not fit 3 channels"
    );
    assert_eq!(
        says(Op::Conv(op::Conv::default()), &[4, 3, 9, 3]),
        "Conv at `here`: its windows are 9 long, which is more than 8 plus 0 of padding"
    );
    assert_eq!(
        says(Op::Dense, &[10, 4]),
        "Dense at `here`: a weight [10,4] does not fit [N,3,8,9]"
    );
    assert_eq!(
        says(Op::Binary(op::Binary::Add), &[2, 3, 8, 9]),
        "Add at `here`: [N,3,8,9] does not fit [2,3,8,9]"
    );
    assert_eq!(
        says(Op::Softmax { axis: 0 }, &[1]),
        "Softmax at `here`: 2 inputs instead of 1"
    );
    let mut bench = Bench::new([3, 8, 9]);
    let input = bench.input.into();
    let mixed = bench
        .builder
        .add("over all", Op::Softmax { axis: 0 }, &[input]);
    assert_eq!(
        mixed.unwrap_err().to_string(),
        "Softmax at `over all`: axis 0 of [N,3,8,9] runs over images, which must not be mixed"
    );
    let missing = bench.builder.add("fc", Op::Dense, &["fc.weight".into()]);
    assert_eq!(
        missing.unwrap_err().to_string(),
        "`fc` needs the weight `fc.weight`, which is missing"
    );
    let twice = bench.builder.add("images", Op::Input, &[]);
    assert_eq!(
        twice.unwrap_err(),
        GraphError::DuplicateName("images".into())
    );
}

#[test]
fn absurd_attributes_are_refused() {
    let says = |op: Op| {
        let bench = Bench::new([4, 8, 9]);
        let added = bench.builder.clone().add("here", op, &[bench.input.into()]);
        added.unwrap_err().to_string()
    };
    let absurd = "the result is absurdly large";
    let fill = op::PadFill::Constant(0.0);
    for (before, words) in [
        (1 << 20, absurd),
        (isize::MAX, "cannot be padded"),
        (isize::MIN, "cannot be padded"),
    ] {
        let (before, after) = (vec![0, 0, before, before], vec![0; 4]);
        let padded = says(Op::Pad {
            before,
            after,
            fill,
        });
        assert!(padded.contains(words), "{padded}");
    }
    let resized = says(Op::Resize(op::Resize {
        size: [1 << 40; 2],
        scale: [1e11; 2],
        sampling: op::Interpolation::Bilinear,
        coordinates: op::ResizeCoordinates::HalfPixel,
    }));
    assert!(resized.contains(absurd), "{resized}");
    let shape = vec![Dim::batch(1 << 33), Dim::fixed(1 << 33), Dim::fixed(288)];
    for op in [
        Op::Reshape {
            shape: shape.clone(),
        },
        Op::Expand { shape },
    ] {
        let label = op.label();
        assert!(says(op).starts_with(&format!("{label} at `here`: ")));
    }
    let blocks = says(Op::DepthToSpace {
        block: 1 << 32,
        order: op::DepthOrder::BlockFirst,
    });
    assert!(blocks.contains("4 channels are not a multiple"), "{blocks}");
    let cut = says(Op::Slice(vec![op::SliceAxis {
        axis: 1,
        start: usize::MAX,
        count: usize::MAX,
        step: isize::MAX,
    }]));
    assert!(cut.contains("exceed an axis of 4"), "{cut}");
    let window = |dilation, pads| op::PoolWindow {
        dilation: [dilation; 2],
        pads: op::Pads::all(pads),
        ..op::PoolWindow::tiles([3, 3])
    };
    let pooled = says(Op::MaxPool(window(usize::MAX, 0)));
    assert!(pooled.contains("more than 8 plus 0 of padding"), "{pooled}");
    let pooled = says(Op::MaxPool(window(1 << 40, 1 << 41)));
    assert!(pooled.contains(absurd), "{pooled}");
}

#[test]
fn weights_of_more_axes_than_a_value_may_have_are_refused() {
    let mut bench = Bench::new([4, 8, 9]);
    let weight = bench.weight("w", Array::zeros(&[1, 1, 1, 1, 4, 1, 9]));
    let mean = Op::Reduce {
        reduction: op::Reduction::Mean,
        axes: vec![0, 1, 2],
        axes_after: op::ReducedAxes::Dropped,
    };
    let refused = bench.builder.add("mean", mean, &[weight]);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "ReduceMean at `mean`: an input of 7 axes; at most 6 are supported"
    );
}

#[test]
fn a_graph_without_a_class_vector_reports_its_output() {
    let bench = Bench::new([3, 8, 9]);
    let input = bench.input;
    assert_eq!(
        bench.builder.finish(input).unwrap_err().to_string(),
        "`images` gives [N,3,8,9]; logits [N,classes] are needed"
    );
}
