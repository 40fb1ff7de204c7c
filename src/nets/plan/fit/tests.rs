use burn::tensor::{Device, Int, Tensor, TensorData};

use super::*;
use crate::nets::weights::host;
use crate::nets::{Network, Ports};
use crate::session::config::NetworkKind;

/// Numbers that have nothing in common, in \[0,1\].
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

/// The kinds that are trained by plan.
const KINDS: [NetworkKind; 4] = [
    NetworkKind::Cnn,
    NetworkKind::Mlp,
    NetworkKind::Logistic,
    NetworkKind::Simple,
];

fn ports() -> Ports {
    Ports {
        image: [1, 28, 28],
        classes: 10,
    }
}

fn fit(kind: NetworkKind, weights: &Weights) -> Option<Fit> {
    let graph = Graph::of_kind(kind, ports(), weights).unwrap();
    Fit::new(&graph, weights, &[], 0.0).unwrap()
}

fn batch(count: usize) -> (Vec<f32>, Vec<usize>) {
    let mut pixels = numbers(count * 784);
    // Images have borders where all pixels are alike: of equal sums the first counts.
    for image in pixels.chunks_exact_mut(784) {
        image.iter_mut().enumerate().for_each(|(at, pixel)| {
            if at % 28 < 9 || at / 28 > 20 {
                *pixel = 0.0;
            }
        });
    }
    (
        pixels,
        (0..count).map(|at| (at * 7 + at / 3) % 10).collect(),
    )
}

#[test]
fn gradients_are_those_of_automatic_differentiation() {
    let device = Device::flex().autodiff();
    for kind in KINDS {
        let network = Network::new(kind, ports(), 3, &device);
        let mut own = fit(kind, &network.weights()).unwrap();
        let (pixels, labels) = batch(70);
        let said = own.gradients(&pixels, &labels);

        let inputs = TensorData::new(pixels, [70, 1, 28, 28]);
        let logits = network.forward_training(Tensor::from_data(inputs, &device));
        let targets: Vec<i64> = labels.iter().map(|&it| it as i64).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [70]), &device);
        let loss = burn::nn::loss::CrossEntropyLossConfig::new().init(&device);
        let loss = loss.forward(logits.clone(), targets);
        let value = f64::from(host(loss.clone().inner())[0]);
        assert!(
            (said.loss / 70.0 - value).abs() < 1e-5,
            "{kind:?}: {} {value}",
            said.loss / 70.0
        );
        let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &network);
        let theirs = network.gradients(&gradients);
        assert_eq!(theirs.len(), own.parameters.len());
        for ((name, theirs), own) in theirs.iter().zip(&own.parameters) {
            assert_eq!(*name, own.name);
            let most = theirs.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
            let pairs = theirs.iter().zip(&own.gradient);
            let worst = pairs.fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst <= 2e-5 * most, "{kind:?} {name}: {worst} of {most}");
        }
    }
}

#[test]
fn weights_do_not_depend_on_the_number_of_workers_and_go_on_from_a_state() {
    for kind in KINDS {
        let weights = Network::new(kind, ports(), 3, &Device::flex()).weights();
        let (pixels, labels) = batch(50);
        let train = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let mut own = fit(kind, &weights).unwrap();
                let losses: Vec<f64> = (0..4)
                    .map(|_| own.batch(&pixels, &labels, 1e-3).loss)
                    .collect();
                (own, losses)
            })
        };
        let (one, losses) = train(1);
        let (three, _) = train(3);
        assert!(losses[3] < losses[0], "{kind:?}: {losses:?}");
        assert_eq!(one.weights(), three.weights(), "{kind:?}");
        // Another process goes on with the same bits.
        let graph = Graph::of_kind(kind, ports(), &one.weights()).unwrap();
        let again = Fit::new(&graph, &one.weights(), &one.state(), 0.0).unwrap();
        let (mut one, mut again) = (one, again.unwrap());
        one.batch(&pixels, &labels, 1e-3);
        again.batch(&pixels, &labels, 1e-3);
        assert_eq!(one.weights(), again.weights(), "{kind:?}");
    }
}

#[test]
fn what_is_no_chain_of_known_layers_is_left_to_burn() {
    for kind in [NetworkKind::Rnn, NetworkKind::Complex] {
        let weights = Network::new(kind, ports(), 3, &Device::flex()).weights();
        assert!(fit(kind, &weights).is_none(), "{kind:?}");
    }
    let weights = Network::new(NetworkKind::Mlp, ports(), 3, &Device::flex()).weights();
    let graph = Graph::of_kind(NetworkKind::Mlp, ports(), &weights).unwrap();
    assert!(Fit::new(&graph, &weights, b"noisescope fit 1 and more", 0.0).is_err());
}
