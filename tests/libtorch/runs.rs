//! The program with libtorch: runs, interrupted and moved between devices, and the choice of devices.

use noisescope::session::{SavedState, Session, record};

use crate::common::{Bench, set_options, wait_until};

/// Options for a small plan with many checkpoints.
fn plan(bench: &Bench, trials: u64) -> Vec<String> {
    set_options([
        bench.bars(400, 100, 28),
        "network.weights.epochs=1".into(),
        "network.weights.batch=32".into(),
        format!(
            "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: {trials}, block: 64))]"
        ),
        "checkpoint_s=0.1".into(),
    ])
}

fn run(bench: &Bench, name: &str, trials: u64, more: &[&str]) -> Session {
    bench.run(name, &plan(bench, trials), more)
}

/// Starts a run of 40,000 trials, and kills it after its first trials.
fn interrupted(bench: &Bench, name: &str, more: &[&str]) {
    let mut child = bench.start(name, &plan(bench, 20_000), more);
    wait_until("the first trials", || {
        let session = bench.store().load(name);
        session.is_ok_and(|session| session.trials().0 > 0)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(bench.load(name).record.state, SavedState::Finished);
}

#[test]
fn on_libtorch_one_worker_and_several_give_the_same_bits() {
    let bench = Bench::new();
    let [one, three] = ["1", "3"].map(|workers| {
        let more = ["--device", "libtorch", "--workers", workers];
        run(&bench, &format!("with{workers}"), 2000, &more)
    });
    assert_eq!(one.record.devices, ["libtorch"]);
    assert!(one.record.analyses == three.record.analyses);
}

#[test]
fn a_run_begun_on_flex_continues_on_libtorch_and_records_both() {
    let bench = Bench::new();
    interrupted(&bench, "moved", &["--device", "flex"]);
    let before = bench.load("moved");
    assert_eq!(before.record.devices, ["flex"]);
    bench.succeed(&["run", "moved", "--plain", "--device", "libtorch"]);
    let after = bench.load("moved");
    assert_eq!(after.record.devices, ["flex", "libtorch"]);
    assert_eq!(after.record.state, SavedState::Finished);
    assert_eq!(after.trials(), (40_000, 40_000));
    let weights = |session: &Session| session.record.training.as_ref().unwrap().best.clone();
    assert!(weights(&before) == weights(&after), "the weights are kept");
}

/// Every experiment on a processor, in launches as on a GPU and in single blocks.
#[test]
fn every_experiment_measures_the_same_in_launches_and_in_blocks() {
    let bench = Bench::new();
    let analyses = "analyses=[\
        ClassificationImages((gammas: [0.0, 0.4], trials: 3000, block: 50)),\
        Templates((block: 20)),\
        Attack((weights: [0.0, 0.5, 1.0], images: 90, noise_images: 70, block: 20)),\
        SpikeTriggered((trials: 900, images: 130, block: 30, gradient_trials: 60, gradient_units: 2)),\
        Modulation((images: 50, block: 10, images_per_class: 4, gammas: [0.4], steps: [2, 9])),\
        Predictions((block: 30)),\
    ]";
    let [apart, together] = [None, Some("8")].map(|launch| {
        let name = launch.map_or("apart", |_| "together");
        let mut more = vec!["--set", analyses, "--device", "libtorch"];
        more.extend(launch.map(|_| "--launch"));
        more.extend(launch);
        run(&bench, name, 1000, &more)
    });
    assert_eq!(together.record.devices, ["libtorch, launches of 8 blocks"]);
    let (apart, together) = (apart.record.analyses, together.record.analyses);
    use record::Analysis;
    assert_eq!(apart.len(), together.len());
    let mut compared = 0;
    for pair in apart.iter().zip(&together) {
        match pair {
            (Analysis::ClassificationImages(a), Analysis::ClassificationImages(b)) => {
                for (a, b) in a.gammas.iter().zip(&b.gammas) {
                    assert_eq!((a.trials, &a.counts), (b.trials, &b.counts));
                    assert!(a.noise == b.noise && a.image == b.image);
                    assert_eq!(a.noted, b.noted);
                }
            }
            (Analysis::Attack(a), Analysis::Attack(b)) => assert!(a.counts == b.counts),
            (Analysis::Modulation(a), Analysis::Modulation(b)) => {
                for (a, b) in a.layers.iter().zip(&b.layers) {
                    assert!(a.counts == b.counts, "{}", a.name);
                }
            }
            (Analysis::SpikeTriggered(a), Analysis::SpikeTriggered(b)) => {
                assert_eq!(a.progress, b.progress);
                for (a, b) in a.layers.iter().zip(&b.layers) {
                    assert_eq!(a.noise.fields, b.noise.fields);
                    assert!(a.noise.fired == b.noise.fired, "{}", a.name);
                    assert!(a.images.fired == b.images.fired, "{}", a.name);
                }
            }
            (a, b) => assert!(a == b),
        }
        compared += 1;
    }
    assert_eq!(compared, 6);
}

#[test]
fn interrupted_launches_resume_to_the_same_bits() {
    let bench = Bench::new();
    let device = ["--device", "libtorch", "--launch", "4"];
    let whole = run(&bench, "whole", 20_000, &device);
    interrupted(&bench, "stopped", &device);
    // The session records how it was computed.
    bench.succeed(&["run", "stopped", "--plain"]);
    let stopped = bench.load("stopped");
    assert_eq!(stopped.record.devices, ["libtorch, launches of 4 blocks"]);
    assert!(whole.record.analyses == stopped.record.analyses);
}

#[test]
fn auto_takes_the_fastest_device_and_a_session_keeps_its_device() {
    let bench = Bench::new();
    let session = run(&bench, "auto", 500, &[]);
    let device = session.record.devices[0].split(", ").next().unwrap();
    // Without a GPU, both devices of the processor are tried, and the log has their speeds.
    let log = std::fs::read_to_string(bench.store().log_path("auto")).unwrap();
    let speed = |name: &str| -> Option<f64> {
        let line = log
            .lines()
            .find_map(|line| line.split_once(&format!(" {name} computes ")));
        line?.1.strip_suffix(" trials/s")?.parse().ok()
    };
    match (speed("cpu"), speed("libtorch")) {
        (Some(cpu), Some(libtorch)) => {
            let slower = if device == "cpu" { libtorch } else { cpu };
            assert!(speed(device) >= Some(slower), "{device} in\n{log}");
        }
        _ => assert!(device.starts_with("cuda:0"), "{device} in\n{log}"),
    }
    // Auto continues on the recorded device, even if another is faster; `cpu` replaces flex.
    for (began, recorded) in [
        ("cpu", vec!["cpu"]),
        ("libtorch", vec!["libtorch"]),
        ("flex", vec!["flex", "cpu"]),
    ] {
        interrupted(&bench, began, &["--device", began]);
        bench.succeed(&["run", began, "--plain"]);
        let session = bench.load(began);
        assert_eq!(session.record.state, SavedState::Finished);
        assert_eq!(session.record.devices, recorded);
    }
}

#[test]
fn a_missing_gpu_is_refused_with_the_next_step() {
    let bench = Bench::new();
    let error = bench.refuse(2, &["run", "none", "--plain", "--device", "cuda:99"]);
    assert!(error.contains("cuda:99"), "{error}");
    let remedies = ["--device", "driver", "with-libtorch"];
    assert!(
        remedies.iter().any(|remedy| error.contains(remedy)),
        "{error}"
    );
    assert!(!bench.store().exists("none"), "no session was created");
}

#[test]
fn doctor_reports_what_works_here() {
    let bench = Bench::new();
    let printed = bench.succeed(&["doctor"]);
    for item in [
        "libtorch", "cpu", "flex", "trials/s", "Sessions", "Data", "Terminal",
    ] {
        assert!(printed.contains(item), "{item}: {printed}");
    }
}
