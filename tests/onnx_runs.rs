//! Runs on networks from ONNX files: maps, layers, stored files, input scaling, and refusals.

mod common;
mod images;

use std::fs;
use std::path::Path;

use common::{Bench, both};
use images::put_png;
use noisescope::session::SavedState;
use noisescope::session::record::{Analysis, SpikeTriggered};
use noisescope::session::store::VERSION;

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx");
    folder.join(name).display().to_string()
}

/// Noise without images.
const NOISE: &str = "dataset=None";
const MAPS: &str = "ClassificationImages((gammas: [0.0], trials: 512, block: 64))";

/// A short spike-triggered analysis of one layer; its name may be a pattern.
fn at_layer(layer: &str) -> String {
    format!(
        "analyses=[SpikeTriggered((layers: [\"{layer}\"], trials: 64, images: 0, block: 64, gradient_trials: 64, gradient_units: 1))]"
    )
}

/// Options for the network of a file and a plan of noise without images.
fn on_noise<'a>(network: &'a str, plan: &'a str) -> [&'a str; 6] {
    ["--network", network, "--set", NOISE, "--set", plan]
}

/// Runs a session and expects this exit code; returns what it printed.
fn run_to(code: i32, bench: &Bench, name: &str, more: &[&str]) -> String {
    let output = bench.output(&[&["run", name, "--plain", "--device", "flex"], more].concat());
    assert_eq!(output.status.code(), Some(code), "{}", both(&output));
    both(&output)
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> String {
    run_to(0, bench, name, more)
}

fn refused(bench: &Bench, name: &str, more: &[&str]) -> String {
    run_to(1, bench, name, more)
}

/// Discards the session's results, so that a run has something to do.
fn discard_results(bench: &Bench, name: &str) {
    let mut session = bench.load(name);
    let plans = session.config.analyses.iter();
    session.record.analyses = plans.map(Analysis::new).collect();
    session.record.state = SavedState::Stopped;
    bench.store().save(&session).unwrap();
}

#[test]
fn one_command_runs_the_network_of_an_onnx_file() {
    let bench = Bench::new();
    let plan = format!(
        "analyses=[{MAPS}, SpikeTriggered((noise: Gaussian(()), trials: 512, images: 0, block: 64, \
         gradient_trials: 64, gradient_units: 4))]"
    );
    let network = fixture("residual-13.onnx");
    let printed = run(&bench, "mine", &on_noise(&network, &plan));
    assert!(printed.contains("noise alone"), "{printed}");
    assert!(printed.contains("finished"), "{printed}");
    let session = bench.load("mine");
    let form = session.record.form.as_ref().unwrap();
    assert!(form.class_count() > 1);
    let layers = &session.record.first::<SpikeTriggered>().unwrap().layers;
    assert!(layers.len() > 3, "{}", layers.len());
    // The first convolution is directly on the image, so its averages equal its weights.
    let first = layers[0].estimate();
    let mut kernel: Vec<f64> = first.kernel_correlation.iter().copied().flatten().collect();
    kernel.sort_by(f64::total_cmp);
    assert!(kernel[kernel.len() / 2] > 0.95, "{kernel:?}");
    let exported = bench.succeed(&["export", "mine", "--format", "json"]);
    assert!(exported.contains("\"spike_triggered\""));
}

#[test]
fn layers_are_chosen_by_pattern() {
    let bench = Bench::new();
    let network = fixture("cnn-newest.onnx");
    run(&bench, "some", &on_noise(&network, &at_layer("conv*")));
    let session = bench.load("some");
    let layers = &session.record.first::<SpikeTriggered>().unwrap().layers;
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["conv1", "conv2"]);
    let error = refused(&bench, "none", &on_noise(&network, &at_layer("layer7.*")));
    assert!(
        error.contains("analyses[0].layers[0]")
            && error.contains("no layer `layer7.*`; it has conv1"),
        "{error}"
    );
}

