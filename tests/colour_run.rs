//! A real process takes a folder of colour pictures from the command line to the exports.

mod common;

use std::fs;
use std::path::Path;

use common::Bench;
use common::pty::Pty;
use image::{Rgb, RgbImage};
use noisescope::session::SavedState;
use serde_json::Value;

const NAMES: [&str; 3] = ["ant", "bee", "cat"];

/// Writes pictures of 12×18: each class is a different colour plus some noise.
fn pictures(folder: &Path) {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 26) as u8
    };
    for (part, count) in [("train", 30), ("test", 10)] {
        for (class, name) in NAMES.iter().enumerate() {
            let class_folder = folder.join(part).join(name);
            fs::create_dir_all(&class_folder).unwrap();
            for i in 0..count {
                let picture = RgbImage::from_fn(18, 12, |_, _| {
                    let mut pixel = [noise(), noise(), noise()];
                    pixel[class] += 120;
                    Rgb(pixel)
                });
                picture.save(class_folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn a_folder_of_colour_pictures_runs_through_to_its_exports() {
    let bench = Bench::new();
    pictures(&bench.path("pets"));
    let analyses = "analyses=[ClassificationImages((gammas: [0.0], trials: 3000, cell: 3)), \
                    Templates(()), Attack((weights: [0.0, 0.5])), \
                    SpikeTriggered((trials: 256, images: 20, gradient_trials: 16)), \
                    Predictions(())]";
    bench.succeed(&[
        "run",
        "pets",
        "--plain",
        "--device",
        "flex",
        "--data",
        bench.path("pets").to_str().unwrap(),
        "--network",
        "logistic",
        "--set",
        "network.weights.epochs=6",
        "--set",
        "network.weights.batch=10",
        "--set",
        "network.weights.lr_max=0.05",
        "--set",
        analyses,
    ]);
    let session = bench.load("pets");
    assert_eq!(session.record.state, SavedState::Finished);
    let form = session.record.form.as_ref().unwrap();
    assert_eq!(
        (form.shape(), &form.classes[..]),
        ([3, 12, 18], &NAMES.map(String::from)[..])
    );
    let training = session.record.training.as_ref().unwrap();
    assert!(
        training.test_accuracy.unwrap() > 0.9,
        "{:?}",
        training.test_accuracy
    );
    let images = session.record.classification_images().unwrap();
    assert_eq!(images.gammas[0].shape(), [3, 4, 6]);
    // Class bee is green, so the mean of its image is largest in the green channel.
    let estimate = images.gammas[0].estimate();
    let image = &estimate.classes[1]
        .decision
        .as_ref()
        .expect("enough trials")
        .image;
    let mean = |channel: usize| image[channel * 24..(channel + 1) * 24].iter().sum::<f32>();
    assert!(
        mean(1) > mean(0) && mean(1) > mean(2),
        "{} {} {}",
        mean(0),
        mean(1),
        mean(2)
    );

    let json = bench.succeed(&["export", "pets", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["form"]["classes"], serde_json::json!(NAMES));
    assert_eq!(json["form"]["channels"], 3);
    for (format, out) in [("npz", "pets.npz"), ("csv", "tables"), ("png", "figures")] {
        let out = bench.path(out);
        bench.succeed(&[
            "export",
            "pets",
            "--format",
            format,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert!(out.exists(), "{format}");
    }
    // Classes are accepted by name, in any capitalisation.
    let program = env!("CARGO_BIN_EXE_noisescope");
    let shown = [
        program,
        "show",
        "pets",
        "--map",
        "BEE",
        "--protocol",
        "block",
        "--width",
        "40",
    ];
    let mut pty = Pty::start_program(bench.folder.path(), &shown, 100, 40);
    assert_eq!(pty.exit_code(), 0, "{}", pty.text());
    let error = bench.refuse(2, &["show", "pets", "--map", "owl", "--protocol", "block"]);
    assert!(error.contains("ant, bee, cat"), "{error}");
}
