//! Tests of the experiment: sums, weights, noises, and resuming.

mod duel;
mod evidence;
mod regression;

use super::*;
use crate::analysis::testing;
use crate::data::Images;
use crate::session::Config;
use crate::session::config::{Analysis, Gaussian, NetworkKind, Noise};
use crate::session::record::ExperimentRecord as _;
use crate::stats::correlation::pearson;
use crate::stimulus::BlockSeed;
use proptest::prelude::*;

fn pool() -> stimulus::Pool {
    stimulus::Pool::new(&images())
}

fn uniform() -> NoiseSource {
    NoiseSource::new(Noise::Uniform, &images())
}

/// The kind of trials in these tests.
fn kind(weighting: Weighting) -> TrialKind {
    TrialKind {
        weighting,
        ..TrialKind::plain(10, [1, 28, 28])
    }
}

fn trials(gamma: Gamma, weighting: Weighting) -> GammaTrials {
    GammaTrials::new(gamma, 30, &kind(weighting))
}

fn sum(index: BlockIndex, block: &DrawnBlock, readout: &Readout) -> BlockSums {
    let weighting = match readout.weights {
        None => Weighting::Equal,
        Some(_) => Weighting::Confidence,
    };
    let summing = BlockSummer::new(&kind(weighting), &uniform(), &images());
    summing.sum(index, block, readout, &pool())
}

fn readout(decisions: Vec<ClassId>) -> Readout {
    Readout {
        decisions,
        weights: None,
        responses: None,
    }
}

fn images() -> Images {
    testing::digits(vec![128; 10 * 784], 0..10)
}

fn block(index: BlockIndex, gamma_index: usize) -> DrawnBlock {
    let seed = BlockSeed {
        session: 3,
        analysis: 0,
        stream: gamma_index as u64,
        block: index,
    };
    let gamma = [Gamma::NOISE, Gamma(0.3)][gamma_index];
    stimulus::draw(seed, &uniform(), gamma, index.0 * 64, 64, &pool())
}

/// An ideal observer with one template: it decides 1 if noise and template agree, else 0.
fn template() -> Vec<f32> {
    (0..784)
        .map(|i| if (i / 28 + i % 28) % 7 < 2 { 1.0 } else { -0.4 })
        .collect()
}

fn observe(block: &DrawnBlock) -> Vec<ClassId> {
    let template = template();
    let agree = |z: &[u16]| -> f64 {
        z.iter()
            .zip(&template)
            .map(|(&k, &t)| (f64::from(k) - 32767.5) * f64::from(t))
            .sum()
    };
    block
        .noise
        .chunks_exact(784)
        .map(|z| ClassId(usize::from(agree(z) > 0.0)))
        .collect()
}

#[test]
fn the_image_of_a_one_template_network_is_its_template() {
    let mut trials = trials(Gamma::NOISE, Weighting::Equal);
    for index in BlockIndex::first(2500) {
        let block = block(index, 0);
        trials.add(&sum(index, &block, &readout(observe(&block))));
    }
    let estimate = trials.estimate();
    let class = &estimate.classes[1];
    let r = pearson(&class.decision.as_ref().unwrap().image, &template()).unwrap();
    assert!(
        r >= 0.99,
        "correlation with the template {r} after {} trials",
        trials.trials
    );
    assert!(class.decision.as_ref().unwrap().reliability.unwrap() > 0.98);
    // Two classes share all trials, so their images have opposite signs.
    let other = pearson(
        &estimate.classes[0].decision.as_ref().unwrap().image,
        &template(),
    )
    .unwrap();
    assert!(other <= -0.99);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn blocks_merge_to_the_same_bits_in_any_order(
        order in Just(BlockIndex::first(12).collect::<Vec<_>>()).prop_shuffle(),
        decisions in prop::collection::vec((0..10_usize).prop_map(ClassId), 64),
        weights in prop::option::of(prop::collection::vec(102..=1024_u16, 64)),
    ) {
        let weighting = match weights {
            None => Weighting::Equal,
            Some(_) => Weighting::Confidence,
        };
        let merged = |order: &[BlockIndex]| {
            let mut trials = trials(Gamma(0.3), weighting);
            for &index in order {
                let block = block(index, 1);
                let mut readout = Readout { decisions: decisions.clone(), weights: weights.clone(), responses: None };
                readout.decisions.rotate_left(index.0 as usize);
                trials.add(&sum(index, &block, &readout));
            }
            trials
        };
        let sorted: Vec<BlockIndex> = BlockIndex::first(12).collect();
        let (a, b) = (merged(&order), merged(&sorted));
        prop_assert!(a.is_consistent());
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.estimate(), b.estimate());
    }
}

