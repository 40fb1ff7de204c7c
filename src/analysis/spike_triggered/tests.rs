//! Tests of averages, gradients and covariances on networks with known weights.

mod bounds;
mod covariance;
mod launches;
mod whole_image;

use super::*;
use crate::analysis::build;
use crate::analysis::testing::{lab, ports, run, run_whole_and_in_pieces, template, template_lab};
use crate::ids::ClassId;
use crate::nets::{Subject, read_back};
use crate::session::Config;
use crate::session::config::{NetworkKind, Noise, SpikeTriggered as Plan, UnitId};
use crate::session::record::SpikeTriggered as Found;
use crate::stats::correlation::pearson;
use crate::stats::numbers::FIXED_POINT;
use burn::tensor::Device;

fn plan(settings: Plan) -> Config {
    Config {
        analyses: vec![config::Analysis::SpikeTriggered(settings)],
        ..Config::default()
    }
}

/// A `cnn` with initial weights.
fn cnn() -> Subject {
    Subject::untrained(NetworkKind::Cnn, ports(), 5, &Device::flex()).unwrap()
}

fn cnn_lab() -> Lab {
    lab(cnn(), NetworkKind::Cnn, 40, 10)
}

fn found(plan: Plan, lab: &Lab) -> Found {
    let record = run(&self::plan(plan), lab);
    record.first::<Found>().unwrap().clone()
}

#[test]
fn a_linear_units_average_and_gradient_are_its_weights() {
    let settings = Plan {
        trials: 40_960,
        images: 0,
        gradient_trials: 512,
        block: 512,
        ..Plan::default()
    };
    let found = found(settings, &template_lab());
    let layer = &found.layers[0];
    let estimate = layer.estimate();
    assert!(layer.signed && estimate.silent.is_empty());
    assert_eq!(layer.gradients.units, (0..10).collect::<Vec<_>>());
    for class in ClassId::all(10) {
        let weights = template(class);
        let sta = estimate.sta[class].as_ref().unwrap();
        let r = pearson(sta, &weights).unwrap();
        assert!(r > 0.99, "class {class}: {r}");
        assert_eq!(estimate.kernel_correlation[class], Some(r));
        assert!(estimate.reliability[class].unwrap() > 0.97);
        assert!(estimate.stein_correlation[class].unwrap() > 0.99);
        // The slope of a linear unit is the same everywhere.
        let sums = &layer.gradients.sum.values()[class.0 * 784..][..784];
        for (&sum, &weight) in sums.iter().zip(&weights) {
            let slope = sum as f64 / FIXED_POINT / 512.0;
            assert!((slope - f64::from(weight)).abs() < 1e-6);
        }
    }
}

#[test]
fn the_average_on_images_is_the_mean_of_images_by_activation() {
    let settings = Plan {
        trials: 8,
        images: 30,
        gradient_units: 0,
        block: 7,
        ..Plan::default()
    };
    let lab = template_lab();
    let found = found(settings, &lab);
    let estimate = found.layers[0].estimate();
    let image = |i: usize| -> Vec<f64> {
        let bytes = lab.dataset.train.image(i).iter();
        bytes.map(|&x| f64::from(x) / 255.0).collect()
    };
    let mean = |weight: &dyn Fn(usize) -> f64| {
        let mut sums = vec![0.0; 784];
        for i in 0..30 {
            let pairs = sums.iter_mut().zip(image(i));
            pairs.for_each(|(sum, x)| *sum += weight(i) * x);
        }
        sums
    };
    for class in [ClassId(0), ClassId(7)] {
        let template = template(class);
        let answer = |i: usize| -> f64 {
            let pairs = image(i).into_iter().zip(&template);
            pairs.map(|(x, &w)| (x - 0.5) * f64::from(w)).sum()
        };
        let (all, by_answer) = (mean(&|_| 1.0), mean(&answer));
        let (sum, size) = (0..30)
            .map(answer)
            .fold((0.0, 0.0), |(sum, size), a| (sum + a, size + a.abs()));
        let sta = estimate.image_sta[class].as_ref().unwrap();
        for ((all, by_answer), &value) in all.iter().zip(&by_answer).zip(sta) {
            let expected = (by_answer - sum * all / 30.0) / size;
            assert!(
                (expected - f64::from(value)).abs() < 1e-4,
                "{expected} {value}"
            );
        }
    }
}

