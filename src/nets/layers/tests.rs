//! Single layers against the whole network.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Grey squares of ten classes, and colour images that are no squares, of seven.
const PORTS: [Ports; 2] = [
    Ports {
        image: [1, 28, 28],
        classes: 10,
    },
    Ports {
        image: [3, 19, 26],
        classes: 7,
    },
];

/// Every architecture for each of these.
fn networks(device: &Device) -> Vec<Network> {
    let kinds = NetworkKind::ALL.into_iter();
    kinds
        .flat_map(|kind| PORTS.map(|ports| Network::new(kind, ports, 3, device)))
        .collect()
}

fn noise(images: usize, ports: Ports, device: &Device) -> Tensor<4> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let pixels: Vec<f32> = (0..images * ports.pixels()).map(|_| rng.random()).collect();
    Tensor::from_data(
        TensorData::new(
            pixels,
            [images, ports.image[0], ports.image[1], ports.image[2]],
        ),
        device,
    )
}

fn assert_near(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-4, "{what}: {a} {b}");
    }
}

#[test]
fn the_last_layer_is_what_the_network_says() {
    let device = Device::flex();
    for network in networks(&device) {
        let (kind, ports) = (network.kind(), network.ports());
        let images = noise(4, ports, &device);
        let activations = network.activations(images.clone());
        let layers = network.geometry();
        assert_eq!(activations.len(), layers.len());
        for (answers, seen) in activations.iter().zip(&layers) {
            let (rows, columns) = seen.positions;
            assert_eq!(answers.dims(), [4, seen.units, rows, columns], "{kind:?}");
            let lowest = answers.clone().min().into_scalar::<f32>();
            assert_eq!(lowest < 0.0, seen.signed, "{kind:?} {}", seen.name);
        }
        let last = host(activations.last().unwrap().clone());
        assert_near(&last, &host(network.forward(images)), "logits");
    }
}

#[test]
fn a_layer_cut_out_answers_as_it_does_in_its_place() {
    let device = Device::flex();
    for network in networks(&device) {
        let (kind, ports) = (network.kind(), network.ports());
        let images = noise(2, ports, &device);
        let activations = network.activations(images.clone());
        for (layer, seen) in network.geometry().iter().enumerate() {
            let inner = seen.inner();
            for &(row, column, top, left) in [&inner[0], inner.last().unwrap()] {
                let (height, width) = seen.field;
                let patches = images.clone().narrow(2, top, height).narrow(3, left, width);
                let cut_out = network.patch_activations(layer, patches);
                let placed = &activations[layer];
                let placed = placed.clone().narrow(2, row, 1).narrow(3, column, 1);
                let what = format!("{kind:?} {} at {row},{column}", seen.name);
                assert_near(&host(cut_out), &host(placed), &what);
            }
        }
    }
}

#[test]
fn a_kernel_is_how_the_first_layer_changes_with_each_pixel() {
    let device = Device::flex();
    for network in networks(&device) {
        let kind = network.kind();
        let seen = network.geometry()[0];
        let Some(kernel) = network.kernel(0) else {
            assert_eq!(kind, NetworkKind::Rnn);
            continue;
        };
        let layers = network.geometry().len();
        assert!((1..layers).all(|layer| network.kernel(layer).is_none()));
        // High enough that no rectifier is in the way.
        let network = network.pushed(seen.name, &vec![100.0; seen.units]).unwrap();
        let (height, width) = seen.field;
        let answer = |pixels: Vec<f32>| {
            let patch = TensorData::new(pixels, [1, seen.image[0], height, width]);
            host(network.patch_activations(0, Tensor::from_data(patch, &device)))
        };
        let pixels = seen.field_pixels();
        let dark = answer(vec![0.0; pixels]);
        for pixel in [0, 1, width, pixels - 1] {
            let mut lit = vec![0.0; pixels];
            lit[pixel] = 1.0;
            let change: Vec<f32> = answer(lit).iter().zip(&dark).map(|(a, b)| a - b).collect();
            let weights = kernel.iter().skip(pixel).step_by(pixels).copied();
            let what = format!("{kind:?} pixel {pixel}");
            assert_near(&change, &weights.collect::<Vec<f32>>(), &what);
        }
    }
}

#[test]
fn a_push_moves_the_units_that_it_is_given() {
    let device = Device::flex();
    for network in networks(&device) {
        let ports = network.ports();
        let images = noise(2, ports, &device);
        let layers = network.geometry();
        let said = host(network.forward(images.clone()));
        for seen in layers.iter().filter(|it| !it.name.starts_with("lstm")) {
            let still = network.pushed(seen.name, &vec![0.0; seen.units]).unwrap();
            assert_eq!(host(still.forward(images.clone())), said, "{}", seen.name);
        }
        let push = vec![2.0; ports.classes];
        let pushed = network.pushed("logits", &push).unwrap();
        let shifted: Vec<f32> = said.iter().map(|logit| logit + 2.0).collect();
        assert_near(&host(pushed.forward(images.clone())), &shifted, "pushed");
        assert_eq!(host(network.forward(images)), said, "the network itself");
    }
}

#[test]
fn a_push_in_the_middle_moves_that_layer_and_those_after_it() {
    let device = Device::flex();
    let ports = PORTS[0];
    let network = Network::new(NetworkKind::Cnn, ports, 3, &device);
    let images = noise(2, ports, &device);
    let before = network.activations(images.clone());
    let pushed = network.pushed("conv2", &[1.0; 50]).unwrap();
    let after = pushed.activations(images.clone());
    assert_eq!(host(before[0].clone()), host(after[0].clone()));
    for (a, b) in host(before[1].clone()).iter().zip(host(after[1].clone())) {
        // A rectified unit moves by at most what it is pushed by.
        assert!(b - a > -1e-4 && b - a < 1.0 + 1e-4, "{a} {b}");
    }
    let last = host(after[3].clone());
    assert_near(
        &last,
        &host(pushed.forward(images)),
        "forward is pushed too",
    );
}

#[test]
fn a_layer_that_cannot_be_pushed_names_those_that_can() {
    let network = Network::new(NetworkKind::Cnn, PORTS[0], 3, &Device::flex());
    let words = network.pushed("conv9", &[]).unwrap_err().to_string();
    assert_eq!(
        words,
        "the layer `conv9` cannot be pushed; these can: conv1, conv2, fc1, logits"
    );
    let words = network.pushed("conv1", &[0.0]).unwrap_err().to_string();
    assert_eq!(words, "1 values for the 20 units of the layer `conv1`");
}

#[test]
fn patches_have_a_gradient() {
    let device = Device::flex().autodiff();
    for network in networks(&device) {
        let (kind, ports) = (network.kind(), network.ports());
        for (layer, seen) in network.geometry().iter().enumerate() {
            let (height, width) = seen.field;
            let patch = noise(1, ports, &device)
                .narrow(2, 0, height)
                .narrow(3, 0, width);
            let patch = Tensor::from_data(patch.into_data(), &device).require_grad();
            let answers = network.patch_activations(layer, patch.clone()).sum();
            let gradient = patch.grad(&answers.backward()).unwrap();
            let largest = gradient.abs().max().into_scalar::<f32>();
            assert!(largest > 0.0, "{kind:?} {}", seen.name);
        }
    }
}
