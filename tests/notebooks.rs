//! What people who live in notebooks get: arrays that tell of themselves, the network's weights, and the trials behind
//! a cell of the counts.

#[path = "fixtures/colours.rs"]
#[allow(dead_code, reason = "shared with the tests of colours")]
mod colours;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use burn::tensor::Device;
use common::{Bench, small_set};
use noisescope::export::{self, json, npz};
use noisescope::nets::{Network, NetworkShape, import};
use noisescope::session::Session;
use noisescope::session::config::{self, Config, InputEncoding, NetworkKind};
use noisescope::session::record::{ClassificationImages, TrainingRecord};
use serde_json::Value;

/// The arrays of an NPZ as they lie in it, by name.
struct Npz(BTreeMap<String, Vec<u8>>);

impl Npz {
    fn of(bytes: &[u8]) -> Self {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let files = zip.file_names().map(|name| name.unwrap().into_owned());
        let files: Vec<String> = files.collect();
        let mut all = BTreeMap::new();
        for file in files {
            let mut npy = Vec::new();
            zip.by_name(&file).unwrap().read_to_end(&mut npy).unwrap();
            let name = file.strip_suffix(".npy").unwrap().to_owned();
            assert!(all.insert(name, npy).is_none(), "{file} is there twice");
        }
        Self(all)
    }

    fn in_memory(session: &Session) -> Self {
        let mut out = Cursor::new(Vec::new());
        npz(session, &mut out).unwrap();
        Self::of(&out.into_inner())
    }

