//! Maps without the smoothing of the noise.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::session::Session;
use crate::session::text::{from_text, to_text};

/// A linear network has its weights as its map. Noise that smooths hides them; the regression on the noise's
/// coefficients gives them back, as far as the noise reaches.
#[test]
fn the_regression_gives_the_weights_that_the_noise_smooths() {
    let mut rng = ChaCha8Rng::seed_from_u64(23);
    let mut random = || -> Vec<f32> { (0..784).map(|_| rng.random_range(-0.1..0.1)).collect() };
    let weights: Vec<Vec<f32>> = (0..10).map(|_| random()).collect();
    let network = testing::linear(&weights, &burn::tensor::Device::flex());
    let lab = testing::lab(network, NetworkKind::Logistic, 200, 100);
    let config = plan(config::ClassificationImages {
        noise: Noise::Gabor,
        gammas: vec![0.0],
        trials: 40_000,
        ..Default::default()
    });
    let record = testing::run(&config, &lab);
    // The axes are kept with the session: what is estimated from its file is the same.
    let mut session = Session::new("regressed", config.clone());
    session.record = record.clone();
    session.record.form = Some(Form::clone(&lab.form));
    let again = from_text(&to_text(&session).unwrap(), Path::new("it.ron"), "it").unwrap();
    let estimate = own(&record).gammas[0].estimate();
    assert_eq!(own(&again.record).gammas[0].estimate(), estimate);
    let mean: Vec<f32> = (0..784)
        .map(|pixel| weights.iter().map(|own| own[pixel]).sum::<f32>() / 10.0)
        .collect();
    for (class, own) in estimate.classes.iter().enumerate() {
        let true_weights: Vec<f32> = weights[class]
            .iter()
            .zip(&mean)
            .map(|(w, m)| w - m)
            .collect();
        let map = own.evidence.as_ref().unwrap();
        let regression = map.regression.as_ref().unwrap();
        let smoothed = pearson(&map.image, &true_weights).unwrap();
        let found = pearson(&regression.image, &true_weights).unwrap();
        // The map is sure of itself, and is not the weights.
        assert!(map.reliability.unwrap() > 0.99);
        assert!(smoothed < 0.45, "{class}: {smoothed}");
        assert!(found > 0.6, "{class}: {found}");
        // It knows how sure it is: of what the noise reaches, errors are no more than that.
        assert!(regression.reliability.unwrap() > 0.8);
        assert!(regression.axes > 300.0 && regression.axes < 784.0);
    }
    // Decisions say less, and the same.
    let decisions = estimate
        .classes
        .iter()
        .enumerate()
        .filter_map(|(class, own)| {
            let found = &own.decision.as_ref()?.regression.as_ref()?.image;
            pearson(found, &weights[class])
        });
    let decisions: Vec<f64> = decisions.collect();
    assert!(
        decisions.len() >= 8 && decisions.iter().all(|&r| r > 0.1),
        "{decisions:?}"
    );
}
