//! Tests of the network under study: single layers against the whole network, pushes, and plans.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::nets::graph::GraphBuilder;
use crate::nets::graph::op::{ReducedAxes, Reduction, Unary};
use crate::session::config;

const GREY: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};
const COLOUR: NetworkShape = NetworkShape {
    image: [3, 19, 26],
    classes: 7,
};

/// Every built-in kind for square grey images and for non-square colour images.
fn subjects() -> Vec<(NetworkKind, Subject)> {
    let kinds = NetworkKind::ALL.into_iter();
    let all = kinds.flat_map(|kind| [GREY, COLOUR].map(|ports| (kind, ports)));
    all.map(|(kind, ports)| (kind, drawn(kind, ports)))
        .collect()
}

fn drawn(kind: NetworkKind, ports: NetworkShape) -> Subject {
    Subject::untrained(kind, ports, 3, &Device::flex()).unwrap()
}

fn noise(images: usize, subject: &Subject) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let count = images * subject.network_shape().pixels();
    (0..count).map(|_| rng.random()).collect()
}

fn stack(pixels: &[f32], subject: &Subject) -> Tensor<4> {
    let [channels, height, width] = subject.network_shape().image;
    let n = pixels.len() / (channels * height * width);
    let data = TensorData::new(pixels.to_vec(), [n, channels, height, width]);
    Tensor::from_data(data, subject.device())
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

fn assert_near(found: &[f32], wanted: &[f32], case: &str) {
    assert_eq!(found.len(), wanted.len(), "{case}");
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{case}: {a} {b}");
    }
}

/// Compares a kernel with the change of the units at one inner position when one pixel of their field is lit.
#[test]
fn a_kernel_is_the_change_of_the_first_layer_with_each_pixel() {
    let scaled = config::InputEncoding {
        range: config::InputRange::Byte,
        mean: vec![90.0, 100.0, 110.0],
        std: vec![40.0, 50.0, 60.0],
        order: config::ChannelOrder::Bgr,
    };
    let graph = drawn(NetworkKind::Cnn, COLOUR)
        .graph()
        .with_input_scaling(&scaled)
        .unwrap();
    let mut all = subjects();
    all.push((
        NetworkKind::Cnn,
        Subject::new(graph, &Device::flex()).unwrap(),
    ));
    for (kind, subject) in all {
        let site = subject.sites()[0].clone();
        let Some(kernel) = subject.kernel(SiteId(0)) else {
            assert_eq!(kind, NetworkKind::Rnn);
            continue;
        };
        let others = 1..subject.sites().len();
        assert!(
            others
                .into_iter()
                .all(|site| subject.kernel(SiteId(site)).is_none())
        );
        // High enough that no rectifier clips.
        let high = subject.pushed(&site.name, &vec![1e3; site.units]).unwrap();
        let place = site.inner_positions()[0];
        let answer = |pixels: &[f32]| {
            let all = high
                .activations(stack(pixels, &high), &[SiteId(0)])
                .remove(0);
            host(all.narrow(2, place.row, 1).narrow(3, place.column, 1))
        };
        let [channels, rows, columns] = site.image;
        let (height, width) = site.field_size();
        let pixels = site.field_pixels();
        let dark = vec![0.0; channels * rows * columns];
        let before = answer(&dark);
        for pixel in [0, 1, width, pixels / 2, pixels - 1] {
            let (channel, row, column) = (
                pixel / (height * width),
                pixel / width % height,
                pixel % width,
            );
            let mut lit = dark.clone();
            lit[(channel * rows + place.top + row) * columns + place.left + column] = 1.0;
            let change = answer(&lit);
            let pairs = change.iter().zip(&before);
            let change: Vec<f32> = pairs.map(|(a, b)| a - b).collect();
            let weights: Vec<f32> = kernel.iter().skip(pixel).step_by(pixels).copied().collect();
            for (a, b) in change.iter().zip(&weights) {
                // The values themselves are a thousand times larger.
                assert!(
                    (a - b).abs() < 2e-3 * (1.0 + b.abs()),
                    "{kind:?} {pixel}: {a} {b}"
                );
            }
        }
    }
}

