//! Tests of estimates from hand-made tables and simulated trials.

mod deviation;
mod experiment;
mod responses;
mod strata;

use super::*;
use crate::session::config::Noise;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const GRID: f64 = 65536.0;

const NO_TRIALS: TrialSums<'static> = TrialSums {
    axes: None,
    gamma: Gamma::NOISE,
    classes: 2,
    listed: &[ClassId(0), ClassId(1)],
    shape: [1, 1, 1],
    cover: &[1],
    min_trials: 2,
    counts: &[],
    dropped: 0,
    noise: &[],
    rest: &[],
    image: &[],
    grid: NoiseGrid {
        offset: 0.5 / GRID,
        step: 1.0 / GRID,
    },
    error_model: ErrorModel::Independent,
    deviation: Some(0.288_675_134_594_139),
    moments: &[],
    weights: None,
    evidence: None,
};

fn noise_deviation() -> f64 {
    Noise::Uniform.deviation([1, 1, 1]).unwrap()
}

/// Two pixels, the second the negative of the first, which counts the cells of two tables of three classes from 0:
/// the cell of true class t called c is 3t + c, and 9 more in odd blocks.
#[test]
fn the_margins_of_a_table_are_its_columns_its_rows_and_its_diagonal() {
    let pixels = |sum: i64| [sum, -sum];
    let table: Vec<i64> = (0..18).flat_map(pixels).collect();
    let expected = [
        [[9, 12, 15], [3, 12, 21], [0, 4, 8]],
        [[36, 39, 42], [30, 39, 48], [9, 13, 17]],
    ];
    let expected = expected.concat().concat();
    let expected: Vec<i64> = expected.into_iter().flat_map(pixels).collect();
    assert_eq!(margins(&table, 3, 2), expected);
}

/// One pixel, two classes: a table that can be computed by hand.
fn by_hand(gamma: Gamma, counts: &[u64], noise: &[i64]) -> GammaEstimate {
    estimate(&TrialSums {
        gamma,
        min_trials: 2,
        counts,
        noise: &margins(noise, 2, 1),
        image: &[255 * 6, 0],
        ..NO_TRIALS
    })
}

// (true, predicted): counts 4, 2 | 2, 8 and means of k/65536: ¾, ¼ | ½, ⅛, all in even blocks.
const COUNTS: [u64; 8] = [4, 2, 2, 8, 0, 0, 0, 0];
const NOISE: [i64; 8] = [4 * 49152, 2 * 16384, 2 * 32768, 8 * 8192, 0, 0, 0, 0];

#[test]
fn the_two_by_two_image_matches_a_hand_made_table() {
    let result = by_hand(Gamma(0.5), &COUNTS, &NOISE);
    // (n[0,0] + n[1,0]) − (n[0,1] + n[1,1]) = (¾ + ½) − (¼ + ⅛).
    let image = &result.classes[0].decision.as_ref().unwrap().image;
    assert!((f64::from(image[0]) - 0.875).abs() < 1e-6);
    // Standard error: σ·√(¼ + ½ + ½ + ⅛).
    let z = f64::from(result.classes[0].decision.as_ref().unwrap().z[0]);
    assert!((z - 0.875 / (noise_deviation() * 1.375_f64.sqrt())).abs() < 1e-4);
    assert_eq!(result.classes[0].cells, [4, 2, 2, 8]);
    // All trials of one class are the other class's, so its image is the negative.
    assert_eq!(
        result.classes[1].decision.as_ref().unwrap().image[0],
        -image[0]
    );
}

#[test]
fn the_image_without_signal_matches_a_hand_made_table() {
    let result = by_hand(Gamma::NOISE, &COUNTS, &NOISE);
    // Called 0: 6 trials, mean (4·¾ + 2·½)/6 = ⅔; all: 16 trials, mean (3 + ½ + 1 + 1)/16.
    let expected = 4.0 / 6.0 - 5.5 / 16.0;
    let class = &result.classes[0];
    assert!((f64::from(class.decision.as_ref().unwrap().image[0]) - expected).abs() < 1e-6);
    let error = noise_deviation() * (1.0_f64 / 6.0 - 1.0 / 16.0).sqrt();
    assert!((f64::from(class.decision.as_ref().unwrap().z[0]) - expected / error).abs() < 1e-4);
    let mean = f64::from(class.mean_noise.as_ref().unwrap()[0]);
    assert!((mean - (2.0 / 3.0 + 0.5 / GRID)).abs() < 1e-6);
}

#[test]
fn the_snr_matches_a_hand_made_table() {
    let class = &by_hand(Gamma(0.5), &COUNTS, &NOISE).classes[0];
    let error = 1.375 / 12.0;
    let expected = (0.875 * 0.875 - error) / error;
    assert!((class.decision.as_ref().unwrap().snr - expected).abs() < 1e-6);
}

#[test]
fn the_mean_stimulus_blends_noise_and_images() {
    let class = &by_hand(Gamma(0.5), &COUNTS, &NOISE).classes[0];
    // Images called 0 are white: Σ = 6·255 over 6 trials.
    let expected = 0.5 * (2.0 / 3.0 + 0.5 / GRID) + 0.5;
    assert!((f64::from(class.mean_stimulus.as_ref().unwrap()[0]) - expected).abs() < 1e-6);
}