#[test]
fn counts_and_sums_include_every_trial_once() {
    let block = block(BlockIndex(4), 1);
    let decisions: Vec<ClassId> = (0..64).map(|i| ClassId(i % 3)).collect();
    let sums = sum(BlockIndex(4), &block, &readout(decisions));
    assert_eq!(sums.counts.iter().sum::<u64>(), 64);
    // Every trial is called some class, and belongs to some class.
    let all: i64 = block.noise.iter().map(|&k| i64::from(k)).sum();
    for rows in [0..10, 10..20] {
        let selected = sums.noise.iter().filter(|(row, _)| rows.contains(row));
        assert_eq!(selected.flat_map(|(_, sums)| sums).sum::<i64>(), all);
    }
    let images: i64 = sums.image.iter().flat_map(|(_, sums)| sums).sum();
    assert_eq!(images, 64 * 784 * 128);
}

/// By definition, Σw·z/Σw, one trial at a time.
#[test]
fn a_weighted_mean_matches_its_definition() {
    let weights: Vec<u16> = (0..64).map(|i| 103 + 13 * i).collect();
    let block = block(BlockIndex(0), 1);
    let readout = Readout {
        decisions: (0..64).map(|i| ClassId(i % 3)).collect(),
        weights: Some(weights.clone()),
        responses: None,
    };
    let mut trials = trials(Gamma(0.3), Weighting::Confidence);
    trials.add(&sum(BlockIndex(0), &block, &readout));
    let (mut total, mut mean) = (0.0, vec![0.0; 784]);
    for trial in (0..64).filter(|trial| trial % 3 == 2) {
        let weight = f64::from(weights[trial]);
        total += weight;
        let noise = &block.noise[trial * 784..(trial + 1) * 784];
        for (sum, &k) in mean.iter_mut().zip(noise) {
            *sum += weight * (f64::from(k) + 0.5) / 65536.0;
        }
    }
    let estimate = trials.estimate();
    let class = &estimate.classes[2];
    let mean_noise = class.mean_noise.as_ref().unwrap();
    for (value, sum) in mean_noise.iter().zip(&mean) {
        assert!((f64::from(*value) - sum / total).abs() < 1e-6);
    }
    // Images are all 128, regardless of the weights.
    for (value, noise) in class.mean_stimulus.as_ref().unwrap().iter().zip(mean_noise) {
        assert!((value - (0.7 * noise + 0.3 * 128.0 / 255.0)).abs() < 1e-6);
    }
}

#[test]
fn a_confidence_weights_a_trial_or_drops_it() {
    // Ten logits: one of 0 and nine of −ln 9 leave a confidence of ½.
    let mut logits = [-(9.0_f32.ln()); 10];
    logits[4] = 0.0;
    let weights = |weighting| Readout::new(logits.chunks(10), weighting).weights;
    assert_eq!(
        Readout::new(logits.chunks(10), Weighting::Equal).decisions,
        [ClassId(4)]
    );
    assert_eq!(weights(Weighting::Equal), None);
    assert_eq!(weights(Weighting::Confidence), Some(vec![512]));
    assert_eq!(weights(Weighting::Threshold(0.49)), Some(vec![1]));
    assert_eq!(weights(Weighting::Threshold(0.51)), Some(vec![0]));
}

