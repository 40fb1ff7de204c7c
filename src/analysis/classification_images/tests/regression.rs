//! Tests of maps without the noise's smoothing.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::session::Session;
use crate::session::text::{from_text, to_text};

/// The map of a linear network is its weights. Smoothing noise hides them; the regression on the noise's
/// coefficients recovers them within the span of the noise.
#[test]
fn the_regression_recovers_the_weights_that_the_noise_smooths() {
    let mut rng = ChaCha8Rng::seed_from_u64(23);
    let mut random = || -> Vec<f32> { (0..784).map(|_| rng.random_range(-0.1..0.1)).collect() };
    let weights: Vec<Vec<f32>> = (0..10).map(|_| random()).collect();
    let network = testing::linear(&weights, &burn::tensor::Device::flex());
    let lab = testing::lab(network, NetworkKind::Logistic, 200, 100);
    let config = plan(config::ClassificationImages {
        noise: Noise::Gabor,
        gammas: vec![Gamma::NOISE],
        trials: 40_000,
        ..Default::default()
    });
    let record = testing::run(&config, &lab);
    // The axes are stored in the session: estimates from its file are the same.
    let mut session = Session::new("regressed", config.clone());
    session.record = record.clone();
    session.record.form = Some(Form::clone(&lab.form));
    let again = from_text(&to_text(&session).unwrap(), Path::new("it.ron"), "it").unwrap();
    let estimate = recorded(&record).gammas[0].estimate();
    assert_eq!(recorded(&again.record).gammas[0].estimate(), estimate);
    let mean: Vec<f32> = (0..784)
        .map(|pixel| weights.iter().map(|row| row[pixel]).sum::<f32>() / 10.0)
        .collect();
    for (class, class_estimate) in estimate.classes.iter().enumerate() {
        let true_weights: Vec<f32> = weights[class]
            .iter()
            .zip(&mean)
            .map(|(w, m)| w - m)
            .collect();
        let map = class_estimate.evidence.as_ref().unwrap();
        let regression = map.regression.as_ref().unwrap();
        let smoothed = pearson(&map.image, &true_weights).unwrap();
        let found = pearson(&regression.image, &true_weights).unwrap();
        // The map is reliable, but it is not the weights.
        assert!(map.reliability.unwrap() > 0.99);
        assert!(smoothed < 0.45, "{class}: {smoothed}");
        assert!(found > 0.6, "{class}: {found}");
        // The regression's reliability and number of axes are plausible.
        assert!(regression.reliability.unwrap() > 0.8);
        assert!(regression.axes > 300.0 && regression.axes < 784.0);
    }
    // Decisions carry less information but agree.
    let decisions = estimate
        .classes
        .iter()
        .enumerate()
        .filter_map(|(class, class_estimate)| {
            let found = &class_estimate.decision.as_ref()?.regression.as_ref()?.image;
            pearson(found, &weights[class])
        });
    let decisions: Vec<f64> = decisions.collect();
    assert!(
        decisions.len() >= 8 && decisions.iter().all(|&r| r > 0.1),
        "{decisions:?}"
    );
}
