//! Exports for notebooks: self-describing arrays, the network's weights, and the trials behind a cell of the counts.

#[path = "fixtures/colours.rs"]
#[allow(dead_code, reason = "shared with the tests of colours")]
mod colours;
mod common;
#[path = "notebooks/fields.rs"]
mod fields;
#[path = "notebooks/pairs.rs"]
mod pairs;
#[path = "notebooks/trials.rs"]
mod trials;
#[path = "notebooks/weights.rs"]
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use common::{Bench, set_options, with_plan};
use noisescope::export::{json, npz};
use noisescope::session::Session;
use serde_json::Value;

/// The NPY files of an NPZ, by name.
struct Npz(BTreeMap<String, Vec<u8>>);

impl Npz {
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let files = zip.file_names().map(|name| name.unwrap().into_owned());
        let files: Vec<String> = files.collect();
        let mut all = BTreeMap::new();
        for file in files {
            let mut npy = Vec::new();
            zip.by_name(&file).unwrap().read_to_end(&mut npy).unwrap();
            let name = file.strip_suffix(".npy").unwrap().to_owned();
            assert!(all.insert(name, npy).is_none(), "{file} appears twice");
        }
        Self(all)
    }

    fn in_memory(session: &Session) -> Self {
        let mut out = Cursor::new(Vec::new());
        npz(session, &mut out).unwrap();
        Self::from_bytes(&out.into_inner())
    }

    fn read(path: &Path) -> Self {
        Self::from_bytes(&fs::read(path).unwrap())
    }

    fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn file(&self, name: &str) -> npyz::NpyFile<&[u8]> {
        let npy = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        npyz::NpyFile::new(npy.as_slice()).unwrap()
    }

    fn shape(&self, name: &str) -> Vec<u64> {
        self.file(name).shape().to_vec()
    }

    fn floats(&self, name: &str) -> Vec<f64> {
        self.file(name).into_vec().unwrap()
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        self.file(name).into_vec().unwrap()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.file(name).into_vec().unwrap()
    }

    fn meta(&self) -> Value {
        assert_eq!(self.shape("meta"), [0_u64; 0], "a text without axes");
        let texts = self.texts("meta");
        serde_json::from_str(&texts[0]).unwrap()
    }
}

