//! Adding trials to the plan of a finished session, and of a running one.

mod common;

use std::process::Command;

use common::{Bench, set_options, wait_until};
use noisescope::session::record::ClassificationImages;
use noisescope::session::{SavedState, Session};

fn images(session: &Session) -> &ClassificationImages {
    session
        .record
        .classification_images()
        .expect("classification images are planned")
}

/// 1,000 trials in blocks of 64; the last block is short.
fn plan(bench: &Bench) -> Vec<String> {
    set_options([
        bench.bars(200, 50, 12),
        "network.kind=Logistic".into(),
        "network.weights.epochs=1".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 1000, block: 64)), Templates((images: 50))]"
            .into(),
    ])
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> Session {
    bench.run(name, &plan(bench), more)
}

#[test]
fn an_extended_session_equals_one_planned_that_way_from_the_start() {
    let bench = Bench::new();
    let first = run(&bench, "grows", &[]);
    assert_eq!(first.record.state, SavedState::Finished);
    let printed = bench.succeed(&["extend", "grows", "--trials", "2.5k", "--plain"]);
    assert!(printed.contains("templates"), "{printed}");
    bench.succeed(&[
        "extend", "grows", "--trials", "+500", "--gamma", "0.4", "--plain",
    ]);
    // There is no one total that adds as many to both.
    let refused = bench.refuse(2, &["extend", "grows", "--trials", "+500"]);
    assert!(
        refused.contains("from 2,500 to 3,000 trials are planned") && refused.contains("--gamma"),
        "{refused}"
    );
    let grown = bench.load("grows");
    let trials: Vec<u64> = images(&grown)
        .gammas
        .iter()
        .map(|trials| trials.trials)
        .collect();
    assert_eq!(trials, [2500, 3000]);
    assert_eq!(grown.record.state, SavedState::Finished);
    // The network is not trained again.
    assert!(first.record.training == grown.record.training);
    // The same session with the extensions in its plan from the start.
    let at_once = run(
        &bench,
        "at-once",
        &[
            "--set",
            "analyses[0].extended=[(trials: 2500), (gamma: Some(0.4), trials: 3000)]",
        ],
    );
    assert!(
        grown.record.analyses == at_once.record.analyses,
        "counts and sums"
    );
}

#[test]
fn a_running_session_is_extended_without_stopping() {
    let bench = Bench::new();
    let pid = bench.run_in_background("live");
    let planned = bench.load("live").config.clone();
    bench.wait_for_trials("live", 0);
    let more = "2000000000";
    // The engine that runs cannot follow it.
    let arguments = ["extend", "live", "--trials", more, "--workers", "1"];
    let error = bench.refuse(2, &arguments);
    assert!(
        error.contains("--workers") && error.contains("noisescope stop live"),
        "{error}"
    );
    let printed = bench.succeed(&["extend", "live", "--trials", more, "--gamma", "0.0"]);
    assert!(
        printed.contains("is extended to 2,000,000,000 trials at γ 0.0"),
        "{printed}"
    );
    let saved = bench.load("live").config;
    assert_ne!(saved, planned, "it is reported once it is in the file");
    assert_eq!(
        bench.store().engine("live").map(|engine| engine.pid),
        Some(pid)
    );
    let done = bench.load("live").trials().0;
    bench.wait_for_trials("live", done);
    bench.succeed(&["stop", "live"]);
    let stopped = bench.load("live");
    assert_ne!(stopped.config, planned);
    bench.succeed(&["run", "live", "--detach"]);
    bench.wait_for_trials("live", stopped.trials().0);
    bench.succeed(&["stop", "live"]);
}

#[test]
fn a_session_whose_convolutions_were_computed_directly_continues_so() {
    let bench = Bench::new();
    run(&bench, "grows", &["--device", "cpu", "--exact", "direct"]);
    bench.succeed(&["extend", "grows", "--trials", "2000", "--plain"]);
    let devices = bench.load("grows").record.devices;
    assert_eq!(devices, ["cpu, convolutions direct"]);
}

#[test]
fn a_run_says_that_it_computes_convolutions_directly_from_then_on() {
    let bench = Bench::new();
    run(&bench, "grows", &["--device", "cpu"]);
    let more = ["extend", "grows", "--trials", "2000", "--plain"];
    let printed = bench.succeed(&[&more[..], &["--exact", "direct"]].concat());
    assert!(printed.contains("directly from here on"), "{printed}");
    let devices = bench.load("grows").record.devices;
    assert_eq!(devices, ["cpu", "cpu, convolutions direct"]);
}