#[test]
fn a_session_stores_a_small_file_and_recognises_a_large_one() {
    let bench = Bench::new();
    let plan = format!("analyses=[{MAPS}]");
    // A small file without a side file is stored in the session.
    let alone = bench.path("alone.onnx");
    fs::copy(fixture("cnn-newest.onnx"), &alone).unwrap();
    let typed = alone.display().to_string();
    run(&bench, "kept", &on_noise(&typed, &plan));
    let before = bench.load("kept");
    fs::remove_file(&alone).unwrap();
    discard_results(&bench, "kept");
    run(&bench, "kept", &[]);
    assert_eq!(bench.load("kept").record.analyses, before.record.analyses);
    // Another file in its place is refused; if accepted, the run continues with the stored one.
    for other in ["residual-13.onnx", "make.py"] {
        fs::copy(fixture(other), &alone).unwrap();
        discard_results(&bench, "kept");
        let error = refused(&bench, "kept", &[]);
        assert!(error.contains("the weights file differs"), "{error}");
        run(&bench, "kept", &["--accept-inputs"]);
        assert_eq!(bench.load("kept").record.analyses, before.record.analyses);
    }

    // A file with a side file is not stored: it is found beside the session, and a changed one is refused.
    let (model, side) = (
        bench.path("side-file.onnx"),
        bench.path("side-file.onnx.data"),
    );
    fs::copy(fixture("side-file.onnx"), &model).unwrap();
    fs::copy(fixture("side-file.onnx.data"), &side).unwrap();
    let typed = model.display().to_string();
    run(&bench, "large", &on_noise(&typed, &plan));
    let before = bench.load("large");
    for file in ["side-file.onnx", "side-file.onnx.data"] {
        fs::rename(bench.path(file), bench.path("sessions").join(file)).unwrap();
    }
    discard_results(&bench, "large");
    run(&bench, "large", &[]);
    assert_eq!(bench.load("large").record.analyses, before.record.analyses);

    let side = bench.path("sessions/side-file.onnx.data");
    let mut bytes = fs::read(&side).unwrap();
    bytes[40] ^= 1;
    fs::write(&side, &bytes).unwrap();
    discard_results(&bench, "large");
    let error = refused(&bench, "large", &[]);
    assert!(
        error.contains("is not the file that this session began with"),
        "{error}"
    );
    fs::remove_file(bench.path("sessions/side-file.onnx")).unwrap();
    let error = refused(&bench, "large", &[]);
    assert!(error.contains("is gone; restore the file"), "{error}");
}

#[test]
fn a_network_for_other_images_names_those_it_takes() {
    let bench = Bench::new();
    for class in ["cat", "dog"] {
        for index in 0..6 {
            let picture = bench.path("pets").join(class).join(format!("{index}.png"));
            put_png(&picture, 9, 9, 20 * index);
        }
    }
    let pets = bench.path("pets").display().to_string();
    let network = fixture("cnn-newest.onnx");
    let error = refused(&bench, "pets", &["--network", &network, "--data", &pets]);
    assert!(
        error.contains("takes images of") || error.contains("9×9"),
        "{error}"
    );
    let set = "network.kind=Cnn";
    let error = bench.refuse(2, &["new", "x", "--network", &network, "--set", set]);
    assert!(error.contains("both set the network"), "{error}");
    for (plan, expected) in [
        (
            "analyses=[ClassificationImages((gammas: [0.0])), Templates(())]",
            "analyses[1]: Templates needs images",
        ),
        (
            "analyses=[Predictions(())]",
            "analyses[0]: Predictions needs images",
        ),
        (
            "analyses=[ClassificationImages((gammas: [0.0, 0.3]))]",
            "analyses[0].gammas[1]: γ 0.3 blends images",
        ),
    ] {
        let arguments = [&["new", "x"], &on_noise(&network, plan)[..]].concat();
        let error = bench.refuse(2, &arguments);
        assert!(error.contains(expected), "{error}");
    }
    let error = bench.refuse(2, &["new", "x", "--set", "network.kind=Onnx"]);
    assert!(error.contains("comes from a file"), "{error}");
}

