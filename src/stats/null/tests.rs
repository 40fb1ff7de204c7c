//! Tests of the simulated null distribution and its intervals.

use super::*;
use crate::stats::correlation::{correlation_interval, pearson, whole_reliability};
use crate::stats::interval::bonferroni;
use rand_distr::{Distribution, StandardNormal};

const SIDE: usize = 16;
const SHAPE: Shape = [1, SIDE, SIDE];
const PIXELS: usize = SIDE * SIDE;

/// The reliability of a map whose halves have equally many trials.
fn spearman_brown(r: f64) -> f64 {
    whole_reliability(r, 2.0)
}

fn white(rng: &mut ChaCha8Rng) -> Vec<f64> {
    StandardNormal.sample_iter(rng).take(PIXELS).collect()
}

/// A field of unit variance, correlated over about `reach` pixels, on a torus.
fn field(rng: &mut ChaCha8Rng, reach: f64) -> Vec<f64> {
    let noise = white(rng);
    let weight = |d: usize| {
        let d = d.min(SIDE - d) as f64;
        (-0.5 * (d / reach).powi(2)).exp()
    };
    let size: f64 = (0..SIDE).map(|d| weight(d).powi(2)).sum();
    let along = |map: &[f64], index: &dyn Fn(usize, usize) -> usize| -> Vec<f64> {
        let mut out = vec![0.0; PIXELS];
        for line in 0..SIDE {
            for at in 0..SIDE {
                let sum = (0..SIDE).map(|i| weight(i.abs_diff(at)) * map[index(line, i)]);
                out[index(line, at)] = sum.sum::<f64>() / size.sqrt();
            }
        }
        out
    };
    let rows = along(&noise, &|line, at| line * SIDE + at);
    along(&rows, &|line, at| at * SIDE + line)
}

fn simulated(draw: &mut dyn FnMut() -> Vec<f64>) -> Option<NullDistribution> {
    let mut simulation = NullSimulation::new(SHAPE);
    for _ in 0..8 {
        let noise: Vec<f32> = (0..256)
            .flat_map(|_| draw())
            .map(|v| 0.3 + 0.1 * v as f32)
            .collect();
        simulation.add(&noise);
    }
    simulation.finish()
}

#[test]
fn white_noise_has_bonferronis_bound_and_the_closed_forms() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let null = simulated(&mut || white(&mut rng)).unwrap();
    let bound = bonferroni(PIXELS, ALPHA);
    assert!((null.bound - bound).abs() < 0.12, "{} {bound}", null.bound);
    assert!(
        null.deviations
            .iter()
            .all(|deviation| (deviation - 1.0).abs() < 0.12)
    );
    let errors = vec![1.0; PIXELS];
    for strength in [0.0, 0.7, 3.0] {
        let mut half = || -> Vec<f64> {
            let draw = white(&mut rng).into_iter().enumerate();
            let signal = |at: usize| {
                if (at + at / SIDE).is_multiple_of(2) {
                    strength
                } else {
                    -strength
                }
            };
            draw.map(|(at, e)| signal(at) + e * std::f64::consts::SQRT_2)
                .collect()
        };
        let halves = [half(), half()];
        let narrow = |map: &[f64]| -> Vec<f32> { map.iter().map(|&v| v as f32).collect() };
        let r = pearson(&narrow(&halves[0]), &narrow(&halves[1])).unwrap();
        let view = null.as_null_ref();
        let [low, high] = view
            .correlation_interval([&halves[0], &halves[1]], r, &errors, 2.0)
            .unwrap();
        let closed = correlation_interval(r, PIXELS).unwrap().map(spearman_brown);
        let width = spearman_brown(high) - spearman_brown(low);
        let ratio = width / (closed[1] - closed[0]);
        assert!((0.8..1.25).contains(&ratio), "{strength}: {ratio}");
        let image: Vec<f64> = halves[0]
            .iter()
            .zip(&halves[1])
            .map(|(a, b)| (a + b) / 2.0)
            .collect();
        let snr = dot(&image, &image) / PIXELS as f64 - 1.0;
        let [low, high] = view.snr_interval(&image, &errors).unwrap();
        let [below, above] = crate::stats::interval::snr_interval(snr, PIXELS);
        let ratio = (high - low) / (above - below);
        assert!((0.75..1.3).contains(&ratio), "{strength}: {ratio}");
    }
}

