//! Evidence images of trials in strata: from few trials in each, and of trials that leave a half or a response empty.

use super::experiment::{Experiment, PIXELS, STEP, Trial};
use super::*;

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
    const VARIANCES: [f32; PIXELS] = [1.0; PIXELS];
    #[rustfmt::skip]
    const PIXEL_AXES: [f32; PIXELS * PIXELS] = [
        1.0, 0.0, 0.0, 0.0,
        0.0, 1.0, 0.0, 0.0,
        0.0, 0.0, 1.0, 0.0,
        0.0, 0.0, 0.0, 1.0,
    ];
    for gamma in [0.0, 0.4] {
        let mut experiment = Experiment::new(gamma, 3, &[0, 1, 2], 96);
        experiment.axes = Some(NoiseBasis {
            variances: &VARIANCES,
            vectors: &PIXEL_AXES,
        });
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
