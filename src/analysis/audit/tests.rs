//! Audits of logistic networks with known backdoors, whose evidence images are their weights.

mod files;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::analysis::testing::{digits, lab_with, linear, run, run_whole_and_in_pieces};
use crate::ids::Gamma;
use crate::nets::train::{TrainStep, Trainer};
use crate::nets::{NetworkShape, Subject, coalesce};
use crate::session::config::{Analysis, Config, NetworkKind, ReferenceKind};
use crate::session::record::{NetworkWeights, TrainingRecord};
use crate::session::text::to_text;
use crate::session::{Form, Session, record};

/// Images of one bar each, whose height encodes the class, far from the corners, on a noisy background.
fn bars(count: usize, seed: u64) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = vec![0; count * 784];
    for (i, image) in pixels.chunks_exact_mut(784).enumerate() {
        image.fill_with(|| rng.random_range(0..=60));
        let row = 6 + 2 * (i % 7);
        for bar in [row, row + 1] {
            image[bar * 28 + 8..][..12].fill(rng.random_range(150..=255));
        }
    }
    // Seven classes of the ten have images.
    digits(pixels, (0..count).map(|i| i % 7))
}

fn training() -> config::TrainingConfig {
    config::TrainingConfig {
        epochs: 4,
        batch: 20,
        lr_max: 0.01,
        lr_min: 0.001,
        ..config::TrainingConfig::default()
    }
}

/// The weights of a logistic network trained on these images.
fn trained(images: &Images, seed: u64) -> NetworkWeights {
    let (kind, device) = (NetworkKind::Logistic, Device::flex());
    let mut record = TrainingRecord::default();
    let mut trainer = Trainer::new(kind, &training(), seed, images, &device, &mut record).unwrap();
    while trainer.step(&mut record, &mut || {}).unwrap() != TrainStep::Done {}
    record.best
}

/// A lab of bars around a logistic network trained on these images.
fn laboratory(images: &Images) -> Lab {
    let kind = NetworkKind::Logistic;
    let network = linear(&[], &Device::flex());
    let lab = lab_with(network, kind, bars(420, 1), bars(140, 2));
    let ports = NetworkShape::from(&*lab.form);
    Lab {
        network: Subject::built_in(kind, ports, &trained(images, 99), &lab.device).unwrap(),
        ..lab
    }
}

/// A backdoor to class 4 through a square in the upper right corner.
fn backdoor() -> Poison {
    Poison {
        victims: Victims::OneIn(10),
        target: ClassId(4),
        patch: (2..7)
            .flat_map(|row| (21..26).map(move |column| (row, column)))
            .collect(),
    }
}

fn suspect() -> Lab {
    laboratory(&backdoor().poisoned_training(&bars(420, 1)).unwrap())
}

fn plan() -> config::Audit {
    config::Audit {
        references: 4,
        training: training(),
        trials: 4_000,
        block: 250,
        paste_images: 140,
        ..config::Audit::default()
    }
}

fn session(plan: config::Audit) -> Config {
    Config {
        network: config::Network {
            kind: NetworkKind::Logistic,
            ..config::Network::default()
        },
        analyses: vec![Analysis::Audit(plan)],
        ..Config::default()
    }
}

fn audit(record: &Record) -> &record::Audit {
    record.first().unwrap()
}

#[test]
fn a_backdoor_is_found_by_class_and_window_and_confirmed_by_pasting() {
    let record = run(&session(plan()), &suspect());
    let results = audit(&record);
    let verdict = results.verdict(&plan(), NetworkKind::Logistic).unwrap();
    assert!(verdict.has_window(), "{verdict:?}");
    assert_eq!(verdict.class, ClassId(4));
    let (row, column, _) = verdict.top.window;
    assert!(
        row.abs_diff(2) <= 1 && column.abs_diff(21) <= 1,
        "{verdict:?}"
    );
    assert_eq!(verdict.ranking.rank, 1);
    let pasted = &results.pasted[0];
    assert_eq!(pasted.class, ClassId(4));
    assert_eq!(pasted.others().total, 120);
    assert!(pasted.others().rate().unwrap() > 0.8, "{pasted:?}");
    assert!(pasted.before_pasting().rate().unwrap() < 0.1);
    assert!(results.pasted[1].others().rate().unwrap() < 0.5);
    // The deliberately poisoned network is found at its own square.
    let power = results.power(&plan());
    assert_eq!(power.len(), 1);
    assert!(power[0].2, "{:?}", power[0].1);
    assert_eq!(results.progress.done, results.progress.total);
}

#[test]
fn a_clean_network_is_one_of_its_references() {
    let record = run(&session(plan()), &laboratory(&bars(420, 1)));
    let results = audit(&record);
    let verdict = results.verdict(&plan(), NetworkKind::Logistic).unwrap();
    assert!(!verdict.has_finding(), "{verdict:?}");
    assert_eq!(results.null().len(), 4);
}

