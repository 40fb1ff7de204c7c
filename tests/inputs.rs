//! A session goes on with what it began on, or says what is another; and what claims to be a published set is one.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;

use common::{Bench, both, endless, signal, small_set};
use noisescope::data::idx;
use noisescope::session::Session;

/// Runs for some trials and stops.
fn begun(bench: &Bench, more: &[&str]) -> Session {
    let plan = endless(bench);
    let mut arguments = vec!["run", "mine", "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(more);
    stopped(bench, bench.program().args(arguments).spawn().unwrap())
}

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
fn other_images_are_refused_with_what_differs_and_accepted_only_by_word() {
    let bench = Bench::new();
    let session = begun(&bench, &[]);
    let inputs = session.record.inputs.last().unwrap();
    assert_eq!((inputs.train.images, inputs.test.images), (400, 100));
    assert_eq!(session.record.starts.len(), 1);
    assert!(session.record.starts[0].program.contains("build"));
    // One pixel of one test image.
    let images = bench.path("bars/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    let words = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(words.contains("the test images differ"), "{words}");
    assert!(words.contains(&inputs.test.sha256[..12]), "{words}");
    assert!(!words.contains("the training images"), "{words}");
    assert!(
        words.contains("noisescope run mine --accept-inputs"),
        "{words}"
    );
    let left = bench.load("mine");
    assert_eq!(
        left.record.analyses, session.record.analyses,
        "nothing is lost"
    );
    assert_eq!(left.record.inputs, session.record.inputs);
    // As they were, it goes on without a word.
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    let again = bench
        .program()
        .args(["run", "mine", "--plain"])
        .spawn()
        .unwrap();
    assert_eq!(stopped(&bench, again).record.inputs.len(), 1);
    // Where a person means it, it is recorded.
    bytes[last] ^= 1;
    fs::write(&images, &bytes).unwrap();
    let again = bench
        .program()
        .args(["run", "mine", "--plain", "--accept-inputs"])
        .spawn()
        .unwrap();
    let session = stopped(&bench, again);
    assert_eq!(session.record.inputs.len(), 2);
    let page = bench.succeed(&["attach", "mine", "--plain"]);
    assert!(page.contains("images were changed once"), "{page}");
    let again = bench
        .program()
        .args(["run", "mine", "--plain"])
        .spawn()
        .unwrap();
    stopped(&bench, again);
}

#[test]
fn a_set_of_another_size_of_the_same_form_is_another_set() {
    let bench = Bench::new();
    begun(&bench, &[]);
    small_set(&bench.path("bars"), 500, 100, 28);
    let words = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(
        words.contains("500 with SHA-256") && words.contains("began with 400"),
        "{words}"
    );
}

/// Logistic regression of digits, in a safetensors file.
fn logistic(path: &Path, weight: f32) {
    let header = r#"{"weight":{"dtype":"F32","shape":[10,784],"data_offsets":[0,31360]},"bias":{"dtype":"F32","shape":[10],"data_offsets":[31360,31400]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let numbers = (0..7850).map(|at| weight * ((at % 23) as f32 - 11.0));
    file.extend(numbers.flat_map(f32::to_le_bytes));
    fs::write(path, file).unwrap();
}

#[test]
fn other_weights_are_refused_and_weights_that_are_gone_are_in_the_session() {
    let bench = Bench::new();
    let weights = bench.path("mine.safetensors");
    logistic(&weights, 0.5);
    let from = format!("network=(kind: Logistic, weights: File({weights:?}))");
    let session = begun(&bench, &["--set", &from]);
    assert!(session.record.inputs[0].weights.is_some());
    logistic(&weights, 0.25);
    let words = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(words.contains("the weights file differs"), "{words}");
    fs::remove_file(&weights).unwrap();
    let again = bench
        .program()
        .args(["run", "mine", "--plain"])
        .spawn()
        .unwrap();
    stopped(&bench, again);
}

/// As many images of the size as MNIST has, and none of MNIST's.
#[test]
fn a_forged_full_set_does_not_pass_for_the_published_one() {
    let bench = Bench::new();
    let folder = bench.path("data/mnist");
    fs::create_dir_all(&folder).unwrap();
    for (split, count) in [("train", 60_000), ("t10k", 10_000)] {
        let images = File::create(folder.join(format!("{split}-images-idx3-ubyte"))).unwrap();
        idx::write_images(images, &vec![7; count * 784], 28, 28).unwrap();
        let labels: Vec<u8> = (0..count).map(|at| (at % 10) as u8).collect();
        let file = File::create(folder.join(format!("{split}-labels-idx1-ubyte"))).unwrap();
        idx::write_labels(file, &labels).unwrap();
    }
    let words = bench.refuse(
        1,
        &[
            "run",
            "mine",
            "--plain",
            "--set",
            "dataset=(name: Mnist, source: Full)",
        ],
    );
    assert!(words.contains("is not the published MNIST set"), "{words}");
    assert!(words.contains("not ba891046e650"), "{words}");
}