#[test]
fn one_smooth_map_in_twenty_exceeds_the_bound_which_is_below_bonferronis() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let null = simulated(&mut || field(&mut rng, 2.0)).unwrap();
    assert!(
        null.bound < bonferroni(PIXELS, ALPHA) - 0.2,
        "{}",
        null.bound
    );
    let (mut past, mut clustered) = (0, 0);
    let maps = 600;
    for _ in 0..maps {
        let map = field(&mut rng, 2.0);
        past += usize::from(map.iter().any(|z| z.abs() > null.bound));
        let z: Vec<f32> = map.iter().map(|&z| z as f32).collect();
        clustered += usize::from(!null.as_null_ref().clusters(&z, SHAPE).is_empty());
    }
    // 30 are expected of each, with a standard error of 5.3 plus that of the simulation.
    assert!((12..=55).contains(&past), "{past}");
    assert!((12..=55).contains(&clustered), "{clustered}");
}

#[test]
fn intervals_contain_the_truth_19_times_in_20_despite_correlated_pixels() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let null = simulated(&mut || field(&mut rng, 1.5)).unwrap();
    let errors = vec![1.0; PIXELS];
    // A signal of mean 0, as smooth as the errors.
    let wave = |at: usize| {
        let phase = std::f64::consts::TAU / SIDE as f64;
        ((at / SIDE) as f64 * phase).sin() * (2.0 * (at % SIDE) as f64 * phase).cos() * 2.0
    };
    let tries = 300;
    for strength in [0.0, 0.5, 1.5, 4.0] {
        let (mut held, mut snr_held) = (0, 0);
        let truth = strength * strength;
        // The errors' mean over pixels, which Pearson removes, is a good part of so smooth a field.
        let mut signals = (0.0, 0.0);
        for _ in 0..200 {
            let errors = centred(&field(&mut rng, 1.5));
            signals.0 += dot(&errors, &errors) / PIXELS as f64 / 200.0;
        }
        signals.1 = signals.0;
        let reliability = truth / (truth + signals.0);
        for _ in 0..tries {
            let mut half = || -> Vec<f64> {
                let errors = field(&mut rng, 1.5).into_iter().enumerate();
                errors
                    .map(|(at, e)| strength * wave(at) + e * std::f64::consts::SQRT_2)
                    .collect()
            };
            let halves = [half(), half()];
            let narrow = |map: &[f64]| -> Vec<f32> { map.iter().map(|&v| v as f32).collect() };
            let r = pearson(&narrow(&halves[0]), &narrow(&halves[1])).unwrap();
            let ends =
                null.as_null_ref()
                    .correlation_interval([&halves[0], &halves[1]], r, &errors, 2.0);
            let [low, high] = ends.unwrap().map(spearman_brown);
            held += usize::from((low..=high).contains(&reliability));
            let image: Vec<f64> = halves[0]
                .iter()
                .zip(&halves[1])
                .map(|(a, b)| (a + b) / 2.0)
                .collect();
            let [low, high] = null.as_null_ref().snr_interval(&image, &errors).unwrap();
            snr_held += usize::from((low..=high).contains(&truth));
        }
        let share = |held: usize| held as f64 / f64::from(tries);
        println!("{strength}: {} {}", share(held), share(snr_held));
        assert!(
            (0.88..=1.0).contains(&share(held)),
            "R at {strength}: {}",
            share(held)
        );
        assert!(
            (0.88..=1.0).contains(&share(snr_held)),
            "SNR at {strength}: {}",
            share(snr_held)
        );
    }
}

#[test]
fn too_few_events_at_a_pixel_have_no_null() {
    let mut simulation = NullSimulation::new(SHAPE);
    let mut noise = vec![0.0; 64 * PIXELS];
    for image in 0..64 {
        noise[image * PIXELS + image] = 1.0;
    }
    simulation.add(&noise);
    assert_eq!(simulation.finish(), None);
    assert_eq!(NullSimulation::new(SHAPE).finish(), None);
}

