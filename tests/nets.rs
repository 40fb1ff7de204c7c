//! The networks compared with PyTorch, weights from its files, and interrupted training.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use flate2::read::GzDecoder;
use noisescope::data::{self, Dataset, Images};
use noisescope::nets::import;
use noisescope::nets::score::evaluate;
use noisescope::nets::train::{TrainError, TrainStep, Trainer};
use noisescope::nets::{Network, NetworkShape, Subject};
use noisescope::session::config::{self, DatasetName, InputEncoding, NetworkKind};
use noisescope::session::record;
use tempfile::TempDir;

/// The input and output shape of a network for MNIST.
const DIGITS: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nets")
}

/// Unpacks a checkpoint made by `tests/fixtures/nets/make.py`.
fn checkpoint(folder: &TempDir, name: &str) -> PathBuf {
    let packed = File::open(fixtures().join(format!("{name}.gz"))).unwrap();
    let path = folder.path().join(name);
    let mut unpacked = File::create(&path).unwrap();
    std::io::copy(&mut GzDecoder::new(packed), &mut unpacked).unwrap();
    path
}

/// The script's four images, \[4,28,28\].
fn images() -> Vec<f32> {
    let pixel = |k: usize, i: usize| ((i * 7919 + k * 104_729 + i * i * (k + 3)) % 256) as f32;
    (0..4)
        .flat_map(|k| (0..784).map(move |i| pixel(k, i) / 255.0))
        .collect()
}

#[test]
fn a_pytorch_checkpoint_gives_the_same_logits_as_in_pytorch() {
    let device = Device::flex();
    let mut text = String::new();
    let mut file = File::open(fixtures().join("logits.json")).unwrap();
    file.read_to_string(&mut text).unwrap();
    let reference: HashMap<String, Vec<Vec<f32>>> = serde_json::from_str(&text).unwrap();
    let folder = TempDir::new().unwrap();
    for (name, kind) in [
        // Numbered modules, a zip archive.
        ("complex.pt", NetworkKind::Complex),
        // The pickle format of PyTorch before 1.6.
        ("simple.pt", NetworkKind::Simple),
        ("simple.safetensors", NetworkKind::Simple), // bf16
        // `state_dict` beside other entries, prefixed by `module.`, with the network's own names.
        ("rnn.pt", NetworkKind::Rnn),
        ("cnn.pt", NetworkKind::Cnn), // fc2 is the last layer
        ("mlp.pt", NetworkKind::Mlp), // f64
        // The layer names of this program.
        ("logistic.safetensors", NetworkKind::Logistic),
    ] {
        let imported = import::read(
            &checkpoint(&folder, name),
            kind,
            DIGITS,
            &InputEncoding::default(),
        );
        let weights = imported.unwrap().weights;
        let network = Network::with_weights(kind, DIGITS, &weights, &device).unwrap();
        let logits = network.logits(images(), &device);
        let expected: Vec<f32> = reference[name].concat();
        assert_eq!(logits.len(), 40, "{name}");
        for (ours, theirs) in logits.iter().zip(&expected) {
            assert!((ours - theirs).abs() < 1e-4, "{name}: {ours} {theirs}");
        }
    }
}

