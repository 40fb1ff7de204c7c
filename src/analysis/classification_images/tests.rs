mod evidence;
mod regression;

use super::*;
use crate::analysis::testing;
use crate::data::Images;
use crate::session::Config;
use crate::session::config::{Analysis, Gaussian, NetworkKind, Noise};
use crate::session::record::Experiment as _;
use crate::stats::classification::Estimate;
use crate::stats::correlation::pearson;
use crate::stimulus::BlockSeed;
use proptest::prelude::*;
use std::sync::Arc;

fn pool() -> stimulus::Pool {
    stimulus::Pool::new(&images())
}

fn uniform() -> Source {
    Source::new(Noise::Uniform, &images())
}

/// Kind of the trials of these tests.
fn kind(weighting: Weighting) -> TrialKind {
    TrialKind {
        weighting,
        ..TrialKind::plain(10, [1, 28, 28])
    }
}

fn trials(gamma: f64, weighting: Weighting) -> GammaTrials {
    GammaTrials::new(gamma, 30, &kind(weighting))
}

fn sum(index: u64, block: &Block, said: &Said) -> BlockSums {
    let weighting = match said.weights {
        None => Weighting::Equal,
        Some(_) => Weighting::Confidence,
    };
    let summing = Summing::new(&kind(weighting), &uniform(), &images());
    summing.sum(index, block, said, &pool())
}

fn said(decisions: Vec<usize>) -> Said {
    Said {
        decisions,
        weights: None,
        heard: None,
    }
}

fn images() -> Images {
    Images {
        pixels: Arc::from(vec![128; 10 * 784]),
        labels: Arc::from((0..10).collect::<Vec<u16>>()),
        channels: 1,
        height: 28,
        width: 28,
        classes: 10,
    }
}

fn block(index: u64, gamma: usize) -> Block {
    let seed = BlockSeed {
        session: 3,
        analysis: 0,
        gamma: gamma as u64,
        block: index,
    };
    let strength = [0.0, 0.3][gamma];
    stimulus::draw(seed, &uniform(), strength, index * 64, 64, &pool())
}

/// An ideal observer with one template: it says 1 where noise and template agree, else 0.
fn template() -> Vec<f32> {
    (0..784)
        .map(|i| if (i / 28 + i % 28) % 7 < 2 { 1.0 } else { -0.4 })
        .collect()
}

fn observe(block: &Block) -> Vec<usize> {
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
        .map(|z| usize::from(agree(z) > 0.0))
        .collect()
}

#[test]
fn a_network_that_is_one_template_gives_it_back() {
    let mut trials = trials(0.0, Weighting::Equal);
    for index in 0..2500 {
        let block = block(index, 0);
        trials.add(&sum(index, &block, &said(observe(&block))));
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
    // Two classes share all trials, so their images are opposite.
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
        order in Just((0..12_u64).collect::<Vec<_>>()).prop_shuffle(),
        decisions in prop::collection::vec(0..10_usize, 64),
        weights in prop::option::of(prop::collection::vec(102..=1024_u16, 64)),
    ) {
        let weighting = match weights {
            None => Weighting::Equal,
            Some(_) => Weighting::Confidence,
        };
        let merged = |order: &[u64]| {
            let mut trials = trials(0.3, weighting);
            for &index in order {
                let block = block(index, 1);
                let mut said = Said { decisions: decisions.clone(), weights: weights.clone(), heard: None };
                said.decisions.rotate_left(index as usize);
                trials.add(&sum(index, &block, &said));
            }
            trials
        };
        let sorted: Vec<u64> = (0..12).collect();
        let (a, b) = (merged(&order), merged(&sorted));
        prop_assert!(a.agrees());
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.estimate(), b.estimate());
    }
}

#[test]
fn counts_and_sums_hold_every_trial_once() {
    let block = block(4, 1);
    let decisions: Vec<usize> = (0..64).map(|i| i % 3).collect();
    let sums = sum(4, &block, &said(decisions));
    assert_eq!(sums.counts.iter().sum::<u64>(), 64);
    // Every trial is called something, and of some class.
    let all: i64 = block.noise.iter().map(|&k| i64::from(k)).sum();
    for rows in [0..10, 10..20] {
        let own = sums.noise.iter().filter(|(row, _)| rows.contains(row));
        assert_eq!(own.flat_map(|(_, sums)| sums).sum::<i64>(), all);
    }
    let images: i64 = sums.image.iter().flat_map(|(_, sums)| sums).sum();
    assert_eq!(images, 64 * 784 * 128);
}

