//! Weights as people have them: what PyTorch and others save, against what PyTorch says with them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use noisescope::nets::import::{self, ImportedWeights};
use noisescope::nets::{Network, NetworkShape};
use noisescope::session::config::{InputEncoding, NetworkKind};
use proptest::prelude::*;
use tempfile::TempDir;

/// The images of `tests/fixtures/weights/make.py`, two of 1×2×3.
const IMAGES: [f32; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 0.0, 0.75, 0.25, 0.5, 0.0];
const PORTS: NetworkShape = NetworkShape {
    image: [1, 2, 3],
    classes: 4,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/weights")
        .join(name)
}

fn read(path: &Path, kind: NetworkKind) -> Result<ImportedWeights, String> {
    import::read(path, kind, PORTS, &InputEncoding::default()).map_err(|error| error.to_string())
}

fn taken(name: &str) -> ImportedWeights {
    let read = read(&fixture(name), NetworkKind::Logistic);
    read.unwrap_or_else(|words| panic!("{words}"))
}

fn refused(name: &str, kind: NetworkKind) -> String {
    match read(&fixture(name), kind) {
        Ok(it) => panic!("{name} was taken: {:?}", it.notes),
        Err(words) => words,
    }
}

#[test]
fn whatever_holds_the_weights_they_say_here_what_they_say_in_pytorch() {
    let text = std::fs::read_to_string(fixture("logits.json")).unwrap();
    let said: HashMap<String, Vec<Vec<f32>>> = serde_json::from_str(&text).unwrap();
    assert!(said.len() > 30, "{}", said.len());
    let device = Device::flex();
    for (name, said) in said {
        let weights = taken(&name).weights;
        let network = Network::with_weights(NetworkKind::Logistic, PORTS, &weights, &device);
        let logits = network.unwrap().logits(IMAGES.to_vec(), &device);
        for (here, there) in logits.iter().zip(said.concat()) {
            assert!((here - there).abs() < 1e-5, "{name}: {here} {there}");
        }
    }
}

#[test]
fn what_was_taken_and_how_is_noted() {
    for (name, note) in [
        (
            "entry-state_dict.pt",
            "took the state dict under `state_dict`; not read: `epoch`",
        ),
        ("model-and-ema.pt", "under `model`; not read: `ema`, `step`"),
        ("ema-module.pt", "under `ema`; not read: `model`"),
        ("optimizer.pt", "under `unet`; not read: `optimizer`"),
        ("lightning.ckpt", "not read: `criterion.weight`"),
        ("module.pt", "whole module of the class __main__.Net"),
        ("pruned.pt", "multiplied by their mask: `linear.weight`"),
        ("no-bias.pt", "no `linear.bias`; set to 0"),
        ("transposed.pt", "transposed: `dense/kernel:0`"),
        (
            "legacy.pt",
            "assumed: nothing between the pixels and the logits, and images from 0 to 1",
        ),
    ] {
        let notes = taken(name).notes;
        assert!(
            notes.iter().any(|it| it.contains(note)),
            "{name}: {notes:?}"
        );
    }
    let plain = taken("f16.pt").notes;
    assert_eq!(plain.len(), 1, "{plain:?}");
}

#[test]
fn what_cannot_be_taken_says_why_and_what_to_do() {
    for (name, words) in [
        ("runs.pt", &["run `posix.system`", "nothing was run"][..]),
        ("big-endian.pt", &["big-endian machine"]),
        ("quantized.pt", &["`linear.weight` has the type quantized"]),
        ("sparse.pt", &["`linear.weight` has the type sparse"]),
        ("float8.pt", &["`linear.weight` has the type float8_e4m3fn"]),
        (
            "nan.pt",
            &[
                "`linear.weight` has 1 of 24 values",
                "an earlier checkpoint",
            ],
        ),
        (
            "weight-norm.pt",
            &["a parametrization", "remove_parametrizations"],
        ),
        (
            "scaled.pt",
            &["--set 'network.input=(mean: [0.25], std: [0.5])'"],
        ),
        (
            "five-classes.pt",
            &["it has 5 classes, but the images have 4"],
        ),
        (
            "tensors.pt",
            &["a tuple of 2 tensors without names", "model.onnx"],
        ),
        (
            "settings.pkl",
            &[
                "an object of the class __main__.Settings",
                "torch.onnx.export",
            ],
        ),
        (
            "torchscript.pt",
            &[
                "a TorchScript archive",
                "torch.jit.load",
                "torch.zeros(1, 1, 2, 3)",
            ],
        ),
    ] {
        let said = refused(name, NetworkKind::Logistic);
        assert!(said.contains(name), "{said}");
        for words in words {
            assert!(said.contains(words), "{said}");
        }
    }
    assert!(!Path::new("a-pickle-was-run").exists());
    for name in ["hidden.pt", "hidden-named.pt"] {
        let words = refused(name, NetworkKind::Mlp);
        assert!(
            words.contains("a layer has 7 units, but the built-in network's has 1000")
                && words.contains("torch.onnx.export"),
            "{words}"
        );
    }
    let words = refused("tanh.pt", NetworkKind::Mlp);
    assert!(
        words.contains("applies `Tanh`") && words.contains("`mlp` applies ReLU"),
        "{words}"
    );
    let words = refused("legacy.pt", NetworkKind::Mlp);
    assert!(
        words.contains("they fit `logistic`: --set network.kind=logistic"),
        "{words}"
    );
}

