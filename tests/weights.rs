//! Importing weights as PyTorch and others save them, compared with PyTorch's own results.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use noisescope::nets::import::{self, ImportedWeights};
use noisescope::nets::{Network, NetworkShape};
use noisescope::session::config::{InputEncoding, NetworkKind};
use proptest::prelude::*;
use tempfile::TempDir;

/// The two images of `tests/fixtures/weights/make.py`, of shape 1×2×3.
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

fn imported(name: &str) -> ImportedWeights {
    let result = read(&fixture(name), NetworkKind::Logistic);
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: &str, kind: NetworkKind) -> String {
    match read(&fixture(name), kind) {
        Ok(imported) => panic!("{name} was accepted: {:?}", imported.notes),
        Err(error) => error,
    }
}

#[test]
fn weights_in_any_container_give_the_same_logits_as_in_pytorch() {
    let text = std::fs::read_to_string(fixture("logits.json")).unwrap();
    let reference: HashMap<String, Vec<Vec<f32>>> = serde_json::from_str(&text).unwrap();
    assert!(reference.len() > 30, "{}", reference.len());
    let device = Device::flex();
    for (name, expected) in reference {
        let weights = imported(&name).weights;
        let network = Network::with_weights(NetworkKind::Logistic, PORTS, &weights, &device);
        let logits = network.unwrap().logits(IMAGES.to_vec(), &device);
        for (ours, theirs) in logits.iter().zip(expected.concat()) {
            assert!((ours - theirs).abs() < 1e-5, "{name}: {ours} {theirs}");
        }
    }
}

#[test]
fn the_chosen_weights_and_their_conversion_are_noted() {
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
        let notes = imported(name).notes;
        assert!(
            notes.iter().any(|line| line.contains(note)),
            "{name}: {notes:?}"
        );
    }
    let plain = imported("f16.pt").notes;
    assert_eq!(plain.len(), 1, "{plain:?}");
}

#[test]
fn unusable_weights_are_refused_with_a_remedy() {
    for (name, fragments) in [
        ("runs.pt", &["run `posix.system`", "nothing was run"][..]),
        ("big-endian.pt", &["big-endian machine"]),
        ("quantized.pt", &["`linear.weight` has the type quantised"]),
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
        let error = refused(name, NetworkKind::Logistic);
        assert!(error.contains(name), "{error}");
        for fragment in fragments {
            assert!(error.contains(fragment), "{error}");
        }
    }
    assert!(!Path::new("a-pickle-was-run").exists());
    for name in ["hidden.pt", "hidden-named.pt"] {
        let error = refused(name, NetworkKind::Mlp);
        assert!(
            error.contains("a layer has 7 units, but the built-in network's has 1000")
                && error.contains("torch.onnx.export"),
            "{error}"
        );
    }
    let error = refused("tanh.pt", NetworkKind::Mlp);
    assert!(
        error.contains("applies `Tanh`") && error.contains("`mlp` applies ReLU"),
        "{error}"
    );
    let error = refused("legacy.pt", NetworkKind::Mlp);
    assert!(
        error.contains("they fit `logistic`: --set network.kind=logistic"),
        "{error}"
    );
}

#[test]
fn scaling_buffers_are_accepted_if_the_plan_gives_the_scaling() {
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
    assert_eq!(same.weights, imported("legacy.pt").weights);
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

/// Reads a pickle as the weights of a logistic regression.
fn read_pickle(content: &[u8]) -> Result<ImportedWeights, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("it.pt");
    std::fs::write(&path, content).unwrap();
    read(&path, NetworkKind::Logistic)
}

#[test]
fn cyclic_and_repeatedly_shared_values_are_refused_in_finite_time() {
    // d = {}; d["d"] = d
    let error = read_pickle(b"\x80\x02}q\0X\x01\0\0\0dh\0s.").unwrap_err();
    assert!(error.contains("without tensors"), "{error}");
    // Each of forty dictionaries contains the one before it twice: 2⁴⁰ paths to a tensor.
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0))tR";
    let mut content = b"\x80\x02}X\x01\0\0\0t".to_vec();
    content.extend(tensor);
    content.push(b's');
    for _ in 0..40 {
        content.extend(b"q\0}X\x01\0\0\0ah\0sX\x01\0\0\0bh\0s");
    }
    content.push(b'.');
    let error = read_pickle(&content).unwrap_err();
    assert!(error.contains("has more than"), "{error}");
}

#[test]
fn lengths_beyond_the_file_are_refused_as_damage() {
    let whole = std::fs::read(fixture("legacy.pt")).unwrap();
    for length in [whole.len() - 1, whole.len() - 60, whole.len() / 2, 20, 3] {
        let error = read_pickle(&whole[..length]).unwrap_err();
        assert!(error.contains("damaged"), "{length}: {error}");
    }
    // The element count of the first storage, after the list of keys.
    let keys = whole.windows(2).rposition(|two| two == b"e.").unwrap() + 2;
    let mut absurd = whole.clone();
    absurd[keys..keys + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = read_pickle(&absurd).unwrap_err();
    assert!(error.contains("absurd lengths"), "{error}");
}

/// Peak memory of this process in MiB.
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
    fn damage_is_refused_or_harmless_and_uses_little_memory(
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
        if let Ok(imported) = read_pickle(&content) {
            let tensors = imported.weights.tensors.iter();
            let values: usize = tensors.map(|(_, tensor)| tensor.values().len()).sum();
            prop_assert_eq!(values, 28);
        }
        #[cfg(target_os = "linux")]
        prop_assert!(peak() < 1024, "{} MiB", peak());
    }
}
