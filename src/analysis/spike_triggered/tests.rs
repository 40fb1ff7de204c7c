use super::*;
use crate::analysis::build;
use crate::analysis::testing::{lab, ports, run, run_interrupted, template, template_lab};
use crate::nets::{Subject, read_back};
use crate::session::Config;
use crate::session::config::{NetworkKind, SpikeTriggered as Plan, Unit};
use crate::session::record::SpikeTriggered as Found;
use crate::stats::correlation::pearson;
use burn::tensor::Device;

fn plan(it: Plan) -> Config {
    Config {
        analyses: vec![config::Analysis::SpikeTriggered(it)],
        ..Config::default()
    }
}

/// A `cnn` with the weights that training would begin with.
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
fn the_average_of_a_linear_unit_is_its_weights_and_so_is_its_gradient() {
    let it = Plan {
        trials: 40_960,
        images: 0,
        gradient_trials: 512,
        block: 512,
        ..Plan::default()
    };
    let found = found(it, &template_lab());
    let layer = &found.layers[0];
    let estimate = layer.estimate();
    assert!(layer.signed && estimate.silent.is_empty());
    assert_eq!(layer.gradients.units, (0..10).collect::<Vec<_>>());
    for class in 0..10 {
        let weights = template(class);
        let sta = estimate.sta[class].as_ref().unwrap();
        let r = pearson(sta, &weights).unwrap();
        assert!(r > 0.99, "class {class}: {r}");
        assert_eq!(estimate.kernel_correlation[class], Some(r));
        assert!(estimate.reliability[class].unwrap() > 0.97);
        assert!(estimate.stein_correlation[class].unwrap() > 0.99);
        // The slope of a linear unit is the same everywhere.
        let sums = &layer.gradients.sum.values()[class * 784..][..784];
        for (&sum, &weight) in sums.iter().zip(&weights) {
            let slope = sum as f64 / FIXED_POINT / 512.0;
            assert!((slope - f64::from(weight)).abs() < 1e-6);
        }
    }
}

#[test]
fn the_average_on_images_is_the_mean_of_images_by_activation() {
    let it = Plan {
        trials: 8,
        images: 30,
        gradient_units: 0,
        block: 7,
        ..Plan::default()
    };
    let lab = template_lab();
    let found = found(it, &lab);
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
    for class in [0, 7] {
        let template = template(class);
        let answer = |i: usize| -> f64 {
            let pairs = image(i).into_iter().zip(&template);
            pairs.map(|(x, &w)| (x - 0.5) * f64::from(w)).sum()
        };
        let (all, by_answer) = (mean(&|_| 1.0), mean(&answer));
        let (sum, size) = (0..30)
            .map(answer)
            .fold((0.0, 0.0), |(sum, size), a| (sum + a, size + a.abs()));
        let own = estimate.image_sta[class].as_ref().unwrap();
        for ((all, by_answer), &own) in all.iter().zip(&by_answer).zip(own) {
            let expected = (by_answer - sum * all / 30.0) / size;
            assert!((expected - f64::from(own)).abs() < 1e-4, "{expected} {own}");
        }
    }
}