    fn read(path: &Path) -> Self {
        Self::of(&fs::read(path).unwrap())
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

    fn wholes(&self, name: &str) -> Vec<i64> {
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

/// That every array has names for its axes, as many as it has axes, and that nothing else is told of.
fn assert_tells_of_itself(npz: &Npz) -> Value {
    let meta = npz.meta();
    let axes = meta["axes"].as_object().unwrap();
    let told: BTreeSet<&str> = axes.keys().map(String::as_str).collect();
    assert_eq!(told, npz.names());
    let mut lengths: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, axes) in axes {
        let axes = axes.as_array().unwrap();
        let shape = npz.shape(name);
        assert_eq!(axes.len(), shape.len(), "{name} {axes:?} {shape:?}");
        for (axis, length) in axes.iter().zip(shape) {
            let axis = axis.as_str().unwrap();
            // All classes are as many, whatever they are to a trial.
            if ["class", "true class", "called", "target"].contains(&axis) && length > 0 {
                assert_eq!(*lengths.entry("class").or_insert(length), length, "{name}");
            }
        }
    }
    for (name, unit) in meta["units"].as_object().unwrap() {
        assert!(told.contains(name.as_str()), "{name}");
        assert!(!unit.as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(meta["format"], 1);
    let program = format!("noisescope {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(meta["program"], program);
    meta
}

fn assert_tells_of_its_session(npz: &Npz, session: &Session) {
    let meta = assert_tells_of_itself(npz);
    // Through text, as the other one.
    let json: Value = serde_json::from_str(&json(session).to_string()).unwrap();
    assert_eq!(meta["session"], json["name"]);
    assert_eq!(meta["plan"], json["config"]);
    assert_eq!(meta["notes"], json["notes"]);
    for key in ["starts", "inputs", "elapsed_s"] {
        assert_eq!(meta["provenance"][key], json[key], "{key}");
    }
    assert_eq!(meta["provenance"]["seed"], session.config.seed);
}

/// That an image is as many of its standard errors from nothing as z says.
fn assert_errors_fit(npz: &Npz, prefix: &str) {
    let of = |what: &str| npz.floats(&format!("{prefix}_{what}"));
    let (images, z, errors) = (of("image"), of("z"), of("se"));
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
fn every_array_is_told_of_and_every_array_told_of_is_there() {
    for session in [
        colours::measured([3, 7, 5], 13),
        colours::measured([1, 5, 3], 4),
    ] {
        let npz = Npz::in_memory(&session);
        assert_tells_of_its_session(&npz, &session);
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
fn what_images_are_worth_is_what_the_json_says() {
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
        for (at, number) in numbers.into_iter().enumerate() {
            match images[key][at / 13][at % 13].as_f64() {
                Some(expected) => assert!((number - expected).abs() < 1e-12, "{array} {at}"),
                None => assert!(number.is_nan(), "{array} {at}: {number}"),
            }
        }
    }
    let classes = npz.wholes("ci_fed_back_class");
    let confidences = npz.floats("ci_fed_back_confidence");
    assert_eq!((classes[1], confidences[1]), (3, 0.5));
    assert_eq!((classes[0], confidences[0].is_nan()), (-1, true));
    assert_eq!(npz.wholes("ci_called")[..3], [80; 3]);
    assert_eq!(npz.shape("ci_threshold"), [2]);
    // A layer that sees the image has its weights beside its averages.
    assert_eq!(npz.shape("sta_conv1_kernel"), npz.shape("sta_conv1"));
    assert!((npz.floats("sta_conv1_kernel_r")[0] - 1.0).abs() < 1e-6);
    assert!(
        npz.floats("sta_conv1_kernel_r")[1].is_nan(),
        "it never fired"
    );
    assert!(!npz.names().contains("sta_fc1_kernel"));
    assert_eq!(npz.shape("sta_fc1_reliability"), [2]);
    // Half of the images of other classes at w = ½, all at w = 1.
    assert_eq!(npz.shape("attack_hits"), [2, 3, 13, 3]);
    assert_eq!(npz.wholes("attack_hits")[..3], [0, 5, 10]);
    assert_eq!(npz.wholes("attack_of")[..3], [10; 3]);
    assert_eq!(npz.texts("attack_source"), ["image", "noise"]);
}

/// Every experiment in small, on a network that learns at once.
const EVERYTHING: &str = "analyses=[
    ClassificationImages((gammas: [0.0, 0.4], trials: 600, block: 50)),
    Attack((weights: [0.0, 0.5, 1.0], images: 20, noise_images: 10)),
    ClassificationImages((noise: Gaussian((sigma: 0.2)), gammas: [0.2], trials: 300, block: 64)),
    SpikeTriggered((trials: 600, images: 100, block: 64, gradient_units: 2, gradient_trials: 64,
        covariance: Some((layer: \"logits\", unit: 3)), covariance_trials: 300)),
    Modulation((steps: [2], gammas: [0.3], images: 30, images_per_class: 20, block: 16)),
    Backdoor((poisoned: 1, clean: 1, images: 10, training: (epochs: 1, batch: 16), gammas: [0.0], trials: 200, block: 64)),
    Audit((references: 3, training: (epochs: 1, batch: 16), trials: 300, block: 64)),
    Predictions((block: 32)),
]";

/// The words of a plan on small images with a bar for each class.
fn plan(bench: &Bench, network: &str, analyses: &str) -> Vec<String> {
    if !bench.path("bars").exists() {
        small_set(&bench.path("bars"), 200, 50, 24);
    }
    let settings = [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        format!("network={network}"),
        analyses.to_owned(),
    ];
    let pairs = settings.into_iter();
    pairs
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect()
}

/// A finished session of such a plan.
fn run(bench: &Bench, name: &str, network: &str, analyses: &str) {
    let settings = plan(bench, network, analyses);
    let mut words = vec!["run", name, "--plain", "--device", "cpu"];
    words.extend(settings.iter().map(String::as_str));
    bench.succeed(&words);
}

const TRAINED: &str = "(kind: Logistic, weights: Train((epochs: 1)))";

#[test]
fn a_session_of_everything_opens_as_arrays_that_tell_of_themselves() {
    let bench = Bench::new();
    run(&bench, "all", TRAINED, EVERYTHING);
    bench.succeed(&["note", "all", "look here", "--class", "3", "--gamma", "0.4"]);
    bench.succeed(&["export", "all", "--format", "npz"]);
    let (npz, session) = (Npz::read(&bench.path("all.npz")), bench.load("all"));
    assert_tells_of_its_session(&npz, &session);
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
    let unit = "logits per full range of a pixel";
    assert_eq!(meta["units"]["ev_image"], unit);
    assert_eq!(npz.shape("ev_fed_back_class"), [2, 10]);
    // The covariance of one unit, whose axes are maps.
    assert_eq!(npz.wholes("stc_logits_units"), [3]);
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
    // The suspect stands after its references and the poisoned one.
    let roles = npz.texts("audit_role");
    assert_eq!(roles.len(), 5);
    assert_eq!(
        (roles[0].as_str(), roles[4].as_str()),
        ("reference", "suspect")
    );
    assert_eq!(npz.shape("audit_score"), [5, 10]);
    assert_eq!(npz.shape("audit_window"), [5, 10, 3]);
    assert_eq!(npz.shape("audit_deviation"), [10, 24, 24]);
    assert_eq!(npz.wholes("backdoor_poisoned"), [1, 0]);
    assert_eq!(npz.wholes("backdoor_trials"), [200, 200]);
    assert_eq!(npz.shape("modulation_called"), [1, 10, 3, 3, 10]);
}

#[test]
fn two_sessions_compared_tell_of_themselves_too() {
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

/// Trials by true and called class at a place among the γ of a session, \[K,K\].
fn counts(session: &Session, gamma: usize) -> Vec<u64> {
    let images: &ClassificationImages = session.record.first().unwrap();
    let (even, odd) = images.gammas[gamma].counts.split_at(100);
    even.iter().zip(odd).map(|(even, odd)| even + odd).collect()
}

/// What `trials` lists of a session.
fn listed(bench: &Bench, words: &[&str]) -> Vec<Value> {
    let all = [&["trials", "mine", "--format", "json"], words].concat();
    serde_json::from_str(&bench.succeed(&all)).unwrap()
}

#[test]
fn the_trials_behind_a_cell_are_as_many_as_it_says() {
    let bench = Bench::new();
    run(&bench, "mine", TRAINED, MAPS);
    let counts_at = [0, 1].map(|gamma| counts(&bench.load("mine"), gamma));
    // The cell of most errors.
    let errors = (0..100).filter(|cell| cell / 10 != cell % 10);
    let cell = errors.max_by_key(|&cell| counts_at[1][cell]).unwrap();
    let (truth, called, many) = (cell / 10, cell % 10, counts_at[1][cell]);
    assert!(many > 1, "the network makes mistakes");
    let (of, as_what) = (truth.to_string(), called.to_string());
    let out = bench.path("cell.npz");
    let out = out.to_str().unwrap();
    let words = ["trials", "mine", "--true", &of, "--called", &as_what];
    let more = ["--count", "100000", "--format", "npz", "--out", out];
    let output = bench.output(&[&words[..], &more].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        !said.contains("but now the network gives"),
        "the same device: {said}"
    );
    let npz = Npz::read(&bench.path("cell.npz"));
    let meta = assert_tells_of_itself(&npz);
    assert_eq!(meta["trials"]["recorded"], many);
    assert_eq!(meta["trials"]["matching"], many);
    let n = usize::try_from(many).unwrap();
    assert_eq!(npz.shape("stimuli"), [many, 24, 24]);
    assert_eq!(npz.wholes("truth"), vec![truth as i64; n]);
    assert_eq!(npz.wholes("called"), vec![called as i64; n]);
    // What was shown is the noise and an image of the training set.
    let images = npz.wholes("image");
    assert!(images.iter().all(|&image| image % 10 == truth as i64));
    for (shown, noise) in npz.floats("stimuli").iter().zip(npz.floats("noise")) {
        let image = (shown - 0.6 * noise) / 0.4;
        assert!((-1e-4..1.0 + 1e-4).contains(&image), "{image}");
    }
    // What it is called is its largest output.
    for outputs in npz.floats("outputs").chunks(10) {
        assert!(outputs.iter().all(|&own| own <= outputs[called]));
    }
    // The first ones are the first of all, and none is there twice.
    let cell = ["--true", &of, "--called", &as_what];
    let all = listed(&bench, &[&cell[..], &["--count", "100000"]].concat());
    assert_eq!(all.len(), n);
    let places = |list: &[Value]| -> Vec<(i64, i64)> {
        let place = |it: &Value| (it["block"].as_i64().unwrap(), it["trial"].as_i64().unwrap());
        list.iter().map(place).collect()
    };
    assert!(places(&all).is_sorted_by(|a, b| a < b));
    let first = listed(
        &bench,
        &[&cell[..], &["--count", "2", "--workers", "3"]].concat(),
    );
    assert_eq!(places(&first), places(&all)[..2]);
    assert_eq!(first[0]["truth"], truth);
    // Whatever their classes are, and by what they are called alone.
    let whole = listed(&bench, &["--any", "--count", "100000"]);
    assert_eq!(whole.len(), 1500);
    let column: u64 = (0..10).map(|truth| counts_at[0][truth * 10 + called]).sum();
    let words = ["--called", &as_what, "--gamma", "0", "--count", "100000"];
    let at_nothing = listed(&bench, &words);
    assert_eq!(at_nothing.len() as u64, column);
    assert!(at_nothing.iter().all(|it| it["truth"].is_null()));
    // As a picture, where nothing else is said.
    bench.succeed(&["trials", "mine", "--true", &of, "--called", &as_what]);
    let name = format!("mine-trials-true-{truth}-called-{called}.png");
    let sheet = image::open(bench.path(&name)).unwrap();
    // Stimuli of 24×24 are magnified four times, and 4 pixels lie between two.
    assert_eq!((sheet.width() - 4) % 100, 0);
}

#[test]
fn what_cannot_be_found_again_says_why() {
    let bench = Bench::new();
    run(&bench, "mine", TRAINED, MAPS);
    for (code, words, said) in [
        (2, &["mine"][..], "say which trials: --called CLASS"),
        (2, &["mine", "--called", "ten"], "there is no class `ten`"),
        (2, &["mine", "--any", "--gamma", "0.3"], "only at 0, 0.4"),
        (2, &["mine", "--any", "--images", "2"], "its plan has 1"),
        (
            2,
            &["mine", "--true", "3", "--gamma", "0"],
            "no image is blended with the noise, so trials have no true class; leave out --true, or choose another γ: --gamma 0.4",
        ),
        (2, &["mine", "--any", "--count", "401"], "--format npz"),
        (2, &["none", "--any"], "It holds: mine"),
    ] {
        let refused = bench.refuse(code, &[&["trials"], words].concat());
        assert!(refused.contains(said), "{words:?}: {refused}");
    }
    bench.succeed(&["new", "fresh"]);
    let refused = bench.refuse(1, &["trials", "fresh", "--any"]);
    assert!(refused.contains("noisescope run fresh"), "{refused}");
    // A divided session has its trials in several files.
    let settings = plan(&bench, TRAINED, MAPS);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    bench.succeed(&[&["new", "divided"], &settings[..]].concat());
    let shard = [
        "run", "divided", "--shard", "1/2", "--plain", "--device", "cpu",
    ];
    bench.succeed(&shard);
    let refused = bench.refuse(2, &["trials", "divided", "--any"]);
    assert!(refused.contains("noisescope merge divided"), "{refused}");
    // Other images would be other trials.
    small_set(&bench.path("bars"), 210, 50, 24);
    let refused = bench.refuse(1, &["trials", "mine", "--any"]);
    assert!(refused.contains("the training images differ"), "{refused}");
}

/// The header of a safetensors file, and where its numbers begin.
fn header(file: &[u8]) -> (Value, usize) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap());
    let begin = 8 + usize::try_from(length).unwrap();
    assert_eq!(begin % 8, 0);
    (serde_json::from_slice(&file[8..begin]).unwrap(), begin)
}

/// That tensors lie in the file one after the other, to its end; their shapes by name.
fn tensors(file: &[u8]) -> BTreeMap<String, Vec<u64>> {
    let (header, begin) = header(file);
    let mut shapes = BTreeMap::new();
    let mut places = Vec::new();
    for (name, told) in header.as_object().unwrap() {
        if name == "__metadata__" {
            assert!(told.as_object().unwrap().values().all(Value::is_string));
            continue;
        }
        assert_eq!(told["dtype"], "F32");
        let list = |key: &str| -> Vec<u64> {
            let numbers = told[key].as_array().unwrap().iter();
            numbers.map(|it| it.as_u64().unwrap()).collect()
        };
        let (shape, ends) = (list("shape"), list("data_offsets"));
        assert_eq!(
            ends[1] - ends[0],
            4 * shape.iter().product::<u64>(),
            "{name}"
        );
        places.push((ends[0], ends[1]));
        shapes.insert(name.clone(), shape);
    }
    places.sort_unstable();
    let mut at = 0;
    for (first, end) in places {
        assert_eq!(first, at, "no holes");
        at = end;
    }
    assert_eq!(at, (file.len() - begin) as u64);
    shapes
}

#[test]
fn every_built_in_kind_is_read_again_from_its_safetensors() {
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
            .filter(|note| !note.starts_with("weights say"));
        assert_eq!(assumed.count(), 0, "{kind:?}: {:?}", read.notes);
    }
}

#[test]
fn a_network_that_was_exported_is_the_same_network_in_another_session() {
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
    // What came from a file goes into one again.
    bench.succeed(&["export", "theirs", "--format", "safetensors"]);
    let again = fs::read(bench.path("theirs.safetensors")).unwrap();
    let (again, own) = (header(&again).0, header(&fs::read(&file).unwrap()).0);
    let (again, own) = (&again["__metadata__"], &own["__metadata__"]);
    assert_eq!(again["sha256"], own["sha256"]);
    assert_eq!(
        again["from_sha256"],
        theirs.record.inputs[0].weights.clone().unwrap()
    );
    assert!(own.get("from_sha256").is_none());
}

#[test]
fn a_network_of_a_file_gives_the_arrays_of_that_file() {
    let bench = Bench::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx/cnn-newest.onnx");
    let mut words = vec!["run", "theirs", "--plain", "--device", "flex"];
    words.extend(["--network", file.to_str().unwrap(), "--set", "dataset=None"]);
    let maps = "analyses=[ClassificationImages((gammas: [0.0], trials: 128, block: 64))]";
    words.extend(["--set", maps]);
    bench.succeed(&words);
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
    let refused = bench.refuse(1, &["export", "fresh", "--format", "safetensors"]);
    assert!(
        refused.contains("has no trained network yet; run it first: noisescope run fresh"),
        "{refused}"
    );
}
