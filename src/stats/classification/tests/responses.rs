//! Images by their definitions: the estimates from sums over some trials, against the same computed trial by trial.

use super::experiment::{
    COVER, Experiment, NumberOf, PIXELS, SHAPE, Trial, assert_close, covariance,
};
use super::*;
use crate::stats::cluster::Cluster;
use crate::stats::correlation::trials_needed_beyond;
use crate::stats::regression::Regression;

#[test]
fn an_evidence_image_is_the_covariance_within_true_classes_over_the_variance() {
    for gamma in [0.0, 0.4] {
        for listed in [&[0, 1, 2, 3][..], &[1, 3]] {
            let plain = Experiment::new(gamma, 4, listed, 96);
            // Weights change decisions alone.
            for experiment in [Experiment::new(gamma, 4, listed, 96).weighted(), plain] {
                let estimate = experiment.estimate();
                let places = || experiment.listed.iter().enumerate();
                for (i, &a) in places() {
                    experiment.assert_evidence(&estimate.classes[a], a);
                    for (j, &b) in places() {
                        let response =
                            |class: ClassId| move |trial: &Trial| trial.responses[class] as f64;
                        let stratum = |trial: &Trial| experiment.stratum(trial);
                        let trials = &experiment.trials;
                        let expected = covariance(trials, &stratum, &response(a), &response(b));
                        let found = estimate.spread[i * experiment.listed.len() + j];
                        assert_close(found.into(), expected, "covariance of responses");
                    }
                }
            }
        }
    }
}

#[test]
fn a_classification_image_and_mean_stimulus_are_weighted_means_by_cell() {
    for (gamma, listed) in [(0.0, [1, 2, 3]), (0.4, [1, 2, 3]), (0.4, [0, 1, 3])] {
        let experiment = Experiment::new(gamma, 4, &listed, 96).weighted();
        let estimate = experiment.estimate();
        for &class in &experiment.listed {
            let found = &estimate.classes[class];
            let decision = found.decision.as_ref().unwrap();
            for (pixel, &cover) in COVER.iter().enumerate() {
                let noise = |trial: &Trial| NO_TRIALS.grid.value(trial.noise[pixel] as f64);
                let stimulus = |trial: &Trial| {
                    (1.0 - gamma) * noise(trial)
                        + gamma * trial.image[pixel] as f64 / f64::from(255 * cover)
                };
                let called = |trial: &Trial| trial.called == class;
                let mean = |number: NumberOf<'_>| experiment.mean(&called, number).0;
                assert_close(
                    found.mean_noise.as_ref().unwrap()[pixel].into(),
                    mean(&noise),
                    "noise",
                );
                let found = found.mean_stimulus.as_ref().unwrap()[pixel];
                assert_close(found.into(), mean(&stimulus), "stimulus");
                let cell = |truth: bool, called: bool| {
                    let is = |trial: &Trial| {
                        (trial.truth == class, trial.called == class) == (truth, called)
                    };
                    experiment.mean(&is, &noise)
                };
                let (image, variance) = if gamma == 0.0 {
                    let (all, whole) = experiment.mean(&|_| true, &noise);
                    let (own, part) = experiment.mean(&called, &noise);
                    // Σ(w[called]/Σw[called] − w/Σw)², of which the product sums to Σw[called]²/ΣwΣw[called].
                    let weight = |trial: &Trial| trial.weight as f64;
                    let share = experiment
                        .trials
                        .iter()
                        .filter(|trial| called(trial))
                        .map(weight);
                    let share =
                        share.sum::<f64>() / experiment.trials.iter().map(weight).sum::<f64>();
                    (own - all, part * (1.0 - 2.0 * share) + whole)
                } else {
                    let cells = [
                        cell(true, true),
                        cell(false, true),
                        cell(true, false),
                        cell(false, false),
                    ];
                    let image = cells[0].0 + cells[1].0 - cells[2].0 - cells[3].0;
                    (image, cells.iter().map(|cell| cell.1).sum())
                };
                assert_close(
                    1000.0 * f64::from(decision.image[pixel]),
                    1000.0 * image,
                    "image",
                );
                let error = experiment.deviation(pixel) * variance.sqrt();
                let z = if pixel == 2 { 0.0 } else { image / error };
                assert_close(decision.z[pixel].into(), z, "z");
            }
        }
    }
}

