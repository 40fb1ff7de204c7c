//! libtorch computes what the pure-Rust backend computes. Run with
//! `scripts/with-libtorch cargo test --features libtorch --test libtorch`.
#![cfg(feature = "libtorch")]

mod common;

#[path = "libtorch/runs.rs"]
mod runs;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use burn::tensor::Device;
use noisescope::analysis::classification_images::ClassificationImages;
use noisescope::analysis::{AnalysisPlace, DeviceData, Experiment, Job, Lab};
use noisescope::data;
use noisescope::engine::device::DeviceKind;
use noisescope::ids::{BlockIndex, Gamma};
use noisescope::nets::{NetworkShape, Subject, decision};
use noisescope::session::Config;
use noisescope::session::config::{self, DatasetName, NetworkKind, Noise};
use noisescope::session::record::{self, BlockSums, GammaTrials, Record};
use noisescope::stimulus::launch::{LaunchSource, Slot};
use noisescope::stimulus::{self, NoiseSource, Pool, kernels};

const CLASSES: usize = 10;

/// The input and output shape of a network for MNIST.
const DIGITS: NetworkShape = NetworkShape {
    image: [1, 28, 28],
    classes: 10,
};

/// Logits of the two backends differ by less than this.
const LOGITS: f32 = 1e-4;

/// The pure-Rust backend and libtorch.
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
        for (block, gamma) in BlockIndex::first(2).zip([Gamma::NOISE, Gamma(0.3)]) {
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
                let (our_class, their_class) = (decision(ours), decision(theirs));
                if our_class != their_class {
                    let margin = ours[our_class] - ours[their_class];
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
        gammas: vec![Gamma(0.2)],
        trials: BLOCKS * 256,
        ..Default::default()
    };
    let [ours, theirs] = both().map(|device| {
        let lab = lab(NetworkKind::Mlp, &device);
        let analysis = ClassificationImages::new(plan.clone(), PLACE, &lab);
        let kind = record::TrialKind::plain(CLASSES, [1, 28, 28]);
        let mut trials = GammaTrials::new(Gamma(0.2), 30, &kind);
        for block in BlockIndex::first(BLOCKS) {
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
    // A trial that is called another class is missing in one cell and extra in another.
    assert!(
        differing as f64 / 2.0 <= 1e-5 * ours.trials as f64,
        "{differing} of {}",
        ours.trials
    );
}

/// The program's way of using a GPU, on libtorch's processor: sums stay on the device from launch to launch.
#[test]
fn launches_sum_what_single_blocks_sum() {
    let default_block = config::ClassificationImages::default().block;
    // Trials per block, and blocks per launch.
    let layouts = [(50, 6), (default_block, 2)];
    for kind in [NetworkKind::Logistic, NetworkKind::Cnn] {
        for (block, per_launch) in layouts {
            let case = format!("{kind:?}, blocks of {block}");
            // The last launch is short, and so is its last block.
            let blocks = 3 * per_launch - 1;
            let trials = (blocks - 1) * block as u64 + 5;
            let both = in_launches_and_in_blocks(kind, block, per_launch, trials);
            assert_eq!(both[0].trials, trials, "{case}");
            assert_eq!(both[0].counts, both[1].counts, "{case}");
            assert!(both[0].noise == both[1].noise, "{case}");
            assert!(both[0].image == both[1].image, "{case}");
            // Logits of more images at once may differ in their last digits, and responses by a step.
            let steps =
                |trials: &GammaTrials| trials.evidence.as_ref().unwrap().sums.values().to_vec();
            let mut pairs = steps(&both[0]).into_iter().zip(steps(&both[1]));
            assert!(pairs.all(|(a, b)| a.abs_diff(b) <= 2), "{case}");
        }
    }
}

/// An analysis that has begun, and its record.
fn begun(
    plan: config::ClassificationImages,
    lab: &Lab,
) -> (ClassificationImages, record::ClassificationImages) {
    let mut analysis = ClassificationImages::new(plan, PLACE, lab);
    let nothing = Record::new(&Config::default());
    let mut record = record::ClassificationImages::default();
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record).unwrap();
    (analysis, record)
}

/// The sums of trials at γ 0.4, computed in launches of `per_launch` blocks and in single blocks.
fn in_launches_and_in_blocks(
    kind: NetworkKind,
    block: usize,
    per_launch: u64,
    trials: u64,
) -> [GammaTrials; 2] {
    let lab = lab(kind, &DeviceKind::Libtorch.handle());
    let plan = config::ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.4)],
        trials,
        block,
        ..Default::default()
    };
    let (analysis, record) = begun(plan, &lab);
    let mut both = [record.gammas[1].clone(), record.gammas[1].clone()];
    let blocks = trials.div_ceil(block as u64);
    let mut launches = Experiment::launches(&analysis, &lab, 1, per_launch as usize).unwrap();
    for first in (0..blocks).step_by(per_launch as usize) {
        launches.launch(Job {
            sequence: 1,
            block: BlockIndex(first),
            blocks: per_launch.min(blocks - first),
        });
    }
    let sums: Box<Vec<BlockSums>> = launches.read().unwrap().downcast().unwrap();
    sums.iter().for_each(|sums| both[0].add(sums));
    for block in BlockIndex::first(blocks) {
        let sums = Experiment::step(&analysis, &lab, Job::single_block(1, block)).unwrap();
        sums.iter().for_each(|sums| both[1].add(sums));
    }
    both
}

