//! Evidence images of trials in strata: from few trials in each, and of trials that leave a half or a response empty.

use super::experiment::{Experiment, PIXELS, STEP, Trial, assert_close, covariance};
use super::*;
use crate::stats::correlation::{pearson, whole_reliability};

/// Axes that are single pixels, of variance 1.
#[rustfmt::skip]
const PIXEL_AXES: NoiseBasis<'static> = NoiseBasis {
    variances: &[1.0; PIXELS],
    vectors: &[
        1.0, 0.0, 0.0, 0.0,
        0.0, 1.0, 0.0, 0.0,
        0.0, 0.0, 1.0, 0.0,
        0.0, 0.0, 0.0, 1.0,
    ],
};

/// A trial of uniform noise. Every response is the sum of the first pixel and, negative, the second, in steps of 64 grid
/// points, and a number of its own for each true class.
fn random_trial(t: usize, classes: usize, rng: &mut ChaCha8Rng) -> Trial {
    let noise: Vec<i64> = (0..PIXELS)
        .map(|_| i64::from(rng.random::<u16>()))
        .collect();
    let response = (noise[0] - noise[1]) / 64 + 700 * (t % classes) as i64;
    Trial {
        parity: t / classes % 2,
        truth: ClassId(t % classes),
        called: ClassId(t % classes),
        weight: 1,
        noise,
        image: vec![0; PIXELS],
        responses: vec![response; classes],
    }
}

/// Of a linear response, with two trials of each class: the weights, and not half of them.
#[test]
fn an_evidence_image_from_few_trials_of_each_class_is_not_shrunk() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (runs, classes) = (100, 40);
    let mut mean = [0.0; PIXELS];
    for _ in 0..runs {
        let experiment = Experiment {
            gamma: Gamma(0.4),
            classes,
            listed: ClassId::all(classes).collect(),
            min_trials: 2,
            axes: None,
            step: STEP,
            trials: (0..2 * classes)
                .map(|t| random_trial(t, classes, &mut rng))
                .collect(),
        };
        let estimate = experiment.estimate();
        let map = estimate.classes[0].evidence.as_ref().unwrap();
        let pixels = mean.iter_mut().zip(&map.image);
        pixels.for_each(|(mean, &c)| *mean += f64::from(c) / f64::from(runs));
    }
    // A full range is 65,536 grid points.
    let weight = STEP * GRID / 64.0;
    for (found, expected) in mean.into_iter().zip([weight, -weight, 0.0, 0.0]) {
        let apart = (found - expected) / weight;
        assert!(apart.abs() < 0.1, "{found} {expected}");
    }
}

#[test]
fn a_class_that_is_never_shown_is_no_stratum() {
    let mut experiment = Experiment::new(0.4, 3, &[0, 1, 2], 48);
    experiment.trials.retain(|trial| trial.truth != ClassId(2));
    let classes = experiment.estimate().classes;
    experiment.assert_evidence(&classes[0], ClassId(0));
}

/// A required confidence drops every trial of the second class, whose mean is fitted all the same. The halves are equal,
/// so that one trial would do, besides the one that is fitted.
#[test]
fn trials_that_do_not_count_fit_the_mean_of_their_class() {
    let estimate = estimate(&TrialSums {
        gamma: Gamma(0.4),
        shape: [1, 1, 2],
        cover: &[1, 1],
        counts: &[8, 0, 0, 0, 0, 0, 0, 0],
        dropped: 8,
        noise: &[0; 24],
        image: &[0; 4],
        evidence: Some(ResponseSums {
            step: 1.0,
            shown: &[4; 4],
            sums: &[0; 8],
            squares: &[8, -8, -8, 8, 8, -8, -8, 8],
            products: &[40, 8, -40, -8, 40, 8, -40, -8],
            noise: &[4 * GRID_CENTRE; 8],
        }),
        ..NO_TRIALS
    });
    assert_eq!(estimate.fitted_trials(Response::Evidence), 1);
    let map = estimate.classes[0].evidence.as_ref().unwrap();
    assert!(map.reliability.unwrap() > 1.0 - 1e-12);
    assert_eq!(map.needed, Some(2));
}

#[test]
fn a_response_that_is_always_zero_has_no_evidence_image() {
    for gamma in [0.0, 0.4] {
        let mut experiment = Experiment::new(gamma, 3, &[0, 1, 2], 24);
        for trial in &mut experiment.trials {
            trial.responses[1] = 0;
        }
        let classes = experiment.estimate().classes;
        assert!(classes[1].evidence.is_none() && classes[1].response.is_none());
        assert!(classes[0].evidence.is_some() && classes[2].evidence.is_some());
    }
}

/// Without odd blocks a map has no halves, hence no error by which to regress it, and no reliability.
#[test]
fn trials_of_even_blocks_alone_have_an_evidence_image_without_halves() {
    for gamma in [0.0, 0.4] {
        let mut experiment = Experiment::new(gamma, 3, &[0, 1, 2], 96);
        experiment.axes = Some(PIXEL_AXES);
        let map = |experiment: &Experiment| {
            let estimate = experiment.estimate();
            estimate.classes[1].evidence.clone().unwrap()
        };
        assert!(map(&experiment).reliability.is_some());
        for trial in &mut experiment.trials {
            trial.parity = 0;
        }
        let even = map(&experiment);
        assert_eq!(even.reliability, None);
        assert_eq!(even.reliability_interval, None);
        assert_eq!(even.regression, None);
    }
}