#[test]
fn an_evidence_image_needs_enough_trials_and_a_response_that_varies_however_little() {
    let mut experiment = Experiment::new(0.4, 3, &[0, 1, 2], 24);
    for trial in &mut experiment.trials {
        // The third class is never shown. Responses constant within true classes; and 30000 ± 3.
        trial.truth = ClassId(trial.truth.0 % 2);
        trial.responses[1] = 7 * trial.truth.0 as i64;
        trial.responses[2] = 30_000 + 3 * (1 - 2 * (trial.noise[0] / 1000 % 2));
    }
    experiment.min_trials = 24;
    let classes = experiment.estimate().classes;
    let has = |class: &ClassEstimate| (class.evidence.is_some(), class.response.is_some());
    assert_eq!(has(&classes[0]), (true, true));
    assert_eq!(has(&classes[1]), (false, false));
    assert_eq!(has(&classes[2]), (true, true));
    // Sums of so large a response round, and seem to vary by what rounding leaves.
    for i in 0..20 {
        let mut experiment = experiment.clone();
        for trial in &mut experiment.trials {
            trial.responses[1] = (300_000_007 - 7_345_677 * i) * (1 + trial.truth.0 as i64);
        }
        let classes = experiment.estimate().classes;
        assert_eq!(has(&classes[1]), (false, false), "{i}");
    }
    experiment.min_trials = 25;
    let estimate = experiment.estimate();
    assert!(
        estimate
            .classes
            .iter()
            .all(|class| has(class) == (false, false))
    );
}

/// Responses of 1 and −1 to points 4 and 2 above the grid's centre have a covariance of 1, and the two points a
/// deviation of 1. A confidence that is required may drop any number of the eight trials.
#[test]
fn an_evidence_image_needs_enough_counted_trials_to_measure_the_deviation() {
    let responses = ResponseSums {
        step: 1.0,
        shown: &[2; 4],
        sums: &[0; 8],
        squares: &[4, -4, -4, 4, 4, -4, -4, 4],
        products: &[4, -4, 4, -4],
        noise: &[2 * GRID_CENTRE + 6; 4],
    };
    let image = |counted: usize, deviation: Option<f64>| {
        let points = [GRID_CENTRE + 4, GRID_CENTRE + 2];
        let points = points.iter().take(counted);
        let squares = points.clone().map(|k| k * k);
        let moments: [i64; 2] = [points.sum(), squares.sum()];
        let result = estimate(&TrialSums {
            counts: &[counted as u64, 0, 0, 0, 0, 0, 0, 0],
            dropped: 8 - counted as u64,
            noise: &[0; 12],
            image: &[0; 2],
            deviation,
            moments: &moments,
            evidence: Some(responses),
            ..NO_TRIALS
        });
        let map = result.classes[0].evidence.as_ref();
        map.map(|map| map.image.clone())
    };
    let expected = Some(vec![GRID as f32]);
    for (counted, found) in [(0, None), (1, None), (2, expected.clone())] {
        assert_eq!(image(counted, None), found, "{counted} counted");
    }
    assert_eq!(image(0, Some(1.0 / GRID)), expected);
}

#[test]
fn very_many_classes_have_evidence_images_but_no_differences() {
    assert_eq!(sums_per_class(128), 128);
    let listed: Vec<usize> = (0..129).collect();
    for gamma in [0.0, 0.4] {
        let experiment = Experiment::new(gamma, 129, &listed, 300);
        let estimate = experiment.estimate();
        for class in [0, 64, 128].map(ClassId) {
            experiment.assert_evidence(&estimate.classes[class], class);
        }
        assert!(estimate.spread.is_empty());
        let difference = |a, b| {
            let (a, b, model) = (ClassId(a), ClassId(b), ErrorModel::Independent);
            estimate.class_difference(a, b, SHAPE, model, estimate.trials)
        };
        assert_eq!(difference(0, 1), None);
    }
}

