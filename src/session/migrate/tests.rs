//! Tests of migration: records in the layout of version 1 become those of today.

use super::*;
use crate::ids::Gamma;
use crate::session::array::Arrays;
use crate::session::config::{Dataset, DatasetName, Split};
use crate::session::record::{
    AttackExample, BlockProgress, Covariance, Finding, LayerResponses, SplitCounts, Suspect,
    TrainingRecord, TrialKind,
};

/// The record of one analysis, migrated.
fn migrated(plan: config::Analysis, recorded: Analysis) -> Result<Analysis, String> {
    let config = Config {
        analyses: vec![plan],
        ..Config::default()
    };
    let mut record = Record::new(&config);
    record.analyses = vec![recorded];
    migrate_v1(&mut record, &config)?;
    Ok(record.analyses.remove(0))
}

/// Removes the channel axis of an array of images: version 1 had none.
fn without_channel<T: Element>(array: &mut Array<T>) {
    let mut shape = array.shape().to_vec();
    let channel = shape.len() - 3;
    assert_eq!(shape.remove(channel), 1);
    array.reshape(&shape).unwrap();
}

/// Progress of an experiment that has begun.
fn begun() -> BlockProgress {
    BlockProgress {
        blocks: Vec::new(),
        done: 1,
        total: 2,
    }
}

/// Trials as version 1 stored them, and the same today.
fn trials() -> (GammaTrials, GammaTrials) {
    let mut now = GammaTrials::new(Gamma::NOISE, 30, &TrialKind::plain(CLASSES, IMAGE));
    now.trials = 2;
    now.moments = Array::zeros(&[2, 1, 28, 28]);
    let mut then = now.clone();
    // A trial of class 2 called 2 in an even block, one of class 3 called 7 in an odd block.
    let mut table = vec![0; 2 * 100 * 784];
    table[22 * 784 + 5] = 11;
    table[137 * 784 + 783] = 7;
    then.noise = Array::new(&[2, 10, 10, 28, 28], table);
    let sums = now.noise.values_mut();
    // Called 2, shown 2 and both; then called 7 and shown 3.
    for row in [2, 12, 22] {
        sums[row * 784 + 5] = 11;
    }
    for row in [37, 43] {
        sums[row * 784 + 783] = 7;
    }
    then.listed.clear();
    then.images = [0; 3];
    without_channel(&mut then.image);
    without_channel(&mut then.moments);
    (then, now)
}

fn images(gammas: Vec<GammaTrials>) -> Analysis {
    Analysis::ClassificationImages(ClassificationImages { gammas, axes: None })
}

fn images_plan() -> config::Analysis {
    config::Analysis::ClassificationImages(config::ClassificationImages::default())
}

fn predictions_plan() -> config::Analysis {
    config::Analysis::Predictions(config::Predictions::default())
}

#[test]
fn sums_by_true_and_predicted_class_become_their_margins() {
    let (then, now) = trials();
    // Noise of a known deviation has no moments.
    let (mut other_then, mut other_now) = (then.clone(), now.clone());
    other_then.moments = Array::default();
    other_now.moments = Array::default();
    let found = migrated(images_plan(), images(vec![then, other_then])).unwrap();
    assert!(found == images(vec![now, other_now]));
}

#[test]
fn sums_of_another_shape_are_refused_with_their_place() {
    let (mut then, _) = trials();
    then.noise = Array::zeros(&[2, 10, 10, 28, 27]);
    assert_eq!(
        migrated(images_plan(), images(vec![then])).unwrap_err(),
        "the record of analyses[0]: an array has the shape [2, 10, 10, 28, 27]; \
         expected [2, 10, 10, 28, 28]"
    );
}