/// Sums may come from a damaged file.
#[test]
fn sums_that_do_not_fit_are_held_at_the_last_numbers_that_do() {
    let weights = [u64::MAX; 8];
    for gamma in [0.0, 0.5].map(Gamma) {
        let result = estimate(&TrialSums {
            gamma,
            counts: &[1; 8],
            noise: &[i64::MAX; 12],
            image: &[i64::MAX; 2],
            weights: Some(WeightSums {
                sum: &weights,
                squares: &weights,
            }),
            evidence: Some(ResponseSums {
                step: 1.0,
                shown: &[2; 4],
                sums: &[0; 8],
                squares: &[i64::MAX; 8],
                products: &[i64::MIN; 4],
                noise: &[],
            }),
            ..NO_TRIALS
        });
        assert_eq!((result.trials, result.classes[0].called), (8, 4));
        assert!(result.classes[0].evidence.is_some());
    }
    assert_eq!(margins(&[i64::MAX; 8], 2, 1), [i64::MAX; 12]);
}

#[test]
fn too_few_trials_are_insufficient_and_not_zero() {
    let few = by_hand(Gamma(0.5), &[4, 1, 2, 8, 0, 0, 0, 0], &NOISE);
    let class = &few.classes[0];
    assert!(class.decision.is_none());
    assert_eq!(class.called, 6);
    // A class that gets every trial has nothing to compare with.
    let all = by_hand(Gamma::NOISE, &[4, 0, 2, 0, 0, 0, 0, 0], &NOISE);
    assert!(all.classes[0].decision.is_none() && all.classes[1].decision.is_none());
    assert!(all.classes[1].mean_noise.is_none() && all.classes[0].mean_noise.is_some());
}

/// The estimate of two classes from trials of 28×28 pixels on black images.
fn on_black(
    gamma: Gamma,
    counts: &[u64],
    noise: &[i64],
    weights: Option<WeightSums<'_>>,
) -> GammaEstimate {
    let pixels = 784;
    estimate(&TrialSums {
        gamma,
        shape: [1, 28, 28],
        cover: &vec![1; pixels],
        min_trials: 30,
        counts,
        noise: &margins(noise, 2, pixels),
        image: &vec![0; 2 * pixels],
        weights,
        ..NO_TRIALS
    })
}

/// The mean of z² over a map.
fn variance(z: &[f32]) -> f64 {
    z.iter().map(|&z| f64::from(z).powi(2)).sum::<f64>() / z.len() as f64
}

/// Decisions that ignore the noise: every z must be standard normal, also where one class
/// takes nearly all trials.
#[test]
fn under_no_signal_the_z_map_is_standard_normal() {
    let (pixels, trials) = (784, 4000);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut counts = [0_u64; 8];
    let mut noise = vec![0_i64; 8 * pixels];
    for trial in 0..trials {
        let predicted = usize::from(rng.random_bool(0.93));
        let cell = (trial / 256 % 2) * 4 + (trial % 2) * 2 + predicted;
        counts[cell] += 1;
        for sum in &mut noise[cell * pixels..(cell + 1) * pixels] {
            *sum += i64::from(rng.random::<u16>());
        }
    }
    for gamma in [0.0, 0.3].map(Gamma) {
        let result = on_black(gamma, &counts, &noise, None);
        let decision = result.classes[1].decision.as_ref().unwrap();
        let variance = variance(&decision.z);
        assert!(
            (0.85..1.15).contains(&variance),
            "γ {gamma}: variance {variance}"
        );
        assert!(decision.significant <= 1);
        assert!(decision.clusters.as_ref().unwrap().is_empty());
        assert!(decision.snr.abs() < 0.2);
        assert!(decision.reliability.unwrap().abs() < 0.2);
    }
}

#[test]
fn equal_weights_change_nothing() {
    let plain = by_hand(Gamma(0.5), &COUNTS, &NOISE);
    let thrice = |values: &[u64], by| values.iter().map(|v| v * by).collect::<Vec<u64>>();
    let weighted = estimate(&TrialSums {
        gamma: Gamma(0.5),
        counts: &COUNTS,
        noise: &margins(&NOISE.map(|sum| 3 * sum), 2, 1),
        image: &[255 * 6, 0],
        weights: Some(WeightSums {
            sum: &thrice(&COUNTS, 3),
            squares: &thrice(&COUNTS, 9),
        }),
        ..NO_TRIALS
    });
    for (a, b) in plain.classes.iter().zip(&weighted.classes) {
        let image = |class: &ClassEstimate| class.decision.as_ref().map(|map| map.image.clone());
        assert_eq!(image(a), image(b));
        assert!((a.decision.as_ref().unwrap().snr - b.decision.as_ref().unwrap().snr).abs() < 1e-9);
        assert_eq!(a.mean_noise, b.mean_noise);
    }
}

