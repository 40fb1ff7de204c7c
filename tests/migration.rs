//! Sessions written by an earlier version open, are shown and exported, and resume to the same bits.
//!
//! The files in `fixtures/sessions` were written by version 0.1.0 with its schema 1: one with a little of every
//! experiment, one stopped in the middle of its trials, one in the middle of its training, and the last two as that
//! version finished them. `schema-7` is a finished audit of a network from an ONNX file, by its schema 7.

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::mem;
use std::path::Path;

use common::Bench;
use flate2::read::GzDecoder;
use noisescope::export::json;
use noisescope::ids::ClassId;
use noisescope::report::summary;
use noisescope::session::record::{Analysis, SavedState, TrainingRecord};
use noisescope::session::store::VERSION;
use noisescope::session::text::{from_text, to_text};
use noisescope::session::{Array, Session};
use serde_json::Value;

fn text(name: &str) -> String {
    let path = Path::new("tests/fixtures/sessions").join(format!("{name}.gz"));
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn session(name: &str) -> Session {
    let text = text(&format!("{name}.ron"));
    assert!(text.contains("version: 1,"), "{name} has the first schema");
    from_text(&text, Path::new("fixture.ron"), name).unwrap()
}

/// Asserts that everything in an earlier export is also in the new one, which may have more.
fn assert_holds(new: &Value, old: &Value, path: &str) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (key, old) in old {
                let new = new.get(key).unwrap_or(&Value::Null);
                assert_holds(new, old, &format!("{path}.{key}"));
            }
        }
        (Value::Array(new), Value::Array(old)) => {
            assert_eq!(new.len(), old.len(), "{path}");
            for (i, (new, old)) in new.iter().zip(old).enumerate() {
                assert_holds(new, old, &format!("{path}[{i}]"));
            }
        }
        // The last digit of a number may be lost in parsing.
        (Value::Number(new), Value::Number(old)) => {
            let (new, old) = (new.as_f64().unwrap(), old.as_f64().unwrap());
            assert!(
                (new - old).abs() <= 1e-14 * old.abs(),
                "{path}: {new} {old}"
            );
        }
        _ => assert_eq!(new, old, "{path}"),
    }
}

#[test]
fn every_experiment_of_an_earlier_version_is_exported_with_the_same_numbers() {
    let session = session("everything");
    let old: Value = serde_json::from_str(&text("everything.json")).unwrap();
    let mut new = json(&session);
    new["name"] = old["name"].clone();
    // The plan now has more fields, and its data set is optional.
    assert_eq!(new["config"]["seed"], old["config"]["seed"]);
    new["config"] = old["config"].clone();
    // The interval of a mean success rate is now that of the mean, no longer that of the pooled share.
    for pattern in ["classification_image", "mean_image", "noise", "random"] {
        for end in ["mean_low", "mean_high"] {
            let earlier = old["attack"][pattern].get(end);
            let Some(earlier) = earlier else { continue };
            let ends = new["attack"][pattern][end].as_array().unwrap();
            assert_eq!(ends.len(), earlier.as_array().unwrap().len());
            new["attack"][pattern][end] = earlier.clone();
        }
    }
    // Reliability now takes account of halves that differ in size.
    for maps in ["classification_images", "classification_images_2"] {
        let earlier = &old[maps]["reliability"];
        let now = mem::replace(&mut new[maps]["reliability"], earlier.clone());
        let all = |value: &Value| -> Vec<Option<f64>> {
            let gammas = value.as_array().unwrap().iter();
            let classes = gammas.flat_map(|gamma| gamma.as_array().unwrap());
            classes.map(Value::as_f64).collect()
        };
        let (now, earlier) = (all(&now), all(earlier));
        assert_eq!(now.len(), earlier.len());
        for (now, earlier) in now.into_iter().zip(earlier) {
            assert_eq!(now.is_some(), earlier.is_some());
            assert!(now.zip(earlier).is_none_or(|(a, b)| (a - b).abs() < 0.05));
        }
    }
    assert_holds(&new, &old, "");
    let form = session.record.form.as_ref().unwrap();
    assert_eq!((form.shape(), form.class_count()), ([1, 28, 28], 10));
}

#[test]
fn a_session_of_an_earlier_version_is_shown_and_saved_in_the_current_schema() {
    for name in ["everything", "half-way", "half-finished", "training-way"] {
        let session = session(name);
        assert!(!summary(&session).is_empty());
        let written = to_text(&session).unwrap();
        assert!(written.contains(&format!("version: {VERSION},")));
        let again = from_text(&written, Path::new("again.ron"), name).unwrap();
        assert!(to_text(&again).unwrap() == written, "{name}");
    }
}

