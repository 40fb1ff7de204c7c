//! Tests of the simulated null distribution and its intervals.

use super::*;
use crate::stats::correlation::{pearson, spearman_brown};
use crate::stats::interval::bonferroni;
use rand_distr::{Distribution, StandardNormal};

const SIDE: usize = 16;
const SHAPE: Shape = [1, SIDE, SIDE];
const PIXELS: usize = SIDE * SIDE;

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
            .correlation_interval([&halves[0], &halves[1]], r, &errors)
            .unwrap();
        let closed = crate::stats::correlation::reliability_interval(r, PIXELS).unwrap();
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
                    .correlation_interval([&halves[0], &halves[1]], r, &errors);
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
