//! The words of the command line: names in any capitalisation, short forms, slips that are asked
//! about or refused, and what a run says of its images.

mod common;
mod images;

use std::fs;
use std::io::Read;
use std::path::Path;

use common::pty::Pty;
use common::{Bench, both, small_set};
use images::put_png;
use noisescope::session::config::{DatasetName, DatasetSource, NetworkKind, WeightSource};

const CLOTHES: &str =
    "T-shirt/top\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nAnkle boot\n";

/// A run of a moment: what it is given more, what it says.
fn short_run(bench: &Bench, name: &str, more: &[&str]) -> String {
    let mut words = vec!["run", name, "--plain", "--device", "flex"];
    words.extend(more);
    words.extend(["--set", "network.weights=Train((epochs: 1, batch: 32))"]);
    let output = bench.output(&words);
    assert!(output.status.success(), "{}", both(&output));
    both(&output)
}

/// An ordinary set of images in `clothes`, with names.
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
    let words = bench.refuse(2, &["show", "done", "--map", "hat"]);
    assert!(
        words.contains("no class `hat`; there are T-shirt/top, Trouser"),
        "{words}"
    );
    let words = bench.refuse(2, &["show", "done", "--map", "s"]);
    assert!(
        words.contains("is ambiguous: Sandal, Shirt, Sneaker"),
        "{words}"
    );
    let words = bench.refuse(2, &["show", "done", "--map", "10"]);
    assert!(words.contains("no class `10`"), "{words}");
    // Without a terminal the class is understood, and only the picture has no place.
    for class in ["3", "dress", "DRESS", "ankle"] {
        let words = bench.refuse(2, &["show", "done", "--map", class]);
        assert!(words.contains("export done --format png"), "{words}");
    }
    let drawn = |class: &str| {
        let words = ["show", "done", "--map", class, "--protocol", "block"];
        let mut pty = Pty::start(bench.folder.path(), &words, 100, 40);
        assert_eq!(pty.exit_code(), 0, "{}", pty.text());
        pty.text()
    };
    assert_eq!(drawn("dress"), drawn("3"));
}

/// Before a session has run, the names of a known set are known already.
#[test]
fn classes_of_a_known_set_have_names_before_it_is_read() {
    let bench = Bench::new();
    bench.succeed(&["new", "fresh", "--set", "dataset.name=FashionMnist"]);
    let words = bench.refuse(2, &["show", "fresh", "--map", "hat"]);
    assert!(words.contains("Pullover, Dress"), "{words}");
    let words = bench.refuse(2, &["show", "fresh", "--map", "dress"]);
    assert!(words.contains("export fresh"), "{words}");
    bench.succeed(&["new", "mine", "--set", "dataset.name=Own(\"mine\")"]);
    let words = bench.refuse(2, &["show", "mine", "--map", "dress"]);
    assert!(
        words.contains("unknown until the session has run"),
        "{words}"
    );
}

#[test]
fn networks_are_named_in_any_capitalisation_everywhere() {
    let bench = Bench::new();
    let trials = [
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
        let said = bench.succeed(&[&trials[..], &[typed]].concat());
        assert!(said.contains("\"network\":\"logistic\""), "{said}");
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
        let words = bench.refuse(2, arguments);
        assert!(
            words.contains(
                "the networks are cnn, mlp, logistic, rnn, simple, complex; did you mean logistic?"
            ),
            "{arguments:?}: {words}"
        );
    }
    let words = bench.refuse(2, &["bench", "--network", "resnet50"]);
    assert!(!words.contains("did you mean"), "{words}");
    let words = bench.refuse(
        2,
        &["new", "x", "--network", "mlp", "--set", "network.kind=Cnn"],
    );
    assert!(words.contains("both set the network"), "{words}");
    assert!(!bench.store().exists("x"), "nothing was made");
}