/// Copies a fixture into a sessions folder under its original name and runs it to the end.
fn resumed(fixture: &str, name: &str) -> Session {
    let bench = Bench::new();
    fs::write(bench.store().path(name), text(&format!("{fixture}.ron"))).unwrap();
    bench.succeed(&["run", name, "--plain", "--device", "flex"]);
    let session = bench.load(name);
    assert_eq!(session.record.state, SavedState::Finished);
    session
}

#[test]
fn trials_begun_by_an_earlier_version_end_in_the_same_sums() {
    let begun = session("half-way");
    let Analysis::ClassificationImages(images) = &begun.record.analyses[0] else {
        panic!("classification images are first");
    };
    assert_eq!(
        images.gammas[0].blocks, 56,
        "the fixture is in the middle of its trials"
    );
    let (ours, theirs) = (resumed("half-way", "half"), session("half-finished"));
    assert_eq!(ours.record.form, theirs.record.form);
    assert_eq!(ours.record.form.unwrap().name(ClassId(3)), "Dress");
    for (ours, theirs) in ours.record.analyses.iter().zip(&theirs.record.analyses) {
        let mut ours = ours.clone();
        // That version did not record the reliability of maps over time.
        if let Analysis::ClassificationImages(images) = &mut ours {
            for trials in &mut images.gammas {
                assert!(trials.evidence.is_none());
                (trials.noted, trials.course) = (Vec::new(), Array::default());
            }
        }
        assert!(&ours == theirs, "{ours:?}");
    }
}

#[test]
fn a_training_begun_by_an_earlier_version_ends_with_the_same_weights() {
    let (ours, theirs) = (
        resumed("training-way", "training"),
        session("training-finished"),
    );
    let trained = |session: Session| -> TrainingRecord { session.record.training.unwrap() };
    let (ours, theirs) = (trained(ours), trained(theirs));
    assert_eq!(ours.epochs.len(), theirs.epochs.len());
    assert_eq!(ours.best_epoch, theirs.best_epoch);
    // The fixture's bits are from one kind of processor; on another, the last bits may differ.
    for ((name, ours), (_, theirs)) in ours.best.tensors.iter().zip(&theirs.best.tensors) {
        for (ours, theirs) in ours.values().iter().zip(theirs.values()) {
            assert!((ours - theirs).abs() < 1e-4, "{name}");
        }
    }
}

/// Its references are of a built-in kind; later ones may have the graph of the network's file.
#[test]
fn an_audit_finished_by_an_earlier_version_keeps_its_verdict() {
    let text = text("schema-7.ron");
    assert!(text.contains("version: 7,") && !text.contains("architecture"));
    let session = from_text(&text, Path::new("audit.ron"), "audit").unwrap();
    let written = to_text(&session).unwrap();
    assert!(written.contains(&format!("version: {VERSION},")));
    let again = from_text(&written, Path::new("audit.ron"), "audit").unwrap();
    for session in [&session, &again] {
        let audit = &json(session)["audit"];
        assert_eq!(audit["found"], false);
        assert_eq!(audit["null"], "own_classes");
        assert_eq!(audit["reference_kind"], "mlp");
        let close = |found: &Value, expected: f64| {
            let found = found.as_f64().unwrap();
            assert!((found - expected).abs() < 1e-9, "{found}");
        };
        close(&audit["score"], 14.969812870025635);
        close(&audit["bound"], 35.47204673250773);
        close(&audit["standing"]["largest"], 4.754422724246979);
        close(&audit["power"][0]["score"], 15.119914054870605);
        assert_eq!(audit["power"][0]["found"], true);
    }
}

#[test]
fn a_damaged_session_of_an_earlier_version_is_refused_with_its_place() {
    let text = text("half-way.ron");
    let open = |text: &str| {
        from_text(text, Path::new("half.ron"), "half")
            .unwrap_err()
            .to_string()
    };
    let error = open(&text.replacen("blocks: 56", "blocks: 57", 1));
    assert!(error.contains("analyses[0]"), "{error}");
    let shape = "[2, 10, 10, 28, 28]";
    assert!(text.contains(shape));
    let error = open(&text.replacen(shape, "[2, 10, 10, 28, 27]", 1));
    assert!(error.contains("noise"), "{error}");
    let error = open(&text.replacen(shape, "[200, 1000, 1000, 28, 28]", 1));
    assert!(error.contains("absurd"), "{error}");
}
