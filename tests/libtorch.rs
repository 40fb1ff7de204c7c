//! libtorch computes what the pure-Rust backend computes. Run it with
//! `scripts/with-libtorch cargo test --features libtorch --test libtorch`.
#![cfg(feature = "libtorch")]

mod common;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use common::{Bench, small_set, wait_until};
use noisescope::analysis::classification_images::ClassificationImages;
use noisescope::analysis::{Experiment, Job, Lab, Place, Resident};
use noisescope::data;
use noisescope::engine::device::Kind;
use noisescope::nets::{Ports, Subject, decision};
use noisescope::session::config::{self, DatasetName, NetworkKind, Noise};
use noisescope::session::record::{self, GammaTrials};
use noisescope::session::{Session, State};
use noisescope::stimulus::on_device::{self, Wanted};
use noisescope::stimulus::{self, Pool, Source};

const CLASSES: usize = 10;

/// What a network for MNIST takes and gives.
const DIGITS: Ports = Ports {
    image: [1, 28, 28],
    classes: 10,
};

/// Logits of the two backends differ by less than this.
const LOGITS: f32 = 1e-4;

fn both() -> [Device; 2] {
    [Kind::Flex.handle(), Kind::Libtorch.handle()]
}

fn lab(kind: NetworkKind, device: &Device) -> Lab {
    let images = data::embedded::dataset(DatasetName::Mnist).unwrap();
    Lab {
        network: Subject::untrained(kind, DIGITS, 11, device).unwrap(),
        kind,
        form: Arc::new(images.form()),
        device: device.clone(),
        pool: Pool::new(&images.train),
        dataset: Arc::new(images),
        resident: Resident::default(),
    }
}

const PLACE: Place = Place {
    seed: 5,
    index: 0,
    images: None,
    gammas: 0,
    evidence: false,
};

#[test]
fn logits_agree_with_flex_and_decisions_differ_in_ties_only() {
    for kind in NetworkKind::ALL {
        let [flex, libtorch] = both().map(|device| lab(kind, &device));
        let source = Source::new(Noise::Uniform, &flex.dataset.train);
        for (block, gamma) in [(0, 0.0), (1, 0.3)] {
            let drawn = stimulus::draw(PLACE.noise(0, block), &source, gamma, 0, 256, &flex.pool);
            let ours = flex.network.logits(drawn.stimuli.clone(), &flex.device);
            let theirs = libtorch.network.logits(drawn.stimuli, &libtorch.device);
            assert_eq!(ours.len(), 256 * CLASSES);
            let rows = ours.chunks_exact(CLASSES).zip(theirs.chunks_exact(CLASSES));
            for (ours, theirs) in rows {
                for (a, b) in ours.iter().zip(theirs) {
                    assert!((a - b).abs() < LOGITS, "{kind:?}: {a} and {b}");
                }
                let (ours_says, theirs_says) = (decision(ours), decision(theirs));
                if ours_says != theirs_says {
                    let margin = ours[ours_says] - ours[theirs_says];
                    assert!(margin < 2.0 * LOGITS, "{kind:?}: no tie, {margin}");
                }
            }
        }
    }
}

#[test]
fn counts_over_many_trials_agree_with_flex() {
    const BLOCKS: u64 = 400;
    let plan = config::ClassificationImages {
        gammas: vec![0.2],
        trials: BLOCKS * 256,
        ..Default::default()
    };
    let [ours, theirs] = both().map(|device| {
        let lab = lab(NetworkKind::Mlp, &device);
        let analysis = ClassificationImages::new(plan.clone(), PLACE, &lab);
        let mut trials = GammaTrials::new(0.2, 30, &record::TrialKind::plain(CLASSES, [1, 28, 28]));
        for block in 0..BLOCKS {
            trials.add(&analysis.step(&lab, Job { part: 0, block }).unwrap());
        }
        trials
    });
    assert_eq!(ours.trials, theirs.trials);
    let differing: u64 = ours
        .counts
        .iter()
        .zip(&theirs.counts)
        .map(|(&a, &b)| a.abs_diff(b))
        .sum();
    // A trial that changes its class leaves one cell and enters another.
    assert!(
        differing as f64 / 2.0 <= 1e-5 * ours.trials as f64,
        "{differing} of {}",
        ours.trials
    );
}

#[test]
fn noise_drawn_by_libtorch_is_the_noise_drawn_here_bit_for_bit() {
    let device = Kind::Libtorch.handle();
    let lab = lab(NetworkKind::Logistic, &device);
    let source = Source::new(Noise::Uniform, &lab.dataset.train);
    let wanted: Vec<Wanted> = (0..3)
        .map(|block| Wanted {
            seed: PLACE.noise(1, block),
            gamma: [0.0, 0.3, 0.5][block as usize],
            first: block * 32,
        })
        .collect();
    let bytes: Vec<f32> = lab.pool.bytes().iter().map(|&x| f32::from(x)).collect();
    let bytes = TensorData::new(bytes, [lab.dataset.train.len(), 784]);
    let images = || Tensor::from_data(bytes, &device);
    let grid = Noise::Uniform.grid();
    let drawn = on_device::draw(&wanted, 32, grid, &lab.pool, images, &device);
    let noise: Vec<f32> = drawn.noise.into_data().try_into_vec().unwrap();
    let stimuli: Vec<f32> = drawn.stimuli.into_data().try_into_vec().unwrap();
    for (i, block) in wanted.iter().enumerate() {
        let host = stimulus::draw(block.seed, &source, block.gamma, block.first, 32, &lab.pool);
        let own = i * 32 * 784..(i + 1) * 32 * 784;
        assert!(
            noise[own.clone()].iter().eq(host
                .noise
                .iter()
                .map(|&k| f32::from(k))
                .collect::<Vec<_>>()
                .iter())
        );
        assert_eq!(stimuli[own], host.stimuli);
    }
}