fn refused(path: &Path, kind: NetworkKind) -> String {
    let refusal = import::read(path, kind, DIGITS, &InputEncoding::default()).unwrap_err();
    let error = refusal.to_string();
    let prefix = format!("network.weights: {}: ", path.display());
    error
        .strip_prefix(&prefix)
        .unwrap_or_else(|| panic!("{error}"))
        .to_owned()
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_the_tensor() {
    let folder = TempDir::new().unwrap();
    let refusal_of = |name: &str, kind| refused(&checkpoint(&folder, name), kind);
    let logistic = NetworkKind::Logistic;
    let error = refusal_of("shape.pt", logistic);
    assert!(
        error.contains("`0.weight`") && error.contains("[10, 783]") && error.contains("[10, 784]"),
        "{error}"
    );
    let error = refusal_of("integers.pt", logistic);
    assert!(
        error.contains("`0.weight`") && error.contains("i64"),
        "{error}"
    );
    let error = refusal_of("infinite.pt", logistic);
    assert!(
        error.contains("`0.weight`") && error.contains("infinite"),
        "{error}"
    );
    let error = refusal_of("extra.pt", logistic);
    assert!(
        error.contains("`0.scale`") && error.contains("`logistic`"),
        "{error}"
    );
    // Checkpoints for other architectures.
    let error = refusal_of("complex.pt", NetworkKind::Simple);
    assert!(
        error.contains("`simple` needs `conv1`, `conv2`, `fc1`, `logits`"),
        "{error}"
    );
    let error = refusal_of("rnn.pt", NetworkKind::Cnn);
    assert!(error.contains("`lstm`, `lstm (layer 1)`"), "{error}");
    let error = refusal_of("simple.pt", NetworkKind::Cnn);
    assert!(
        error.contains("`0.weight` has the shape [32, 1, 3, 3]"),
        "{error}"
    );
}

#[test]
fn a_pickle_that_asks_for_code_is_refused_and_not_run() {
    let folder = TempDir::new().unwrap();
    let error = refused(&checkpoint(&folder, "asks.pt"), NetworkKind::Logistic);
    assert!(
        error.contains("asks Python to run `posix.system`"),
        "{error}"
    );
    // A pickle that consists only of the call.
    let path = folder.path().join("call.pt");
    std::fs::write(
        &path,
        b"\x80\x02cposix\nsystem\nX\x16\x00\x00\x00touch a-pickle-was-run\x85R.",
    )
    .unwrap();
    let error = refused(&path, NetworkKind::Logistic);
    assert!(error.contains("`posix.system`"), "{error}");
    assert!(!Path::new("a-pickle-was-run").exists());
}

#[test]
fn a_file_that_is_no_checkpoint_is_refused_with_what_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("it.pt");
    for (content, description) in [
        (&b""[..], "an empty file"),
        (b"epoch,loss\n1,0.5\n", "a text file"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a picture"),
        (b"\x80\x02}q\x00(X", "damaged"),
        (b"PK\x03\x04 and so on", "damaged"),
        (b"\xff\x00\x01\x02", "of an unknown kind"),
        (b"\x20\x00\x00\x00\x00\x00\x00\x00{\"cut off\":", "damaged"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = refused(&path, NetworkKind::Cnn);
        assert!(error.contains(description), "{error}");
    }
    let error = refused(&folder.path().join("none.pt"), NetworkKind::Cnn);
    assert!(error.contains("cannot be read"), "{error}");
    let error = refused(folder.path(), NetworkKind::Cnn);
    assert!(error.contains("cannot be read"), "{error}");
    // A truncated download.
    let whole = std::fs::read(checkpoint(&folder, "cnn.pt")).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = refused(&path, NetworkKind::Cnn);
    assert!(error.contains("damaged"), "{error}");
}

fn digits() -> Dataset {
    data::embedded::dataset(DatasetName::Mnist).unwrap()
}

fn first(images: &Images, count: usize) -> Images {
    Images {
        pixels: images.pixels[..count * 784].into(),
        labels: images.labels[..count].into(),
        ..images.clone()
    }
}

/// Trains to the end; after every `piece` steps, training stops and resumes from the record.
fn trained(
    kind: NetworkKind,
    plan: &config::TrainingConfig,
    images: &Images,
    piece: usize,
) -> record::TrainingRecord {
    let device = Device::flex();
    let mut record = record::TrainingRecord::default();
    loop {
        let mut trainer = Trainer::new(kind, plan, 5, images, &device, &mut record).unwrap();
        for _ in 0..piece {
            if trainer.step(&mut record, &mut || {}).unwrap() == TrainStep::Done {
                trainer.save(&mut record).unwrap();
                return record;
            }
        }
        trainer.save(&mut record).unwrap();
    }
}

#[test]
fn interrupted_training_resumes_bit_for_bit() {
    let images = first(&digits().train, 60);
    let plan = config::TrainingConfig {
        epochs: 2,
        batch: 16,
        ..Default::default()
    };
    for kind in [NetworkKind::Rnn, NetworkKind::Complex] {
        let whole = trained(kind, &plan, &images, usize::MAX);
        let pieces = trained(kind, &plan, &images, 1);
        assert_eq!(whole.epochs, pieces.epochs, "{kind:?}");
        assert!(whole.current == pieces.current, "{kind:?}: the weights");
        assert!(whole.best == pieces.best, "{kind:?}: the best weights");
    }
}

/// A share can be too small to hold out an image, or too large to leave one.
#[test]
fn a_set_that_cannot_be_divided_is_refused_with_a_remedy_for_either_reason() {
    let images = first(&digits().train, 2);
    for validation in [0.2, 0.8] {
        let plan = config::TrainingConfig {
            validation,
            ..Default::default()
        };
        let (kind, device) = (NetworkKind::Logistic, Device::flex());
        let mut record = record::TrainingRecord::default();
        let trainer = Trainer::new(kind, &plan, 5, &images, &device, &mut record);
        let refused = trainer.err().unwrap().to_string();
        assert!(refused.contains("hold out another share"), "{refused}");
    }
}

/// Otherwise the session would go on with a network whose answers are no numbers once it is resumed.
#[test]
fn an_epoch_whose_validation_diverged_is_not_done() {
    let images = first(&digits().train, 60);
    let plan = config::TrainingConfig {
        epochs: 1,
        batch: 16,
        ..Default::default()
    };
    let device = Device::flex();
    let mut weights = Network::new(NetworkKind::Logistic, DIGITS, 5, &device).weights();
    for (_, values) in &mut weights.tensors {
        values.values_mut().fill(f32::NAN);
    }
    let mut record = record::TrainingRecord {
        current: weights,
        partial: record::PartialEpoch {
            batches: 3,
            ..Default::default()
        },
        ..Default::default()
    };
    for _ in 0..2 {
        let mut trainer = Trainer::new(
            NetworkKind::Logistic,
            &plan,
            5,
            &images,
            &device,
            &mut record,
        )
        .unwrap();
        let error = trainer.step(&mut record, &mut || {}).unwrap_err();
        assert!(
            matches!(error, TrainError::Diverged { epoch: 1, .. }),
            "{error}"
        );
        assert!(record.epochs.is_empty() && record.best.is_empty());
    }
}

/// The kept weights give the answers of the network that was validated.
#[test]
fn the_kept_weights_of_a_normalised_network_are_the_validated_ones() {
    let set = digits();
    let images = first(&set.train, 300);
    let plan = config::TrainingConfig {
        epochs: 2,
        batch: 32,
        ..Default::default()
    };
    let record = trained(NetworkKind::Complex, &plan, &images, usize::MAX);
    let best = record.epochs[record.best_epoch.unwrap() - 1];
    let device = Device::flex();
    let network =
        Network::with_weights(NetworkKind::Complex, DIGITS, &record.best, &device).unwrap();
    let statistics = |name: &str| {
        let (_, values) = record
            .best
            .tensors
            .iter()
            .find(|(tensor_name, _)| tensor_name == name)
            .unwrap();
        values.values().to_vec()
    };
    assert!(
        statistics("norm1.running_var")
            .iter()
            .all(|&value| value > 0.0 && value != 1.0)
    );
    assert!(
        statistics("norm1.running_mean")
            .iter()
            .all(|&value| value != 0.0)
    );
    // The trainer's held-out images are used, so the scores agree only if all weights and statistics do.
    let mut again = record::TrainingRecord {
        current: record.best.clone(),
        partial: record::PartialEpoch {
            batches: 8,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut trainer =
        Trainer::new(NetworkKind::Complex, &plan, 5, &images, &device, &mut again).unwrap();
    let TrainStep::Epoch(epoch) = trainer.step(&mut again, &mut || {}).unwrap() else {
        panic!("not a validation");
    };
    assert_eq!(epoch.valid_loss, best.valid_loss);
    // An image's logits do not depend on its batch, even on a device that records gradients.
    let recording = device.clone().autodiff();
    let same =
        Network::with_weights(NetworkKind::Complex, DIGITS, &record.best, &recording).unwrap();
    let all = network.logits(images_of(&images, 8), &device);
    let one = same.logits(images_of(&images, 1), &recording);
    for (a, b) in all.iter().zip(&one) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

fn images_of(images: &Images, count: usize) -> Vec<f32> {
    let bytes = images.pixels[..count * 784].iter();
    bytes.map(|&byte| f32::from(byte) / 255.0).collect()
}

#[test]
fn every_network_learns_digits_in_three_epochs() {
    let set = digits();
    let device = Device::flex();
    let plan = config::TrainingConfig {
        epochs: 3,
        batch: 16,
        lr_max: 3e-3,
        ..Default::default()
    };
    // Few images and steps are enough to beat an untrained network, whose accuracy is a tenth.
    let test: Vec<usize> = (0..300).collect();
    for (kind, images, least) in [
        (NetworkKind::Rnn, 1000, 0.4),
        (NetworkKind::Simple, 300, 0.7),
        (NetworkKind::Complex, 300, 0.7),
    ] {
        let images = first(&set.train, images);
        let record = trained(kind, &plan, &images, usize::MAX);
        let network = Subject::built_in(kind, DIGITS, &record.best, &device).unwrap();
        let score = evaluate(&network, &set.test, &test, &mut || {});
        assert!(score.accuracy > least, "{kind:?} {score:?}");
    }
}