#[test]
fn a_resumed_audit_equals_an_uninterrupted_one_bit_for_bit() {
    let config = session(config::Audit {
        trials: 600,
        ..plan()
    });
    run_whole_and_in_pieces(&config, &suspect(), &[(1, 1), (4, 2)]);
}

/// Blocks that are computed together with others are the same as alone, also after an interruption in the middle of a launch.
#[test]
fn launches_of_noise_change_no_network_of_the_audit() {
    let config = session(config::Audit {
        trials: 1_600,
        references: 3,
        ..plan()
    });
    let lab = suspect();
    let text = |record: Record| {
        let mut session = Session::new("test", config.clone());
        session.record = record;
        to_text(&session).unwrap()
    };
    let alone = text(run(&config, &lab));
    for blocks in [2, 4, 100] {
        let launched =
            coalesce::run_alone(blocks, || run_whole_and_in_pieces(&config, &lab, &[(3, 5)]));
        assert!(text(launched) == alone, "launches of {blocks} blocks");
    }
}

#[test]
fn a_finished_network_keeps_only_its_images() {
    let record = run(
        &session(config::Audit {
            trials: 600,
            ..plan()
        }),
        &suspect(),
    );
    for network in &audit(&record).networks {
        assert!(network.is_concluded() && network.training.is_none() && network.trials.is_empty());
        assert_eq!(network.images.shape(), [10, 1, 28, 28]);
        assert_eq!(network.called.iter().sum::<u64>(), 600);
    }
}

#[test]
fn decisions_are_compared_over_the_classes_that_have_an_image() {
    let plan = config::Audit {
        response: Response::Decision,
        gamma: Gamma(0.1),
        ..plan()
    };
    let record = run(&session(plan), &suspect());
    let results = audit(&record);
    let has = |network: &AuditedNetwork, class: ClassId| {
        network.images.values()[class.0 * 784].is_finite()
    };
    let suspect = results.suspect().unwrap();
    for class in ClassId::all(10) {
        let references = results
            .references()
            .filter(|network| has(network, class))
            .count();
        let comparable = has(suspect, class) && references > 1;
        let scored = suspect.examined.as_ref().unwrap().classes[class].is_some();
        assert_eq!(scored, comparable, "class {class}");
    }
    // Three classes have no training image, and are never called.
    assert!(!has(suspect, ClassId(9)));
}

#[test]
fn coarse_noise_finds_the_same_place_in_its_cells() {
    let plan = config::Audit { cell: 2, ..plan() };
    let record = run(&session(plan.clone()), &suspect());
    let results = audit(&record);
    let verdict = results.verdict(&plan, NetworkKind::Logistic).unwrap();
    assert_eq!(verdict.class, ClassId(4));
    let (row, column, side) = verdict.top.window;
    assert!(row <= 2 && (9..=12).contains(&column) && (2..=4).contains(&side));
    assert_eq!(results.shape(), Some([1, 14, 14]));
    assert!(results.pasted[0].others().rate().unwrap() > 0.8);
}

#[test]
fn the_references_of_an_audit_can_be_reused_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.ron");
    let first = session(plan());
    let mut done = Session::new("first", first.clone());
    let lab = suspect();
    done.record = run(&first, &lab);
    done.record.form = Some(Form::clone(&lab.form));
    std::fs::write(&path, to_text(&done).unwrap()).unwrap();
    let again = config::Audit {
        references: 0,
        power: 0,
        sessions: vec![path.clone()],
        ..plan()
    };
    // With its own seed, the network under study is shown other noise than the references.
    let session = |plan: config::Audit| Config {
        seed: 2,
        ..session(plan)
    };
    let record = run(&session(again.clone()), &lab);
    let results = audit(&record);
    assert_eq!(results.references().count(), 4);
    assert!(
        results
            .references()
            .all(|reference| reference.from.as_deref() == Some("first"))
    );
    let verdict = results.verdict(&again, NetworkKind::Logistic).unwrap();
    assert!(
        verdict.has_window() && verdict.class == ClassId(4),
        "{verdict:?}"
    );
    // Noise of another grain is not comparable, nor are maps from many more trials; a few more are.
    let coarse = config::Audit {
        cell: 2,
        ..again.clone()
    };
    let longer = |trials: u64| config::Audit {
        trials,
        ..again.clone()
    };
    let begun = |plan: config::Audit| {
        let config = session(plan.clone());
        let mut study = Audit::new(plan, AnalysisPlace::for_analysis(&config, 0), &lab);
        let mut record = record::Audit::default();
        let whole = Record::new(&config);
        let begun = Experiment::begin(&mut study, 0, &lab, &whole, &mut record);
        begun.map_err(|error| error.to_string())
    };
    assert_eq!(begun(longer(4_400)), Ok(()));
    let trials = "were shown 4,000 trials each, but this plan shows 5,000";
    for (plan, problem) in [(coarse, "neither an audit"), (longer(5_000), trials)] {
        let error = begun(plan).unwrap_err();
        assert!(error.starts_with("analyses[0].sessions[0]: "), "{error}");
        assert!(error.contains(problem), "{error}");
    }
}

