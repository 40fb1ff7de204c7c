//! Session files that are damaged or edited between runs.

use std::fs;

use noisescope::session::SavedState;

use super::{kill_when, plan, run};
use crate::common::{self, Bench, with_plan};

#[test]
fn the_previous_generation_is_offered_if_the_file_is_truncated() {
    let bench = Bench::new();
    run(&bench, "cut", &[]);
    let path = bench.store().path("cut");
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = bench.refuse(1, &["run", "cut", "--plain"]);
    assert!(error.contains("truncated"), "{error}");
    assert!(error.contains("cut.ron.bak"), "the remedy: {error}");
    assert_eq!(
        fs::read(&path).unwrap().len(),
        text.len() / 2,
        "nothing is overwritten"
    );
    // The suggested remedy works.
    fs::copy(bench.store().backup_path("cut"), &path).unwrap();
    bench.succeed(&["run", "cut", "--plain"]);
    assert_eq!(bench.load("cut").record.state, SavedState::Finished);
}

/// The folder's name needs quoting in a shell.
#[test]
fn doctor_checks_a_session_completely() {
    let bench = Bench::new();
    let folder = bench.path("it's $HOME here");
    let plan = plan(&bench);
    let program = |arguments: &[&str]| {
        let mut program = bench.program();
        let output = program
            .env("NOISESCOPE_SESSIONS", &folder)
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), common::both(&output))
    };
    let (code, printed) = program(&with_plan(&["run", "mine", "--plain"], &plan));
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("intact") && printed.contains("6,000 of 6,000 trials"),
        "{printed}"
    );
    assert!(
        printed.contains("400 training and 100 test images"),
        "{printed}"
    );
    // Change one character in an array, far beyond the part that listing reads.
    let path = folder.join("mine.ron");
    let mut text = fs::read(&path).unwrap();
    let position = text.len() - 50;
    text[position] = if text[position] == b'A' { b'B' } else { b'A' };
    fs::write(&path, text).unwrap();
    let (code, printed) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("damaged") && printed.contains("The previous generation is intact"),
        "{printed}"
    );
    let remedy = printed.lines().find(|line| line.contains("; cp ")).unwrap();
    let done = std::process::Command::new("sh")
        .args(["-c", remedy])
        .status();
    assert!(done.unwrap().success(), "{remedy}");
    let (code, printed) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(folder.join("mine.ron.damaged").exists());
    let (code, printed) = program(&["doctor", "nobody"]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("It holds: mine"), "{printed}");
}

#[test]
fn the_previous_generation_is_offered_for_an_empty_file_too() {
    let bench = Bench::new();
    run(&bench, "empty", &["--set", "analyses=[]"]);
    fs::write(bench.store().path("empty"), "").unwrap();
    let error = bench.refuse(1, &["run", "empty", "--plain"]);
    assert!(error.contains("empty.ron.bak"), "{error}");
}

#[test]
fn a_plan_that_was_edited_after_it_was_run_is_refused() {
    let bench = Bench::new();
    run(&bench, "edited", &[]);
    let path = bench.store().path("edited");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, place) in [
        ("trials: 3000", "trials: 2000", "analyses[0]"),
        ("block: 64", "block: 32", "analyses[0]"),
        ("seed: 1,", "seed: 2,", "seed"),
        ("epochs: 3", "epochs: 4", "network"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = bench.refuse(1, &["run", "edited", "--plain"]);
        assert!(error.contains(&format!("{place} was edited")), "{error}");
        assert!(error.contains("does not belong to its plan"), "{error}");
    }
    // The checkpoint interval does not affect results, so it may be edited.
    let rarely = text.replacen("checkpoint_s: 0.1", "checkpoint_s: 60.0", 1);
    assert_ne!(rarely, text);
    fs::write(&path, rarely).unwrap();
    bench.succeed(&["run", "edited", "--plain"]);
}

/// A damaged optimizer state stays in the file.
#[test]
fn training_that_cannot_resume_loses_nothing() {
    let bench = Bench::new();
    kill_when(&bench, "old", true, |session| {
        let training = session.record.training.as_ref();
        training.is_some_and(|record| record.epochs.len() == 1 && !record.current.is_empty())
    });
    let mut session = bench.load("old");
    let training = session.record.training.as_mut().unwrap();
    training.optimizer = noisescope::session::Array::new(&[3], vec![1_u8, 2, 3]);
    bench.store().save(&session).unwrap();
    let error = bench.refuse(1, &["run", "old", "--plain"]);
    assert!(error.contains("the optimiser's state"), "{error}");
    let after = bench.load("old").record.training.unwrap();
    assert_eq!(after, session.record.training.unwrap());
}

/// A session that failed before it had results can be corrected in its file.
#[test]
fn a_plan_without_results_can_be_edited() {
    let bench = Bench::new();
    let plan = plan(&bench);
    let mut arguments = with_plan(&["run", "mended", "--plain"], &plan);
    arguments.extend(["--set", "dataset.source=Folder(\"nowhere\")"]);
    let error = bench.refuse(1, &arguments);
    assert!(error.contains("nowhere"), "{error}");
    let path = bench.store().path("mended");
    let text = fs::read_to_string(&path).unwrap();
    let bars = bench.path("bars").display().to_string();
    fs::write(&path, text.replacen("nowhere", &bars, 1)).unwrap();
    bench.succeed(&["run", "mended", "--plain"]);
    assert_eq!(bench.load("mended").record.state, SavedState::Finished);
}
