//! `--data`, and a run's remarks on its images and weights.

use std::fs;
use std::io::Read;
use std::path::Path;

use noisescope::session::config::{DatasetName, DatasetSource};

use super::{clothes, short_run};
use crate::common::{self, Bench, both, small_set};
use crate::images::put_png;

#[test]
fn the_data_option_takes_a_folder_of_images() {
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

    // A part selects the whole set, and a folder one level too high is searched.
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
    // `new` refuses an existing name, and `run` refuses other images.
    for option in ["--data=pets", "--data=deep"] {
        let error = bench.refuse(2, &["new", "whole", option]);
        assert!(error.contains("already exists"), "{error}");
    }
    let error = bench.refuse(2, &["run", "whole", "--plain", "--data", "deep"]);
    assert!(
        error.contains("already exists with other images"),
        "{error}"
    );

    for setting in [
        "dataset=(name: Kmnist)",
        "dataset.source=Full",
        "dataset.name=Kmnist",
    ] {
        let error = bench.refuse(2, &["new", "x", "--data", "pets", "--set", setting]);
        assert!(error.contains("both set the images"), "{setting}: {error}");
    }
    let error = bench.refuse(2, &["--data", "pets"]);
    assert!(error.contains("noisescope run NAME --data pets"), "{error}");
}

#[test]
fn data_that_is_neither_images_nor_full_sets_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    fs::create_dir(bench.path("other")).unwrap();
    fs::write(bench.path("other/table.csv"), "1,2").unwrap();
    for (given, reason) in [
        ("nowhere", "there is no folder or file"),
        ("empty", "is empty"),
        ("other", "table.csv"),
    ] {
        let error = bench.refuse(2, &["new", "x", "--data", given]);
        assert!(
            error.contains(reason)
                && error.contains("your own images")
                && error.contains("the folder of full sets"),
            "{given}: {error}"
        );
    }
    assert!(
        bench.store().names().unwrap().is_empty(),
        "no session was created"
    );
    let error = bench.refuse(2, &["new", "x", "--data", "other/table.csv"]);
    assert!(error.contains("a text table (CSV)"), "{error}");
    // A folder of full sets is still accepted.
    small_set(&bench.path("sets/mnist"), 60, 20, 28);
    bench.succeed(&["new", "known", "--data", "sets"]);
    let set = bench.load("known").config.dataset.unwrap();
    assert_eq!(
        (set.name, set.source),
        (DatasetName::Mnist, DatasetSource::Auto)
    );
}

#[test]
fn reading_many_pictures_is_logged_and_oddities_are_warnings() {
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
    let line = |text: &str| {
        let mut lines = log.lines();
        let found = lines.find(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("{text}: {log}"))
    };
    assert!(line("reading 1,200 pictures").contains("INFO"), "{log}");
    assert!(line("the set has no test images").contains("INFO"), "{log}");
    let emu = line("class emu has no training image");
    assert!(emu.contains("WARN"), "{log}");
    let images = bench.load("pets").record.images.unwrap();
    assert!(Path::new(&images).ends_with("pets"), "{images}");
}

#[test]
fn a_network_at_chance_is_reported_with_the_usual_causes() {
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
    let printed = short_run(&bench, "grey", &more);
    for text in [
        "NO BETTER THAN CHANCE",
        "10.0 %",
        "inverted",
        "padding",
        "dataset.transpose",
    ] {
        assert!(printed.contains(text), "{text}: {printed}");
    }
    let clothes = clothes(&bench);
    let printed = short_run(
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
    assert!(!printed.contains("CHANCE"), "{printed}");
}

#[test]
fn imported_weights_state_their_assumptions_and_causes_of_chance() {
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
    let printed = both(&output);
    assert!(output.status.success(), "{printed}");
    for text in [
        "assumed: nothing between the pixels and the logits, and images from 0 to 1",
        "NO BETTER THAN CHANCE",
        "trained on other data",
        "classes are in another order",
        "another scale",
        "non-linearity or pooling, which a weights file does not contain",
        "`noisescope inspect FILE --data IMAGES`",
    ] {
        assert!(printed.contains(text), "{text}: {printed}");
    }
}

/// A session file holds no folder of full sets: whoever gives it to `new` alone would study the built-in subset.
#[test]
fn a_new_session_says_that_the_folder_of_full_sets_is_not_kept() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("sets/mnist")).unwrap();
    let output = bench.output(&["new", "mine", "--data", "sets"]);
    assert!(output.status.success(), "{}", both(&output));
    let remark = String::from_utf8_lossy(&output.stderr);
    assert!(
        remark.contains("--data sets: ") && remark.contains("to run as well"),
        "{remark}"
    );
    let set = bench.load("mine").config.dataset.unwrap();
    assert_eq!(set.source, DatasetSource::Auto);
    let quiet = bench.output(&["new", "other"]);
    assert!(
        quiet.status.success() && quiet.stderr.is_empty(),
        "{}",
        both(&quiet)
    );
}
