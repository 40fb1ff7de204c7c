//! libtorch computes what the pure-Rust backend computes. Run it with
//! `scripts/with-libtorch cargo test --features libtorch --test libtorch`.
#![cfg(feature = "libtorch")]

mod common;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use burn::tensor::Device;
use common::{Bench, small_set, wait_until};
use noisescope::analysis::classification_images::ClassificationImages;
use noisescope::analysis::{AnalysisPlace, DeviceData, Experiment, Job, Lab};
use noisescope::data;
use noisescope::engine::device::DeviceKind;
use noisescope::nets::{NetworkShape, Subject, decision};
use noisescope::session::config::{self, DatasetName, NetworkKind, Noise};
use noisescope::session::record::{self, BlockSums, GammaTrials, Record};
use noisescope::session::{Config, SavedState, Session};
use noisescope::stimulus::launch::{LaunchSource, Slot};
use noisescope::stimulus::{self, NoiseSource, Pool, kernels};

const CLASSES: usize = 10;

/// What a network for MNIST takes and gives.
const DIGITS: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};

/// Logits of the two backends differ by less than this.
const LOGITS: f32 = 1e-4;

fn both() -> [Device; 2] {
    [DeviceKind::Flex.handle(), DeviceKind::Libtorch.handle()]
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
        resident: DeviceData::default(),
    }
}

const PLACE: AnalysisPlace = AnalysisPlace {
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
        let source = NoiseSource::new(Noise::Uniform, &flex.dataset.train);
        for (block, gamma) in [(0, 0.0), (1, 0.3)] {
            let drawn = stimulus::draw(
                PLACE.noise_seed(0, block),
                &source,
                gamma,
                0,
                256,
                &flex.pool,
            );
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
            let sums = analysis.step(&lab, Job::single_block(0, block)).unwrap();
            sums.iter().for_each(|sums| trials.add(sums));
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

/// The program's own way with a GPU, on libtorch's processor: launches whose sums stay there.
#[test]
fn launches_measure_what_their_blocks_measure_alone() {
    for kind in [NetworkKind::Logistic, NetworkKind::Cnn] {
        let lab = lab(kind, &DeviceKind::Libtorch.handle());
        let plan = config::ClassificationImages {
            gammas: vec![0.0, 0.4],
            trials: 805,
            block: 50,
            ..Default::default()
        };
        let mut analysis = ClassificationImages::new(plan, PLACE, &lab);
        let nothing = Record::new(&Config::default());
        let mut record = record::ClassificationImages::default();
        Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut record).unwrap();
        let mut both = [record.gammas[1].clone(), record.gammas[1].clone()];
        let mut launches = Experiment::launches(&analysis, &lab, 1, 6).unwrap();
        // The last launch is short, and so is its last block.
        for (block, blocks) in [(0, 6), (6, 6), (12, 5)] {
            launches.launch(Job {
                sequence: 1,
                block,
                blocks,
            });
        }
        let sums: Box<Vec<BlockSums>> = launches.read().unwrap().downcast().unwrap();
        sums.iter().for_each(|sums| both[0].add(sums));
        for block in 0..17 {
            let sums = Experiment::step(&analysis, &lab, Job::single_block(1, block)).unwrap();
            sums.iter().for_each(|sums| both[1].add(sums));
        }
        assert_eq!(both[0].trials, 805);
        assert_eq!(both[0].counts, both[1].counts, "{kind:?}");
        assert!(both[0].noise == both[1].noise, "{kind:?}");
        assert!(both[0].image == both[1].image, "{kind:?}");
        // Logits of more images at once may differ in their last digits, and responses by a step.
        let steps = |it: &GammaTrials| it.evidence.as_ref().unwrap().sums.values().to_vec();
        let pairs = steps(&both[0]).into_iter().zip(steps(&both[1]));
        assert!(
            pairs.into_iter().all(|(a, b)| a.abs_diff(b) <= 2),
            "{kind:?}"
        );
    }
}

/// The launches of a process that counts its operators: so many as the environment says, drawn alone or computed.
#[test]
#[ignore = "a process of its own, begun by a_launch_is_few_operators"]
fn launches_that_are_counted() {
    let told = |name: &str| std::env::var(name).unwrap();
    let count: u64 = told("NOISESCOPE_LAUNCHES").parse().unwrap();
    let gamma: f64 = told("NOISESCOPE_GAMMA").parse().unwrap();
    let lab = lab(NetworkKind::Cnn, &DeviceKind::Libtorch.handle());
    let (block, blocks) = (32, 4);
    if told("NOISESCOPE_WHAT") == "drawn" {
        let source = NoiseSource::new(Noise::Uniform, &lab.dataset.train);
        let launch =
            LaunchSource::new(&source, gamma, block, &lab.pool, &lab.resident, &lab.device);
        for first in 0..count {
            let slot = |block| Slot {
                seed: PLACE.noise_seed(0, first * blocks + block),
                first: 0,
                trials: 32,
            };
            launch.draw(&(0..blocks).map(slot).collect::<Vec<_>>());
        }
        return;
    }
    let plan = config::ClassificationImages {
        gammas: vec![gamma],
        trials: 1 << 20,
        block,
        ..Default::default()
    };
    let mut analysis = ClassificationImages::new(plan, PLACE, &lab);
    let nothing = Record::new(&Config::default());
    let mut record = record::ClassificationImages::default();
    Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut record).unwrap();
    let mut launches = Experiment::launches(&analysis, &lab, 0, blocks as usize).unwrap();
    for first in 0..count {
        let block = first * blocks;
        launches.launch(Job {
            sequence: 0,
            block,
            blocks,
        });
    }
    launches.read().unwrap();
}