#[test]
fn a_push_moves_the_units_that_it_is_given() {
    for (kind, subject) in subjects() {
        let pixels = noise(2, &subject);
        let logits = subject.logits(pixels.clone(), subject.device());
        for site in subject.sites() {
            let still = subject.pushed(&site.name, &vec![0.0; site.units]).unwrap();
            let still = still.logits(pixels.clone(), subject.device());
            assert_near(&still, &logits, &format!("{kind:?} {}", site.name));
        }
        let push = vec![2.0; subject.network_shape().classes];
        let pushed = subject.pushed("logits", &push).unwrap();
        let shifted: Vec<f32> = logits.iter().map(|logit| logit + 2.0).collect();
        let found = pushed.logits(pixels.clone(), subject.device());
        assert_near(&found, &shifted, "pushed");
        let still = subject.logits(pixels, subject.device());
        assert_eq!(still, logits, "the network itself");
    }
}

#[test]
fn a_push_in_the_middle_moves_that_layer_and_those_after_it_on_any_device() {
    let subject = drawn(NetworkKind::Cnn, GREY);
    let pixels = noise(2, &subject);
    let all =
        |subject: &Subject| subject.activations(stack(&pixels, subject), &[0, 1, 3].map(SiteId));
    let before = all(&subject);
    let pushed = subject.pushed("conv2", &[1.0; 50]).unwrap();
    let after = all(&pushed);
    assert_eq!(host(before[0].clone()), host(after[0].clone()));
    for (a, b) in host(before[1].clone()).iter().zip(host(after[1].clone())) {
        // A rectified unit moves by at most its push.
        assert!(b - a > -1e-4 && b - a < 1.0 + 1e-4, "{a} {b}");
    }
    let forward = pushed.logits(pixels.clone(), pushed.device());
    assert_near(&host(after[2].clone()), &forward, "forward is pushed too");
    // The push carries over to another device.
    let elsewhere = pushed.on(&Device::flex().autodiff());
    let found = host(elsewhere.forward(stack(&pixels, &elsewhere)));
    assert_near(&found, &forward, "elsewhere");
}

#[test]
fn a_site_that_cannot_be_pushed_names_those_that_can() {
    let subject = drawn(NetworkKind::Cnn, GREY);
    let words = subject.pushed("conv9", &[]).unwrap_err().to_string();
    assert_eq!(
        words,
        "the site `conv9` cannot be pushed; these can: conv1, conv2, fc1, logits"
    );
    let words = subject.pushed("conv1", &[0.0]).unwrap_err().to_string();
    assert_eq!(words, "1 values for the 20 units of `conv1`");
}

#[test]
fn images_have_a_gradient_through_every_site() {
    for (kind, subject) in subjects() {
        let recording = subject.on(&Device::flex().autodiff());
        for (index, site) in recording.sites().iter().enumerate() {
            let images = stack(&noise(1, &recording), &recording).require_grad();
            let answers = recording
                .activations(images.clone(), &[SiteId(index)])
                .remove(0)
                .sum();
            let gradient = images.grad(&answers.backward()).unwrap();
            let largest = gradient.abs().max().into_scalar::<f32>();
            assert!(largest > 0.0, "{kind:?} {}", site.name);
        }
    }
}

#[test]
fn images_are_computed_independently() {
    for (kind, subject) in subjects() {
        assert_eq!(subject.check_outputs(), Ok(()), "{kind:?}");
    }
}