#[test]
fn the_average_of_a_first_convolution_is_its_kernel() {
    let settings = Plan {
        trials: 1_024,
        images: 0,
        layers: vec!["conv1".into()],
        gradient_units: 4,
        gradient_trials: 256,
        ..Plan::default()
    };
    let found = found(settings, &cnn_lab());
    assert_eq!(found.layers.len(), 1);
    let estimate = found.layers[0].estimate();
    let speaking = (0..20).filter(|unit| !estimate.silent.contains(unit));
    for unit in speaking {
        let r = estimate.kernel_correlation[unit].unwrap();
        assert!(r > 0.99, "unit {unit}: {r}");
    }
    let stein: Vec<f64> = estimate
        .stein_correlation
        .iter()
        .flatten()
        .copied()
        .collect();
    assert!(
        stein.len() == 4 && stein.iter().all(|&r| r > 0.99),
        "{stein:?}"
    );
}

/// These networks' convolutions are padded and have no rectifier; `complex` has a normalization between them.
#[test]
fn padded_convolutions_agree_with_their_gradients() {
    for kind in [NetworkKind::Simple, NetworkKind::Complex] {
        let settings = Plan {
            trials: 64,
            images: 0,
            layers: vec!["conv1".into(), "conv2".into()],
            gradient_units: 4,
            gradient_trials: 8,
            block: 32,
            ..Plan::default()
        };
        let lab = lab(
            Subject::untrained(kind, ports(), 5, &Device::flex()).unwrap(),
            kind,
            10,
            10,
        );
        for layer in &found(settings, &lab).layers {
            let estimate = layer.estimate();
            let stein: Vec<f64> = (estimate.stein_correlation.iter().flatten())
                .copied()
                .collect();
            let least = stein.iter().copied().fold(1.0, f64::min);
            assert!(
                stein.len() == 4 && least > 0.98,
                "{kind:?} {} {stein:?}",
                layer.name
            );
        }
    }
}

#[test]
fn every_network_has_averages_of_all_its_layers() {
    for kind in [NetworkKind::Mlp, NetworkKind::Rnn] {
        let settings = Plan {
            trials: 16,
            images: 8,
            gradient_units: 1,
            gradient_trials: 8,
            block: 8,
            ..Plan::default()
        };
        let config = plan(settings);
        let lab = lab(
            Subject::untrained(kind, ports(), 5, &Device::flex()).unwrap(),
            kind,
            10,
            10,
        );
        let record = run(&config, &lab);
        assert!(record.analyses[0].fits(&config.analyses[0], Some(&lab.form)));
        let found = record.first::<Found>().unwrap();
        let names: Vec<&str> = found
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        let all = lab.network.sites();
        assert_eq!(names, all.iter().map(|site| &site.name).collect::<Vec<_>>());
        for layer in &found.layers {
            assert_eq!(layer.gradients.fields, 8);
            let estimate = layer.estimate();
            assert_eq!(
                estimate.silent.len() + estimate.sta.iter().flatten().count(),
                layer.units
            );
        }
    }
}

#[test]
fn a_silent_unit_is_listed() {
    let mut push = vec![0.0; 20];
    push[3] = -1e3;
    let lab = lab(
        cnn().pushed("conv1", &push).unwrap(),
        NetworkKind::Cnn,
        10,
        10,
    );
    let settings = Plan {
        trials: 16,
        images: 8,
        gradient_trials: 8,
        gradient_units: 20,
        block: 8,
        ..Plan::default()
    };
    let found = found(settings, &lab);
    let estimate = found.layers[0].estimate();
    assert!(estimate.silent.contains(&3));
    assert_eq!((&estimate.sta[3], &estimate.image_sta[3]), (&None, &None));
    assert!(!found.layers[0].gradients.units.contains(&3));
}