/// Squares of responses beyond 10¹⁹, or below 10⁻²², do not fit 32 bits.
#[test]
fn the_difference_of_two_evidence_images_has_the_same_z_in_any_unit() {
    let mut experiment = Experiment::new(0.4, 4, &[1, 2, 3], 96);
    let mut difference = |exponent: i32| {
        experiment.step = 2.0_f64.powi(exponent);
        let (a, b, model) = (ClassId(1), ClassId(2), ErrorModel::Independent);
        let estimate = experiment.estimate();
        estimate.class_difference(a, b, SHAPE, model, 96).unwrap()
    };
    let usual = difference(-2);
    assert!(usual.z.iter().any(|z| *z != 0.0));
    for exponent in [-90, 90] {
        let found = difference(exponent);
        assert_eq!(found.z, usual.z);
        assert_close(found.snr, usual.snr, "SNR");
    }
}

#[test]
fn the_difference_of_two_evidence_images_is_that_of_the_difference_of_the_responses() {
    let mut experiment = Experiment::new(0.4, 4, &[1, 2, 3], 96);
    for trial in &mut experiment.trials {
        trial.responses[3] = trial.responses[1] - trial.responses[2];
    }
    let mut estimate = experiment.estimate();
    let of = |estimate: &GammaEstimate, a, b| {
        let (a, b, model) = (ClassId(a), ClassId(b), ErrorModel::Independent);
        estimate.class_difference(a, b, SHAPE, model, 160)
    };
    let found = of(&estimate, 1, 2).unwrap();
    let expected = estimate.classes[3].evidence.as_ref().unwrap();
    for pixel in 0..PIXELS {
        assert_close(
            found.image[pixel].into(),
            expected.image[pixel].into(),
            "image",
        );
        assert_close(found.z[pixel].into(), expected.z[pixel].into(), "z");
    }
    assert_close(found.snr, expected.snr, "SNR");
    let (ends, expected_ends) = (found.snr_interval.unwrap(), expected.snr_interval.unwrap());
    assert_close(ends[0], expected_ends[0], "lower end of the SNR");
    assert_close(ends[1], expected_ends[1], "upper end of the SNR");
    let reliability = found.snr / (1.0 + found.snr);
    assert_close(found.reliability.unwrap(), reliability, "reliability");
    // Of 160 trials, three fit the means of two of the three classes with a map, and of the fourth.
    let needed = trials_needed_beyond(3, 160, reliability, TARGET_RELIABILITY);
    assert_eq!(found.needed, needed);
    assert_eq!(found.significant, expected.significant);
    // No map, no such class, the same class.
    for (a, b) in [(1, 0), (0, 1), (1, 9), (2, 2)] {
        assert_eq!(of(&estimate, a, b), None, "{a} {b}");
    }
    // A number of a map whose standard error is 0 is not tested.
    let first = estimate.classes[1].evidence.as_mut().unwrap();
    (first.image[0], first.z[0]) = (0.0, 1.0);
    assert_eq!(of(&estimate, 1, 2).unwrap().z[0], 0.0);
    // Two classes that always respond alike do not differ.
    for trial in &mut experiment.trials {
        trial.responses[2] = trial.responses[1];
    }
    assert_eq!(of(&experiment.estimate(), 1, 2), None);
}

/// Along axes that are single pixels, of variance λ, a map without error is a covariance over λ.
#[test]
fn a_map_without_error_is_regressed_to_its_covariance_over_each_axis_variance() {
    const VARIANCES: [f32; PIXELS] = [0.5, 2.0, 1.0, 0.25];
    #[rustfmt::skip]
    const PIXEL_AXES: [f32; PIXELS * PIXELS] = [
        1.0, 0.0, 0.0, 0.0,
        0.0, 1.0, 0.0, 0.0,
        0.0, 0.0, 1.0, 0.0,
        0.0, 0.0, 0.0, 1.0,
    ];
    let mut experiment = Experiment::new(0.4, 3, &[1, 2], 48);
    // The same trials in even and in odd blocks.
    let twin = |trial: &Trial| {
        [0, 1].map(|parity| Trial {
            parity,
            ..trial.clone()
        })
    };
    experiment.trials = experiment.trials.iter().flat_map(twin).collect();
    experiment.axes = Some(NoiseBasis {
        variances: &VARIANCES,
        vectors: &PIXEL_AXES,
    });
    let square = |pixel: usize| experiment.deviation(pixel).powi(2);
    let mean = (0..PIXELS).map(square).sum::<f64>() / 4.0;
    let estimate = experiment.estimate();
    for class in [1, 2].map(ClassId) {
        for response in Response::ALL {
            let map = estimate.classes[class].image(response).unwrap();
            let found = map.regression.as_ref().unwrap();
            for (pixel, &axis) in VARIANCES.iter().enumerate() {
                let variance = match response {
                    Response::Decision => mean,
                    Response::Evidence => square(pixel),
                };
                let covariance = f64::from(map.image[pixel]) * variance;
                let expected = covariance / f64::from(axis);
                let found = f64::from(found.image[pixel]);
                assert_close(1000.0 * found, 1000.0 * expected, "weight");
            }
            assert_close(found.axes, 4.0, "axes");
            assert_close(found.reliability.unwrap(), 1.0, "reliability");
        }
    }
}