/// Asserts that the metadata names every axis of every array and describes nothing else; returns the metadata.
fn assert_self_describing(npz: &Npz) -> Value {
    let meta = npz.meta();
    let axes = meta["axes"].as_object().unwrap();
    let described: BTreeSet<&str> = axes.keys().map(String::as_str).collect();
    assert_eq!(described, npz.names());
    let mut lengths: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, axes) in axes {
        let axes = axes.as_array().unwrap();
        let shape = npz.shape(name);
        assert_eq!(axes.len(), shape.len(), "{name} {axes:?} {shape:?}");
        for (axis, length) in axes.iter().zip(shape) {
            let axis = axis.as_str().unwrap();
            // All axes of classes have the same length.
            if ["class", "true class", "called", "target"].contains(&axis) && length > 0 {
                assert_eq!(*lengths.entry("class").or_insert(length), length, "{name}");
            }
        }
    }
    for (name, unit) in meta["units"].as_object().unwrap() {
        assert!(described.contains(name.as_str()), "{name}");
        assert!(!unit.as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(meta["format"], 1);
    let program = format!("noisescope {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(meta["program"], program);
    meta
}

/// Asserts that the metadata describes the arrays, and the session they come from.
fn assert_describes_session(npz: &Npz, session: &Session) {
    let meta = assert_self_describing(npz);
    // Parsed from text, as the metadata is.
    let json: Value = serde_json::from_str(&json(session).to_string()).unwrap();
    assert_eq!(meta["session"], json["name"]);
    assert_eq!(meta["plan"], json["config"]);
    assert_eq!(meta["notes"], json["notes"]);
    for key in ["starts", "inputs", "elapsed_s"] {
        assert_eq!(meta["provenance"][key], json[key], "{key}");
    }
    assert_eq!(meta["provenance"]["seed"], session.config.seed);
}

/// Asserts that each image divided by its standard errors is its z.
fn assert_errors_fit(npz: &Npz, prefix: &str) {
    let values = |name: &str| npz.floats(&format!("{prefix}_{name}"));
    let (images, z, errors) = (values("image"), values("z"), values("se"));
    assert_eq!((images.len(), z.len()), (errors.len(), errors.len()));
    let mut known = 0;
    for ((image, z), error) in images.iter().zip(&z).zip(&errors) {
        match z.is_nan() || *z == 0.0 {
            true => assert!(error.is_nan(), "{prefix}: {image} {z} {error}"),
            false => {
                known += 1;
                assert!(*error > 0.0, "{prefix}: {error}");
                let again = image / error;
                assert!((again - z).abs() < 1e-4 * z.abs().max(1.0), "{again} {z}");
            }
        }
    }
    assert!(known > 0, "{prefix} has no image");
}

#[test]
fn the_metadata_describes_exactly_the_arrays_in_the_file() {
    for session in [
        colours::measured([3, 7, 5], 13),
        colours::measured([1, 5, 3], 4),
    ] {
        let npz = Npz::in_memory(&session);
        assert_describes_session(&npz, &session);
        assert_errors_fit(&npz, "ci");
        for name in ["attack_hits", "modulation_accuracy", "backdoor_score"] {
            assert!(npz.names().contains(name), "{name}");
        }
    }
}

#[test]
fn the_standard_error_is_that_of_the_closed_form() {
    let (shape, k) = ([3, 7, 5], 13);
    let npz = Npz::in_memory(&colours::measured(shape, k));
    let trials = 2.0 * colours::CALLED as f64;
    let expected = (1.0 / 12.0 * (1.0 / trials - 1.0 / (trials * k as f64))).sqrt();
    let errors = npz.floats("ci_se");
    let known: Vec<f64> = errors
        .into_iter()
        .filter(|error| error.is_finite())
        .collect();
    assert!(known.len() >= k, "{}", known.len());
    for error in known {
        assert!((error - expected).abs() < 1e-6, "{error} {expected}");
    }
}

#[test]
fn quality_measures_equal_those_in_the_json() {
    let session = colours::measured([3, 7, 5], 13);
    let (npz, json) = (Npz::in_memory(&session), json(&session));
    let images = &json["classification_images"];
    for (array, key) in [
        ("ci_reliability", "reliability"),
        ("ci_reliability_low", "reliability_low"),
        ("ci_reliability_high", "reliability_high"),
        ("ci_snr", "snr"),
        ("ci_significant", "significant_pixels"),
    ] {
        assert_eq!(npz.shape(array), [2, 13], "{array}");
        let numbers = npz.floats(array);
        for (index, number) in numbers.into_iter().enumerate() {
            match images[key][index / 13][index % 13].as_f64() {
                Some(expected) => assert!((number - expected).abs() < 1e-12, "{array} {index}"),
                None => assert!(number.is_nan(), "{array} {index}: {number}"),
            }
        }
    }
    let classes = npz.integers("ci_fed_back_class");
    let confidences = npz.floats("ci_fed_back_confidence");
    assert_eq!((classes[1], confidences[1]), (3, 0.5));
    assert_eq!((classes[0], confidences[0].is_nan()), (-1, true));
    assert_eq!(npz.integers("ci_called")[..3], [80; 3]);
    assert_eq!(npz.shape("ci_threshold"), [2]);
    // A layer directly on the image has its weights beside its averages.
    assert_eq!(npz.shape("sta_conv1_kernel"), npz.shape("sta_conv1"));
    assert!((npz.floats("sta_conv1_kernel_r")[0] - 1.0).abs() < 1e-6);
    assert!(
        npz.floats("sta_conv1_kernel_r")[1].is_nan(),
        "it never fired"
    );
    assert!(!npz.names().contains("sta_fc1_kernel"));
    assert_eq!(npz.shape("sta_fc1_reliability"), [2]);
    // At w = ½, half of the images of other classes are called the target; at w = 1, all are.
    assert_eq!(npz.shape("attack_hits"), [2, 3, 13, 3]);
    assert_eq!(npz.integers("attack_hits")[..3], [0, 5, 10]);
    assert_eq!(npz.integers("attack_of")[..3], [10; 3]);
    assert_eq!(npz.texts("attack_source"), ["image", "noise"]);
}

/// Every experiment with few trials.
const EVERYTHING: &str = "analyses=[
    ClassificationImages((gammas: [0.0, 0.4], trials: 600, block: 50)),
    Attack((weights: [0.0, 0.5, 1.0], images: 20, noise_images: 10)),
    ClassificationImages((noise: Gaussian((sigma: 0.2)), gammas: [0.2], trials: 300, block: 64)),
    Templates((block: 25)),
    SpikeTriggered((trials: 600, images: 100, block: 64, gradient_units: 2, gradient_trials: 64,
        covariance: Some((layer: \"logits\", unit: 3)), covariance_trials: 300)),
    Modulation((steps: [2], gammas: [0.3], images: 30, images_per_class: 20, block: 16)),
    Backdoor((poisoned: 1, clean: 1, images: 10, training: (epochs: 1, batch: 16), gammas: [0.0], trials: 200, block: 64)),
    Audit((references: 3, training: (epochs: 1, batch: 16), trials: 300, block: 64)),
    Predictions((block: 32)),
]";

/// Options for a plan on small images with a bar for each class.
fn plan(bench: &Bench, network: &str, analyses: &str) -> Vec<String> {
    set_options([
        bench.bars(200, 50, 24),
        format!("network={network}"),
        analyses.to_owned(),
    ])
}

/// Runs such a plan to its end.
fn run(bench: &Bench, name: &str, network: &str, analyses: &str) {
    let settings = plan(bench, network, analyses);
    let arguments = ["run", name, "--plain", "--device", "cpu"];
    bench.succeed(&with_plan(&arguments, &settings));
}

const TRAINED: &str = "(kind: Logistic, weights: Train((epochs: 1)))";

#[test]
fn a_session_of_every_experiment_exports_self_describing_arrays() {
    let bench = Bench::new();
    run(&bench, "all", TRAINED, EVERYTHING);
    bench.succeed(&["note", "all", "look here", "--class", "3", "--gamma", "0.4"]);
    bench.succeed(&["note", "all", "and here", "--unit", "logits/3"]);
    bench.succeed(&["export", "all", "--format", "npz"]);
    let (npz, session) = (Npz::read(&bench.path("all.npz")), bench.load("all"));
    assert_describes_session(&npz, &session);
    fields::assert_documented(&bench, "all", &npz, "logits");
    let meta = npz.meta();
    assert_eq!(meta["notes"][0]["text"], "look here");
    let provenance = &meta["provenance"];
    assert_eq!(provenance["network"], "logistic");
    assert_eq!(provenance["devices"][0], "cpu");
    assert!(provenance["inputs"][0]["train"]["sha256"].is_string());
    assert!(provenance["dates"]["begun"].as_i64() > Some(0));
    for prefix in ["ci", "ev", "ev2"] {
        assert_errors_fit(&npz, prefix);
    }
    pairs::assert_differences_follow(&npz, &session);
    let unit = "logits per full range of a pixel";
    assert_eq!(meta["units"]["ev_image"], unit);
    assert_eq!(npz.shape("ev_fed_back_class"), [2, 10]);
    // The covariance of one unit, whose axes are maps.
    assert_eq!(npz.integers("stc_logits_units"), [3]);
    let axes = npz.shape("stc_logits_axes");
    assert_eq!((axes[0], &axes[2..]), (1, &[24, 24][..]));
    assert_eq!(npz.shape("stc_logits_eigenvalues"), axes[..2]);
    assert_eq!(npz.shape("stc_logits_spectrum"), [1, 576]);
    let spectrum = npz.floats("stc_logits_spectrum");
    assert!(spectrum.is_sorted(), "ascending");
    let bounds = npz.floats("stc_logits_bounds");
    assert!(bounds[0] < bounds[1]);
    for eigenvalue in npz.floats("stc_logits_eigenvalues") {
        assert!(!(bounds[0]..=bounds[1]).contains(&eigenvalue));
    }
    // The suspect comes after its references and the poisoned network.
    let roles = npz.texts("audit_role");
    assert_eq!(roles.len(), 5);
    assert_eq!(
        (roles[0].as_str(), roles[4].as_str()),
        ("reference", "suspect")
    );
    assert_eq!(npz.shape("audit_score"), [5, 10]);
    assert_eq!(npz.shape("audit_window"), [5, 10, 3]);
    assert_eq!(npz.shape("audit_deviation"), [10, 24, 24]);
    assert_eq!(npz.integers("backdoor_poisoned"), [1, 0]);
    assert_eq!(npz.integers("backdoor_trials"), [200, 200]);
    assert_eq!(npz.shape("modulation_called"), [1, 10, 3, 3, 10]);
}

#[test]
fn a_comparison_exports_self_describing_arrays() {
    let bench = Bench::new();
    let maps = "analyses=[ClassificationImages((gammas: [0.4], trials: 1000))]";
    run(&bench, "a", TRAINED, maps);
    run(&bench, "b", TRAINED, maps);
    bench.succeed(&["compare", "a", "b", "--trials", "100", "--format", "npz"]);
    let npz = Npz::read(&bench.path("a-vs-b.npz"));
    let meta = npz.meta();
    let axes = meta["axes"].as_object().unwrap();
    assert_eq!(axes.len(), npz.names().len());
    for (name, axes) in axes {
        let axes = axes.as_array().unwrap();
        assert_eq!(axes.len(), npz.shape(name).len(), "{name}");
    }
    assert_eq!(meta["sessions"][1]["session"], "b");
    assert_eq!(
        meta["sessions"][0]["plan"],
        json(&bench.load("a"))["config"]
    );
}

const MAPS: &str = "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 1500, block: 64))]";
