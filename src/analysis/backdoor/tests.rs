//! Studies of logistic networks, whose z maps follow from their weights.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::analysis::testing::{digits, lab_with, linear, run, run_whole_and_in_pieces};
use crate::ids::{ClassId, Gamma};
use crate::session::config::backdoor::patch;
use crate::session::config::{Analysis, Config, NetworkKind, Noise};
use crate::session::record::{self, TrainingRecord};

/// Images of one bar each, whose height encodes the class, far from the patch.
fn bars(count: usize, seed: u64) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = vec![0; count * 784];
    for (i, image) in pixels.chunks_exact_mut(784).enumerate() {
        let row = 8 + 2 * (i % 10);
        for bar in [row, row + 1] {
            image[bar * 28 + 3..][..12].fill(rng.random_range(150..=255));
        }
    }
    digits(pixels, (0..count).map(|i| i % 10))
}

/// A lab of bars. Its network does not matter: a study trains its own.
fn laboratory() -> Lab {
    let network = linear(&[], &Device::flex());
    lab_with(network, NetworkKind::Logistic, bars(400, 1), bars(100, 2))
}

/// A study of one poisoned and one clean network that takes a second.
fn plan() -> config::Backdoor {
    config::Backdoor {
        source: ClassId(1),
        target: ClassId(9),
        images: 30,
        training: config::TrainingConfig {
            epochs: 6,
            batch: 20,
            lr_max: 0.01,
            lr_min: 0.01,
            ..config::TrainingConfig::default()
        },
        noise: Noise::Uniform,
        gammas: vec![Gamma(0.2), Gamma::NOISE],
        trials: 400,
        min_trials: 5,
        block: 128,
        ..config::Backdoor::default()
    }
}

fn session(plan: config::Backdoor) -> Config {
    Config {
        analyses: vec![Analysis::Backdoor(plan)],
        ..Config::default()
    }
}

fn study(record: &Record) -> &record::Backdoor {
    record.first().unwrap()
}

fn begin(plan: config::Backdoor, lab: &Lab) -> Result<(Backdoor, record::Backdoor), AnalysisError> {
    let config = session(plan.clone());
    let mut study = Backdoor::new(plan, AnalysisPlace::for_analysis(&config, 0), lab);
    let mut record = record::Backdoor::default();
    let whole = Record::new(&config);
    Experiment::begin(&mut study, 0, lab, &whole, &mut record)?;
    Ok((study, record))
}

#[test]
fn a_poisoned_logistic_network_reveals_its_target_and_patch() {
    // One white square an image, on a grid. Those on the patch are rows 0–7, columns 20–27.
    let plan = config::Backdoor {
        noise: Noise::Patch,
        trials: 2_000,
        gammas: vec![Gamma::NOISE],
        ..plan()
    };
    let record = run(&session(plan), &laboratory());
    let suspects = &study(&record).networks;
    assert!(suspects[0].clean_accuracy.unwrap() > 0.95);
    assert!(suspects[0].attack_success.unwrap() > 0.95);
    assert!(suspects[1].attack_success.unwrap() < 0.2);
    assert_eq!(suspects[0].attacked, 10);
    // The network recognizes the patch by the target's weights there, so every square on it is
    // called the target, and never another class.
    let finding = &suspects[0].findings[0];
    let on_the_patch = |class: ClassId| {
        let z = &finding.z.values()[class.0 * 784..(class.0 + 1) * 784];
        patch(28).map(move |(row, column)| z[row * 28 + column])
    };
    assert!(on_the_patch(ClassId(9)).all(|z| z > 5.0));
    let others = ClassId::all(9).flat_map(on_the_patch);
    assert!(others.filter(|z| !z.is_nan()).all(|z| z < 0.0));
    let window = finding.windows[ClassId(9)].unwrap();
    let near = |found: usize, true_one: usize| found.abs_diff(true_one) <= 1;
    assert!(near(window.row, 1) && near(window.column, 21), "{window:?}");
}

#[test]
fn the_score_against_the_clean_networks_separates_the_poisoned_ones() {
    let plan = config::Backdoor {
        poisoned: 2,
        clean: 4,
        gammas: vec![Gamma::NOISE],
        trials: 4_000,
        ..plan()
    };
    let record = run(&session(plan.clone()), &laboratory());
    let results = study(&record);
    let separation = results
        .separation(&plan, results.audited_gamma_index(&plan))
        .unwrap();
    assert_eq!((separation.poisoned, separation.clean), (2, 4));
    assert_eq!(separation.roc.unwrap().auc.estimate, 1.0);
    assert_eq!(
        (separation.class_correct, separation.window_correct),
        (2, 2)
    );
}