/// The softmax of an infinite logit is NaN as computed, but its limit is 1: the trial has the full weight, and no
/// threshold drops it.
#[test]
fn an_infinite_output_is_a_decision_without_doubt() {
    let mut logits = [0.0; 10];
    logits[4] = f32::INFINITY;
    let weights = |weighting| Readout::new(logits.chunks(10), weighting).weights;
    assert_eq!(weights(Weighting::Confidence), Some(vec![1024]));
    assert_eq!(weights(Weighting::Threshold(0.99)), Some(vec![1]));
}

fn plan(images: config::ClassificationImages) -> Config {
    Config {
        analyses: vec![Analysis::ClassificationImages(images)],
        ..Config::default()
    }
}

fn recorded(record: &Record) -> &record::ClassificationImages {
    record::ClassificationImages::from_analysis(&record.analyses[0]).unwrap()
}

#[test]
fn every_noise_and_weighting_resumes_to_the_same_record() {
    let lab = testing::template_lab();
    for (noise, weighting) in [
        (
            Noise::Gaussian(Gaussian::default()),
            Weighting::Threshold(0.3),
        ),
        (Noise::Patch, Weighting::Equal),
        (Noise::Gabor, Weighting::Confidence),
    ] {
        let config = plan(config::ClassificationImages {
            noise,
            weighting,
            gammas: vec![Gamma::NOISE, Gamma(0.2)],
            trials: 300,
            min_trials: 2,
            block: 32,
            ..Default::default()
        });
        let whole = testing::run(&config, &lab);
        assert_eq!(
            testing::run_interrupted(&config, &lab, 5, 1),
            whole,
            "{noise:?}"
        );
    }
}

#[test]
fn every_noise_gives_finite_maps() {
    let lab = testing::template_lab();
    for noise in [
        Noise::Uniform,
        Noise::Gaussian(Gaussian { sigma: 0.5 }),
        Noise::Binary,
        Noise::Patch,
        Noise::Gabor,
        Noise::Pca,
    ] {
        let config = plan(config::ClassificationImages {
            noise,
            gammas: vec![Gamma::NOISE],
            trials: 1024,
            min_trials: 10,
            ..Default::default()
        });
        let record = testing::run(&config, &lab);
        let trials = &recorded(&record).gammas[0];
        assert!(trials.is_consistent() && trials.trials == 1024);
        let estimate = trials.estimate();
        let sufficient = estimate
            .classes
            .iter()
            .filter(|class| class.decision.is_some());
        assert!(sufficient.clone().count() >= 3, "{noise:?}");
        for class in sufficient {
            let z = &class.decision.as_ref().unwrap().z;
            let maps = [
                z,
                &class.decision.as_ref().unwrap().image,
                class.mean_noise.as_ref().unwrap(),
            ];
            assert!(
                maps.iter().all(|map| map.iter().all(|v| v.is_finite())),
                "{noise:?}"
            );
            assert!(z.iter().any(|&z| z.abs() > 2.0), "{noise:?}");
            assert!(class.decision.as_ref().unwrap().snr.is_finite());
            // The correlation of errors is known for every kind of noise: from theory or from random signs.
            assert_eq!(trials.null.is_none(), noise.is_white(), "{noise:?}");
            for map in [&class.decision, &class.evidence].into_iter().flatten() {
                assert!(map.clusters.is_some(), "{noise:?}");
                let [low, high] = map.snr_interval.unwrap();
                assert!(low < map.snr && map.snr < high, "{noise:?}");
                let r = map.reliability.unwrap();
                let [low, high] = map.reliability_interval.unwrap();
                assert!(low < r && r < high, "{noise:?}: {r} {low} {high}");
            }
        }
    }
}