/// Pairs of an image of one brightness and a black one: each pair is an event at every pixel.
#[test]
fn thirty_events_at_every_pixel_have_a_null_whatever_their_size() {
    let of = |events: usize, brightness: f32| {
        let mut simulation = NullSimulation::new([1, 2, 2]);
        let pair = [[brightness; 4], [0.0; 4]].concat();
        simulation.add(&pair.repeat(events));
        simulation.finish()
    };
    for brightness in [0.125, 8.0] {
        assert_eq!(of(29, brightness), None);
        assert!(of(30, brightness).is_some(), "{brightness}");
    }
}

#[test]
fn a_pixel_that_never_varies_is_zero_in_every_map_and_disturbs_no_other() {
    let mut simulation = NullSimulation::new([1, 1, 2]);
    // Pairs of images; the second pixel is the same in all.
    simulation.add(&[8.0_f32, 0.5, 0.0, 0.5].repeat(64));
    let null = simulation.finish().unwrap();
    assert!(
        null.deviations
            .iter()
            .all(|deviation| deviation.is_finite())
    );
    let zero = ZERO_BYTE as u8;
    assert!(null.maps.chunks_exact(2).all(|map| map[1] == zero));
    assert!(null.maps.chunks_exact(2).any(|map| map[0] != zero));
}

#[test]
fn a_map_beyond_the_bound_is_among_the_twentieth_with_the_highest_peaks() {
    for maps in 19..=999 {
        let peaks: Vec<f32> = (1..=maps).map(|peak| peak as f32).collect();
        let bound = peak_bound(&peaks) as usize;
        // With the map itself, so many peaks are beyond a bound.
        let beyond = |bound: usize| maps - bound + 1;
        assert!(20 * beyond(bound) <= maps + 1, "{maps}: {bound}");
        // Beyond a lower one there are too many.
        assert!(20 * beyond(bound - 1) > maps + 1, "{maps}: {bound}");
    }
}

#[test]
fn as_many_maps_are_kept_as_a_quarter_of_a_million_numbers_hold_and_64_at_most() {
    for pixels in [1, 784, 4096, 4097, 8192, 3 * 224 * 224, 1 << 18, 1 << 19] {
        let kept = kept_maps(pixels);
        assert!(kept <= 64 && kept * pixels <= 1 << 18, "{pixels}: {kept}");
        assert!(
            kept == 64 || (kept + 1) * pixels > 1 << 18,
            "{pixels}: {kept}"
        );
    }
}

/// Error maps of eight numbers, in sixteenths around 128: the rows of a Hadamard matrix and their negatives, whose
/// covariance is the identity.
fn hadamard_maps() -> Vec<u8> {
    let row = |map: u8| {
        (0..8).map(move |at| hadamard_row(map % 8)[at] * if map < 8 { 1.0 } else { -1.0 })
    };
    (0..16)
        .flat_map(row)
        .map(|sign| (128.0 + 16.0 * sign) as u8)
        .collect()
}

fn hadamard_row(row: u8) -> [f64; 8] {
    [0, 1, 2, 3, 4, 5, 6, 7_u8].map(|at| {
        if (row & at).count_ones().is_multiple_of(2) {
            1.0
        } else {
            -1.0
        }
    })
}

fn null_of<'a>(maps: &'a [u8], deviations: &'a [f32], largest: &'a [i64]) -> NullRef<'a> {
    NullRef {
        bound: 3.0,
        deviations,
        largest,
        maps,
    }
}

#[test]
fn the_snr_interval_of_errors_with_a_known_covariance_matches_its_closed_form() {
    let maps = hadamard_maps();
    let errors = [2.0; 8];
    // Of 120 pairs of maps, 8 have a product of −32; cᵀΣc is 4|c|².
    let trace = 8.0 * 1024.0 / 120.0_f64;
    for (c, linear) in [(10.0, 3200.0 - trace), (0.5, 0.0)] {
        let ends = null_of(&maps, &[], &[])
            .snr_interval(&[c; 8], &errors)
            .unwrap();
        let spread = (4.0 * linear + 2.0 * trace).sqrt();
        for (end, side) in ends.into_iter().zip([-1.0, 1.0]) {
            let expected = (8.0 * c * c + side * NORMAL_95 * spread) / 32.0 - 1.0;
            assert!((end - expected).abs() < 1e-9, "{end} {expected}");
        }
    }
    // Too few maps, and no error at all.
    let few = null_of(&maps[..15 * 8], &[], &[]);
    assert_eq!(few.snr_interval(&[1.0; 8], &errors), None);
    assert_eq!(
        null_of(&maps, &[], &[]).snr_interval(&[1.0; 8], &[0.0; 8]),
        None
    );
}

