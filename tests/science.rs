//! An experiment on a network whose result is known, and the networks themselves.

use std::sync::Arc;

use burn::tensor::Device;
use noisescope::analysis::{self, Job, Lab};
use noisescope::data::{self, Dataset, DatasetOrigin, Images};
use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::nets::train::Trainer;
use noisescope::nets::weights::WeightsError;
use noisescope::nets::{Network, NetworkShape, Subject};
use noisescope::session::config::{self, Analysis, DatasetName, NetworkKind};
use noisescope::session::record::{self, NetworkWeights};
use noisescope::session::{Array, Config, Form, Session};
use noisescope::stats::correlation::pearson;
use noisescope::stimulus::Pool;

/// The input and output shape of a network for MNIST.
const DIGITS: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};

fn template() -> Vec<f32> {
    (0..784)
        .map(|i| {
            let (row, column) = ((i / 28) as f32 - 13.5, (i % 28) as f32 - 13.5);
            ((row * row + column * column).sqrt() * 0.6).sin()
        })
        .collect()
}

/// A logistic regression that answers 1 if the image matches the template, else 0.
fn template_network(device: &Device) -> Subject {
    let template = template();
    let mut weight = vec![0.0; 784 * 10];
    let mut bias = vec![-1e6; 10];
    for (pixel, &value) in template.iter().enumerate() {
        weight[pixel * 10 + 1] = value;
    }
    bias[0] = 0.0;
    bias[1] = -0.5 * template.iter().sum::<f32>();
    let weights = NetworkWeights {
        tensors: vec![
            ("logits.weight".into(), Array::new(&[784, 10], weight)),
            ("logits.bias".into(), Array::new(&[10], bias)),
        ],
    };
    Subject::built_in(NetworkKind::Logistic, DIGITS, &weights, device).unwrap()
}

fn grey_images() -> Images {
    Images {
        pixels: Arc::from(vec![128; 10 * 784]),
        labels: Arc::from((0..10).collect::<Vec<u16>>()),
        channels: 1,
        height: 28,
        width: 28,
        classes: 10,
    }
}

#[test]
fn the_map_of_a_template_network_is_its_template() {
    let device = Device::flex();
    let lab = Lab {
        network: template_network(&device),
        kind: NetworkKind::Logistic,
        form: Arc::new(Form::numbered([1, 28, 28], 10)),
        device,
        pool: Pool::new(&grey_images()),
        dataset: Arc::new(Dataset {
            name: DatasetName::Mnist,
            origin: DatasetOrigin::Embedded,
            train: grey_images(),
            test: grey_images(),
            classes: (0..10).map(|class| class.to_string()).collect(),
            notes: Vec::new(),
        }),
        resident: noisescope::analysis::DeviceData::default(),
    };
    let config = Config {
        analyses: vec![Analysis::ClassificationImages(
            config::ClassificationImages {
                gammas: vec![Gamma::NOISE],
                trials: 120_000,
                block: 1000,
                ..Default::default()
            },
        )],
        ..Default::default()
    };
    let mut analysis = analysis::build(&config, 0, &lab);
    let whole = Session::new("ideal", config).record;
    let mut record = whole.analyses[0].clone();
    analysis.begin(0, &lab, &whole, &mut record).unwrap();
    for block in BlockIndex::first(analysis.sequences()[0].blocks) {
        let job = Job::single_block(0, block);
        analysis.merge(&mut record, job, analysis.step(&lab, job).unwrap());
    }
    analysis.refresh(&lab, &mut record);
    let record::Analysis::ClassificationImages(images) = &record else {
        unreachable!()
    };
    let estimate = images.gammas[0].estimate();
    let image = &estimate.classes[1].decision.as_ref().unwrap().image;
    let r = pearson(image, &template()).unwrap();
    assert!(r >= 0.99, "correlation {r}");
    // The mean stimulus of a class, fed back to the network, is called that class.
    let fed_back = images.gammas[0].fed_back[1].unwrap();
    assert_eq!(fed_back.class, ClassId(1));
    assert!(
        estimate.classes[5].decision.is_none(),
        "a class that is never called has no image"
    );
    assert!(images.gammas[0].fed_back[5].is_none());
}

#[test]
fn the_networks_have_the_parameters_of_the_protocol() {
    let device = Device::flex();
    for (kind, parameters, layers) in [
        (
            NetworkKind::Cnn,
            431_080,
            vec!["conv1", "conv2", "fc1", "logits"],
        ),
        (NetworkKind::Mlp, 795_010, vec!["fc1", "logits"]),
        (NetworkKind::Logistic, 7_850, vec!["logits"]),
        // PyTorch counts two bias vectors per gate, of which only the sum matters: 1,024 more.
        (
            NetworkKind::Rnn,
            214_282 - 1_024,
            vec!["lstm1", "lstm2", "logits"],
        ),
        (
            NetworkKind::Simple,
            421_642,
            vec!["conv1", "conv2", "fc1", "logits"],
        ),
        (
            NetworkKind::Complex,
            422_346,
            vec!["conv1", "norm1", "conv2", "conv3", "fc1", "logits"],
        ),
    ] {
        let network = Network::new(kind, DIGITS, 1, &device);
        assert_eq!(network.parameter_count(), parameters, "{kind:?}");
        let found = network.layers();
        let names: Vec<&str> = found.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, layers, "{kind:?}");
    }
}