/// Kernels of a launch of `cnn` on a GPU: the operators that libtorch computes for it here, but for those that draw the
/// noise, and two kernels of our own in their place.
#[test]
fn a_launch_is_few_operators() {
    const OF_NOISE: f64 = 2.0;
    // What kernels leave to libtorch: the images of a launch.
    const CHOSEN: f64 = 1.0;
    const MOST: f64 = 40.0;
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("operators.so");
    let libtorch = std::env::var("LIBTORCH").unwrap();
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let compiled = Command::new(compiler)
        .args(["-std=c++17", "-O1", "-shared", "-fPIC"])
        .arg(format!("-I{libtorch}/include"))
        .arg("-o")
        .arg(&library)
        .arg("tests/libtorch/operators.cpp")
        .args([&format!("-L{libtorch}/lib"), "-ltorch_cpu", "-lc10"])
        .status();
    assert!(
        compiled.is_ok_and(|it| it.success()),
        "no C++ compiler works; name one in CXX"
    );
    let counted = |what: &str, gamma: f64, launches: u64| -> BTreeMap<String, f64> {
        let told = folder.path().join("counts");
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "launches_that_are_counted"])
            .env("LD_PRELOAD", &library)
            .env("NOISESCOPE_OPERATORS", &told)
            .env("NOISESCOPE_WHAT", what)
            .env("NOISESCOPE_GAMMA", gamma.to_string())
            .env("NOISESCOPE_LAUNCHES", launches.to_string())
            .stdout(Stdio::null())
            .status();
        assert!(ended.unwrap().success());
        let counts = std::fs::read_to_string(&told).unwrap();
        let lines = counts.lines().map(|line| line.rsplit_once(' ').unwrap());
        lines
            .map(|(name, count)| (name.to_owned(), count.parse().unwrap()))
            .collect()
    };
    // What more launches add.
    let each = |what: &str, gamma: f64| -> (f64, String) {
        let (few, many) = (counted(what, gamma, 2), counted(what, gamma, 6));
        let more = many
            .iter()
            .map(|(name, count)| (name, (count - few.get(name).unwrap_or(&0.0)) / 4.0));
        let more: Vec<_> = more.filter(|(_, count)| *count > 0.0).collect();
        let all = more.iter().map(|(_, count)| count).sum();
        (
            all,
            more.iter()
                .map(|(name, count)| format!("{count} {name}\n"))
                .collect(),
        )
    };
    for gamma in [0.0, 0.3] {
        let ((all, names), (drawn, of_drawn)) = (each("launched", gamma), each("drawn", gamma));
        println!("γ {gamma}: {all} operators a launch, {drawn} of them noise");
        assert!(drawn > 3.0 && all > 20.0, "what is counted: {names}");
        assert!(
            all - drawn + OF_NOISE + CHOSEN <= MOST,
            "{all} of\n{names}noise {drawn} of\n{of_drawn}"
        );
    }
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
    assert_ne!(bench.load(name).record.state, SavedState::Finished);
}

/// Without a GPU: that NVRTC, where it is here, takes the kernels as a run has it compile them.
#[test]
fn the_kernels_are_compiled_where_nvrtc_is() {
    let folder = noisescope::engine::device::libtorch::folder().map(std::path::Path::new);
    match kernels::compile(folder, "compute_75") {
        Ok(ptx) => {
            // And machine code, of which drivers older than NVRTC know what to do.
            let code = kernels::compile(folder, "sm_90").unwrap();
            assert!(code.starts_with(b"\x7fELF"));
            let unknown = kernels::compile(folder, "sm_1").unwrap_err();
            assert!(unknown.contains("sm_1"), "{unknown}");
            let text = String::from_utf8(ptx).unwrap();
            for name in [
                "draw_uniform",
                "draw_binary",
                "draw_gaussian",
                "draw_gabor",
                "show",
            ] {
                assert!(text.contains(&format!(".entry {name}")), "{name}");
            }
            assert!(text.ends_with('\0'));
            println!("NVRTC makes {} bytes of PTX", text.len());
        }
        Err(why) => {
            assert!(why.contains("NOISESCOPE_NVRTC"), "{why}");
            println!("NOT RUN: {why}");
        }
    }
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
    assert_eq!(after.record.state, SavedState::Finished);
    assert_eq!(after.trials(), (40_000, 40_000));
    let weights = |session: &Session| session.record.training.as_ref().unwrap().best.clone();
    assert!(weights(&before) == weights(&after), "weights move along");
}

/// Every experiment, on a processor in the way of a GPU and in its own.
#[test]
fn every_experiment_measures_in_launches_what_it_measures_block_by_block() {
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
    let mut seen = 0;
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
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn launches_that_are_interrupted_go_on_to_the_same_bits() {
    let bench = Bench::new();
    let device = ["--device", "libtorch", "--launch", "4"];
    let whole = run(&bench, "whole", 20_000, &device);
    interrupted(&bench, "stopped", &device);
    // The session says how it was computed.
    bench.succeed(&["run", "stopped", "--plain"]);
    let stopped = bench.load("stopped");
    assert_eq!(stopped.record.devices, ["libtorch, launches of 4 blocks"]);
    assert!(whole.record.analyses == stopped.record.analyses);
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
        assert_eq!(session.record.state, SavedState::Finished);
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
