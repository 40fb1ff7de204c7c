//! Names on the command line: capitalisation, short forms, misspellings, images and weights; and a run's remarks on its
//! images.

mod common;
mod images;

#[path = "words/data.rs"]
mod data;
#[path = "words/shells.rs"]
mod shells;

use std::fs;

use common::pty::Pty;
use common::{Bench, both, small_set};
use noisescope::session::config::{NetworkKind, WeightSource};

const CLOTHES: &str =
    "T-shirt/top\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nAnkle boot\n";

/// A short run with additional arguments; returns its output.
fn short_run(bench: &Bench, name: &str, more: &[&str]) -> String {
    let mut arguments = vec!["run", name, "--plain", "--device", "flex"];
    arguments.extend(more);
    arguments.extend(["--set", "network.weights=Train((epochs: 1, batch: 32))"]);
    let output = bench.output(&arguments);
    assert!(output.status.success(), "{}", both(&output));
    both(&output)
}

/// Writes a small set of images with class names to `clothes`; returns its path.
fn clothes(bench: &Bench) -> String {
    small_set(&bench.path("clothes"), 200, 50, 28);
    fs::write(bench.path("clothes/classes.txt"), CLOTHES).unwrap();
    bench.path("clothes").display().to_string()
}

#[test]
fn a_class_is_shown_by_number_or_name() {
    let bench = Bench::new();
    let clothes = clothes(&bench);
    let maps = "analyses=[ClassificationImages((gammas: [0.4], trials: 5000))]";
    short_run(
        &bench,
        "done",
        &["--data", &clothes, "--network", "LOGISTIC", "--set", maps],
    );
    let error = bench.refuse(2, &["show", "done", "--map", "hat"]);
    assert!(
        error.contains("no class `hat`; there are T-shirt/top, Trouser"),
        "{error}"
    );
    let error = bench.refuse(2, &["show", "done", "--map", "s"]);
    assert!(
        error.contains("is ambiguous: Sandal, Shirt, Sneaker"),
        "{error}"
    );
    let error = bench.refuse(2, &["show", "done", "--map", "10"]);
    assert!(error.contains("no class `10`"), "{error}");
    // Without a terminal only showing the picture is refused, with the name of the same map as a file.
    for (typed, class) in [("3", 3), ("dress", 3), ("DRESS", 3), ("ankle", 9)] {
        let error = bench.refuse(2, &["show", "done", "--map", typed]);
        let map = format!(" --figure evidence-map-{class}-gamma-0.4");
        assert!(error.trim_end().ends_with(&map), "{typed}: {error}");
    }
    let drawn = |class: &str| {
        let arguments = ["show", "done", "--map", class, "--protocol", "block"];
        let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 40);
        assert_eq!(pty.exit_code(), 0, "{}", pty.text());
        pty.text()
    };
    assert_eq!(drawn("dress"), drawn("3"));
}

/// The class names of a known set are available before a session has run.
#[test]
fn classes_of_a_known_set_have_names_before_it_is_read() {
    let bench = Bench::new();
    bench.succeed(&["new", "fresh", "--set", "dataset.name=FashionMnist"]);
    let error = bench.refuse(2, &["show", "fresh", "--map", "hat"]);
    assert!(error.contains("Pullover, Dress"), "{error}");
    let error = bench.refuse(2, &["show", "fresh", "--map", "dress"]);
    assert!(error.contains("no classification images yet"), "{error}");
    bench.succeed(&["new", "mine", "--set", "dataset.name=Own(\"mine\")"]);
    let error = bench.refuse(2, &["show", "mine", "--map", "dress"]);
    assert!(
        error.contains("unknown until the session has run"),
        "{error}"
    );
}

#[test]
fn networks_are_named_in_any_capitalisation_everywhere() {
    let bench = Bench::new();
    let bench_command = [
        "bench",
        "--device",
        "flex",
        "--batch",
        "64",
        "--trials",
        "64",
        "--json",
        "--network",
    ];
    for typed in ["logistic", "Logistic", "LOGISTIC"] {
        let printed = bench.succeed(&[&bench_command[..], &[typed]].concat());
        assert!(printed.contains("\"network\":\"logistic\""), "{printed}");
        bench.succeed(&["new", &format!("by-{typed}"), "--network", typed]);
        let setting = format!("network.kind={typed}");
        bench.succeed(&["new", &format!("set-{typed}"), "--set", &setting]);
        for name in [format!("by-{typed}"), format!("set-{typed}")] {
            assert_eq!(bench.load(&name).config.network.kind, NetworkKind::Logistic);
        }
    }
    for arguments in [
        &["bench", "--network", "logisitc"][..],
        &["doctor", "--network", "logisitc"],
        &["new", "x", "--network", "logisitc"],
        &["run", "x", "--network", "logisitc"],
        &["new", "x", "--set", "network.kind=logisitc"],
    ] {
        let error = bench.refuse(2, arguments);
        // A session's network may also come from a file.
        let more = match arguments[0] {
            "new" | "run" => ", onnx (from a file)",
            _ => "",
        };
        let names = format!("cnn, mlp, logistic, rnn, simple, complex{more}");
        assert!(
            error.contains(&format!("the networks are {names}; did you mean logistic?")),
            "{arguments:?}: {error}"
        );
    }
    let error = bench.refuse(2, &["bench", "--network", "resnet50"]);
    assert!(!error.contains("did you mean"), "{error}");
    let error = bench.refuse(
        2,
        &["new", "x", "--network", "mlp", "--set", "network.kind=Cnn"],
    );
    assert!(error.contains("both set the network"), "{error}");
    assert!(!bench.store().exists("x"), "no session was created");
}

