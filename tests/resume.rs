//! Killed, stopped and resumed runs: the same bits as an uninterrupted run, signals, full disks and damaged files.

mod common;

#[path = "resume/files.rs"]
mod files;
#[path = "resume/full_disk.rs"]
mod full_disk;
#[path = "resume/signals.rs"]
mod signals;

use std::process::Child;

use common::{Bench, endless, set_options, wait_until, with_plan};
use noisescope::session::{SavedState, Session};

/// Options for a small but complete plan: a convolutional network, three epochs, two γ.
fn plan(bench: &Bench) -> Vec<String> {
    set_options([
        bench.bars(400, 100, 28),
        "network.weights.epochs=3".into(),
        "network.weights.batch=32".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 3000, block: 64))]".into(),
        "checkpoint_s=0.1".into(),
    ])
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> Session {
    bench.run(name, &plan(bench), more)
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
    let plan = if first { plan(bench) } else { Vec::new() };
    let mut child = bench.start(name, &plan, &[]);
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
        let mut program = bench.program();
        program
            .env("RAYON_NUM_THREADS", threads)
            .args(with_plan(&["run", name, "--plain"], &plan))
            .args(["--set", "analyses=[]"]);
        assert!(program.output().unwrap().status.success());
        bench.load(name)
    };
    assert_same_bits(&train("one", "1"), &train("four", "4"));
}

fn start(bench: &Bench, name: &str) -> Child {
    let endless = "analyses=[ClassificationImages((gammas: [0.4], trials: 100000000, block: 64))]";
    bench.start(name, &plan(bench), &["--set", endless])
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
    bench.start(name, &endless(bench), &["--set", checkpoint])
}