#[test]
fn a_preset_is_taken_for_an_onnx_network_without_the_backdoor_study() {
    let bench = Bench::new();
    let network = fixture("residual-13.onnx");
    let given = ["--network", network.as_str()];
    let output = bench.output(&[&["new", "mine", "--preset", "quickstart"][..], &given].concat());
    assert!(output.status.success(), "{}", both(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    for words in ["without Backdoor", "trains networks of its own", "Audit"] {
        assert!(said.contains(words), "{said}");
    }
    let plan = bench.load("mine").config;
    let names: Vec<&str> = plan.analyses.iter().map(|plan| plan.variant()).collect();
    let expected = [
        "ClassificationImages",
        "Templates",
        "Attack",
        "SpikeTriggered",
        "Modulation",
        "Predictions",
    ];
    assert_eq!(names, expected);
    // A plan that asks for the study is refused, as is a preset of nothing else.
    let listed = ["--set", "analyses=[Backdoor(())]"];
    for plan in [&listed[..], &["--preset", "backdoor"]] {
        let error = bench.refuse(2, &[&["new", "other"][..], plan, &given].concat());
        assert!(error.contains("Backdoor trains its own"), "{error}");
        assert!(error.contains("--preset audit"), "{error}");
    }
    let file = format!(
        "(version: {VERSION}, config: (network: (kind: Onnx, weights: File({network:?})), analyses: [Backdoor(())]))"
    );
    fs::write(bench.store().path("written"), file).unwrap();
    let error = bench.refuse(2, &["run", "written", "--plain"]);
    assert!(error.contains("Backdoor trains its own"), "{error}");
}

#[test]
fn the_planned_input_scaling_is_applied() {
    let bench = Bench::new();
    let network = fixture("cnn-newest.onnx");
    let plan = "analyses=[SpikeTriggered((noise: Gaussian(()), trials: 256, images: 0, block: 64, \
                layers: [\"conv1\"], gradient_units: 0))]";
    let kernel = |name: &str, input: &str| {
        let mut options = on_noise(&network, plan).to_vec();
        if !input.is_empty() {
            options.extend(["--set", input]);
        }
        run(&bench, name, &options);
        let session = bench.load(name);
        let layers = &session.record.first::<SpikeTriggered>().unwrap().layers;
        layers[0].kernel.values().to_vec()
    };
    let plain = kernel("plain", "");
    let scaled = kernel(
        "scaled",
        "network.input=(range: Byte, mean: [100.0], std: [50.0])",
    );
    for (plain, scaled) in plain.iter().zip(&scaled) {
        assert!((scaled - plain * 255.0 / 50.0).abs() < 1e-4 * scaled.abs().max(1e-3));
    }
    let bad = ["--set", "network.input=(mean: [0.1, 0.2, 0.3, 0.4, 0.5])"];
    let options = [&on_noise(&network, plan)[..], &bad].concat();
    let error = refused(&bench, "bad", &options);
    assert!(error.contains("network.input.mean: 5 numbers"), "{error}");
}

#[test]
fn a_network_file_that_was_only_opened_may_be_replaced_by_another() {
    let bench = Bench::new();
    let network = bench.path("net.onnx");
    fs::copy(fixture("cnn-newest.onnx"), &network).unwrap();
    let typed = network.display().to_string();
    let plan = "analyses=[ClassificationImages((gammas: [0.0], trials: 512, block: 64, classes: [\"owl\"]))]";
    let error = refused(&bench, "mine", &on_noise(&typed, plan));
    assert!(error.contains("there is no class `owl`"), "{error}");
    // The plan is corrected in its file, and the network exported again.
    let path = bench.store().path("mine");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("[\"owl\"]", "[]", 1)).unwrap();
    fs::copy(fixture("residual-13.onnx"), &network).unwrap();
    run(&bench, "mine", &[]);
    let model = bench.load("mine").record.model.unwrap();
    assert!(model.file.values() == fs::read(&network).unwrap());
    // Nothing else takes the place of a file that is gone, if the plan names it instead of another.
    refused(&bench, "other", &on_noise(&typed, plan));
    let path = bench.store().path("other");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replacen("[\"owl\"]", "[]", 1);
    fs::write(&path, text.replacen("net.onnx", "gone.onnx", 1)).unwrap();
    let error = refused(&bench, "other", &[]);
    assert!(error.contains("gone.onnx"), "{error}");
}

#[test]
fn a_plan_that_failed_before_measuring_can_be_corrected_under_its_name() {
    let bench = Bench::new();
    let network = fixture("residual-13.onnx");
    let wrong = at_layer("no such layer");
    let printed = refused(&bench, "mine", &on_noise(&network, &wrong));
    assert_eq!(printed.matches("no such layer").count(), 2, "{printed}");
    assert!(matches!(
        bench.load("mine").record.state,
        SavedState::Failed(_)
    ));
    let sites = bench.succeed(&["inspect", &network, "--json"]);
    let sites: serde_json::Value = serde_json::from_str(&sites).unwrap();
    let last = sites["network"]["sites"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    let right = at_layer(last["name"].as_str().unwrap());
    let right = on_noise(&network, &right);
    let printed = run(&bench, "mine", &right);
    assert!(printed.contains("starts again with this plan"), "{printed}");
    assert_eq!(bench.load("mine").record.state, SavedState::Finished);
    // A session with results keeps its plan.
    let output = bench.output(&[&["run", "mine", "--plain"], &right[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        both(&output).contains("already exists"),
        "{}",
        both(&output)
    );
}