/// Σa·(s−½) of the second convolution, field by field.
#[test]
fn sums_equal_those_taken_field_by_field() {
    let lab = cnn_lab();
    let site = lab.network.sites()[1].clone();
    let pixels: Vec<f32> = (0..3)
        .flat_map(|i| lab.dataset.train.image(i))
        .map(|&x| f32::from(x) / 255.0)
        .collect();
    let layers = [Fields::new(SiteId(1), &site, &lab.device)];
    let sums = fields::sum(&layers, &lab.network, &pixels, &lab.device).remove(0);
    let shown = stack(&pixels, [1, 28, 28], &lab.device);
    let activations = read_back(lab.network.activations(shown, &[SiteId(1)]).remove(0));
    assert_eq!(sums.fields, 3 * 64);
    let (mut weighted, mut stimulus) = (vec![0.0; 50 * 196], vec![0.0; 196]);
    for (image, shown) in pixels.chunks_exact(784).enumerate() {
        for place in site.inner_positions() {
            let (row, column, top, left) = (place.row, place.column, place.top, place.left);
            for p in 0..196 {
                let s = f64::from(shown[(top + p / 14) * 28 + left + p % 14]) - 0.5;
                stimulus[p] += s;
                for unit in 0..50 {
                    let at = ((image * 50 + unit) * 8 + row) * 8 + column;
                    weighted[unit * 196 + p] += f64::from(activations[at]) * s;
                }
            }
        }
    }
    let close = |actual: &[i64], expected: &[f64]| {
        let pairs = actual.iter().zip(expected);
        pairs
            .map(|(&actual, expected)| (actual as f64 / FIXED_POINT - expected).abs())
            .fold(0.0, f64::max)
    };
    assert!(close(&sums.stimulus, &stimulus) < 1e-5);
    assert!(close(&sums.weighted, &weighted) < 1e-4);
    let fired = activations.chunks_exact(64).enumerate();
    let mut expected = vec![0; 50];
    fired.for_each(|(i, map)| expected[i % 50] += map.iter().filter(|a| **a > 0.0).count() as i64);
    assert_eq!(sums.fired, expected);
}

fn everything() -> Plan {
    Plan {
        trials: 60,
        images: 30,
        layers: vec!["conv1".into(), "logits".into()],
        gradient_units: 2,
        gradient_trials: 20,
        covariance: Some(UnitId {
            layer: "conv1".into(),
            unit: 1,
        }),
        covariance_trials: 40,
        block: 8,
        ..Plan::default()
    }
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let (config, lab) = (plan(everything()), cnn_lab());
    let whole = run_whole_and_in_pieces(&config, &lab, &[(1, 1), (7, 2)]);
    let results = &whole.analyses[0];
    assert!(
        results.fits(&config.analyses[0], Some(&lab.form))
            && results.is_finished(&config.analyses[0])
    );
    assert_eq!(results.progress(&config.analyses[0]), (150, 150));
}

#[test]
fn noise_that_is_not_gaussian_has_no_gradients() {
    let settings = Plan {
        noise: Noise::Uniform,
        covariance: None,
        ..everything()
    };
    let found = found(settings, &cnn_lab());
    assert_eq!(found.progress.blocks, [8, 4, 0, 0]);
    assert!(found.layers[0].gradients.units.is_empty());
    assert!(found.progress.is_finished());
}

#[test]
fn an_error_names_the_existing_layers_and_units() {
    let lab = cnn_lab();
    let complaint = |settings: Plan| {
        let config = plan(settings);
        let mut analysis = build(&config, 0, &lab);
        let mut record = Record::new(&config);
        let whole = record.clone();
        let results = &mut record.analyses[0];
        analysis.begin(0, &lab, &whole, results).unwrap_err().0
    };
    let unit = |layer: &str, unit| {
        complaint(Plan {
            covariance: Some(UnitId {
                layer: layer.into(),
                unit,
            }),
            ..everything()
        })
    };
    let layers = vec!["conv1".into(), "conv9".into()];
    assert_eq!(
        complaint(Plan {
            layers,
            ..everything()
        }),
        "analyses[0].layers[1]: the network has no layer `conv9`; it has conv1, conv2, fc1, logits"
    );
    assert_eq!(
        unit("fc9", 0),
        "analyses[0].covariance.layer: the network has no layer `fc9`; it has conv1, conv2, fc1, logits"
    );
    assert_eq!(
        unit("conv1", 20),
        "analyses[0].covariance.unit: unit 20; the units of `conv1` are 0 to 19"
    );
}

#[test]
fn units_are_spread_evenly() {
    let all: Vec<usize> = (0..10).map(|i| 10 * i).collect();
    assert_eq!(spread_evenly(&all, 2), [20, 70]);
    assert_eq!(spread_evenly(&all, 99), all);
    assert!(spread_evenly(&[], 3).is_empty() && spread_evenly(&all, 0).is_empty());
}