#[test]
fn blocks_in_one_launch_measure_what_each_measures_alone() {
    let lab = lab(NetworkKind::Logistic, &Kind::Libtorch.handle());
    let plan = config::ClassificationImages {
        gammas: vec![0.0, 0.4],
        trials: 1000,
        block: 50,
        ..Default::default()
    };
    let analysis = ClassificationImages::new(plan, PLACE, &lab);
    let jobs: Vec<Job> = (0..6)
        .map(|i| Job {
            part: i % 2,
            block: i as u64,
        })
        .collect();
    let together = analysis.steps(&lab, &jobs).unwrap();
    let alone: Vec<_> = jobs
        .iter()
        .map(|&job| analysis.step(&lab, job).unwrap())
        .collect();
    assert_eq!(together, alone);
}

fn plan(bench: &Bench, trials: u64) -> Vec<String> {
    small_set(&bench.path("bars"), 400, 100, 28);
    [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network.weights.epochs=1".into(),
        "network.weights.batch=32".into(),
        format!(
            "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: {trials}, block: 64))]"
        ),
        "checkpoint_s=0.1".into(),
    ]
    .into_iter()
    .flat_map(|setting| ["--set".to_owned(), setting])
    .collect()
}

fn run(bench: &Bench, name: &str, trials: u64, more: &[&str]) -> Session {
    let plan = plan(bench, trials);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(more);
    bench.succeed(&arguments);
    bench.load(name)
}

/// Begins a run of 40,000 trials, and kills it after the first.
fn interrupted(bench: &Bench, name: &str, more: &[&str]) {
    let plan = plan(bench, 20_000);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(more);
    let mut child = bench.program().args(&arguments).spawn().unwrap();
    wait_until("the first trials", || {
        let session = bench.store().load(name);
        session.is_ok_and(|session| session.trials().0 > 0)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(bench.load(name).record.state, State::Finished);
}

#[test]
fn one_worker_and_several_on_libtorch_give_the_same_bits() {
    let bench = Bench::new();
    let [one, three] = ["1", "3"].map(|workers| {
        let more = ["--device", "libtorch", "--workers", workers];
        run(&bench, &format!("with{workers}"), 2000, &more)
    });
    assert_eq!(one.record.devices, ["libtorch"]);
    assert!(one.record.analyses == three.record.analyses);
}

#[test]
fn a_run_begun_on_flex_goes_on_on_libtorch_and_the_session_says_so() {
    let bench = Bench::new();
    interrupted(&bench, "moved", &["--device", "flex"]);
    let before = bench.load("moved");
    assert_eq!(before.record.devices, ["flex"]);
    bench.succeed(&["run", "moved", "--plain", "--device", "libtorch"]);
    let after = bench.load("moved");
    assert_eq!(after.record.devices, ["flex", "libtorch"]);
    assert_eq!(after.record.state, State::Finished);
    assert_eq!(after.trials(), (40_000, 40_000));
    let weights = |session: &Session| session.record.training.as_ref().unwrap().best.clone();
    assert!(weights(&before) == weights(&after), "weights move along");
}

#[test]
fn auto_tries_what_is_here_and_a_session_stays_where_it_began() {
    let bench = Bench::new();
    let session = run(&bench, "auto", 500, &[]);
    let device = session.record.devices[0].clone();
    assert!(["cpu", "libtorch"].contains(&device.as_str()) || device.starts_with("cuda"));
    // Auto takes what the record names, though another may be faster; the plan took the place of flex.
    for (began, recorded) in [
        ("cpu", vec!["cpu"]),
        ("libtorch", vec!["libtorch"]),
        ("flex", vec!["flex", "cpu"]),
    ] {
        interrupted(&bench, began, &["--device", began]);
        bench.succeed(&["run", began, "--plain"]);
        let session = bench.load(began);
        assert_eq!(session.record.state, State::Finished);
        assert_eq!(session.record.devices, recorded);
    }
}

#[test]
fn a_gpu_that_is_not_here_is_refused_with_the_next_step() {
    let bench = Bench::new();
    let words = bench.refuse(2, &["run", "none", "--plain", "--device", "cuda:99"]);
    assert!(words.contains("cuda:99"), "{words}");
    let remedies = ["--device", "driver", "with-libtorch"];
    assert!(remedies.iter().any(|it| words.contains(it)), "{words}");
    assert!(!bench.store().exists("none"), "nothing was made");
}

#[test]
fn the_doctor_tells_what_works_here() {
    let bench = Bench::new();
    let told = bench.succeed(&["doctor"]);
    for what in [
        "libtorch", "cpu", "flex", "trials/s", "Sessions", "Data", "Terminal",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
}