#[test]
fn weights_survive_a_round_trip_without_changing_a_logit() {
    let device = Device::flex();
    let pixels: Vec<f32> = (0..5 * 784).map(|i| (i % 97) as f32 / 97.0).collect();
    for kind in NetworkKind::ALL {
        let network = Network::new(kind, DIGITS, 9, &device);
        let copy = Network::with_weights(kind, DIGITS, &network.weights(), &device).unwrap();
        assert_eq!(
            network.logits(pixels.clone(), &device),
            copy.logits(pixels.clone(), &device)
        );
        let other = Network::new(kind, DIGITS, 10, &device);
        assert_ne!(network.weights(), other.weights());
    }
}

#[test]
fn weights_that_do_not_fit_name_the_tensor() {
    let device = Device::flex();
    let mut weights = Network::new(NetworkKind::Mlp, DIGITS, 1, &device).weights();
    let error = Network::with_weights(NetworkKind::Cnn, DIGITS, &weights, &device).unwrap_err();
    assert_eq!(error, WeightsError::Missing("conv1.weight".into()));
    weights.tensors[0].1 = Array::zeros(&[784, 999]);
    let error = Network::with_weights(NetworkKind::Mlp, DIGITS, &weights, &device).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("fc1.weight") && message.contains("999"),
        "{message}"
    );
}

/// Compares the network with a step-by-step computation in double precision.
#[test]
fn the_convolutional_network_equals_a_plain_computation() {
    let device = Device::flex();
    let network = Network::new(NetworkKind::Cnn, DIGITS, 4, &device);
    let set = data::embedded::dataset(DatasetName::Mnist).unwrap();
    let tensor = |name: &str| -> Vec<f64> {
        let weights = network.weights();
        let (_, values) = weights
            .tensors
            .iter()
            .find(|(tensor_name, _)| tensor_name == name)
            .unwrap();
        values.values().iter().map(|&v| f64::from(v)).collect()
    };
    for image in 0..3 {
        let pixels: Vec<f32> = set
            .test
            .image(image)
            .iter()
            .map(|&b| f32::from(b) / 255.0)
            .collect();
        let x: Vec<f64> = pixels.iter().map(|&p| f64::from(p)).collect();
        let x = pooled(
            &convolved(&x, 1, 28, &tensor("conv1.weight"), &tensor("conv1.bias")),
            20,
            24,
        );
        let x = pooled(
            &convolved(&x, 20, 12, &tensor("conv2.weight"), &tensor("conv2.bias")),
            50,
            8,
        );
        let x = dense(&x, &tensor("fc1.weight"), &tensor("fc1.bias"));
        let x: Vec<f64> = x.iter().map(|v| v.max(0.0)).collect();
        let expected = dense(&x, &tensor("logits.weight"), &tensor("logits.bias"));
        for (a, b) in network.logits(pixels, &device).iter().zip(&expected) {
            assert!((f64::from(*a) - b).abs() < 1e-4, "{a} {b}");
        }
    }
}

fn convolved(x: &[f64], channels: usize, side: usize, kernel: &[f64], bias: &[f64]) -> Vec<f64> {
    let out = side - 4;
    let mut y = Vec::new();
    for (o, b) in bias.iter().enumerate() {
        for row in 0..out {
            for column in 0..out {
                let mut sum = *b;
                for c in 0..channels {
                    for i in 0..5 {
                        for j in 0..5 {
                            let k = kernel[((o * channels + c) * 5 + i) * 5 + j];
                            sum += k * x[(c * side + row + i) * side + column + j];
                        }
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

fn pooled(x: &[f64], channels: usize, side: usize) -> Vec<f64> {
    let at = |c: usize, row: usize, column: usize| x[(c * side + row) * side + column].max(0.0);
    let mut y = Vec::new();
    for c in 0..channels {
        for row in (0..side).step_by(2) {
            for column in (0..side).step_by(2) {
                let most = [(0, 0), (0, 1), (1, 0), (1, 1)]
                    .iter()
                    .map(|(i, j)| at(c, row + i, column + j))
                    .fold(0.0, f64::max);
                y.push(most);
            }
        }
    }
    y
}

fn dense(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let outputs = bias.len();
    (0..outputs)
        .map(|o| {
            bias[o]
                + x.iter()
                    .enumerate()
                    .map(|(i, v)| v * weight[i * outputs + o])
                    .sum::<f64>()
        })
        .collect()
}

#[test]
fn a_loss_that_is_not_finite_is_an_error_with_a_remedy() {
    let device = Device::flex();
    let mut weights = Network::new(NetworkKind::Logistic, DIGITS, 1, &device).weights();
    weights.tensors[0].1.values_mut()[0] = f32::INFINITY;
    let mut record = record::TrainingRecord {
        current: weights,
        ..Default::default()
    };
    let mut trainer = Trainer::new(
        NetworkKind::Logistic,
        &config::TrainingConfig::default(),
        1,
        &grey_images(),
        &device,
        &mut record,
    )
    .unwrap();
    let error = trainer.step(&mut record, &mut || {}).unwrap_err();
    assert!(
        error.to_string().contains("network.weights.lr_max"),
        "{error}"
    );
}
