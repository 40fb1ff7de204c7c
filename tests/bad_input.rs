//! Bad input gets one clear paragraph that names the place, an exit code, and harms nothing.

mod common;

use std::fs;

use common::{Bench, small_set};
use noisescope::session::store::to_text;
use noisescope::session::{Array, Config, Session};

fn session_file(bench: &Bench, name: &str, text: &str) {
    fs::write(bench.store().path(name), text).unwrap();
}

#[test]
fn a_plan_with_a_mistake_is_refused_with_its_place() {
    let bench = Bench::new();
    for (config, place) in [
        ("(seed: 1, sed: 2)", "bad.ron:1:"),
        ("(network: (kind: Cnnn))", "Cnnn"),
        (
            "(analyses: [ClassificationImages((gammas: [0.0, 1.5]))])",
            "analyses[0].gammas[1]",
        ),
        (
            "(analyses: [ClassificationImages((trials: 0))])",
            "analyses[0].trials",
        ),
        ("(analyses: [Templates(())])", "Templates"),
        ("(checkpoint_s: 0.0)", "checkpoint_s"),
        (
            "(network: (weights: Train((lr_max: -1.0))))",
            "network.weights.lr_max",
        ),
    ] {
        let text = format!("(version: 1, config: {config})");
        session_file(&bench, "bad", &text);
        let words = bench.refuse(2, &["run", "bad", "--plain"]);
        assert!(words.contains("bad.ron"), "{words}");
        assert!(words.contains(place), "{config}: {words}");
        assert_eq!(fs::read_to_string(bench.store().path("bad")).unwrap(), text);
    }
}

#[test]
fn a_typo_is_named_with_line_and_column() {
    let bench = Bench::new();
    session_file(
        &bench,
        "typo",
        "(\n  version: 1,\n  config: (\n    sed: 7,\n  ),\n)\n",
    );
    let words = bench.refuse(2, &["run", "typo", "--plain"]);
    assert!(
        words.contains("typo.ron:4:") && words.contains("sed"),
        "{words}"
    );
}

#[test]
fn a_plan_that_a_person_wrote_by_hand_runs() {
    let bench = Bench::new();
    small_set(&bench.path("bars"), 200, 50, 28);
    session_file(
        &bench,
        "hand",
        &format!(
            "(version: 1, config: (dataset: (source: Folder({:?})), network: (kind: Logistic, weights: Train((epochs: 1))), analyses: []))",
            bench.path("bars")
        ),
    );
    bench.succeed(&["run", "hand", "--plain"]);
}

#[test]
fn a_session_from_a_newer_version_is_left_alone() {
    let bench = Bench::new();
    let text = "(version: 99, config: (seed: 1), something_new: Whatever([1, 2]))";
    session_file(&bench, "new", text);
    let words = bench.refuse(2, &["run", "new", "--plain"]);
    assert!(
        words.contains("newer noisescope") && words.contains("99"),
        "{words}"
    );
    assert_eq!(fs::read_to_string(bench.store().path("new")).unwrap(), text);
}

#[test]
fn one_changed_character_in_an_array_is_noticed() {
    let bench = Bench::new();
    let mut session = Session::new("mine", Config::default());
    let weights = Array::new(&[40], (0..40).map(|i| i as f32).collect());
    let training = session.record.training.get_or_insert_default();
    training.best.tensors = vec![("logits.weight".into(), weights)];
    let text = to_text(&session).unwrap();
    let at = text.rfind('"').expect("the last array ends in quotes") - 20;
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    fs::write(bench.store().path("mine"), &bytes).unwrap();
    let words = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(words.contains("training.best.logits.weight"), "{words}");
    assert!(words.contains("no previous generation"), "{words}");
    assert_eq!(fs::read(bench.store().path("mine")).unwrap(), bytes);
}