#[test]
fn a_weights_file_needs_the_name_of_its_network() {
    let bench = Bench::new();
    fs::write(bench.path("model.PT"), "weights").unwrap();
    let error = bench.refuse(2, &["new", "x", "--network", "model.PT"]);
    assert!(
        error.contains("--set network.kind=") && error.contains("cnn, mlp"),
        "{error}"
    );
    let kind = ["--set", "network.kind=mlp"];
    let error = bench.refuse(
        2,
        &[&["new", "x", "--network", "no.pth"], &kind[..]].concat(),
    );
    assert!(
        error.contains("there is no file") && error.contains("no.pth"),
        "{error}"
    );
    let error = bench.refuse(2, &["new", "x", "--network", "./model.onnx"]);
    assert!(error.contains("there is no file"), "{error}");
    // A file in the place of the session's name must not become the name of another network's session.
    for (command, file, meant) in [
        ("run", "net.onnx", "noisescope run net --network net.onnx"),
        (
            "new",
            "a/b.pt",
            "noisescope new b --network a/b.pt --set network.kind=KIND",
        ),
    ] {
        let error = bench.refuse(2, &[command, file]);
        assert!(error.trim_end().ends_with(meant), "{error}");
        assert!(!bench.store().exists(file));
    }
    let named = ["new", "net.onnx", "--network", "mlp"];
    bench.succeed(&named);
    let error = bench.refuse(2, &["new", "x", "--network", "./model.h5"]);
    assert!(
        error.contains("ends in .onnx, a weight file in .pt, .pth or"),
        "{error}"
    );
    // A file of another format is named as such.
    fs::write(bench.path("there.h5"), b"\x89HDF\r\n\x1a\n").unwrap();
    let error = bench.refuse(2, &["new", "x", "--network", "there.h5"]);
    assert!(
        error.contains("an HDF5 file, as Keras writes them")
            && error.contains("tf2onnx.convert.from_keras(model, output_path=\"model.onnx\")"),
        "{error}"
    );
    let weights = "network.weights=File(\"other.pt\")";
    let error = bench.refuse(
        2,
        &[
            &["new", "x", "--network", "model.PT", "--set", weights],
            &kind[..],
        ]
        .concat(),
    );
    assert!(
        error.contains("both set the source of the weights"),
        "{error}"
    );

    bench.succeed(&[&["new", "x", "--network", "model.PT"], &kind[..]].concat());
    let network = bench.load("x").config.network;
    let whole = bench.path("model.PT").canonicalize().unwrap();
    let WeightSource::File(path) = &network.weights else {
        panic!("{network:?}");
    };
    assert!(path.is_absolute() && path.canonicalize().unwrap() == whole);
    assert_eq!(network.kind, NetworkKind::Mlp);
}

#[test]
fn a_misspelt_preset_does_not_start_another_run() {
    let bench = Bench::new();
    for typed in [
        "quickstrat",
        "Quickstart",
        "quikstart",
        "mnist_paper",
        "backdoors",
    ] {
        for command in ["run", "new"] {
            let error = bench.refuse(2, &[command, typed]);
            assert!(
                error.contains("--preset") && error.contains(&format!("noisescope {command} ")),
                "{error}"
            );
        }
    }
    let error = bench.refuse(2, &["new", "x", "--preset", "quikstart"]);
    assert!(error.contains("did you mean quickstart?"), "{error}");
    assert!(
        bench.store().names().unwrap().is_empty(),
        "no session was created"
    );

    // With --preset the session is created under that name.
    bench.succeed(&[
        "new",
        "quickstrat",
        "--preset",
        "QUICKSTART",
        "--set",
        "seed=5",
    ]);
    assert_eq!(bench.load("quickstrat").config.seed, 5);
    let error = bench.refuse(2, &["new", "quickstrat"]);
    assert!(error.contains("already exists"), "{error}");
    bench.succeed(&["new", "mine"]);
}

#[test]
fn on_a_terminal_a_misspelt_preset_is_offered_corrected() {
    let bench = Bench::new();
    let answer_prompt = |arguments: &[&str], answer: &str| {
        let mut pty = Pty::start(bench.folder.path(), arguments, 100, 30);
        pty.wait_for("Did you mean the preset quickstart? [Y/n]");
        pty.press(answer);
        let code = pty.exit_code();
        (code, pty.text())
    };
    let (code, text) = answer_prompt(&["new", "quickstrat"], "\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(bench.store().names().unwrap(), ["quickstart"]);
    let (code, text) = answer_prompt(&["new", "quickstrat"], "what\rn\r");
    assert_eq!(code, 0, "{text}");
    assert!(bench.store().exists("quickstrat"));
    let (code, text) = answer_prompt(&["new", "y", "--preset", "quikstart"], "y\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        bench.load("y").config.analyses,
        bench.load("quickstart").config.analyses
    );
    let (code, text) = answer_prompt(&["new", "z", "--preset", "quikstart"], "no\r");
    assert_eq!(code, 2, "{text}");
    assert!(!bench.store().exists("z"));
}
