//! Tests against closed forms on a network that decides between two templates.

use super::*;
use crate::stats::classification::GammaEstimate;

/// Decides between two templates: x = d·(z − ½) > 0 is called 1, with the confidence 1/(1+e^−|x|).
struct Duel {
    lab: Lab,
    /// d, \[784\].
    difference: Vec<f32>,
    /// Standard deviation of x in uniform noise, where it is nearly normal.
    spread: f64,
}

fn duel() -> Duel {
    let scaled = |class| testing::template(class).iter().map(|t| 0.2 * t).collect();
    let weights: [Vec<f32>; 2] = [scaled(ClassId(0)), scaled(ClassId(1))];
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
            gammas: vec![Gamma::NOISE],
            trials,
            weighting,
            ..Default::default()
        });
        recorded(&testing::run(&config, &self.lab)).gammas[0].clone()
    }

    /// ⟨c₁, d⟩, which is the weighted mean of x over trials where it is positive.
    fn along(&self, estimate: &GammaEstimate) -> f64 {
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
    // With equal weights it is s·√(2/π), which is clearly different.
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

/// The signal is c₁ = σ·√(2/π)·d/|d| in noise of σ²/N per pixel, so its signal-to-noise ratio is
/// (2/π)·N/784, and a reliability of 0.95 is a ratio of 19.
#[test]
fn the_trials_needed_match_the_closed_form() {
    let estimate = duel().run(Weighting::Equal, 16_384).estimate();
    let expected = 19.0 * 784.0 * std::f64::consts::FRAC_PI_2;
    let decision = estimate.classes[1].decision.as_ref().unwrap();
    let found = decision.needed.unwrap() as f64;
    assert!(
        (found / expected - 1.0).abs() < 0.3,
        "{found} for {expected}"
    );
    let ratio = 16_384.0 * std::f64::consts::FRAC_2_PI / 784.0;
    assert!((decision.snr / ratio - 1.0).abs() < 0.1);
    assert!(estimate.classes[5].decision.is_none());
    assert!(!decision.clusters.as_ref().unwrap().is_empty());
}

#[test]
fn a_gamma_that_is_reliable_enough_stops_at_the_same_block_in_any_order() {
    let duel = duel();
    let config = plan(config::ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.3)],
        trials: 8192,
        target: Some(0.5),
        block: 16,
        ..Default::default()
    });
    let whole = testing::run(&config, &duel.lab);
    let trials = &recorded(&whole).gammas[0];
    // 1,232 trials by the closed form, checked every 1,024.
    assert!(trials.reached && trials.blocks < 512, "{}", trials.blocks);
    assert_eq!(trials.blocks % BLOCKS_PER_CHECK, 0);
    let estimate = trials.estimate();
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