#[test]
fn the_correlation_interval_of_errors_with_a_known_covariance_matches_its_closed_form() {
    let maps = hadamard_maps();
    let null = null_of(&maps, &[], &[]);
    // Two halves of r = 0.6, with slopes of length 0.8/√8 over the scale. Without their means, seven pairs of maps
    // have a product of −16, and the covariance is twice the identity.
    let half = |along: f64, across: f64| -> Vec<f64> {
        let pairs = hadamard_row(1).into_iter().zip(hadamard_row(2));
        pairs.map(|(a, b)| along * a + across * b).collect()
    };
    let twice = 7.0 * 256.0 / 120.0 * 1.36_f64;
    for (scale, variance) in [(10.0, 0.0032 - twice / 640_000.0), (1.0, 0.16)] {
        let halves = [half(scale, 0.0), half(0.6 * scale, 0.8 * scale)];
        let interval =
            |r: f64| null.correlation_interval([&halves[0], &halves[1]], r, &[1.0; 8], 2.0);
        // Halves of a quarter of the trials have the errors of half of them if those of the whole are √½ as large.
        let quarter = [0.5_f64.sqrt(); 8];
        let quarter = null.correlation_interval([&halves[0], &halves[1]], 0.6, &quarter, 4.0);
        for (end, expected) in quarter.unwrap().into_iter().zip(interval(0.6).unwrap()) {
            assert!((end - expected).abs() < 1e-9, "{end} {expected}");
        }
        let error = variance.sqrt() / 0.64;
        for (end, side) in interval(0.6).unwrap().into_iter().zip([-1.0, 1.0]) {
            let expected = (0.6_f64.atanh() + side * NORMAL_95 * error).tanh();
            assert!((end - expected).abs() < 1e-9, "{end} {expected}");
        }
        assert_eq!((interval(1.0), interval(f64::NAN)), (Some([1.0; 2]), None));
    }
    let flat = [1.0; 8];
    assert_eq!(
        null.correlation_interval([&flat, &half(1.0, 0.0)], 0.5, &flat, 2.0),
        None
    );
    assert_eq!(
        null.correlation_interval([&half(1.0, 0.0), &flat], 0.5, &flat, 2.0),
        None
    );
}

#[test]
fn a_cluster_has_the_share_of_maps_including_its_own_with_one_as_large() {
    // All 28 pixels are one cluster.
    let z = [9.0; 28];
    let found = |deviation: f32, most: i64| {
        let mut largest = [3; 19];
        largest[18] = most;
        null_of(&[], &[deviation; 28], &largest).clusters(&z, [1, 28, 1])
    };
    let clusters = found(1.0, 27);
    assert_eq!(
        (clusters.len(), clusters[0].pixels.len(), clusters[0].p),
        (1, 28, 0.05)
    );
    // One of the nineteen is as large: 2 of 20.
    assert!(found(1.0, 28).is_empty());
    // 9·Σw/√Σw², which is 24, is not beyond the threshold at ten deviations.
    assert!(found(10.0, 27).is_empty());
    let model = ErrorModel::Unknown;
    assert_eq!(model.clusters(&z, [1, 28, 1]), None);
    assert_eq!(model.snr_interval(1.0, &[1.0; 28], &[1.0; 28]), None);
    // The bound under random signs counts if it is below Bonferroni's, 4.0 at 784 pixels.
    for (bound, expected) in [(3.0, 3.0), (9.0, bonferroni(784, ALPHA))] {
        let null = NullRef {
            bound,
            ..null_of(&[], &[], &[])
        };
        assert_eq!(ErrorModel::Simulated(null).bound(784), expected);
    }
}