/// By plan and without one, each root of a negative number is one that the rectifier must not hide.
#[test]
fn outputs_that_are_not_numbers_are_told_from_images_that_are_mixed() {
    let mut builder = GraphBuilder::new([1, 4, 4]);
    let mut last = builder.add("images", Op::Input, &[]).unwrap();
    let (scale, shift) = (1.0, -0.5);
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    for (name, op) in [
        ("centred", Op::Unary(Unary::Affine { scale, shift })),
        ("root", Op::Unary(Unary::Sqrt)),
        ("relu", Op::Unary(Unary::Relu)),
        ("mean", mean),
    ] {
        last = builder.add(name, op, &[last.into()]).unwrap();
    }
    let graph = builder.finish(last).unwrap();
    let subject = Subject::new(graph, &Device::flex()).unwrap();
    for by_plan in [false, true] {
        launch::set_by_plan(by_plan);
        let problem = subject.check_outputs().unwrap_err();
        assert_eq!(problem, UnusableOutputs::NotNumbers);
        let message = problem.to_string();
        assert!(message.contains("not numbers"), "{message}");
    }
    launch::set_by_plan(false);
}

/// However they are computed: the file need not end in a softmax.
#[test]
fn outputs_that_are_probabilities_are_told_from_logits() {
    let network = |last: Option<Op>| {
        let mut builder = GraphBuilder::new([3, 4, 4]);
        let images = builder.add("images", Op::Input, &[]).unwrap();
        let mean = Op::Reduce {
            reduction: Reduction::Mean,
            axes: vec![2, 3],
            axes_after: ReducedAxes::Dropped,
        };
        let mut output = builder.add("mean", mean, &[images.into()]).unwrap();
        if let Some(op) = last {
            output = builder.add("last", op, &[output.into()]).unwrap();
        }
        Subject::new(builder.finish(output).unwrap(), &Device::flex()).unwrap()
    };
    assert!(network(Some(Op::Softmax { axis: 1 })).gives_probabilities());
    // From 0 to 1, but with another sum.
    assert!(!network(None).gives_probabilities());
    for (kind, subject) in subjects() {
        assert!(!subject.gives_probabilities(), "{kind:?}");
    }
}

/// Logits alone are computed the fastest way, with layers fused; if the activations of every layer are wanted,
/// or one is pushed by zero, each layer is computed separately.
#[test]
fn layers_computed_together_equal_layers_computed_separately() {
    for (kind, subject) in subjects() {
        let pixels = noise(5, &subject);
        let together = subject.logits(pixels.clone(), subject.device());
        let all: Vec<SiteId> = (0..subject.sites().len()).map(SiteId).collect();
        let apart = subject.activations(stack(&pixels, &subject), &all);
        let last = host(apart.into_iter().next_back().unwrap());
        assert_near(&together, &last, kind.label());
        for site in subject.sites() {
            let pushed = subject.pushed(&site.name, &vec![0.0; site.units]).unwrap();
            let apart = pushed.logits(pixels.clone(), subject.device());
            assert_near(&together, &apart, &site.name);
        }
    }
}

/// Every layer of every kind, by plan and without one.
#[test]
fn pushes_computed_together_equal_single_pushes() {
    for (kind, subject) in subjects() {
        let pixels = noise(37, &subject);
        for site in subject.sites() {
            let units = site.units;
            let delta = |by: f32| (0..units).map(|unit| by * (unit % 3) as f32).collect();
            let deltas: Vec<Vec<f32>> = [-0.7, 0.0, 0.3].into_iter().map(delta).collect();
            if !subject.is_pushable(site) {
                assert!(subject.with_each_push(&site.name, &deltas).is_err());
                continue;
            }
            launch::set_by_plan(true);
            let plan = subject.shared_plan(&site.name, &deltas).unwrap();
            let together = subject.with_each_push(&site.name, &deltas).unwrap();
            let planned = together.logits(pixels.clone(), subject.device());
            launch::set_by_plan(false);
            let case = format!("{kind:?} {}", site.name);
            // Only if most of the work comes before the layer.
            if kind == NetworkKind::Cnn && subject.network_shape() == GREY {
                let shared = matches!(together, PushedNetworks::Shared(_, 3));
                assert_eq!(shared, site.name != "conv1", "{case}");
            }
            let forked = plan.logits_of_outputs(3, &pixels);
            let apart = subject.with_each_push(&site.name, &deltas).unwrap();
            assert!(matches!(apart, PushedNetworks::Separate(_)), "{case}");
            let apart = apart.logits(pixels.clone(), subject.device());
            assert_ne!(apart[0], apart[2], "{case}");
            for ((found, forked), wanted) in planned.iter().zip(&forked).zip(&apart) {
                assert_near(found, wanted, &case);
                assert_near(forked, wanted, &case);
            }
        }
        let few = subject.with_each_push("logits", &[vec![0.0], vec![1.0]]);
        let words = few.unwrap_err().to_string();
        assert!(words.starts_with("1 values for the"), "{words}");
    }
}