#[test]
fn too_few_clean_networks_give_no_score() {
    let record = run(&session(plan()), &laboratory());
    let results = study(&record);
    assert_eq!(
        results.separation(&plan(), results.audited_gamma_index(&plan())),
        None
    );
}

#[test]
fn a_resumed_study_equals_an_uninterrupted_one_bit_for_bit() {
    let config = session(config::Backdoor {
        poisoned: 2,
        ..plan()
    });
    // Training takes seven blocks: most pieces end in the middle of it.
    run_whole_and_in_pieces(&config, &laboratory(), &[(1, 1), (5, 2)]);
}

#[test]
fn progress_is_exact_where_training_stops_early() {
    // All images are classified correctly after a few epochs, so there is no further improvement.
    let plan = config::Backdoor {
        training: config::TrainingConfig {
            patience: 1,
            epochs: 30,
            ..plan().training
        },
        ..plan()
    };
    let config = session(plan.clone());
    let lab = laboratory();
    let (study, mut record) = begin(plan.clone(), &lab).unwrap();
    let course = study.trained.course();
    for block in BlockIndex::first(course.training_blocks()) {
        let job = Job::single_block(0, block);
        let sums = Experiment::step(&study, &lab, job).unwrap();
        Experiment::merge(&study, &mut record, job, sums);
    }
    let epochs = record.networks[0].training.as_ref().unwrap().epochs.len();
    assert!(epochs < 30, "training has stopped early");
    assert_eq!(record.progress.done, 30 * 320);
    let record = run(&config, &lab);
    let progress = &self::study(&record).progress;
    assert_eq!(progress.done, progress.total);
    assert_eq!(progress.total, 2 * (30 * 320 + 2 * 400));
    assert!(progress.is_finished());
}

#[test]
fn every_network_has_its_own_seed() {
    let plan = config::Backdoor {
        poisoned: 3,
        clean: 3,
        ..plan()
    };
    let (_, record) = begin(plan, &laboratory()).unwrap();
    let mut seeds: Vec<u64> = record.networks.iter().map(|network| network.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 6);
}

#[test]
fn a_finished_network_keeps_only_its_findings() {
    let record = run(&session(plan()), &laboratory());
    for suspect in &study(&record).networks {
        assert!(suspect.is_concluded());
        assert_eq!(suspect.findings.len(), 2);
        assert!(suspect.training.is_none() && suspect.trials.is_empty());
        for finding in &suspect.findings {
            assert_eq!(finding.trials, 400);
            assert_eq!(finding.called.iter().sum::<u64>(), 400);
            assert_eq!(finding.evidence.shape(), [10, 1, 28, 28]);
            for (class, window) in finding.windows.iter().enumerate() {
                let map = &finding.z.values()[class * 784..(class + 1) * 784];
                assert_eq!(window.is_none(), map.iter().all(|z| z.is_nan()));
            }
        }
    }
}

#[test]
fn too_few_images_to_poison_is_an_error_with_place_and_remedy() {
    let plan = config::Backdoor {
        images: 41,
        ..plan()
    };
    let error = begin(plan.clone(), &laboratory())
        .err()
        .unwrap()
        .to_string();
    assert!(error.starts_with("analyses[0].images: 41"), "{error}");
    assert!(error.contains("at most 40"), "{error}");
    // If nothing is poisoned, no images are needed.
    let clean = config::Backdoor {
        poisoned: 0,
        ..plan
    };
    assert!(begin(clean, &laboratory()).is_ok());
}

#[test]
fn diverging_training_is_an_error_that_names_its_place() {
    let lab = laboratory();
    let (study, _) = begin(plan(), &lab).unwrap();
    let mut current = crate::nets::Network::new(
        NetworkKind::Logistic,
        lab.network.network_shape(),
        1,
        &lab.device,
    )
    .weights();
    current.tensors[0].1.values_mut()[0] = f32::INFINITY;
    let training = TrainingRecord {
        current,
        ..TrainingRecord::default()
    };
    study.trained.put_training(1, training);
    let error = Experiment::step(&study, &lab, Job::single_block(1, BlockIndex(0))).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("analyses[0].training.lr_max: the loss of network 1"),
        "{error}"
    );
}

#[test]
fn a_record_without_the_weights_of_a_network_in_training_is_refused() {
    let lab = laboratory();
    let (mut study, mut record) = begin(plan(), &lab).unwrap();
    record.progress.blocks[0] = 2;
    let whole = Record::new(&session(plan()));
    let error = Experiment::begin(&mut study, 0, &lab, &whole, &mut record).unwrap_err();
    assert!(error.to_string().contains("network 0"), "{error}");
}