#[test]
fn the_average_of_a_first_convolution_is_its_kernel() {
    let it = Plan {
        trials: 1_024,
        images: 0,
        layers: vec!["conv1".into()],
        gradient_units: 4,
        gradient_trials: 256,
        ..Plan::default()
    };
    let found = found(it, &cnn_lab());
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

/// Their convolutions are padded, have no rectifier, and in `complex` a normalization between them.
#[test]
fn padded_convolutions_agree_with_their_gradients() {
    for kind in [NetworkKind::Simple, NetworkKind::Complex] {
        let it = Plan {
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
        for layer in &found(it, &lab).layers {
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
        let it = Plan {
            trials: 16,
            images: 8,
            gradient_units: 1,
            gradient_trials: 8,
            block: 8,
            ..Plan::default()
        };
        let config = plan(it);
        let lab = lab(
            Subject::untrained(kind, ports(), 5, &Device::flex()).unwrap(),
            kind,
            10,
            10,
        );
        let record = run(&config, &lab);
        assert!(record.analyses[0].fits(&config.analyses[0], Some(&lab.form)));
        let found = record.first::<Found>().unwrap();
        let names: Vec<&str> = found.layers.iter().map(|it| it.name.as_str()).collect();
        let all = lab.network.sites();
        assert_eq!(names, all.iter().map(|it| &it.name).collect::<Vec<_>>());
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
    let it = Plan {
        trials: 16,
        images: 8,
        gradient_trials: 8,
        gradient_units: 20,
        block: 8,
        ..Plan::default()
    };
    let found = found(it, &lab);
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
    let layers = [Fields::new(1, &site, &lab.device)];
    let sums = fields::sum(&layers, &lab.network, &pixels, &lab.device).remove(0);
    let shown = stack(&pixels, [1, 28, 28], &lab.device);
    let activations = read_back(lab.network.activations(shown, &[1]).remove(0));
    assert_eq!(sums.fields, 3 * 64);
    let (mut weighted, mut stimulus) = (vec![0.0; 50 * 196], vec![0.0; 196]);
    for (image, shown) in pixels.chunks_exact(784).enumerate() {
        for place in site.inner() {
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
    let close = |own: &[i64], expected: &[f64]| {
        let pairs = own.iter().zip(expected);
        pairs
            .map(|(&own, expected)| (own as f64 / FIXED_POINT - expected).abs())
            .fold(0.0, f64::max)
    };
    assert!(close(&sums.stimulus, &stimulus) < 1e-5);
    assert!(close(&sums.weighted, &weighted) < 1e-4);
    let fired = activations.chunks_exact(64).enumerate();
    let mut expected = vec![0; 50];
    fired.for_each(|(i, map)| expected[i % 50] += map.iter().filter(|a| **a > 0.0).count() as i64);
    assert_eq!(sums.fired, expected);
}

#[test]
fn a_rectified_unit_has_one_axis_and_it_is_the_kernel() {
    let unit = 0;
    let it = Plan {
        trials: 8,
        images: 0,
        layers: vec!["fc1".into()],
        gradient_units: 0,
        covariance: Some(Unit {
            layer: "conv1".into(),
            unit,
        }),
        covariance_trials: 512,
        ..Plan::default()
    };
    let lab = cnn_lab();
    let found = found(it, &lab);
    let covariance = found.covariance.unwrap();
    assert_eq!(
        (covariance.fields, covariance.eigenvalues.len()),
        (512 * 576, 25)
    );
    assert_eq!(covariance.significant.len(), 1, "{covariance:?}");
    let kernel = &lab.network.kernel(0).unwrap()[unit * 25..][..25];
    let along = |axis: &[f32]| -> f32 {
        let norm = kernel.iter().map(|w| w * w).sum::<f32>().sqrt();
        axis.iter().zip(kernel).map(|(a, w)| a * w).sum::<f32>() / norm
    };
    let along = along(covariance.axes.values()).abs();
    assert!(along > 0.98, "{along}");
    assert!(covariance.outer.values().is_empty());
}

fn everything() -> Plan {
    Plan {
        trials: 60,
        images: 30,
        layers: vec!["conv1".into(), "logits".into()],
        gradient_units: 2,
        gradient_trials: 20,
        covariance: Some(Unit {
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
    let whole = run(&config, &lab);
    for (piece, seed) in [(1, 1), (7, 2)] {
        assert_eq!(run_interrupted(&config, &lab, piece, seed), whole);
    }
    let own = &whole.analyses[0];
    assert!(own.fits(&config.analyses[0], Some(&lab.form)) && own.is_finished(&config.analyses[0]));
    assert_eq!(own.progress(&config.analyses[0]), (150, 150));
}

#[test]
fn other_noise_has_no_gradients() {
    let it = Plan {
        noise: Noise::Uniform,
        covariance: None,
        ..everything()
    };
    let found = found(it, &cnn_lab());
    assert_eq!(found.progress.blocks, [8, 4, 0, 0]);
    assert!(found.layers[0].gradients.units.is_empty());
    assert!(found.progress.is_finished());
}

#[test]
fn an_error_names_the_layers_and_units_there_are() {
    let lab = cnn_lab();
    let complaint = |it: Plan| {
        let config = plan(it);
        let mut analysis = build(&config, 0, &lab);
        let mut record = Record::new(&config);
        let whole = record.clone();
        let own = &mut record.analyses[0];
        analysis.begin(0, &lab, &whole, own).unwrap_err().0
    };
    let unit = |layer: &str, unit| {
        complaint(Plan {
            covariance: Some(Unit {
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

/// Parts of whole launches, a short one at the end whose last block is short too, and jobs that begin in the
/// middle of one.
#[test]
fn launches_sum_what_their_blocks_sum_alone() {
    let lab = cnn_lab();
    let it = Plan {
        trials: 7 * 5 + 2,
        images: 38,
        gradient_units: 0,
        block: 5,
        ..Plan::default()
    };
    let place = crate::analysis::Place {
        seed: 8,
        index: 0,
        images: None,
        gammas: 0,
        evidence: false,
    };
    let mut analysis = SpikeTriggered::new(it, place, &lab);
    let nothing = Record::new(&Config::default());
    let mut record = Found::default();
    Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut record).unwrap();
    assert!(Experiment::launches(&analysis, &lab, GRADIENTS, 4).is_none());
    for part in [NOISE, IMAGES] {
        let mut both = [record.clone(), record.clone()];
        let mut launches = Experiment::launches(&analysis, &lab, part, 4).unwrap();
        for jobs in [&[(0, 3)][..], &[(3, 4), (4, 8)]] {
            for &(block, end) in jobs {
                let blocks = end - block;
                launches.launch(Job {
                    part,
                    block,
                    blocks,
                });
            }
            let (block, end) = (jobs[0].0, jobs[jobs.len() - 1].1);
            let sums: Box<Sums> = launches.read().unwrap().downcast().unwrap();
            let job = Job {
                part,
                block,
                blocks: end - block,
            };
            Experiment::merge(&analysis, &mut both[0], job, *sums);
            for job in job.each() {
                let sums = Experiment::step(&analysis, &lab, job).unwrap();
                Experiment::merge(&analysis, &mut both[1], job, sums);
            }
        }
        assert_eq!(both[0].progress, both[1].progress);
        // Whatever is read together.
        let read = |each: u64| {
            let mut own = record.clone();
            for block in (0..8).step_by(each as usize) {
                for block in (block..block + each).step_by(4) {
                    launches.launch(Job {
                        part,
                        block,
                        blocks: 4,
                    });
                }
                let sums: Box<Sums> = launches.read().unwrap().downcast().unwrap();
                let job = Job {
                    part,
                    block,
                    blocks: each,
                };
                Experiment::merge(&analysis, &mut own, job, *sums);
            }
            own
        };
        let mut read = read;
        assert!(read(4) == read(8));
        for (own, other) in both[0].layers.iter().zip(&both[1].layers) {
            let of = |layer: &LayerResponses| match part {
                NOISE => layer.noise.clone(),
                _ => layer.images.clone(),
            };
            let (own, other) = (of(own), of(other));
            assert!(own.fields.iter().sum::<u64>() > 0);
            assert_eq!(own.fields, other.fields);
            assert_eq!(own.fired, other.fired);
            for (own, other) in [
                (&own.activation, &other.activation),
                (&own.magnitude, &other.magnitude),
                (&own.stimulus, &other.stimulus),
                (&own.weighted, &other.weighted),
            ] {
                let most = other.values().iter().map(|v| v.abs()).max().unwrap_or(0);
                let pairs = own.values().iter().zip(other.values());
                let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
                assert!(
                    worst as f64 <= 1e-5 * most as f64 + 20.0,
                    "{worst} of {most}"
                );
            }
        }
    }
}
