//! Tests of training by plan against Burn and against formulas.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::super::layout::TensorSlot;
use super::*;
use crate::nets::graph::op::{Pads, Unary};
use crate::nets::graph::{Dim, GraphBuilder, NodeInput, Op};
use crate::nets::read_back;
use crate::nets::{Network, NetworkShape};
use crate::session::config::NetworkKind;

mod back;
mod batches;
mod convolutions;

/// Random numbers in \[0,1\].
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// The kinds that are trained by plan: all built-in ones.
const KINDS: [NetworkKind; 6] = [
    NetworkKind::Cnn,
    NetworkKind::Mlp,
    NetworkKind::Logistic,
    NetworkKind::Rnn,
    NetworkKind::Simple,
    NetworkKind::Complex,
];

const GREY: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};
const COLOUR: NetworkShape = NetworkShape {
    image: [3, 21, 26],
    classes: 7,
};

fn fit(kind: NetworkKind, shape: NetworkShape, weights: &NetworkWeights) -> Option<Fit> {
    let graph = Graph::for_kind(kind, shape, weights).unwrap();
    Fit::new(&graph, weights, &[], 0.0).unwrap()
}

fn batch(count: usize, shape: NetworkShape) -> (Vec<f32>, Vec<usize>) {
    let mut pixels = numbers(count * shape.pixels());
    let [_, rows, columns] = shape.image;
    // Images have margins of equal pixels, which give equal sums: max pooling must choose the first.
    for image in pixels.chunks_exact_mut(rows * columns) {
        image.iter_mut().enumerate().for_each(|(index, pixel)| {
            if index % columns < 9 || index / columns > rows - 8 {
                *pixel = 0.0;
            }
        });
    }
    (
        pixels,
        (0..count)
            .map(|index| (index * 7 + index / 3) % shape.classes)
            .collect(),
    )
}

/// A function that writes images, row-major \[N,C,H,W\], one at a time.
fn write_images(pixels: &[f32], shape: NetworkShape) -> impl Fn(usize, &mut [f32]) + Sync {
    let area = shape.pixels();
    move |index, into| into.copy_from_slice(&pixels[index * area..(index + 1) * area])
}

#[test]
fn gradients_are_those_of_automatic_differentiation() {
    let device = Device::flex().autodiff();
    let all = KINDS.into_iter();
    for (kind, shape) in all.flat_map(|kind| [(kind, GREY), (kind, COLOUR)]) {
        let network = Network::new(kind, shape, 3, &device);
        let mut trained_fit = fit(kind, shape, &network.weights()).unwrap();
        let (pixels, labels) = batch(70, shape);
        let batch_loss = trained_fit.gradients(&write_images(&pixels, shape), &labels);

        let [channels, rows, columns] = shape.image;
        let inputs = TensorData::new(pixels, [70, channels, rows, columns]);
        let logits = network.forward_training(Tensor::from_data(inputs, &device));
        let targets: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [70]), &device);
        let loss = burn::nn::loss::CrossEntropyLossConfig::new().init(&device);
        let loss = loss.forward(logits.clone(), targets);
        let value = f64::from(read_back(loss.clone().inner())[0]);
        assert!(
            (batch_loss.loss / 70.0 - value).abs() < 1e-5,
            "{kind:?}: {} {value}",
            batch_loss.loss / 70.0
        );
        let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &network);
        let theirs = network.gradients(&gradients);
        let ours: Vec<&Parameter> = trained_fit
            .parameters
            .iter()
            .filter(|parameter| !parameter.fixed)
            .collect();
        assert_eq!(theirs.len(), ours.len());
        let most_of = |all: &[f32]| all.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        let largest = theirs
            .iter()
            .map(|(_, gradient)| most_of(gradient))
            .fold(0.0, f32::max);
        for ((name, theirs), parameter) in theirs.iter().zip(ours) {
            assert_eq!(*name, parameter.name);
            let pairs = || theirs.iter().zip(&parameter.gradient);
            if kind == NetworkKind::Complex && !parameter.name.contains("logits") {
                // If two sums of a window are almost equal, rounding in the normalization decides which is the maximum,
                // and the gradient may go to the other: one window in two hundred thousand.
                let difference: f32 = pairs().map(|(a, b)| (a - b).powi(2)).sum();
                let whole: f32 = theirs.iter().map(|a| a.powi(2)).sum();
                // A bias before a normalization has no gradient except for rounding errors.
                let least = (1e-3 * largest).powi(2);
                let share = (difference / whole.max(least)).sqrt();
                assert!(share < 1e-2, "{} {share}", parameter.name);
                continue;
            }
            let most = most_of(theirs);
            let worst = pairs().fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst <= 2e-5 * most, "{kind:?} {name}: {worst} of {most}");
        }
    }
}