#[test]
fn an_estimate_fits_its_own_sizes_and_no_others() {
    let estimate = Experiment::new(0.4, 4, &[0, 1, 3], 96).estimate();
    assert!(estimate.fits(4, PIXELS));
    assert!(!estimate.fits(3, PIXELS) && !estimate.fits(4, 3));
    let mut without_spread = estimate.clone();
    without_spread.spread.clear();
    assert!(without_spread.fits(4, PIXELS));
    let beyond = |pixel: usize| Cluster {
        pixels: vec![pixel],
        peak: 3.0,
        channel: 0,
        row: 0,
        column: 0,
        p: 0.01,
    };
    let regression = |pixels: usize| Regression {
        image: vec![0.0; pixels],
        reliability: None,
        axes: 1.0,
    };
    let with = |change: &dyn Fn(&mut GammaEstimate, &mut ImageEstimate)| {
        let mut changed = estimate.clone();
        let mut image = changed.classes[1].evidence.take().unwrap();
        change(&mut changed, &mut image);
        changed.classes[1].evidence = Some(image);
        changed.fits(4, PIXELS)
    };
    assert!(with(&|_, image| image.clusters = Some(vec![beyond(3)])));
    assert!(!with(&|_, image| image.clusters = Some(vec![beyond(4)])));
    assert!(with(&|_, image| image.regression = Some(regression(4))));
    assert!(!with(&|_, image| image.regression = Some(regression(3))));
    assert!(!with(&|_, image| image.image.truncate(3)));
    assert!(!with(&|_, image| image.z.truncate(3)));
    assert!(!with(&|estimate, _| estimate.counts.truncate(15)));
    assert!(!with(&|estimate, _| estimate.counts[0] = u64::MAX));
    assert!(!with(&|estimate, _| estimate.trials += 1));
    assert!(!with(&|estimate, _| estimate.classes[2].called = u64::MAX));
    assert!(!with(&|estimate, _| estimate.classes.truncate(3)));
    assert!(!with(&|estimate, _| estimate.spread.truncate(8)));
    let short = || Some(vec![0.0; 3]);
    assert!(!with(
        &|estimate, _| estimate.classes[0].mean_noise = short()
    ));
    assert!(!with(
        &|estimate, _| estimate.classes[0].mean_stimulus = short()
    ));
    assert!(!with(&|estimate, _| {
        let decision = estimate.classes[0].decision.as_mut();
        decision.unwrap().image.truncate(3);
    }));
}

#[test]
fn the_best_map_of_a_class_is_the_most_reliable_and_one_without_a_reliability_the_least() {
    let estimate = Experiment::new(0.4, 4, &[0, 1, 3], 96).estimate();
    let best = |decision: Option<Option<f64>>, evidence: Option<Option<f64>>| {
        let mut class = estimate.classes[3].clone();
        for (map, reliability) in [
            (&mut class.decision, decision),
            (&mut class.evidence, evidence),
        ] {
            match reliability {
                Some(reliability) => map.as_mut().unwrap().reliability = reliability,
                None => *map = None,
            }
        }
        let best = class.best_response();
        assert_eq!(class.best_image(), best.and_then(|best| class.image(best)));
        best
    };
    assert_eq!(
        best(Some(Some(0.6)), Some(Some(0.5))),
        Some(Response::Decision)
    );
    assert_eq!(
        best(Some(Some(0.4)), Some(Some(0.5))),
        Some(Response::Evidence)
    );
    assert_eq!(best(Some(Some(-0.5)), Some(None)), Some(Response::Decision));
    assert_eq!(best(Some(None), Some(Some(0.9))), Some(Response::Evidence));
    assert_eq!(best(Some(None), None), Some(Response::Decision));
    assert_eq!(best(None, None), None);
}