#[test]
fn a_file_of_weights_goes_with_the_name_of_its_network() {
    let bench = Bench::new();
    fs::write(bench.path("model.PT"), "weights").unwrap();
    let words = bench.refuse(2, &["new", "x", "--network", "model.PT"]);
    assert!(
        words.contains("--set network.kind=") && words.contains("cnn, mlp"),
        "{words}"
    );
    let kind = ["--set", "network.kind=mlp"];
    let words = bench.refuse(
        2,
        &[&["new", "x", "--network", "no.pth"], &kind[..]].concat(),
    );
    assert!(
        words.contains("there is no file") && words.contains("no.pth"),
        "{words}"
    );
    let words = bench.refuse(2, &["new", "x", "--network", "./model.onnx"]);
    assert!(words.contains("there is no file"), "{words}");
    let words = bench.refuse(2, &["new", "x", "--network", "./model.h5"]);
    assert!(
        words.contains("ends in .onnx, a weight file in .pt, .pth or"),
        "{words}"
    );
    // A file that is something else is called what it is.
    fs::write(bench.path("there.h5"), b"\x89HDF\r\n\x1a\n").unwrap();
    let words = bench.refuse(2, &["new", "x", "--network", "there.h5"]);
    assert!(
        words.contains("an HDF5 file, as Keras writes them")
            && words.contains("tf2onnx.convert.from_keras(model, output_path=\"model.onnx\")"),
        "{words}"
    );
    let weights = "network.weights=File(\"other.pt\")";
    let words = bench.refuse(
        2,
        &[
            &["new", "x", "--network", "model.PT", "--set", weights],
            &kind[..],
        ]
        .concat(),
    );
    assert!(
        words.contains("both say where the weights come from"),
        "{words}"
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
fn data_of_a_new_session_may_be_its_own_images() {
    let bench = Bench::new();
    clothes(&bench);
    bench.succeed(&[
        "new",
        "folder",
        "--data",
        "clothes",
        "--set",
        "dataset.transpose=true",
    ]);
    let set = bench.load("folder").config.dataset.unwrap();
    assert_eq!(set.name, DatasetName::Own("clothes".into()));
    assert!(set.transpose);
    let DatasetSource::Folder(path) = &set.source else {
        panic!("{set:?}");
    };
    assert!(path.is_absolute() && path.ends_with("clothes"), "{path:?}");

    // A part means the whole; a level too high is looked into.
    for class in ["cat", "dog"] {
        for index in 0..6 {
            let file = format!("{index}.png");
            put_png(
                &bench.path("pets/train").join(class).join(&file),
                3,
                2,
                index,
            );
            put_png(
                &bench.path("pets/test").join(class).join(&file),
                3,
                2,
                index,
            );
        }
    }
    fs::create_dir_all(bench.path("deep")).unwrap();
    fs::rename(bench.path("clothes"), bench.path("deep/inside")).unwrap();
    for (name, given, called) in [
        ("part", "pets/train", "pets"),
        ("whole", "pets", "pets"),
        ("deeper", "deep", "deep"),
    ] {
        bench.succeed(&["new", name, "--data", given]);
        let set = bench.load(name).config.dataset.unwrap();
        assert_eq!(set.name, DatasetName::Own(called.into()), "{given}");
    }
    // The same again opens it, other images do not.
    for more in ["--data=pets", "--data=deep"] {
        let words = bench.refuse(2, &["new", "whole", more]);
        assert!(words.contains("already exists"), "{words}");
    }
    let words = bench.refuse(2, &["run", "whole", "--plain", "--data", "deep"]);
    assert!(
        words.contains("already exists with other images"),
        "{words}"
    );

    for setting in [
        "dataset=(name: Kmnist)",
        "dataset.source=Full",
        "dataset.name=Kmnist",
    ] {
        let words = bench.refuse(2, &["new", "x", "--data", "pets", "--set", setting]);
        assert!(words.contains("both set the images"), "{setting}: {words}");
    }
    let words = bench.refuse(2, &["--data", "pets"]);
    assert!(words.contains("noisescope run NAME --data pets"), "{words}");
}

#[test]
fn data_that_is_neither_images_nor_sets_is_refused_with_both_possibilities() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    fs::create_dir(bench.path("other")).unwrap();
    fs::write(bench.path("other/table.csv"), "1,2").unwrap();
    for (given, reason) in [
        ("nowhere", "there is no folder or file"),
        ("empty", "is empty"),
        ("other", "table.csv"),
    ] {
        let words = bench.refuse(2, &["new", "x", "--data", given]);
        assert!(
            words.contains(reason)
                && words.contains("your own images")
                && words.contains("the folder of full sets"),
            "{given}: {words}"
        );
    }
    assert!(
        bench.store().names().unwrap().is_empty(),
        "nothing was made"
    );
    let words = bench.refuse(2, &["new", "x", "--data", "other/table.csv"]);
    assert!(words.contains("a text table (CSV)"), "{words}");
    // A folder of full sets keeps its meaning.
    small_set(&bench.path("sets/mnist"), 60, 20, 28);
    bench.succeed(&["new", "known", "--data", "sets"]);
    let set = bench.load("known").config.dataset.unwrap();
    assert_eq!(
        (set.name, set.source),
        (DatasetName::Mnist, DatasetSource::Auto)
    );
}

#[test]
fn a_name_near_a_presets_is_never_a_long_run_by_accident() {
    let bench = Bench::new();
    for typed in [
        "quickstrat",
        "Quickstart",
        "quikstart",
        "mnist_paper",
        "backdoors",
    ] {
        for command in ["run", "new"] {
            let words = bench.refuse(2, &[command, typed]);
            assert!(
                words.contains("--preset") && words.contains(&format!("noisescope {command} ")),
                "{words}"
            );
        }
    }
    let words = bench.refuse(2, &["new", "x", "--preset", "quikstart"]);
    assert!(words.contains("did you mean quickstart?"), "{words}");
    assert!(
        bench.store().names().unwrap().is_empty(),
        "nothing was made"
    );

    // With a preset it is made; once it is there, its name opens it.
    bench.succeed(&[
        "new",
        "quickstrat",
        "--preset",
        "QUICKSTART",
        "--set",
        "seed=5",
    ]);
    assert_eq!(bench.load("quickstrat").config.seed, 5);
    let words = bench.refuse(2, &["new", "quickstrat"]);
    assert!(words.contains("already exists"), "{words}");
    bench.succeed(&["new", "mine"]);
}

#[test]
fn on_a_terminal_a_slip_is_asked_about() {
    let bench = Bench::new();
    let asked = |words: &[&str], answer: &str| {
        let mut pty = Pty::start(bench.folder.path(), words, 100, 30);
        pty.wait_for("Did you mean the preset quickstart? [Y/n]");
        pty.press(answer);
        let code = pty.exit_code();
        (code, pty.text())
    };
    let (code, text) = asked(&["new", "quickstrat"], "\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(bench.store().names().unwrap(), ["quickstart"]);
    let (code, text) = asked(&["new", "quickstrat"], "what\rn\r");
    assert_eq!(code, 0, "{text}");
    assert!(bench.store().exists("quickstrat"));
    let (code, text) = asked(&["new", "y", "--preset", "quikstart"], "y\r");
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        bench.load("y").config.analyses,
        bench.load("quickstart").config.analyses
    );
    let (code, text) = asked(&["new", "z", "--preset", "quikstart"], "no\r");
    assert_eq!(code, 2, "{text}");
    assert!(!bench.store().exists("z"));
}

#[test]
fn reading_many_pictures_is_told_and_what_is_odd_about_them_is_a_warning() {
    let bench = Bench::new();
    for class in ["cat", "dog"] {
        for index in 0..600 {
            let level = (index % 250) as u8;
            let file = format!("{index}.png");
            put_png(&bench.path("pets").join(class).join(file), 8, 8, level);
        }
    }
    fs::create_dir(bench.path("pets/emu")).unwrap();
    bench.succeed(&[
        "run",
        "pets",
        "--data",
        "pets",
        "--network",
        "logistic",
        "--detach",
        "--device",
        "flex",
        "--set",
        "network.weights=Train((epochs: 1))",
        "--set",
        "analyses=[]",
    ]);
    common::wait_until("the end", || {
        bench.load("pets").record.state == noisescope::session::SavedState::Finished
    });
    let log = fs::read_to_string(bench.path("sessions/pets.log")).unwrap();
    let line = |words: &str| {
        let mut lines = log.lines();
        let found = lines.find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("{words}: {log}"))
    };
    assert!(line("reading 1,200 pictures").contains("INFO"), "{log}");
    assert!(line("the set has no test images").contains("INFO"), "{log}");
    let emu = line("class emu has no training image");
    assert!(emu.contains("WARN"), "{log}");
    let images = bench.load("pets").record.images.unwrap();
    assert!(Path::new(&images).ends_with("pets"), "{images}");
}