#[test]
fn a_normalization_has_the_gradients_of_its_formula() {
    let lanes = Lanes::from_env_or_widest();
    let (images, shape) = (21_usize, [2, 3, 4]);
    let slot = |index: usize| TensorSlot::in_frame(index * 24, shape, Pads::default());
    let mut memory = Memory::default();
    let groups = images.div_ceil(lanes.count()).next_multiple_of(4);
    memory.reserve(4 * 24 * lanes.count(), groups);
    let frames = BatchMemory {
        pointer: memory.pointer(),
        group_len: 4 * 24,
        groups,
        images,
    };
    let random = numbers(2 * images * 24);
    let (x, d) = random.split_at(images * 24);
    // A mean that is large relative to the spread.
    let x: Vec<f32> = x.iter().map(|x| x + 2.0).collect();
    let element = |value: usize, image: usize, number: usize| {
        let (group, lane) = (image / lanes.count(), image % lanes.count());
        // SAFETY: all tensors lie in the frames.
        unsafe {
            frames
                .at(group, value * 24 + number, lanes.count())
                .add(lane)
        }
    };
    for image in 0..groups * lanes.count() {
        for number in 0..24 {
            // Lanes without an image hold arbitrary inputs, and zero gradients.
            let (x, d) = match image < images {
                true => (x[image * 24 + number], d[image * 24 + number]),
                false => (7.0, 0.0),
            };
            // SAFETY: as above.
            unsafe {
                *element(0, image, number) = x;
                *element(2, image, number) = d;
            }
        }
    }
    let named =
        |name: &str, values: [f32; 2]| Parameter::new(name, &Array::new(&[2], values.to_vec()));
    let mut parameters = [
        named("scale", [1.5, 0.5]),
        named("shift", [0.25, -2.0]),
        named("mean", [0.0, 0.0]),
        named("variance", [1.0, 1.0]),
    ];
    let norm_parameters = norm::NormParameters {
        scale: 0,
        shift: 1,
        mean: 2,
        variance: 3,
    };
    let slots = [slot(0), slot(1), slot(2), slot(3)];
    let mut layer = norm::Norm::new(norm_parameters, 1e-5, slots);
    layer.forward(&frames, &parameters, lanes);
    layer.backward(&frames, &mut parameters, lanes);
    let [_, rows, columns] = shape;
    let area = rows * columns;
    for channel in 0..2 {
        let channel_values = |tensor: &[f32]| -> Vec<f64> {
            let images = tensor.chunks_exact(24);
            let values = images.flat_map(|image| &image[channel * area..(channel + 1) * area]);
            values.map(|&value| f64::from(value)).collect()
        };
        let (x, d) = (channel_values(&x), channel_values(d));
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let inverse = 1.0 / (variance + 1e-5).sqrt();
        let unit: Vec<f64> = x.iter().map(|x| (x - mean) * inverse).collect();
        let plain = d.iter().sum::<f64>();
        let by_unit = d.iter().zip(&unit).map(|(d, u)| d * u).sum::<f64>();
        let (scale, shift) = (
            f64::from(parameters[0].values[channel]),
            f64::from(parameters[1].values[channel]),
        );
        let near = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 2e-4, "{a} {b}");
        near(parameters[0].gradient[channel], by_unit);
        near(parameters[1].gradient[channel], plain);
        for (index, (unit, d)) in unit.iter().zip(&d).enumerate() {
            let (image, number) = (index / area, channel * area + index % area);
            let input_gradient = scale * inverse * (d - plain / n - unit * by_unit / n);
            // SAFETY: as above.
            unsafe {
                near(*element(1, image, number), scale * unit + shift);
                near(*element(3, image, number), input_gradient);
            }
        }
    }
    // SAFETY: as above.
    assert!((0..24).all(|number| unsafe { *element(3, images, number) } == 0.0));
}

/// A batch processed in portions has the sum of the portions' gradients.
#[test]
fn portions_of_a_batch_are_added() {
    let weights = Network::new(NetworkKind::Simple, GREY, 3, &Device::flex()).weights();
    let mut whole_fit = fit(NetworkKind::Simple, GREY, &weights).unwrap();
    let portion = whole_fit.portion(1000);
    let count = 2 * portion + 5;
    let (pixels, labels) = batch(count, GREY);
    let batch_loss = whole_fit.gradients(&write_images(&pixels, GREY), &labels);
    assert_eq!(batch_loss.logits.len(), count * 10);
    let whole: Vec<f32> = whole_fit.parameters[0].gradient.clone();
    let mut sums = vec![0.0; whole.len()];
    let mut loss = 0.0;
    for (pixels, labels) in pixels.chunks(portion * 784).zip(labels.chunks(portion)) {
        let mut portion_fit = fit(NetworkKind::Simple, GREY, &weights).unwrap();
        let portion_loss = portion_fit.gradients(&write_images(pixels, GREY), labels);
        loss += portion_loss.loss;
        let share = labels.len() as f32 / count as f32;
        let pairs = sums.iter_mut().zip(&portion_fit.parameters[0].gradient);
        pairs.for_each(|(sum, gradient)| *sum += share * gradient);
    }
    assert!((batch_loss.loss - loss).abs() < 1e-9 * loss);
    let most = whole
        .iter()
        .fold(0.0_f32, |most, gradient| most.max(gradient.abs()));
    for (a, b) in whole.iter().zip(&sums) {
        assert!((a - b).abs() < 1e-5 * most, "{a} {b}");
    }
}