#[test]
fn images_that_cannot_be_read_or_do_not_fit_are_named() {
    let bench = Bench::new();
    let folder = bench.path("bars");
    let images = folder.join("train-images-idx3-ubyte");
    let set = format!("dataset.source=Folder({folder:?})");
    let run = |name: &str| bench.refuse(1, &["run", name, "--plain", "--set", &set]);

    small_set(&folder, 100, 20, 28);
    let whole = fs::read(&images).unwrap();
    fs::write(&images, &whole[..whole.len() - 5]).unwrap();
    let words = run("cut");
    assert!(words.contains("train-images-idx3-ubyte"), "{words}");

    let mut wrong = whole.clone();
    wrong[2] = 9;
    fs::write(&images, wrong).unwrap();
    assert!(run("magic").contains("train-images-idx3-ubyte"));

    // Too small for the convolutions of the usual network; others take it.
    small_set(&folder, 100, 20, 12);
    let words = run("small");
    assert!(
        words.contains("12×12") && words.contains("16×16") && words.contains("mlp"),
        "{words}"
    );
}

#[test]
fn the_full_set_that_is_not_there_names_the_command_that_fetches_it() {
    let bench = Bench::new();
    let words = bench.refuse(1, &["run", "mnist-paper", "--plain"]);
    assert!(words.contains("noisescope data fetch"), "{words}");
}

#[test]
fn vectors_that_are_not_here_are_refused_with_those_that_are() {
    let bench = Bench::new();
    let mut bad = bench.program();
    bad.env("NOISESCOPE_SIMD", "avx1024").arg("ls");
    let output = bad.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        words.contains("avx1024") && words.contains("plain"),
        "{words}"
    );
    let mut good = bench.program();
    good.env("NOISESCOPE_SIMD", "Plain").arg("ls");
    assert!(good.output().unwrap().status.success());
}

#[test]
fn names_devices_and_presets_that_do_not_exist_are_refused_with_those_that_do() {
    let bench = Bench::new();
    let words = bench.refuse(2, &["attach", "nothing"]);
    assert!(
        words.contains("nothing") && words.contains("noisescope run"),
        "{words}"
    );
    let words = bench.refuse(2, &["run", "../up", "--plain"]);
    assert!(words.contains("../up"), "{words}");
    let words = bench.refuse(2, &["run", "x", "--preset", "nope", "--plain"]);
    assert!(words.contains("quickstart"), "{words}");
    let words = bench.refuse(2, &["run", "x", "--device", "tpu", "--plain"]);
    assert!(words.contains("flex"), "{words}");
    let words = bench.refuse(2, &["run", "x", "--device", "cuda:0", "--plain"]);
    assert!(words.contains("without it"), "{words}");
    let words = bench.refuse(2, &["new", "x", "--set", "seed=abc"]);
    assert!(words.contains("--set seed=abc"), "{words}");
    assert!(
        bench.store().names().unwrap().is_empty(),
        "nothing was made"
    );
}

#[test]
fn what_a_run_is_does_not_change_under_it() {
    let bench = Bench::new();
    bench.succeed(&["new", "fixed", "--set", "seed=3"]);
    let words = bench.refuse(2, &["run", "fixed", "--set", "seed=4", "--plain"]);
    assert!(words.contains("already exists"), "{words}");
    let words = bench.refuse(2, &["new", "fixed"]);
    assert!(words.contains("already exists"), "{words}");
    assert_eq!(bench.load("fixed").config.seed, 3);
}

/// A verdict is made of noise. A session of an earlier version may have such a plan, and opens.
#[test]
fn a_backdoor_study_without_noise_is_refused_when_it_is_new() {
    let bench = Bench::new();
    let plan = "analyses=[Backdoor((gammas: [0.3, 1.0]))]";
    let words = bench.refuse(2, &["new", "study", "--set", plan]);
    assert!(words.contains("analyses[0].gammas[1]"), "{words}");
    assert!(words.contains("there is no noise"), "{words}");
    bench.succeed(&[
        "new",
        "study",
        "--set",
        "analyses=[Backdoor((gammas: [0.3, 0.9]))]",
    ]);
    let path = bench.store().path("study");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("[0.3, 0.9]", "[0.3, 1.0]", 1)).unwrap();
    assert!(bench.succeed(&["ls"]).contains("study"));
    assert_eq!(bench.load("study").config.analyses.len(), 1);
}