#[test]
fn tables_of_decisions_on_blended_images_become_their_outcomes() {
    let mut counts = vec![0; 2 * 3 * 10 * 2 * 4];
    // The last row of test images, with target 9: 33 of other classes, 5 of them called 9; 53 in all, 18 of
    // them called their class.
    counts[59 * 4..60 * 4].copy_from_slice(&[33, 5, 53, 18]);
    // The first row of noise: its 7 images have no class, 3 are called the target, 0.
    counts[60 * 4..61 * 4].copy_from_slice(&[7, 3, 7, 0]);
    let now = Attack {
        progress: begun(),
        weights: vec![0.0, 1.0],
        patterns: Array::zeros(&[3, 10, 1, 2, 2]),
        counts: Array::new(&[2, 3, 10, 2, 4], counts),
        examples: vec![AttackExample {
            target: ClassId(1),
            truth: ClassId(0),
            image: Array::new(&[1, 2, 2], vec![1, 2, 3, 4]),
            called: Vec::new(),
            confidence: Vec::new(),
        }],
        ..Attack::default()
    };
    let mut then = now.clone();
    let mut tables = vec![0; 2 * 3 * 10 * 2 * 100];
    // The cell of true class t and predicted class c is 10·t + c.
    for (cell, n) in [(49, 5), (99, 7), (44, 11), (92, 13), (42, 17)] {
        tables[59 * 100 + cell] = n;
    }
    for (cell, n) in [(0, 3), (6, 4)] {
        tables[60 * 100 + cell] = n;
    }
    then.counts = Array::new(&[2, 3, 10, 2, 10, 10], tables);
    without_channel(&mut then.patterns);
    without_channel(&mut then.examples[0].image);
    let plan = config::Analysis::Attack(config::Attack::default());
    let found = migrated(plan, Analysis::Attack(then)).unwrap();
    assert!(found == Analysis::Attack(now));
}

#[test]
fn tables_of_decisions_under_modulation_become_counts_by_class() {
    // In table n, n·(100·t + c) stimuli of class t are called c.
    let tables = (1..=20_i64)
        .flat_map(|n| (0..100_i64).map(move |cell| n * (100 * (cell / 10) + cell % 10)));
    let counts = (1..=20_i64).flat_map(|n| {
        let shown = (0..10_i64).map(move |class| n * (1000 * class + 45));
        let correct = (0..10_i64).map(move |class| n * 101 * class);
        let called = (0..10_i64).map(move |class| n * (4500 + 10 * class));
        shown.chain(correct).chain(called)
    });
    let of = |counts: Array<i64>| {
        Analysis::Modulation(Modulation {
            progress: begun(),
            gammas: vec![Gamma::NOISE],
            strengths: vec![0, 1],
            layers: vec![ModulatedLayer {
                name: "fc1".into(),
                alpha: 0.1,
                shown: vec![0; 10],
                activation: Array::zeros(&[10, 1]),
                counts,
            }],
        })
    };
    let then = of(Array::new(&[10, 2, 1, 10, 10], tables.collect()));
    let now = of(Array::new(&[10, 2, 1, 3, 10], counts.collect()));
    let plan = config::Analysis::Modulation(config::Modulation::default());
    assert!(migrated(plan, then).unwrap() == now);
}

/// A study of one network, with these trials and z maps.
fn study(trials: GammaTrials, z: Array<f32>) -> Backdoor {
    Backdoor {
        progress: BlockProgress::default(),
        networks: vec![Suspect {
            trials: vec![trials],
            findings: vec![Finding {
                gamma: Gamma::NOISE,
                trials: 2,
                called: vec![0; 10],
                windows: vec![None; 10],
                z,
                evidence: Array::default(),
                audited: None,
            }],
            ..Suspect::untrained(true, 1)
        }],
    }
}

#[test]
fn a_study_of_backdoors_is_kept_even_if_no_trial_of_it_is_done() {
    let (then, now) = trials();
    let then = study(then, Array::zeros(&[10, 2, 2]));
    let now = study(now, Array::zeros(&[10, 1, 2, 2]));
    let plan = config::Analysis::Backdoor(config::Backdoor::default());
    let found = migrated(plan, Analysis::Backdoor(then)).unwrap();
    assert!(found == Analysis::Backdoor(now));
}

#[test]
fn averages_of_units_get_one_channel() {
    let mut layer = LayerResponses::new("conv1", 2, [1, 2, 3], false, Some(vec![0.5; 12]));
    layer.select_gradient_units(vec![1]);
    let unit = config::UnitId {
        layer: "conv1".into(),
        unit: 1,
    };
    let mut covariance = Covariance::new(unit, [1, 2, 3]);
    covariance.axes = Array::zeros(&[1, 1, 2, 3]);
    let now = SpikeTriggered {
        progress: begun(),
        layers: vec![layer],
        covariance: Some(covariance),
    };
    let mut then = now.clone();
    let layer = &mut then.layers[0];
    without_channel(&mut layer.kernel);
    for responses in [&mut layer.noise, &mut layer.images] {
        without_channel(&mut responses.stimulus);
        without_channel(&mut responses.weighted);
    }
    without_channel(&mut layer.gradients.sum);
    without_channel(&mut then.covariance.as_mut().unwrap().axes);
    let plan = config::Analysis::SpikeTriggered(config::SpikeTriggered::default());
    let found = migrated(plan, Analysis::SpikeTriggered(then)).unwrap();
    assert!(found == Analysis::SpikeTriggered(now));
}