#[test]
fn buffers_that_scale_images_may_stand_beside_a_plan_that_says_how() {
    let with = |mean: f64, std: f64| {
        let (mean, std) = (vec![mean], vec![std]);
        let input = InputEncoding {
            mean,
            std,
            ..InputEncoding::default()
        };
        let read = import::read(&fixture("scaled.pt"), NetworkKind::Logistic, PORTS, &input);
        read.unwrap()
    };
    let (same, other) = (with(0.25, 0.5), with(0.1, 0.5));
    assert_eq!(same.weights, taken("legacy.pt").weights);
    assert!(
        same.notes[0].contains("match network.input"),
        "{:?}",
        same.notes
    );
    assert!(other.notes[0].contains("are not used"), "{:?}", other.notes);
}

#[test]
fn the_number_of_classes_is_that_of_the_last_layer() {
    for (name, classes) in [
        ("legacy.pt", 4),
        ("module.pt", 4),
        ("no-bias.pt", 4),
        ("transposed.pt", 4),
        ("five-classes.pt", 5),
        ("hidden.pt", 4),
    ] {
        assert_eq!(
            import::classes(&fixture(name), PORTS.image).unwrap(),
            classes,
            "{name}"
        );
    }
}

/// A pickle in a file, read as a logistic regression.
fn of_pickle(content: &[u8]) -> Result<ImportedWeights, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("it.pt");
    std::fs::write(&path, content).unwrap();
    read(&path, NetworkKind::Logistic)
}

#[test]
fn values_that_hold_themselves_or_one_another_many_times_come_to_an_end() {
    // d = {}; d["d"] = d
    let words = of_pickle(b"\x80\x02}q\0X\x01\0\0\0dh\0s.").unwrap_err();
    assert!(words.contains("without tensors"), "{words}");
    // Each of forty dictionaries holds the one before it twice: 2⁴⁰ ways to a tensor.
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0))tR";
    let mut content = b"\x80\x02}X\x01\0\0\0t".to_vec();
    content.extend(tensor);
    content.push(b's');
    for _ in 0..40 {
        content.extend(b"q\0}X\x01\0\0\0ah\0sX\x01\0\0\0bh\0s");
    }
    content.push(b'.');
    let words = of_pickle(&content).unwrap_err();
    assert!(words.contains("has more than"), "{words}");
}

#[test]
fn what_is_declared_larger_than_the_file_is_damaged() {
    let whole = std::fs::read(fixture("legacy.pt")).unwrap();
    for length in [whole.len() - 1, whole.len() - 60, whole.len() / 2, 20, 3] {
        let words = of_pickle(&whole[..length]).unwrap_err();
        assert!(words.contains("damaged"), "{length}: {words}");
    }
    // The elements of the first storage, which stand behind the list of keys.
    let keys = whole.windows(2).rposition(|two| two == b"e.").unwrap() + 2;
    let mut absurd = whole.clone();
    absurd[keys..keys + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let words = of_pickle(&absurd).unwrap_err();
    assert!(words.contains("absurd lengths"), "{words}");
}

/// Most memory that this process has held, in MiB.
#[cfg(target_os = "linux")]
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib >> 10
}

proptest! {
    #[test]
    fn damage_is_refused_or_harmless_and_takes_little_memory(
        name in prop::sample::select(vec![
            "legacy.pt", "metadata-legacy.pt", "module.pt", "pickle.pkl", "strided.pt", "metadata.pt", "protocol-4.pt",
        ]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        keep in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut content = std::fs::read(fixture(name)).unwrap();
        for (place, byte) in damage {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Some(keep) = keep {
            content.truncate(keep.index(content.len()));
        }
        if let Ok(it) = of_pickle(&content) {
            let values: usize = it.weights.tensors.iter().map(|(_, it)| it.values().len()).sum();
            prop_assert_eq!(values, 28);
        }
        #[cfg(target_os = "linux")]
        prop_assert!(peak() < 1024, "{} MiB", peak());
    }
}