/// A plan's activations of every site, and its sums, on images that do not fill the last vector.
#[test]
fn a_plans_activations_equal_burns_and_weight_its_sums_of_fields() {
    launch::set_by_plan(true);
    for (kind, subject) in subjects() {
        let all: Vec<SiteId> = (0..subject.sites().len()).map(SiteId).collect();
        let pixels = noise(37, &subject);
        let wanted = subject.activations(stack(&pixels, &subject), &all);
        let wanted: Vec<Vec<f32>> = wanted.into_iter().map(host).collect();
        let planned = subject.planned_activations(&pixels, &all).unwrap();
        let mut sums: Vec<TriggeredSums> = subject
            .sites()
            .iter()
            .map(|site| TriggeredSums::new(site.units, site.field_pixels()))
            .collect();
        assert!(subject.add_triggered(&pixels, &all, &mut sums));
        for ((site, sums), (found, wanted)) in subject
            .sites()
            .iter()
            .zip(&sums)
            .zip(planned.iter().zip(&wanted))
        {
            let case = format!("{kind:?} {}", site.name);
            assert_near(found, wanted, &case);
            let ours = summed(site, subject.network_shape(), &pixels, found);
            assert_eq!(sums.nonzero, ours.nonzero, "{case}");
            near(&sums.activation, &ours.activation, &case);
            near(&sums.magnitude, &ours.magnitude, &case);
            match site.inner_positions().len() {
                few if few < 8 || site.sees_whole_image() => {
                    assert_eq!(sums.unsummed, ours.unsummed, "{case}");
                }
                _ => near(&sums.weighted, &ours.weighted, &case),
            }
        }
    }
    launch::set_by_plan(false);
}

fn near(found: &[f64], wanted: &[f64], case: &str) {
    let most = wanted
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= 1e-5 * most, "{case}: {a} {b} of {most}");
    }
}

/// The sums by their definition, in 64 bits.
fn summed(site: &Site, ports: NetworkShape, pixels: &[f32], activations: &[f32]) -> TriggeredSums {
    let [channels, rows, columns] = ports.image;
    let (height, width) = site.field_size();
    let area = height * width;
    let field = channels * area;
    let mut sums = TriggeredSums::new(site.units, field);
    let images = pixels.chunks_exact(channels * rows * columns);
    let answers = activations.chunks_exact(site.units * site.positions.0 * site.positions.1);
    for (image, answers) in images.zip(answers) {
        for unit in 0..site.units {
            for place in site.inner_positions() {
                let index = (unit * site.positions.0 + place.row) * site.positions.1 + place.column;
                let a = answers[index];
                sums.unsummed.push(a);
                let a = f64::from(a);
                sums.nonzero[unit] += f64::from(u8::from(a != 0.0));
                sums.activation[unit] += a;
                sums.magnitude[unit] += a.abs();
                for pixel in 0..field {
                    let (channel, line) = (pixel / area, pixel % area);
                    let (row, column) = (place.top + line / width, place.left + line % width);
                    let s = image[(channel * rows + row) * columns + column];
                    sums.weighted[unit * field + pixel] += a * (f64::from(s) - 0.5);
                }
            }
        }
    }
    sums
}
