//! The formats that other programs read: the JSON and the NPZ of a session have the documented content.

#[path = "fixtures/arrays.rs"]
mod arrays;

use std::collections::BTreeSet;
use std::io::Cursor;

use arrays::{container, npy, shape};
use noisescope::export::{ExportError, ExportFormat, json, npz, write};
use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{self, Config};
use noisescope::session::record::{
    Analysis, BlockSums, ClassificationImages, Epoch, FedBack, SavedState, TrainingRecord,
    TrialKind,
};
use noisescope::session::{Form, Record, Run, Session};
use serde_json::{Value, json};

const G: usize = 2;
const K: usize = 10;
const PIXELS: usize = 28 * 28;

/// A session with two signal strengths and no results.
fn planned() -> Session {
    let config = Config {
        analyses: vec![config::Analysis::ClassificationImages(
            config::ClassificationImages {
                gammas: vec![Gamma::NOISE, Gamma(0.25)],
                trials: 240,
                ..Default::default()
            },
        )],
        ..Default::default()
    };
    Session::new("mine", config)
}

/// The same, trained, with 240 trials at γ 0, all of true class 3: 120 called 0, 119 called 1 and one called 2. No trials
/// at γ 0.25.
fn measured() -> Session {
    let mut session = planned();
    session.record.state = SavedState::Running;
    session.record.elapsed_s = 12.5;
    session.record.devices = vec!["flex".into()];
    session.record.training = Some(TrainingRecord {
        parameters: 431_080,
        finished: true,
        test_accuracy: Some(0.9825),
        best_epoch: Some(1),
        epochs: vec![Epoch {
            epoch: 1,
            train_loss: f64::NAN,
            train_accuracy: 0.875,
            valid_loss: 0.25,
            valid_accuracy: 0.75,
            lr: 0.0005,
        }],
        ..Default::default()
    });
    let config::Analysis::ClassificationImages(plan) = &session.config.analyses[0] else {
        unreachable!()
    };
    let form = Form::numbered([1, 28, 28], K);
    let kind = TrialKind::plain(K, form.shape());
    let mut images = ClassificationImages::with_trials(plan, &kind);
    session.record.form = Some(form);
    for (block, called) in BlockIndex::first(2).zip([[60, 60, 0], [60, 59, 1]]) {
        let mut counts = vec![0; K * K];
        counts[3 * K..3 * K + 3].copy_from_slice(&called);
        let sums = |class: ClassId| -> Vec<i64> {
            let count = called[class.0] as i64;
            let pixels = (0..PIXELS).map(|p| if p % 3 == class.0 { 40_000 } else { 30_000 });
            pixels.map(|mean| mean * count).collect()
        };
        let mut noise = vec![vec![0; PIXELS]; kind.rows().count()];
        for class in ClassId::all(3) {
            for row in kind.rows().for_trial(ClassId(3), class) {
                let pairs = noise[row].iter_mut().zip(sums(class));
                pairs.for_each(|(sum, added)| *sum += added);
            }
        }
        images.gammas[0].add(&BlockSums {
            block,
            trials: 120,
            counts,
            noise: noise.into_iter().enumerate().collect(),
            image: vec![],
            ..Default::default()
        });
    }
    images.gammas[0].fed_back[1] = Some(FedBack {
        class: ClassId(7),
        confidence: 0.5,
    });
    session.record.analyses[0] = Analysis::ClassificationImages(images);
    session
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

/// The shape, type, and values (as 64-bit floats) of one array of an NPZ.
fn array(container: &[u8], name: &str) -> (Vec<u64>, String, Vec<f64>) {
    let npy = npy(container, name);
    let file = npyz::NpyFile::new(npy.as_slice()).unwrap();
    let (shape, dtype) = (file.shape().to_vec(), file.dtype().descr());
    let values = if dtype.contains("i8") {
        let whole = file.into_vec::<i64>().unwrap();
        whole.into_iter().map(|value| value as f64).collect()
    } else {
        file.into_vec::<f64>().unwrap()
    };
    (shape, dtype, values)
}

#[test]
fn json_of_a_new_session_has_no_stages() {
    let value = json(&planned());
    let expected = [
        "name",
        "version",
        "status",
        "device",
        "elapsed_s",
        "config",
        "inputs",
        "starts",
        "form",
        "notes",
    ];
    assert_eq!(keys(&value), expected.into());
    assert!(value["form"].is_null(), "no images have been opened");
    assert_eq!(value["notes"], json!([]));
    assert_eq!(value["name"], "mine");
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(value["status"], "new");
    assert!(value["device"].is_null());
    assert_eq!(value["config"]["network"]["kind"], "Cnn");
    let analysis = &value["config"]["analyses"][0]["ClassificationImages"];
    assert_eq!(analysis["gammas"], json!([0.0, 0.25]));
}

#[test]
fn json_has_the_promised_keys_and_shapes() {
    let value = json(&measured());
    let training = &value["training"];
    let expected = [
        "epochs",
        "best_epoch",
        "test_accuracy",
        "at_chance",
        "parameters",
    ];
    assert_eq!(keys(training), expected.into());
    let expected = [
        "epoch",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "lr",
    ];
    assert_eq!(keys(&training["epochs"][0]), expected.into());
    let images = &value["classification_images"];
    assert_eq!(images["noise"], "uniform");
    for (key, expected) in [
        ("gammas", vec![G]),
        ("trials", vec![G]),
        ("counts", vec![G, K, K]),
        ("listed", vec![G, K]),
        ("sufficient", vec![G, K]),
        ("reliability", vec![G, K]),
        ("snr", vec![G, K]),
        ("significant_pixels", vec![G, K]),
        ("fed_back", vec![G, K]),
        ("trials_needed", vec![G, K]),
        ("dropped", vec![G]),
        ("reached_target", vec![G]),
        ("reliability_low", vec![G, K]),
        ("reliability_high", vec![G, K]),
        ("regression_reliability", vec![G, K]),
        ("regression_axes", vec![G, K]),
    ] {
        assert_eq!(shape(&images[key]), expected, "{key}");
    }
    assert_eq!(images["clusters"].as_array().map(Vec::len), Some(G));
    assert!(images["weighting"].is_null(), "every trial counts the same");
    assert_eq!(images["smoothed_by_noise"], false, "uniform noise is white");
    assert_eq!(keys(images).len(), 20);
    let form = &value["form"];
    assert_eq!(
        keys(form),
        ["channels", "height", "width", "classes"].into()
    );
    assert_eq!(form["classes"][9], "9");
    assert_eq!(value["device"], "flex");
    assert_eq!(value["elapsed_s"], 12.5);
}

#[test]
fn json_has_null_for_missing_numbers() {
    let value = json(&measured());
    assert!(value["training"]["epochs"][0]["train_loss"].is_null());
    let images = &value["classification_images"];
    assert_eq!(images["trials"], json!([240, 0]));
    assert_eq!(images["counts"][0][3][1], 119);
    assert_eq!(images["sufficient"][0][1], true);
    assert!(images["reliability"][0][1].as_f64().unwrap() > 0.9);
    assert!(images["significant_pixels"][0][1].as_u64().unwrap() > 0);
    assert_eq!(
        images["fed_back"][0][1],
        json!({"class": 7, "confidence": 0.5})
    );
    for (gamma_index, class) in [(0, 2), (0, 9), (1, 1)] {
        assert_eq!(images["sufficient"][gamma_index][class], false);
        for key in ["reliability", "snr", "significant_pixels", "fed_back"] {
            assert!(
                images[key][gamma_index][class].is_null(),
                "{key} {gamma_index} {class}"
            );
        }
    }
}

#[test]
fn status_comes_from_the_engine_if_one_runs() {
    let mut session = measured();
    assert_eq!(json(&session)["status"], "stopped");
    session.run = Some(Run::default());
    assert_eq!(json(&session)["status"], "running");
    session.run = None;
    session.record.state = SavedState::Finished;
    assert_eq!(json(&session)["status"], "finished");
    session.record.state = SavedState::Failed("no disk".into());
    assert_eq!(json(&session)["status"], "failed");
}

#[test]
fn npz_has_the_promised_arrays_and_no_others() {
    let container = container(&measured());
    let zip = zip::ZipArchive::new(Cursor::new(&container)).unwrap();
    assert_eq!(
        zip.len(),
        18,
        "the maps, their quality, the class names, and meta"
    );
    let (g, k) = (G as u64, K as u64);
    for (name, expected, number) in [
        ("ci_se", vec![g, k, 28, 28], "f8"),
        ("ci_reliability", vec![g, k], "f8"),
        ("ci_reliability_low", vec![g, k], "f8"),
        ("ci_reliability_high", vec![g, k], "f8"),
        ("ci_snr", vec![g, k], "f8"),
        ("ci_significant", vec![g, k], "f8"),
        ("ci_called", vec![g, k], "i8"),
        ("ci_threshold", vec![g], "f8"),
        ("ci_fed_back_class", vec![g, k], "i8"),
        ("ci_fed_back_confidence", vec![g, k], "f8"),
        ("ci_gamma", vec![g], "f8"),
        ("ci_counts", vec![g, k, k], "i8"),
        ("ci_mean_noise", vec![g, k, 28, 28], "f8"),
        ("ci_image", vec![g, k, 28, 28], "f8"),
        ("ci_z", vec![g, k, 28, 28], "f8"),
        ("ci_mean_stimulus", vec![g, k, 28, 28], "f8"),
    ] {
        let (shape, dtype, _) = array(&container, name);
        assert_eq!(shape, expected, "{name}");
        assert!(dtype.contains(number), "{name} {dtype}");
    }
    assert_eq!(array(&container, "ci_gamma").2, [0.0, 0.25]);
    let counts = array(&container, "ci_counts").2;
    assert_eq!(counts[3 * K..3 * K + 3], [120.0, 119.0, 1.0]);
    assert_eq!(counts.iter().sum::<f64>(), 240.0);
}

#[test]
fn npz_holds_the_maps_and_nan_for_missing_ones() {
    let session = measured();
    let container = container(&session);
    let Analysis::ClassificationImages(images) = &session.record.analyses[0] else {
        unreachable!()
    };
    let estimate = images.gammas[0].estimate();
    let map_of = |map: &[f64], gamma_index: usize, class: ClassId| {
        let start = (gamma_index * K + class.0) * PIXELS;
        map[start..start + PIXELS].to_vec()
    };
    for name in ["ci_image", "ci_z", "ci_mean_noise", "ci_mean_stimulus"] {
        let class = &estimate.classes[1];
        let expected = match name {
            "ci_image" => &class
                .decision
                .as_ref()
                .map(|decision| decision.image.clone()),
            "ci_z" => &class.decision.as_ref().map(|decision| decision.z.clone()),
            "ci_mean_noise" => &class.mean_noise,
            _ => &class.mean_stimulus,
        };
        let expected: Vec<f64> = expected.iter().flatten().map(|&v| f64::from(v)).collect();
        let map = array(&container, name).2;
        assert_eq!(map_of(&map, 0, ClassId(1)), expected, "{name}");
        assert!(
            map_of(&map, 0, ClassId(9)).iter().all(|v| v.is_nan()),
            "{name}"
        );
        assert!(
            map_of(&map, 1, ClassId(1)).iter().all(|v| v.is_nan()),
            "{name}"
        );
        // One trial gives a mean, but no image.
        let mean = name.starts_with("ci_mean");
        assert!(
            map_of(&map, 0, ClassId(2))
                .iter()
                .all(|v| v.is_nan() != mean),
            "{name}"
        );
    }
}

#[test]
fn npz_without_results_is_an_error_that_says_so() {
    let error = npz(&planned(), Cursor::new(Vec::new())).unwrap_err();
    assert!(matches!(error, ExportError::Nothing { .. }));
    assert!(error.to_string().starts_with("mine has measured nothing"));
    let mut empty = planned();
    empty.config.analyses.clear();
    empty.record = Record::new(&empty.config);
    assert!(npz(&empty, Cursor::new(Vec::new())).is_err());
}

#[test]
fn npz_of_a_session_that_has_only_been_trained_describes_it() {
    let mut session = planned();
    session.record.form = measured().record.form;
    session.record.training = Some(TrainingRecord::default());
    let before_the_first_epoch = npz(&session, Cursor::new(Vec::new()));
    assert!(matches!(
        before_the_first_epoch,
        Err(ExportError::Nothing { .. })
    ));
    session.record.training = measured().record.training;
    let file = zip::ZipArchive::new(Cursor::new(container(&session))).unwrap();
    let names = file.file_names().map(|name| name.unwrap().into_owned());
    let names: BTreeSet<String> = names.collect();
    assert_eq!(names, ["classes.npy", "meta.npy"].map(String::from).into());
}

#[test]
fn replacing_a_file_leaves_no_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    std::fs::write(&path, "old").unwrap();
    write(&measured(), ExportFormat::Json, Some(&path)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{:#}\n", json(&measured())));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_unwritable_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("out.npz");
    let error = write(&measured(), ExportFormat::Npz, Some(&path)).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    let error = write(&measured(), ExportFormat::Npz, Some(folder.path())).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains(&folder.path().display().to_string()),
        "{message}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn only_existing_formats_are_offered() {
    use clap::ValueEnum;
    let names: Vec<_> = ExportFormat::value_variants()
        .iter()
        .filter_map(|format| format.to_possible_value())
        .map(|value| value.get_name().to_string())
        .collect();
    assert_eq!(
        names,
        ["json", "npz", "csv", "svg", "pdf", "png", "safetensors"]
    );
}
