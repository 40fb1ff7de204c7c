//! Killed, stopped and resumed runs: the same bits as an uninterrupted run, signals, full disks and damaged files.

mod common;

#[path = "resume/files.rs"]
mod files;
#[path = "resume/full_disk.rs"]
mod full_disk;
#[path = "resume/signals.rs"]
mod signals;

use std::process::Child;

use common::{Bench, endless, small_set, wait_until};
use noisescope::session::{SavedState, Session};

/// Options for a small but complete plan: a convolutional network, three epochs, two γ.
fn plan(bench: &Bench) -> Vec<String> {
    small_set(&bench.path("bars"), 400, 100, 28);
    [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network.weights.epochs=3".into(),
        "network.weights.batch=32".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 3000, block: 64))]".into(),
        "checkpoint_s=0.1".into(),
    ]
    .into_iter()
    .flat_map(|setting| ["--set".to_owned(), setting])
    .collect()
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> Session {
    let plan = plan(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(more);
    bench.succeed(&arguments);
    bench.load(name)
}

fn assert_same_bits(a: &Session, b: &Session) {
    let (first, second) = (a.record.training.as_ref(), b.record.training.as_ref());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.epochs, second.epochs, "the course of training");
    assert!(first.best == second.best, "the weights");
    assert!(a.record.analyses == b.record.analyses, "counts and sums");
    assert_eq!(b.record.state, SavedState::Finished);
}

/// Starts a run, and kills it once `ready` is true for the session on the disk.
fn kill_when(bench: &Bench, name: &str, first: bool, ready: impl Fn(&Session) -> bool) {
    let mut arguments = vec!["run".to_owned(), name.to_owned(), "--plain".to_owned()];
    if first {
        arguments.extend(plan(bench));
    }
    let mut child = bench.program().args(&arguments).spawn().unwrap();
    wait_until("the moment to kill", || {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "ended before it could be killed"
        );
        bench
            .store()
            .load(name)
            .is_ok_and(|session| ready(&session))
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_killed_in_training_and_in_its_trials_equals_an_uninterrupted_one() {
    let bench = Bench::new();
    let whole = run(&bench, "whole", &[]);
    kill_when(&bench, "killed", true, |session| {
        let training = session.record.training.as_ref();
        training.is_some_and(|record| record.epochs.len() == 1 && record.partial.batches > 0)
    });
    kill_when(&bench, "killed", false, |session| session.trials().0 > 0);
    let left = bench.load("killed");
    assert!(left.trials().0 < 6000, "nothing was left to resume");
    bench.succeed(&["run", "killed", "--plain"]);
    assert_same_bits(&whole, &bench.load("killed"));
}

#[test]
fn one_worker_and_several_give_the_same_bits() {
    let bench = Bench::new();
    let one = run(&bench, "one", &["--workers", "1"]);
    let three = run(&bench, "three", &["--workers", "3"]);
    assert_same_bits(&one, &three);
}

#[test]
fn training_does_not_depend_on_the_number_of_cores() {
    let bench = Bench::new();
    let plan = plan(&bench);
    let train = |name: &str, threads: &str| {
        let mut arguments = vec!["run", name, "--plain"];
        arguments.extend(plan.iter().map(String::as_str));
        arguments.extend(["--set", "analyses=[]"]);
        let mut program = bench.program();
        program.env("RAYON_NUM_THREADS", threads).args(&arguments);
        assert!(program.output().unwrap().status.success());
        bench.load(name)
    };
    assert_same_bits(&train("one", "1"), &train("four", "4"));
}

fn start(bench: &Bench, name: &str) -> Child {
    let plan = plan(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend([
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 100000000, block: 64))]",
    ]);
    bench.program().args(arguments).spawn().unwrap()
}

#[test]
fn a_running_session_cannot_be_run_again() {
    let bench = Bench::new();
    let mut child = start(&bench, "busy");
    wait_until("the lock and the file", || {
        bench.store().engine("busy").is_some() && bench.store().path("busy").exists()
    });
    let error = bench.refuse(1, &["run", "busy", "--plain"]);
    assert!(error.contains("already being run by process"), "{error}");
    assert!(error.contains(&child.id().to_string()), "{error}");
    let listed = bench.succeed(&["ls", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "running");
    assert_eq!(listed[0]["pid"], child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock is released when the process dies.
    let listed: serde_json::Value =
        serde_json::from_str(&bench.succeed(&["ls", "--json"])).unwrap();
    assert_eq!(listed[0]["pid"], serde_json::Value::Null);
}

/// Starts a run that trains quickly and never ends; the option `checkpoint` sets how often it is saved.
fn start_quick(bench: &Bench, name: &str, checkpoint: &str) -> Child {
    let plan = endless(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(["--set", checkpoint]);
    bench.program().args(arguments).spawn().unwrap()
}