#[test]
fn predictions_get_one_channel_and_begin_anew_if_nothing_was_done() {
    let now = Predictions {
        progress: begun(),
        splits: vec![SplitCounts::new(
            Split::Test,
            &Form::numbered([1, 2, 3], 10),
        )],
    };
    let mut then = now.clone();
    without_channel(&mut then.splits[0].images);
    let found = migrated(predictions_plan(), Analysis::Predictions(then.clone()));
    assert!(found == Ok(Analysis::Predictions(now)));
    then.progress.done = 0;
    let found = migrated(predictions_plan(), Analysis::Predictions(then));
    assert!(found == Ok(Analysis::Predictions(Predictions::default())));
}

#[test]
fn images_of_version_1_are_grey_of_28_rows_and_their_classes_have_the_names_of_the_set() {
    let form = |config: &Config, change: fn(&mut Record)| {
        let mut record = Record::new(config);
        change(&mut record);
        migrate_v1(&mut record, config).unwrap();
        record.form
    };
    let mut config = Config {
        dataset: Some(Dataset {
            name: DatasetName::FashionMnist,
            ..Dataset::default()
        }),
        ..Config::default()
    };
    assert_eq!(form(&config, |_| {}), None);
    let opened: [fn(&mut Record); 2] = [
        |record| record.images = Some("embedded".into()),
        |record| record.training = Some(TrainingRecord::default()),
    ];
    for change in opened {
        let form = form(&config, change).unwrap();
        assert_eq!((form.shape(), form.class_count()), ([1, 28, 28], 10));
        assert_eq!(form.name(ClassId(3)), "Dress");
    }
    config.dataset = None;
    assert_eq!(
        form(&config, opened[0]),
        Some(Form::numbered([1, 28, 28], 10))
    );
}

#[test]
fn the_arrays_that_earlier_versions_did_not_have_are_known_by_their_names() {
    let (_, trials) = trials();
    let mut record = Record::new(&Config::default());
    record.analyses = vec![
        images(vec![trials.clone()]),
        Analysis::Backdoor(study(trials, Array::default())),
    ];
    let those = |is_absent: fn(&str) -> bool| {
        let mut absent = Vec::new();
        record.arrays(&mut |path: String, _: &dyn Payload| {
            if is_absent(&path) {
                absent.push(path);
            }
        });
        absent
    };
    let [images, network] = [".analyses[0].gammas[0]", ".analyses[1].networks[0]"];
    assert_eq!(
        those(is_absent_in_v1),
        [
            format!("{images}.rest"),
            format!("{images}.course"),
            format!("{network}.trials[0].rest"),
            format!("{network}.trials[0].course"),
            format!("{network}.findings[0].evidence"),
        ]
    );
    assert_eq!(
        those(is_absent_in_v2),
        [
            format!("{images}.course"),
            format!("{network}.trials[0].course"),
            format!("{network}.findings[0].evidence"),
        ]
    );
}

#[test]
fn an_array_of_version_1_has_at_most_256_mebibytes() {
    let is_plausible = |shape: &str| {
        let header = format!("(shape: [{shape}], dtype: U8, crc32: 0)");
        let array: Array<u8> = ron::from_str(&header).unwrap();
        is_plausible_size(&array)
    };
    assert!(is_plausible("2, 134217728"));
    assert!(!is_plausible("268435457"));
    assert!(!is_plausible("4000000000000, 4000000000000, 9"));
}

#[test]
fn classification_images_begun_without_evidence_continue_without_it() {
    let mut config = Config {
        analyses: vec![images_plan(), predictions_plan(), images_plan()],
        ..Config::default()
    };
    let mut record = Record::new(&config);
    let (_, trials) = trials();
    record.analyses[0] = images(vec![trials]);
    keep_decisions_only(&record, &mut config);
    let decisions = config::ClassificationImages {
        responses: vec![Response::Decision],
        ..config::ClassificationImages::default()
    };
    let expected = [
        config::Analysis::ClassificationImages(decisions),
        predictions_plan(),
        images_plan(),
    ];
    assert_eq!(config.analyses, expected);
}
