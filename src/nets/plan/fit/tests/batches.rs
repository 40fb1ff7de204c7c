//! Tests of batches of any size and content.

use std::time::Instant;

use super::*;

/// NaN reaches the loss wherever it arises, and a step whose loss is not finite changes nothing.
#[test]
fn a_batch_with_nan_changes_no_weight_of_any_network() {
    for kind in KINDS {
        let weights = Network::new(kind, GREY, 3, &Device::flex()).weights();
        let mut fit = fit(kind, GREY, &weights).unwrap();
        let (mut pixels, labels) = batch(5, GREY);
        // In the middle of one image.
        pixels[784 + 400] = f32::NAN;
        let loss = fit.batch(&write_images(&pixels, GREY), &labels, 1e-3).loss;
        assert!(!loss.is_finite(), "{kind:?}: {loss}");
        assert_eq!(fit.weights(), weights, "{kind:?}");
    }
}

/// Every part that takes time is listed once, and together with the waiting they are the time of a step.
#[test]
fn the_parts_of_a_step_are_those_of_its_layers() {
    for (kind, expected) in [
        (
            NetworkKind::Cnn,
            [
                "0 convolution: forward",
                "1 convolution: gradients of inputs",
                "2 dense: gradients of weights",
            ],
        ),
        (
            NetworkKind::Rnn,
            ["0 lstm: forward", "1 lstm: backward", "2 dense: forward"],
        ),
    ] {
        let weights = Network::new(kind, GREY, 3, &Device::flex()).weights();
        let mut fit = fit(kind, GREY, &weights).unwrap();
        let (pixels, labels) = batch(20, GREY);
        let began = Instant::now();
        let times = fit.times(&write_images(&pixels, GREY), &labels);
        let most = began.elapsed().as_secs_f64() * 1e6 / labels.len() as f64;
        let names: Vec<&str> = times.iter().map(|(name, _)| name.as_str()).collect();
        for name in expected.iter().chain(&["images into lanes", "waiting"]) {
            let count = names.iter().filter(|listed| *listed == name).count();
            assert_eq!(count, 1, "{kind:?} {name}: {names:?}");
        }
        // At least two steps were measured, so one takes at most half of the time.
        let step: f64 = times.iter().map(|(_, us)| us).sum();
        assert!(step > 0.0 && step < most / 2.0, "{kind:?}: {step} {most}");
        // Nothing is learned by measuring.
        assert_eq!(fit.weights(), weights);
    }
}

/// Batches of one and of three images, and of more groups than the gradients of dense weights sum at once.
#[test]
fn gradients_of_a_batch_are_those_of_its_images_whatever_its_size() {
    for (kind, ports, count) in [
        (NetworkKind::Cnn, COLOUR, 1),
        (NetworkKind::Cnn, GREY, 3),
        (NetworkKind::Mlp, GREY, 300),
        (NetworkKind::Simple, COLOUR, 150),
    ] {
        let weights = Network::new(kind, ports, 3, &Device::flex()).weights();
        let (pixels, labels) = batch(count, ports);
        let gradients = |pixels: &[f32], labels: &[usize]| {
            let mut fit = fit(kind, ports, &weights).unwrap();
            fit.gradients(&write_images(pixels, ports), labels);
            let parameters = fit.parameters.iter();
            parameters
                .flat_map(|parameter| parameter.gradient.clone())
                .collect::<Vec<f32>>()
        };
        let whole = gradients(&pixels, &labels);
        let mut sums = vec![0.0_f64; whole.len()];
        // Seven at a time.
        let area = ports.pixels();
        for (pixels, labels) in pixels.chunks(7 * area).zip(labels.chunks(7)) {
            let share = labels.len() as f64 / count as f64;
            let part = gradients(pixels, labels);
            let pairs = sums.iter_mut().zip(part);
            pairs.for_each(|(sum, gradient)| *sum += share * f64::from(gradient));
        }
        let max = whole.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        for (a, b) in whole.iter().zip(&sums) {
            let difference = (f64::from(*a) - b).abs();
            assert!(
                difference < 2e-5 * f64::from(max),
                "{kind:?} {count}: {a} {b}"
            );
        }
    }
}

/// Nothing of an earlier batch is left in memory that a later one reads.
#[test]
fn gradients_do_not_depend_on_the_batch_before() {
    let narrow = NetworkShape {
        image: [3, 17, 19],
        classes: 7,
    };
    for ports in [COLOUR, narrow] {
        let weights = Network::new(NetworkKind::Cnn, ports, 3, &Device::flex()).weights();
        let (pixels, labels) = batch(20, ports);
        let other: Vec<f32> = pixels.iter().rev().map(|pixel| 900.0 * pixel).collect();
        let gradients = |fit: &mut Fit| {
            fit.gradients(&write_images(&pixels, ports), &labels);
            fit.parameters.clone()
        };
        let mut fresh = fit(NetworkKind::Cnn, ports, &weights).unwrap();
        let mut used = fit(NetworkKind::Cnn, ports, &weights).unwrap();
        used.gradients(&write_images(&other, ports), &labels);
        for (fresh, used) in gradients(&mut fresh).iter().zip(gradients(&mut used)) {
            assert_eq!(fresh.gradient, used.gradient, "{} of {ports:?}", used.name);
        }
    }
}

/// A batch takes the memory that is told beforehand, whether it is processed whole or in portions.
#[test]
fn the_memory_of_a_batch_is_told_beforehand() {
    let small = NetworkShape {
        image: [1, 16, 16],
        classes: 3,
    };
    for kind in KINDS {
        let weights = Network::new(kind, small, 3, &Device::flex()).weights();
        let graph = Graph::for_kind(kind, small, &weights).unwrap();
        for count in [1, 70] {
            let mut fit = fit(kind, small, &weights).unwrap();
            let (pixels, labels) = batch(count, small);
            fit.gradients(&write_images(&pixels, small), &labels);
            let told = Fit::batch_bytes(&graph, count);
            assert_eq!(told, fit.memory.bytes(), "{kind:?}, {count} images");
        }
    }
}