/// With one trial of each class in a half, every response is its class's mean, so that the halves show nothing: no
/// error by which to regress the map, rather than an error of 0.
#[test]
fn halves_with_one_trial_of_each_class_are_none() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let classes = 6;
    // One in both halves, or in the first alone.
    for trials in [2, 20].map(|each| each * classes) {
        let random = |t: usize| Trial {
            parity: usize::from(t >= classes),
            ..random_trial(t, classes, &mut rng)
        };
        let experiment = Experiment {
            gamma: Gamma(0.4),
            classes,
            listed: ClassId::all(classes).collect(),
            min_trials: 2,
            axes: Some(PIXEL_AXES),
            step: STEP,
            trials: (0..trials).map(random).collect(),
        };
        let map = experiment.estimate().classes[0].evidence.clone().unwrap();
        assert_eq!(map.regression, None);
        assert_eq!((map.reliability, map.reliability_interval), (None, None));
    }
}

/// A covariance over N′ trials that are free has an error of (N′ − 1)/N′² of the variances: 85/86² for all 90 trials of
/// five classes, and 75/76² and 5/6² for halves of 80 and 10. Along equal axes, 1 − s²/m² of each is effective, with the
/// means of the squared errors and of the squared map.
#[test]
fn a_map_is_regressed_by_the_error_of_trials_that_are_free() {
    let mut experiment = Experiment::new(0.4, 5, &[0, 1, 2, 3, 4], 90);
    experiment.axes = Some(PIXEL_AXES);
    for (at, trial) in experiment.trials.iter_mut().enumerate() {
        trial.parity = usize::from(at % 9 == 8);
    }
    let of_half = |parity: Option<usize>| -> Vec<f64> {
        let trials = experiment.trials.iter();
        let trials = trials.filter(|trial| parity.is_none_or(|parity| trial.parity == parity));
        let trials: Vec<Trial> = trials.cloned().collect();
        let response = |trial: &Trial| STEP * trial.responses[1] as f64;
        let stratum = |trial: &Trial| experiment.stratum(trial);
        let pixel = |pixel: usize| {
            let value = |trial: &Trial| trial.noise[pixel] as f64 / GRID;
            covariance(&trials, &stratum, &response, &value)
        };
        (0..PIXELS).map(pixel).collect()
    };
    let square = |map: Vec<f64>| map.iter().map(|v| v * v).sum::<f64>();
    let (even, odd) = (of_half(Some(0)), of_half(Some(1)));
    let apart = square(even.iter().zip(&odd).map(|(a, b)| a - b).collect());
    let error = |free: f64| (free - 1.0) / (free * free);
    let error = apart * error(86.0) / (error(76.0) + error(6.0));
    let expected = PIXELS as f64 * (1.0 - error / square(of_half(None)));
    let map = experiment.estimate().classes[1].evidence.clone().unwrap();
    let found = map.regression.unwrap().axes;
    // The penalty is known to an eighth of a decade.
    assert!((found - expected).abs() < 0.15, "{found} {expected}");
}

/// A classification image of noise alone is the mean of the trials that were called a class less the mean of all, whose
/// squared error is 1/n − 1/N of a pixel's variance. Its halves may differ in size, here threefold.
#[test]
fn halves_of_a_classification_image_count_by_their_errors() {
    let mut experiment = Experiment::new(0.0, 4, &[1, 2], 96);
    experiment.axes = Some(PIXEL_AXES);
    for (at, trial) in experiment.trials.iter_mut().enumerate() {
        trial.parity = usize::from(at % 4 == 3);
        // Half of the trials are called at random, so that the map has an error beside its signal.
        let is_called = match at / 4 % 2 {
            0 => trial.noise[0] + trial.noise[3] > 74_000,
            _ => trial.noise[1] % 2 == 0,
        };
        trial.called = ClassId(if is_called { 1 } else { 2 });
    }
    let of_half = |parity: Option<usize>| -> (Vec<f32>, f64) {
        let is_of = |trial: &Trial| parity.is_none_or(|parity| trial.parity == parity);
        let called = |trial: &Trial| is_of(trial) && trial.called == ClassId(1);
        let pixel = |pixel: usize| {
            let noise = |trial: &Trial| trial.noise[pixel] as f64 / GRID;
            let (own, all) = (
                experiment.mean(&called, &noise),
                experiment.mean(&is_of, &noise),
            );
            (own.0 - all.0) as f32
        };
        // 1/n and 1/N.
        let one = |_: &Trial| 1.0;
        let error = experiment.mean(&called, &one).1 - experiment.mean(&is_of, &one).1;
        ((0..PIXELS).map(pixel).collect(), error)
    };
    let [(whole, error), (even, first), (odd, second)] = [None, Some(0), Some(1)].map(of_half);
    let found = experiment.estimate().classes[1].decision.clone().unwrap();
    let length = (first * second).sqrt() / error;
    assert!(length > 2.3, "{length}");
    let expected = whole_reliability(pearson(&even, &odd).unwrap(), length);
    assert_close(found.reliability.unwrap(), expected, "reliability");
    let square = |map: &[f32]| map.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    let apart: Vec<f32> = even.iter().zip(&odd).map(|(a, b)| a - b).collect();
    let error = square(&apart) * error / (first + second);
    let expected = PIXELS as f64 * (1.0 - error / square(&whole));
    assert!(expected < PIXELS as f64 - 0.25, "{expected}");
    let found = found.regression.unwrap().axes;
    // The penalty is known to an eighth of a decade.
    assert!((found - expected).abs() < 0.15, "{found} {expected}");
}