#[test]
fn an_unknown_deviation_is_measured_from_the_moments() {
    // 16 trials, half of them at k = 0 and half at 32768: σ = 16384 grid steps = ¼.
    let moments = [8 * 32768, 8 * 32768_i64.pow(2)];
    let measured = estimate(&TrialSums {
        gamma: Gamma(0.5),
        counts: &COUNTS,
        noise: &margins(&NOISE, 2, 1),
        image: &[0, 0],
        deviation: None,
        moments: &moments,
        ..NO_TRIALS
    });
    let z = f64::from(measured.classes[0].decision.as_ref().unwrap().z[0]);
    assert!((z - 0.875 / (0.25 * 1.375_f64.sqrt())).abs() < 1e-4, "{z}");
}

/// Weights independent of the noise, large for one trial in eight: the standard error must be that of
/// the weighted means.
#[test]
fn under_no_signal_the_z_map_of_weighted_trials_is_standard_normal() {
    let (pixels, trials) = (784, 4000);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut counts = [0_u64; 8];
    let mut sums = ([0_u64; 8], [0_u64; 8]);
    let mut noise = vec![0_i64; 8 * pixels];
    for trial in 0..trials {
        let predicted = usize::from(rng.random_bool(0.8));
        let weight = if rng.random_bool(0.125) { 1024 } else { 103 };
        let cell = (trial / 256 % 2) * 4 + (trial % 2) * 2 + predicted;
        counts[cell] += 1;
        sums.0[cell] += weight;
        sums.1[cell] += weight * weight;
        for sum in &mut noise[cell * pixels..(cell + 1) * pixels] {
            *sum += weight as i64 * i64::from(rng.random::<u16>());
        }
    }
    for gamma in [0.0, 0.3].map(Gamma) {
        let weights = WeightSums {
            sum: &sums.0,
            squares: &sums.1,
        };
        let result = on_black(gamma, &counts, &noise, Some(weights));
        for class in &result.classes {
            let decision = class.decision.as_ref().unwrap();
            let variance = variance(&decision.z);
            // The standard error of a variance is √(2/784) = 0.05.
            assert!(
                (0.8..1.2).contains(&variance),
                "γ {gamma}: variance {variance}"
            );
            assert!(decision.snr.abs() < 0.25);
        }
    }
}

/// A pixel that is the same in all trials, however many, has no z.
#[test]
fn a_pixel_that_never_varies_has_a_deviation_of_exactly_zero() {
    let n: i64 = 3_000_001;
    let grey = 54_321_i64;
    let trials = TrialSums {
        deviation: None,
        moments: &[n * grey, n * grey * grey],
        ..NO_TRIALS
    };
    assert_eq!(trials.deviations(n as u64), [0.0]);
}

/// A hand-made table of three classes, two of which have maps: trials called the third still count in the
/// mean of all noise.
#[test]
fn a_class_without_maps_is_counted_and_changes_no_other() {
    let counts = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3];
    let table: Vec<i64> = (0..18)
        .map(|cell| counts[cell] as i64 * (1000 + 977 * cell as i64))
        .collect();
    let all = margins(&table, 3, 1);
    let full = |gamma| {
        estimate(&TrialSums {
            gamma,
            classes: 3,
            listed: &[ClassId(0), ClassId(1), ClassId(2)],
            counts: &counts,
            noise: &all,
            image: &[510, 0, 255],
            ..NO_TRIALS
        })
    };
    // Rows of classes 0 and 2 of every margin, and the sum of what is called 1.
    let some: Vec<i64> = all
        .chunks_exact(3)
        .flat_map(|row| [row[0], row[2]])
        .collect();
    let rest = [all[1], all[10]];
    for gamma in [0.0, 0.4].map(Gamma) {
        let part = estimate(&TrialSums {
            gamma,
            classes: 3,
            listed: &[ClassId(0), ClassId(2)],
            counts: &counts,
            noise: &some,
            rest: &rest,
            image: &[510, 255],
            ..NO_TRIALS
        });
        let full = full(gamma);
        assert_eq!(part.classes[0], full.classes[0]);
        assert_eq!(part.classes[2], full.classes[2]);
        let unlisted = &part.classes[1];
        assert!(!unlisted.listed && unlisted.decision.is_none() && unlisted.evidence.is_none());
        assert_eq!(unlisted.called, full.classes[1].called);
        assert_eq!(unlisted.cells, full.classes[1].cells);
        assert_eq!((part.trials, &part.counts), (full.trials, &full.counts));
    }
}

/// A cell of coarse noise stands for several pixels: the mean image is over all of them.
#[test]
fn the_mean_stimulus_of_coarse_noise_is_a_mean_over_its_cells() {
    let class = &estimate(&TrialSums {
        gamma: Gamma(0.5),
        counts: &COUNTS,
        noise: &margins(&NOISE, 2, 1),
        // Four white pixels under the cell in each of six trials called 0.
        image: &[4 * 255 * 6, 0],
        cover: &[4],
        ..NO_TRIALS
    })
    .classes[0];
    let expected = 0.5 * (2.0 / 3.0 + 0.5 / GRID) + 0.5;
    assert!((f64::from(class.mean_stimulus.as_ref().unwrap()[0]) - expected).abs() < 1e-6);
}
