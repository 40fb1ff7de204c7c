//! Bad input gets an exit code and one clear paragraph that names the place, and changes nothing.

mod common;

use std::fs;

use common::{Bench, both, small_set};
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
        let error = bench.refuse(2, &["run", "bad", "--plain"]);
        assert!(error.contains("bad.ron"), "{error}");
        assert!(error.contains(place), "{config}: {error}");
        assert_eq!(fs::read_to_string(bench.store().path("bad")).unwrap(), text);
    }
}

#[test]
fn an_unknown_option_is_not_said_to_be_a_value_where_it_would_name_a_session() {
    let bench = Bench::new();
    for arguments in [
        &["run", "mine", "--gamma", "0.3"][..],
        &["extend", "mine", "--trials", "-5"],
    ] {
        let output = bench.output(arguments);
        assert_eq!(output.status.code(), Some(2));
        let refusal = both(&output);
        assert!(refusal.contains("unexpected argument"), "{refusal}");
        assert!(!refusal.contains("as a value"), "{refusal}");
    }
    // Options for sbatch are such words.
    let output = bench.output(&["submit", "mine", "--slurm", "--account=a"]);
    let refusal = both(&output);
    assert!(refusal.contains("use '-- --account"), "{refusal}");
}

#[test]
fn a_typo_is_named_with_line_and_column() {
    let bench = Bench::new();
    session_file(
        &bench,
        "typo",
        "(\n  version: 1,\n  config: (\n    sed: 7,\n  ),\n)\n",
    );
    let error = bench.refuse(2, &["run", "typo", "--plain"]);
    assert!(
        error.contains("typo.ron:4:") && error.contains("sed"),
        "{error}"
    );
}

#[test]
fn a_plan_written_by_hand_runs() {
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
    let error = bench.refuse(2, &["run", "new", "--plain"]);
    assert!(
        error.contains("newer noisescope") && error.contains("99"),
        "{error}"
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
    let position = text.rfind('"').expect("the last array ends in quotes") - 20;
    let mut bytes = text.into_bytes();
    bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
    fs::write(bench.store().path("mine"), &bytes).unwrap();
    let error = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(error.contains("training.best.logits.weight"), "{error}");
    assert!(error.contains("no previous generation"), "{error}");
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
    let error = run("cut");
    assert!(error.contains("train-images-idx3-ubyte"), "{error}");

    let mut wrong = whole.clone();
    wrong[2] = 9;
    fs::write(&images, wrong).unwrap();
    assert!(run("magic").contains("train-images-idx3-ubyte"));

    // Too small for the convolutions of the default network; other networks accept it.
    small_set(&folder, 100, 20, 12);
    let error = run("small");
    assert!(
        error.contains("12×12") && error.contains("16×16") && error.contains("mlp"),
        "{error}"
    );
}

#[test]
fn a_missing_full_set_names_the_command_that_fetches_it() {
    let bench = Bench::new();
    let error = bench.refuse(1, &["run", "mnist-paper", "--plain"]);
    assert!(error.contains("noisescope data fetch"), "{error}");
}

#[test]
fn an_unavailable_simd_level_is_refused_with_the_available_ones() {
    let bench = Bench::new();
    let mut bad = bench.program();
    bad.env("NOISESCOPE_SIMD", "avx1024").arg("ls");
    let output = bad.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("avx1024") && error.contains("plain"),
        "{error}"
    );
    let mut good = bench.program();
    good.env("NOISESCOPE_SIMD", "Plain").arg("ls");
    assert!(good.output().unwrap().status.success());
}

#[test]
fn unknown_names_devices_and_presets_are_refused_with_the_existing_ones() {
    let bench = Bench::new();
    let error = bench.refuse(2, &["attach", "nothing"]);
    assert!(
        error.contains("nothing") && error.contains("noisescope run"),
        "{error}"
    );
    let error = bench.refuse(2, &["run", "../up", "--plain"]);
    assert!(error.contains("../up"), "{error}");
    let error = bench.refuse(2, &["run", "x", "--preset", "nope", "--plain"]);
    assert!(error.contains("quickstart"), "{error}");
    let error = bench.refuse(2, &["run", "x", "--device", "tpu", "--plain"]);
    assert!(error.contains("flex"), "{error}");
    let error = bench.refuse(2, &["run", "x", "--device", "cuda:0", "--plain"]);
    assert!(error.contains("without it"), "{error}");
    let error = bench.refuse(2, &["new", "x", "--set", "seed=abc"]);
    assert!(error.contains("--set seed=abc"), "{error}");
    assert!(
        bench.store().names().unwrap().is_empty(),
        "no session was created"
    );
}

#[test]
fn an_existing_session_keeps_its_plan() {
    let bench = Bench::new();
    bench.succeed(&["new", "fixed", "--set", "seed=3"]);
    let error = bench.refuse(2, &["run", "fixed", "--set", "seed=4", "--plain"]);
    assert!(error.contains("already exists"), "{error}");
    let error = bench.refuse(2, &["new", "fixed"]);
    assert!(error.contains("already exists"), "{error}");
    // Without trials so far, a target alone could not be estimated.
    let error = bench.refuse(2, &["run", "fixed", "--pilot"]);
    assert!(error.contains("extend fixed --trials N"), "{error}");
    assert_eq!(bench.load("fixed").config.seed, 3);
}

/// The verdict is computed from noise. Earlier versions allowed such a plan, so an existing session still opens.
#[test]
fn a_new_backdoor_study_without_noise_is_refused() {
    let bench = Bench::new();
    let plan = "analyses=[Backdoor((gammas: [0.3, 1.0]))]";
    let error = bench.refuse(2, &["new", "study", "--set", plan]);
    assert!(error.contains("analyses[0].gammas[1]"), "{error}");
    assert!(error.contains("there is no noise"), "{error}");
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

#[test]
fn what_is_refused_leaves_no_folder_behind() {
    let bench = Bench::new();
    let folder = bench.path("new/deep");
    for arguments in [
        &["new", "mine", "--preset", "none"][..],
        &["new", "mine", "--set", "foo=1"],
        &["run", "mine", "--plain", "--set", "foo=1"],
        &["run", "mine", "--detach", "--set", "seed=-1"],
        &["engine", "mine"],
    ] {
        let mut program = bench.program();
        program.env("NOISESCOPE_SESSIONS", &folder).args(arguments);
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        assert!(!bench.path("new").exists(), "{arguments:?}");
    }
}