#[test]
fn a_network_at_chance_is_told_loudly_with_the_usual_causes() {
    let bench = Bench::new();
    small_set(&bench.path("grey"), 200, 100, 28);
    for part in ["train", "t10k"] {
        let path = bench.path(&format!("grey/{part}-images-idx3-ubyte"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[16..].fill(90);
        fs::write(path, bytes).unwrap();
    }
    let more = [
        "--data",
        "grey",
        "--network",
        "logistic",
        "--set",
        "analyses=[]",
    ];
    let said = short_run(&bench, "grey", &more);
    for words in [
        "NO BETTER THAN CHANCE",
        "10.0 %",
        "inverted",
        "padding",
        "dataset.transpose",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let clothes = clothes(&bench);
    let said = short_run(
        &bench,
        "clothes",
        &[
            "--data",
            &clothes,
            "--network",
            "logistic",
            "--set",
            "analyses=[]",
        ],
    );
    assert!(!said.contains("CHANCE"), "{said}");
}

#[test]
fn weights_of_a_file_say_what_is_assumed_and_at_chance_what_they_do_not_carry() {
    let bench = Bench::new();
    let clothes = clothes(&bench);
    let packed = fs::read("tests/fixtures/nets/logistic.safetensors.gz").unwrap();
    let mut weights = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut weights)
        .unwrap();
    let path = bench.path("strange.safetensors");
    fs::write(&path, weights).unwrap();
    let output = bench.output(&[
        "run",
        "strange",
        "--plain",
        "--device",
        "flex",
        "--data",
        &clothes,
        "--network",
        &path.display().to_string(),
        "--set",
        "network.kind=logistic",
        "--set",
        "analyses=[]",
    ]);
    let said = both(&output);
    assert!(output.status.success(), "{said}");
    for words in [
        "assumed: nothing between the pixels and the logits, and images from 0 to 1",
        "NO BETTER THAN CHANCE",
        "trained on other data",
        "classes are in another order",
        "another scale",
        "non-linearity or pooling, which a weights file does not contain",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