#[test]
fn a_session_goes_back_to_the_fastest_convolutions_and_keeps_them() {
    let bench = Bench::new();
    run(&bench, "grows", &["--device", "cpu", "--exact", "direct"]);
    let more = ["extend", "grows", "--trials", "2000", "--plain"];
    let printed = bench.succeed(&[&more[..], &["--exact", "off"]].concat());
    assert!(
        printed.contains("Winograd's algorithm from here on"),
        "{printed}"
    );
    bench.succeed(&["extend", "grows", "--trials", "3000", "--plain"]);
    let devices = bench.load("grows").record.devices;
    assert_eq!(devices, ["cpu, convolutions direct", "cpu"]);
}

#[test]
fn an_engine_killed_before_the_first_checkpoint_of_an_extension_is_interrupted() {
    let bench = Bench::new();
    let planned = run(&bench, "grows", &["--set", "checkpoint_s=3600.0"]);
    assert_eq!(planned.record.state, SavedState::Finished);
    bench.succeed(&["extend", "grows", "--trials", "1000000000", "--detach"]);
    let engine = bench.store().engine("grows").expect("an engine runs");
    let killed = Command::new("kill")
        .args(["-9", &engine.pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    wait_until("its end", || bench.store().engine("grows").is_none());
    let left = bench.load("grows");
    assert_eq!(left.trials().0, planned.trials().0, "no checkpoint");
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("interrupted"), "{listed}");
    let page = bench.succeed(&["attach", "grows", "--plain"]);
    assert!(page.starts_with("grows  interrupted"), "{page}");
}

#[test]
fn an_invalid_extension_is_refused_and_changes_nothing() {
    let bench = Bench::new();
    let before = run(&bench, "small", &[]);
    for (arguments, expected) in [
        (
            &["--trials", "1000"][..],
            "1000 trials are no more than the 1000 already planned",
        ),
        (
            &["--trials", "5000", "--gamma", "0.7"],
            "no γ = 0.7; it has 0, 0.4",
        ),
        (
            &["--trials", "5000", "--images", "2"],
            "there is no set 2 of classification images",
        ),
        (&["--target", "1.5"], "must be between 0 and 1"),
        (&[], "say how far: --trials N, --target R or both"),
        (
            &["--trials", "5000", "--target", "0.9", "--class", "owl"],
            "owl",
        ),
    ] {
        let all: Vec<&str> = ["extend", "small"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let error = bench.refuse(2, &all);
        assert!(error.contains(expected), "{error}");
        assert!(bench.load("small") == before);
    }
    let error = bench.refuse(2, &["extend", "nobody", "--trials", "5000"]);
    assert!(error.contains("nobody"), "{error}");
}

#[test]
fn a_target_adds_trials_until_it_is_reached() {
    let bench = Bench::new();
    run(&bench, "aims", &["--set", "analyses[0].gammas=[0.0]"]);
    bench.succeed(&["extend", "aims", "--target", "0.97", "--plain"]);
    let session = bench.load("aims");
    let trials = &images(&session).gammas[0];
    let estimate = trials.estimate();
    let maps = estimate
        .classes
        .iter()
        .filter_map(|class| class.evidence.as_ref());
    let worst = maps
        .filter_map(|evidence| evidence.reliability)
        .fold(1.0, f64::min);
    assert!(
        trials.reached || trials.trials > 1000,
        "{} trials",
        trials.trials
    );
    assert!(worst > 0.95, "{worst} after {} trials", trials.trials);
}

#[test]
fn a_session_that_ended_at_its_target_goes_on_to_a_higher_one() {
    let bench = Bench::new();
    let wanted = ["trials=1000000", "gammas=[0.0]", "target=Some(0.9)"];
    let wanted = wanted.map(|value| format!("analyses[0].{value}"));
    let more: Vec<&str> = wanted.iter().flat_map(|set| ["--set", set]).collect();
    let first = run(&bench, "higher", &more);
    let before = &images(&first).gammas[0];
    assert!(before.reached && before.trials < 1_000_000);
    let printed = bench.succeed(&["extend", "higher", "--target", "0.99", "--plain"]);
    let line = "higher continues to R 0.99, to at most the 1,000,000 trials planned";
    assert!(printed.contains(line), "{printed}");
    let session = bench.load("higher");
    let after = &images(&session).gammas[0];
    assert!(after.reached && (before.trials..1_000_000).contains(&after.trials));
    let reached = bench.refuse(2, &["extend", "higher", "--target", "0.9", "--plain"]);
    assert!(reached.contains("is already reached"), "{reached}");
}