/// Run by `a_launch_takes_few_operators` in a process that counts its operators: as many launches as the environment says,
/// computed, or with their noise drawn only.
#[test]
#[ignore = "run by a_launch_takes_few_operators in a separate process"]
fn counted_launches() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let count: u64 = variable("NOISESCOPE_LAUNCHES").parse().unwrap();
    let gamma: Gamma = variable("NOISESCOPE_GAMMA").parse().unwrap();
    let lab = lab(NetworkKind::Cnn, &DeviceKind::Libtorch.handle());
    let (block, blocks) = (32, 4);
    if variable("NOISESCOPE_WHAT") == "drawn" {
        let source = NoiseSource::new(Noise::Uniform, &lab.dataset.train);
        let launch =
            LaunchSource::new(&source, gamma, block, &lab.pool, &lab.resident, &lab.device);
        for first in 0..count {
            let begin = BlockIndex(first * blocks);
            let slot = |block| Slot {
                seed: PLACE.noise_seed(0, block),
                first: 0,
                trials: 32,
            };
            launch.draw(&begin.until(begin + blocks).map(slot).collect::<Vec<_>>());
        }
        return;
    }
    let plan = config::ClassificationImages {
        gammas: vec![gamma],
        trials: 1 << 20,
        block,
        ..Default::default()
    };
    let (analysis, _) = begun(plan, &lab);
    let mut launches = Experiment::launches(&analysis, &lab, 0, blocks as usize).unwrap();
    for first in 0..count {
        let block = BlockIndex(first * blocks);
        launches.launch(Job {
            sequence: 0,
            block,
            blocks,
        });
    }
    launches.read().unwrap();
}

/// The number of GPU kernels in a launch of `cnn`: the operators that libtorch computes for it here, except those that draw
/// the noise, plus the program's own two kernels, which replace them.
#[test]
fn a_launch_takes_few_operators() {
    const OWN_KERNELS: f64 = 2.0;
    // libtorch still selects the images of a launch.
    const SELECTION: f64 = 1.0;
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
        compiled.is_ok_and(|status| status.success()),
        "there is no working C++ compiler; name one in CXX"
    );
    let counted = |mode: &str, gamma: Gamma, launches: u64| -> BTreeMap<String, f64> {
        let file = folder.path().join("counts");
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "counted_launches"])
            .env("LD_PRELOAD", &library)
            .env("NOISESCOPE_OPERATORS", &file)
            .env("NOISESCOPE_WHAT", mode)
            .env("NOISESCOPE_GAMMA", gamma.to_string())
            .env("NOISESCOPE_LAUNCHES", launches.to_string())
            .stdout(Stdio::null())
            .status();
        assert!(ended.unwrap().success());
        let counts = std::fs::read_to_string(&file).unwrap();
        let lines = counts.lines().map(|line| line.rsplit_once(' ').unwrap());
        lines
            .map(|(name, count)| (name.to_owned(), count.parse().unwrap()))
            .collect()
    };
    // The operators that each further launch adds.
    let each = |mode: &str, gamma: Gamma| -> (f64, String) {
        let (few, many) = (counted(mode, gamma, 2), counted(mode, gamma, 6));
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
    for gamma in [Gamma::NOISE, Gamma(0.3)] {
        let ((all, names), (drawn, drawn_names)) = (each("launched", gamma), each("drawn", gamma));
        println!("γ {gamma}: {all} operators a launch, {drawn} of them noise");
        assert!(drawn > 3.0 && all > 20.0, "what is counted: {names}");
        assert!(
            all - drawn + OWN_KERNELS + SELECTION <= MOST,
            "{all} of\n{names}noise {drawn} of\n{drawn_names}"
        );
    }
}

/// Without a GPU: NVRTC, if it is installed, compiles the kernels as in a run.
#[test]
fn nvrtc_compiles_the_kernels_if_it_is_installed() {
    let folder = noisescope::engine::device::libtorch::folder().map(std::path::Path::new);
    match kernels::compile(folder, "compute_75") {
        Ok(ptx) => {
            // It also compiles machine code, which drivers older than NVRTC can load.
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
                "draw_pca",
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