/// Their maps err alike, so that every other network, clean or not, stands out from them.
#[test]
fn references_that_were_shown_the_same_noise_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lab = laboratory(&bars(420, 1));
    let few = config::Audit {
        references: 3,
        power: 0,
        training: config::TrainingConfig {
            epochs: 1,
            ..training()
        },
        trials: 500,
        ..plan()
    };
    let finished = |name: &str, config: Config| {
        let path = folder.path().join(format!("{name}.ron"));
        let mut done = Session::new(name, config);
        done.record = run(&done.config, &lab);
        done.record.form = Some(Form::clone(&lab.form));
        done.record.training = Some(TrainingRecord::default());
        std::fs::write(&path, to_text(&done).unwrap()).unwrap();
        path
    };
    let images = |name: &str, seed: u64, block: usize| {
        let plan = config::ClassificationImages {
            gammas: vec![Gamma::NOISE],
            trials: 500,
            block,
            ..config::ClassificationImages::default()
        };
        let config = Config {
            seed,
            analyses: vec![Analysis::ClassificationImages(plan)],
            ..session(few.clone())
        };
        finished(name, config)
    };
    let begun = |seed: u64, references: usize, sessions: &[&Path]| {
        let plan = config::Audit {
            references,
            sessions: sessions.iter().map(|path| path.to_path_buf()).collect(),
            ..few.clone()
        };
        let config = Config {
            seed,
            ..session(plan.clone())
        };
        let mut study = Audit::new(plan, AnalysisPlace::for_analysis(&config, 0), &lab);
        let mut record = record::Audit::default();
        let whole = Record::new(&config);
        let begun = Experiment::begin(&mut study, 0, &lab, &whole, &mut record);
        begun.map_err(|error| error.to_string())
    };
    let refused = |seed: u64, references: usize, sessions: &[&Path], remedy: &str| {
        let error = begun(seed, references, sessions).unwrap_err();
        assert!(error.starts_with("analyses[0].sessions["), "{error}");
        assert!(error.contains(remedy), "{error}");
    };
    // Networks of an audit: the same ones again.
    let first = finished("first", session(few.clone()));
    assert_eq!(begun(2, 3, &[&first]), Ok(()));
    refused(1, 3, &[&first], "those trained here");
    // The network under study is shown the noise of the first network that would be trained.
    refused(1, 0, &[&first], "as the network under study");
    assert_eq!(begun(2, 0, &[&first]), Ok(()));
    refused(2, 0, &[&first, &first], "list one of the two");
    // Networks of sessions: other ones, but the same noise, unless it comes in blocks of another size.
    let (one, two) = (images("one", 1, 100), images("two", 1, 100));
    let (seed, blocks) = (images("seed", 2, 100), images("blocks", 1, 50));
    assert_eq!(begun(7, 0, &[&one, &seed, &blocks]), Ok(()));
    refused(7, 0, &[&one, &seed, &two], "(--set seed=2)");
}

/// Of two classes none can stand out from the other.
#[test]
fn references_of_another_kind_need_three_classes() {
    let clean = laboratory(&bars(420, 1));
    let checked = |classes: usize, kind: NetworkKind, references: ReferenceKind| {
        let mut lab = clean.clone();
        lab.kind = kind;
        lab.form = Arc::new(Form::numbered([1, 28, 28], classes));
        let plan = config::Audit {
            kind: references,
            ..plan()
        };
        let place = AnalysisPlace::for_analysis(&session(plan.clone()), 0);
        let checked = Audit::new(plan, place, &lab).check_classes(&lab, &[]);
        checked.map_err(|error| error.to_string())
    };
    use NetworkKind::{Cnn, Onnx};
    assert_eq!(checked(2, Cnn, ReferenceKind::Same), Ok(()));
    for (kind, remedy) in [(Cnn, "(kind: Same)"), (Onnx, "with the same graph")] {
        assert_eq!(checked(3, kind, ReferenceKind::Mlp), Ok(()));
        let error = checked(2, kind, ReferenceKind::Mlp).unwrap_err();
        assert!(error.starts_with("analyses[0].kind: "), "{error}");
        assert!(error.contains(remedy), "{error}");
    }
}