/// By the definition, Σw·z/Σw, one trial after the other.
#[test]
fn a_weighted_mean_is_that_of_its_definition() {
    let weights: Vec<u16> = (0..64).map(|i| 103 + 13 * i).collect();
    let block = block(0, 1);
    let said = Said {
        decisions: (0..64).map(|i| i % 3).collect(),
        weights: Some(weights.clone()),
        heard: None,
    };
    let mut trials = trials(0.3, Weighting::Confidence);
    trials.add(&sum(0, &block, &said));
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
    let own = class.mean_noise.as_ref().unwrap();
    for (own, sum) in own.iter().zip(&mean) {
        assert!((f64::from(*own) - sum / total).abs() < 1e-6);
    }
    // Images are all 128, whatever the weights.
    for (own, noise) in class.mean_stimulus.as_ref().unwrap().iter().zip(own) {
        assert!((own - (0.7 * noise + 0.3 * 128.0 / 255.0)).abs() < 1e-6);
    }
}

#[test]
fn a_confidence_becomes_a_weight_or_a_reason_to_drop_the_trial() {
    // Ten logits: one of 0 and nine of −ln 9 leave a confidence of ½.
    let mut logits = [-(9.0_f32.ln()); 10];
    logits[4] = 0.0;
    let weights = |weighting| Said::new(logits.chunks(10), weighting).weights;
    assert_eq!(
        Said::new(logits.chunks(10), Weighting::Equal).decisions,
        [4]
    );
    assert_eq!(weights(Weighting::Equal), None);
    assert_eq!(weights(Weighting::Confidence), Some(vec![512]));
    assert_eq!(weights(Weighting::Threshold(0.49)), Some(vec![1]));
    assert_eq!(weights(Weighting::Threshold(0.51)), Some(vec![0]));
}

fn plan(it: config::ClassificationImages) -> Config {
    Config {
        analyses: vec![Analysis::ClassificationImages(it)],
        ..Config::default()
    }
}

fn own(record: &Record) -> &record::ClassificationImages {
    record::ClassificationImages::of(&record.analyses[0]).unwrap()
}

/// Decides between two templates: x = d·(z − ½) > 0 is called 1, with the confidence 1/(1+e^−|x|).
struct Duel {
    lab: Lab,
    /// d, \[784\].
    difference: Vec<f32>,
    /// Standard deviation of x in uniform noise, in which it is all but normal.
    spread: f64,
}

fn duel() -> Duel {
    let scaled = |class| testing::template(class).iter().map(|t| 0.2 * t).collect();
    let weights: [Vec<f32>; 2] = [scaled(0), scaled(1)];
    let difference: Vec<f32> = weights[1]
        .iter()
        .zip(&weights[0])
        .map(|(b, a)| b - a)
        .collect();
    let norm = difference
        .iter()
        .map(|d| f64::from(*d).powi(2))
        .sum::<f64>();
    let network = testing::linear(&weights, &burn::tensor::Device::flex());
    Duel {
        lab: testing::lab(network, NetworkKind::Logistic, 200, 100),
        spread: (norm / 12.0).sqrt(),
        difference,
    }
}

impl Duel {
    fn run(&self, weighting: Weighting, trials: u64) -> GammaTrials {
        let config = plan(config::ClassificationImages {
            gammas: vec![0.0],
            trials,
            weighting,
            ..Default::default()
        });
        own(&testing::run(&config, &self.lab)).gammas[0].clone()
    }

    /// ⟨c₁, d⟩, which is the mean of x where it is positive, weighted as the trials are.
    fn along(&self, estimate: &Estimate) -> f64 {
        let image = &estimate.classes[1].decision.as_ref().unwrap().image;
        let products = image.iter().zip(&self.difference);
        products.map(|(c, d)| f64::from(c * d)).sum()
    }

    /// ∫w(x)·x·φ(x/s) over ∫w(x)·φ(x/s), for positive x.
    fn expected(&self, weight: impl Fn(f64) -> f64) -> f64 {
        let (mut above, mut below) = (0.0, 0.0);
        for step in 0..100_000 {
            let x = (f64::from(step) + 0.5) * 1e-4 * self.spread;
            let density = weight(x) * (-0.5 * (x / self.spread).powi(2)).exp();
            above += density * x;
            below += density;
        }
        above / below
    }
}