/// Running statistics are updated as in Burn, and only by batches with a finite loss.
#[test]
fn running_statistics_are_those_of_burn() {
    let device = Device::flex().autodiff();
    let network = Network::new(NetworkKind::Complex, GREY, 3, &device);
    let mut ours = fit(NetworkKind::Complex, GREY, &network.weights()).unwrap();
    let (pixels, labels) = batch(37, GREY);
    let statistics = |weights: &NetworkWeights| -> Vec<f32> {
        let tensors = weights.tensors.iter();
        let tensors = tensors.filter(|(name, _)| name.contains("running"));
        tensors
            .flat_map(|(_, values)| values.values().to_vec())
            .collect()
    };
    let before = statistics(&ours.weights());
    let lost = vec![f32::NAN; pixels.len()];
    assert!(
        !ours
            .batch(&write_images(&lost, GREY), &labels, 1e-3)
            .loss
            .is_finite()
    );
    assert_eq!(statistics(&ours.weights()), before);

    ours.batch(&write_images(&pixels, GREY), &labels, 1e-3);
    let inputs = TensorData::new(pixels, [37, 1, 28, 28]);
    network.forward_training(Tensor::from_data(inputs, &device));
    let theirs = statistics(&network.weights());
    assert_eq!(theirs.len(), 64);
    for (a, b) in statistics(&ours.weights()).iter().zip(&theirs) {
        assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{a} {b}");
    }
}

#[test]
fn weights_do_not_depend_on_the_number_of_workers_and_go_on_from_a_state() {
    for kind in KINDS {
        let weights = Network::new(kind, GREY, 3, &Device::flex()).weights();
        let (pixels, labels) = batch(50, GREY);
        let train = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let mut ours = fit(kind, GREY, &weights).unwrap();
                let losses: Vec<f64> = (0..4)
                    .map(|_| ours.batch(&write_images(&pixels, GREY), &labels, 1e-4).loss)
                    .collect();
                (ours, losses)
            })
        };
        let (one, losses) = train(1);
        let (three, _) = train(3);
        assert!(losses[3] < losses[0], "{kind:?}: {losses:?}");
        assert_eq!(one.weights(), three.weights(), "{kind:?}");
        // Resuming from the saved state gives bit-identical weights.
        let graph = Graph::for_kind(kind, GREY, &one.weights()).unwrap();
        let resumed = Fit::new(&graph, &one.weights(), &one.state(), 0.0).unwrap();
        let (mut one, mut resumed) = (one, resumed.unwrap());
        one.batch(&write_images(&pixels, GREY), &labels, 1e-3);
        resumed.batch(&write_images(&pixels, GREY), &labels, 1e-3);
        assert_eq!(one.weights(), resumed.weights(), "{kind:?}");
    }
}

#[test]
fn what_is_no_chain_of_known_layers_is_left_to_burn() {
    let weights = Network::new(NetworkKind::Logistic, GREY, 3, &Device::flex()).weights();
    let mut builder = GraphBuilder::new(GREY.image);
    for (name, values) in &weights.tensors {
        builder.weight(name, values.clone()).unwrap();
    }
    let shape = vec![Dim::batch(1), Dim::fixed(784)];
    let images = builder.add("images", Op::Input, &[]).unwrap();
    let bent = Op::Unary(Unary::Sigmoid);
    let bent = builder.add("bent", bent, &[images.into()]).unwrap();
    let flat = Op::Reshape { shape };
    let flat = builder.add("flat", flat, &[bent.into()]).unwrap();
    let parameters = ["weight", "bias"].map(|name| NodeInput::Weight(format!("logits.{name}")));
    let inputs = [&[flat.into()][..], &parameters].concat();
    let logits = builder.add("logits", Op::Dense, &inputs).unwrap();
    let graph = builder.finish(logits).unwrap();
    assert!(Fit::new(&graph, &weights, &[], 0.0).unwrap().is_none());

    let weights = Network::new(NetworkKind::Mlp, GREY, 3, &Device::flex()).weights();
    let graph = Graph::for_kind(NetworkKind::Mlp, GREY, &weights).unwrap();
    assert!(Fit::new(&graph, &weights, b"noisescope fit 1 and more", 0.0).is_err());
}
