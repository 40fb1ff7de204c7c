//! Exporting the network's weights as safetensors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use noisescope::export;
use noisescope::nets::{Network, NetworkShape, import};
use noisescope::session::Session;
use noisescope::session::config::{self, Config, InputEncoding, NetworkKind};
use noisescope::session::record::TrainingRecord;
use serde_json::Value;

use super::{MAPS, TRAINED, run};
use crate::common::Bench;

/// The header of a safetensors file, and the offset of its data.
fn header(file: &[u8]) -> (Value, usize) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap());
    let begin = 8 + usize::try_from(length).unwrap();
    assert_eq!(begin % 8, 0);
    (serde_json::from_slice(&file[8..begin]).unwrap(), begin)
}

/// Asserts that the tensors fill the file without gaps; returns their shapes by name.
fn tensors(file: &[u8]) -> BTreeMap<String, Vec<u64>> {
    let (header, begin) = header(file);
    let mut shapes = BTreeMap::new();
    let mut ranges = Vec::new();
    for (name, entry) in header.as_object().unwrap() {
        if name == "__metadata__" {
            assert!(entry.as_object().unwrap().values().all(Value::is_string));
            continue;
        }
        assert_eq!(entry["dtype"], "F32");
        let list = |key: &str| -> Vec<u64> {
            let numbers = entry[key].as_array().unwrap().iter();
            numbers.map(|number| number.as_u64().unwrap()).collect()
        };
        let (shape, ends) = (list("shape"), list("data_offsets"));
        assert_eq!(
            ends[1] - ends[0],
            4 * shape.iter().product::<u64>(),
            "{name}"
        );
        ranges.push((ends[0], ends[1]));
        shapes.insert(name.clone(), shape);
    }
    ranges.sort_unstable();
    let mut offset = 0;
    for (first, end) in ranges {
        assert_eq!(first, offset, "no holes");
        offset = end;
    }
    assert_eq!(offset, (file.len() - begin) as u64);
    shapes
}

#[test]
fn every_built_in_network_is_read_back_from_its_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let ports = NetworkShape {
        image: [1, 28, 28],
        classes: 10,
    };
    for kind in NetworkKind::ALL {
        let weights = Network::new(kind, ports, 7, &Device::flex()).weights();
        let mut session = Session::new(
            "net",
            Config {
                network: config::Network {
                    kind,
                    ..Default::default()
                },
                ..Default::default()
            },
        );
        session.record.training = Some(TrainingRecord {
            finished: true,
            best: weights.clone(),
            ..Default::default()
        });
        let bytes = export::weights::weights(&session, folder.path()).unwrap();
        let again = export::weights::weights(&session, folder.path()).unwrap();
        assert_eq!(bytes, again, "the same bytes every time");
        let shapes = tensors(&bytes);
        assert_eq!(shapes["logits.bias"], [10], "{kind:?}");
        assert_eq!(
            header(&bytes).0["__metadata__"]["architecture"],
            kind.label()
        );
        fs::write(&path, bytes).unwrap();
        let read = import::read(&path, kind, ports, &InputEncoding::default()).unwrap();
        assert!(read.weights == weights, "{kind:?}");
        let assumed = read
            .notes
            .iter()
            .filter(|note| !note.starts_with("weights do not include"));
        assert_eq!(assumed.count(), 0, "{kind:?}: {:?}", read.notes);
    }
}

#[test]
fn an_exported_network_is_the_same_in_another_session() {
    let bench = Bench::new();
    run(&bench, "mine", TRAINED, MAPS);
    bench.succeed(&["export", "mine", "--format", "safetensors"]);
    let file = bench.path("mine.safetensors");
    let shapes = tensors(&fs::read(&file).unwrap());
    let expected = [
        ("logits.bias".to_owned(), vec![10]),
        ("logits.weight".to_owned(), vec![10, 576]),
    ];
    assert_eq!(shapes, expected.into());
    let network = format!("(kind: Logistic, weights: File({file:?}))");
    run(&bench, "theirs", &network, MAPS);
    let (mine, theirs) = (bench.load("mine"), bench.load("theirs"));
    assert!(
        mine.record.analyses == theirs.record.analyses,
        "the same trials, called the same"
    );
    // Imported weights can be exported again.
    bench.succeed(&["export", "theirs", "--format", "safetensors"]);
    let again = fs::read(bench.path("theirs.safetensors")).unwrap();
    let (again, original) = (header(&again).0, header(&fs::read(&file).unwrap()).0);
    let (again, original) = (&again["__metadata__"], &original["__metadata__"]);
    assert_eq!(again["sha256"], original["sha256"]);
    assert_eq!(
        again["from_sha256"],
        theirs.record.inputs[0].weights.clone().unwrap()
    );
    assert!(original.get("from_sha256").is_none());
}

#[test]
fn a_network_file_exports_its_own_arrays() {
    let bench = Bench::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx/cnn-newest.onnx");
    let mut arguments = vec!["run", "theirs", "--plain", "--device", "flex"];
    arguments.extend(["--network", file.to_str().unwrap(), "--set", "dataset=None"]);
    let maps = "analyses=[ClassificationImages((gammas: [0.0], trials: 128, block: 64))]";
    arguments.extend(["--set", maps]);
    bench.succeed(&arguments);
    bench.succeed(&["export", "theirs", "--format", "safetensors"]);
    let file = fs::read(bench.path("theirs.safetensors")).unwrap();
    let shapes = tensors(&file);
    for name in ["conv1.weight", "conv2.bias", "fc1.weight", "fc2.weight"] {
        assert!(shapes.contains_key(name), "{name}: {shapes:?}");
    }
    assert_eq!(shapes["conv1.weight"].len(), 4);
    let metadata = &header(&file).0["__metadata__"];
    assert_eq!(metadata["architecture"], "onnx");
    assert_eq!(metadata["network"], "cnn-newest.onnx");
}

#[test]
fn a_session_without_a_network_says_what_to_do() {
    let bench = Bench::new();
    bench.succeed(&["new", "fresh"]);
    let error = bench.refuse(1, &["export", "fresh", "--format", "safetensors"]);
    assert!(
        error.contains("has no trained network yet; run it first: noisescope run fresh"),
        "{error}"
    );
}