fn confidence(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn images_weighted_by_confidence_have_their_closed_form_length() {
    let duel = duel();
    let trials = 8192;
    let weighted = duel.run(Weighting::Confidence, trials);
    let expected = duel.expected(confidence);
    let found = duel.along(&weighted.estimate());
    let error = duel.spread / (trials as f64).sqrt();
    assert!(
        (found - expected).abs() < 4.0 * error,
        "{found} for {expected}"
    );
    // Where all count the same it is s·√(2/π), which is told apart.
    let plain = duel.spread * (2.0 / std::f64::consts::PI).sqrt();
    assert!(expected - plain > 4.0 * error, "{expected} and {plain}");
    let equal = duel.along(&duel.run(Weighting::Equal, trials).estimate());
    assert!((equal - plain).abs() < 4.0 * error, "{equal} for {plain}");
}

#[test]
fn trials_below_the_threshold_are_dropped_and_counted() {
    let duel = duel();
    let (trials, least) = (8192, 0.8_f64);
    let cut = (least / (1.0 - least)).ln();
    let kept = duel.run(Weighting::Threshold(least), trials);
    let counted: u64 = kept.counts.iter().sum();
    assert_eq!((kept.trials, counted + kept.dropped), (trials, trials));
    // The share of a normal distribution within ±cut.
    let bell = |x: f64| (-0.5 * (x / duel.spread).powi(2)).exp();
    let integral = |from: f64, to: f64| {
        let steps = (0..100_000).map(|i| from + (to - from) * (f64::from(i) + 0.5) / 1e5);
        steps.map(bell).sum::<f64>() * (to - from) / 1e5
    };
    let all = integral(0.0, 10.0 * duel.spread);
    let dropped = integral(0.0, cut) / all;
    let error = (dropped * (1.0 - dropped) / trials as f64).sqrt();
    let found = kept.dropped as f64 / trials as f64;
    assert!(
        (found - dropped).abs() < 4.0 * error,
        "{found} for {dropped}"
    );
    let expected = duel.expected(|x| f64::from(u8::from(x >= cut)));
    let found = duel.along(&kept.estimate());
    let error = duel.spread / (counted as f64).sqrt();
    assert!(
        (found - expected).abs() < 4.0 * error,
        "{found} for {expected}"
    );
}

/// The signal is c₁ = σ·√(2/π)·d/|d| in noise of σ²/N a pixel, so that its signal-to-noise ratio is
/// (2/π)·N/784, and a reliability of 0.95 is a ratio of 19.
#[test]
fn the_trials_needed_are_those_of_the_closed_form() {
    let estimate = duel().run(Weighting::Equal, 16_384).estimate();
    let expected = 19.0 * 784.0 * std::f64::consts::FRAC_PI_2;
    let class = &estimate.classes[1];
    let found = class.decision.as_ref().unwrap().needed.unwrap() as f64;
    assert!(
        (found / expected - 1.0).abs() < 0.3,
        "{found} for {expected}"
    );
    let ratio = 16_384.0 * std::f64::consts::FRAC_2_PI / 784.0;
    assert!((class.decision.as_ref().unwrap().snr / ratio - 1.0).abs() < 0.1);
    assert!(estimate.classes[5].decision.is_none());
    assert!(
        !class
            .decision
            .as_ref()
            .unwrap()
            .clusters
            .as_ref()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_gamma_that_is_reliable_enough_stops_at_the_same_block_in_any_order() {
    let duel = duel();
    let config = plan(config::ClassificationImages {
        gammas: vec![0.0, 0.3],
        trials: 8192,
        target: Some(0.5),
        block: 16,
        ..Default::default()
    });
    let whole = testing::run(&config, &duel.lab);
    let gamma = &own(&whole).gammas[0];
    // 1,232 trials by the closed form, looked at every 1,024.
    assert!(gamma.reached && gamma.blocks < 512, "{}", gamma.blocks);
    assert_eq!(gamma.blocks % BLOCKS_A_LOOK, 0);
    let estimate = gamma.estimate();
    let sufficient = || {
        estimate
            .classes
            .iter()
            .filter(|class| class.decision.is_some())
    };
    assert_eq!(sufficient().count(), 2);
    assert!(sufficient().all(|class| class.decision.as_ref().unwrap().reliability.unwrap() >= 0.5));
    for seed in [1, 2] {
        let pieces = testing::run_interrupted(&config, &duel.lab, 101, seed);
        assert_eq!(pieces, whole);
    }
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
            gammas: vec![0.0, 0.2],
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
fn every_noise_gives_maps_of_finite_numbers() {
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
            gammas: vec![0.0],
            trials: 1024,
            min_trials: 10,
            ..Default::default()
        });
        let record = testing::run(&config, &lab);
        let gamma = &own(&record).gammas[0];
        assert!(gamma.agrees() && gamma.trials == 1024);
        let estimate = gamma.estimate();
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
            // Of every kind it is known how errors go together: by theory or by random signs.
            assert_eq!(gamma.null.is_none(), noise.is_white(), "{noise:?}");
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
