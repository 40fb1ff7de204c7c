//! More trials than were planned: in a session that has finished, and in one that runs.

mod common;

use common::{Bench, small_set};
use noisescope::session::record::ClassificationImages;
use noisescope::session::{SavedState, Session};

fn images(session: &Session) -> &ClassificationImages {
    session
        .record
        .classification_images()
        .expect("it is planned")
}

/// 1,000 trials in blocks of 64: the last of them is short.
fn plan(bench: &Bench) -> Vec<String> {
    small_set(&bench.path("bars"), 200, 50, 12);
    [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network.kind=Logistic".into(),
        "network.weights.epochs=1".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 1000, block: 64)), Templates((images: 50))]"
            .into(),
    ]
    .into_iter()
    .flat_map(|setting| ["--set".to_owned(), setting])
    .collect()
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> Session {
    let plan = plan(bench);
    let mut words: Vec<&str> = vec!["run", name, "--plain"];
    words.extend(plan.iter().map(String::as_str));
    words.extend(more);
    bench.succeed(&words);
    bench.load(name)
}

#[test]
fn an_extended_session_is_one_that_was_planned_so_from_the_beginning() {
    let bench = Bench::new();
    let first = run(&bench, "grows", &[]);
    assert_eq!(first.record.state, SavedState::Finished);
    let told = bench.succeed(&["extend", "grows", "--trials", "2.5k", "--plain"]);
    assert!(told.contains("templates"), "{told}");
    bench.succeed(&[
        "extend", "grows", "--trials", "3000", "--gamma", "0.4", "--plain",
    ]);
    let grown = bench.load("grows");
    let trials: Vec<u64> = images(&grown).gammas.iter().map(|it| it.trials).collect();
    assert_eq!(trials, [2500, 3000]);
    assert_eq!(grown.record.state, SavedState::Finished);
    // Not trained again.
    assert!(first.record.training == grown.record.training);
    // The same from the beginning, with what was asked for later already in the plan.
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
fn a_running_session_takes_more_without_a_stop() {
    let bench = Bench::new();
    let pid = bench.run_in_background("live");
    let planned = bench.load("live").config.clone();
    bench.wait_for_trials("live", 0);
    let more = "2000000000";
    let told = bench.succeed(&["extend", "live", "--trials", more, "--gamma", "0.0"]);
    assert!(
        told.contains("continues to 2,000,000,000 trials at γ 0.0"),
        "{told}"
    );
    assert_eq!(bench.store().engine("live").map(|it| it.pid), Some(pid));
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
fn what_cannot_be_extended_is_told_and_stays_as_it_is() {
    let bench = Bench::new();
    let before = run(&bench, "small", &[]);
    for (words, said) in [
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
            "no classification images number 2",
        ),
        (&["--target", "1.5"], "must be between 0 and 1"),
        (
            &["--trials", "5000", "--target", "0.9", "--class", "owl"],
            "owl",
        ),
    ] {
        let all: Vec<&str> = ["extend", "small"].iter().chain(words).copied().collect();
        let told = bench.refuse(2, &all);
        assert!(told.contains(said), "{told}");
        assert!(bench.load("small") == before);
    }
    let told = bench.refuse(2, &["extend", "nobody", "--trials", "5000"]);
    assert!(told.contains("nobody"), "{told}");
}

#[test]
fn a_target_foretells_its_trials_and_stops_where_it_is_reached() {
    let bench = Bench::new();
    run(&bench, "aims", &["--set", "analyses[0].gammas=[0.0]"]);
    bench.succeed(&["extend", "aims", "--target", "0.97", "--plain"]);
    let session = bench.load("aims");
    let gamma = &images(&session).gammas[0];
    let estimate = gamma.estimate();
    let maps = estimate
        .classes
        .iter()
        .filter_map(|it| it.evidence.as_ref());
    let worst = maps.filter_map(|it| it.reliability).fold(1.0, f64::min);
    assert!(
        gamma.reached || gamma.trials > 1000,
        "{} trials",
        gamma.trials
    );
    assert!(worst > 0.95, "{worst} after {} trials", gamma.trials);
}
