//! A session continues only with the images and weights it began with, and a published set is verified as such.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;

use common::{Bench, both, endless, signal, small_set};
use noisescope::data::idx;
use noisescope::session::Session;

/// Runs a session for some trials and stops it.
fn started(bench: &Bench, more: &[&str]) -> Session {
    stopped(bench, bench.start("mine", &endless(bench), more))
}

/// The same for a session that exists.
fn resumed(bench: &Bench, more: &[&str]) -> Session {
    stopped(bench, bench.start("mine", &[], more))
}

/// Waits for more trials, then stops the run.
fn stopped(bench: &Bench, child: Child) -> Session {
    let before = bench
        .store()
        .load("mine")
        .map_or(0, |session| session.trials().0);
    bench.wait_for_trials("mine", before);
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", both(&output));
    bench.load("mine")
}

#[test]
fn changed_images_are_refused_unless_explicitly_accepted() {
    let bench = Bench::new();
    let session = started(&bench, &[]);
    let inputs = session.record.inputs.last().unwrap();
    assert_eq!((inputs.train.images, inputs.test.images), (400, 100));
    assert_eq!(session.record.starts.len(), 1);
    assert!(session.record.starts[0].program.contains("build"));
    // Change one pixel of one test image.
    let images = bench.path("bars/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    let error = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(error.contains("the test images differ"), "{error}");
    assert!(error.contains(&inputs.test.sha256[..12]), "{error}");
    assert!(!error.contains("the training images"), "{error}");
    assert!(
        error.contains("noisescope run mine --accept-inputs"),
        "{error}"
    );
    let left = bench.load("mine");
    assert_eq!(
        left.record.analyses, session.record.analyses,
        "nothing is lost"
    );
    assert_eq!(left.record.inputs, session.record.inputs);
    // With the original images it continues.
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    assert_eq!(resumed(&bench, &[]).record.inputs.len(), 1);
    // Accepted images are recorded.
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    let session = resumed(&bench, &["--accept-inputs"]);
    assert_eq!(session.record.inputs.len(), 2);
    let page = bench.succeed(&["attach", "mine", "--plain"]);
    assert!(
        page.contains("images or weights were changed once"),
        "{page}"
    );
    resumed(&bench, &[]);
}

#[test]
fn a_set_with_another_number_of_images_is_refused() {
    let bench = Bench::new();
    started(&bench, &[]);
    small_set(&bench.path("bars"), 500, 100, 28);
    let error = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(
        error.contains("500 with SHA-256") && error.contains("began with 400"),
        "{error}"
    );
}

/// Writes a logistic regression for digits to a safetensors file.
fn logistic(path: &Path, weight: f32) {
    let header = r#"{"weight":{"dtype":"F32","shape":[10,784],"data_offsets":[0,31360]},"bias":{"dtype":"F32","shape":[10],"data_offsets":[31360,31400]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let numbers = (0..7850).map(|index| weight * ((index % 23) as f32 - 11.0));
    file.extend(numbers.flat_map(f32::to_le_bytes));
    fs::write(path, file).unwrap();
}

#[test]
fn changed_weights_are_refused_and_deleted_ones_are_in_the_session() {
    let bench = Bench::new();
    let weights = bench.path("mine.safetensors");
    logistic(&weights, 0.5);
    let from = format!("network=(kind: Logistic, weights: File({weights:?}))");
    let session = started(&bench, &["--set", &from]);
    assert!(session.record.inputs[0].weights.is_some());
    logistic(&weights, 0.25);
    let error = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(error.contains("the weights file differs"), "{error}");
    fs::remove_file(&weights).unwrap();
    resumed(&bench, &[]);
}

/// The folder has as many images as MNIST, of the same size, but they are not MNIST's.
#[test]
fn a_forged_full_set_does_not_pass_for_the_published_one() {
    let bench = Bench::new();
    let folder = bench.path("data/mnist");
    fs::create_dir_all(&folder).unwrap();
    for (split, count) in [("train", 60_000), ("t10k", 10_000)] {
        let images = File::create(folder.join(format!("{split}-images-idx3-ubyte"))).unwrap();
        idx::write_images(images, &vec![7; count * 784], 28, 28).unwrap();
        let labels: Vec<u8> = (0..count).map(|index| (index % 10) as u8).collect();
        let file = File::create(folder.join(format!("{split}-labels-idx1-ubyte"))).unwrap();
        idx::write_labels(file, &labels).unwrap();
    }
    let error = bench.refuse(
        1,
        &[
            "run",
            "mine",
            "--plain",
            "--set",
            "dataset=(name: Mnist, source: Full)",
        ],
    );
    assert!(error.contains("is not the published MNIST set"), "{error}");
    assert!(error.contains("not ba891046e650"), "{error}");
}
