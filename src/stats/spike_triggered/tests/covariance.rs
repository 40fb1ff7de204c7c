//! Tests of covariances: of simulated units, and at their limits.

use super::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const PIXELS: usize = 16;

/// A unit's responses to Gaussian stimuli of variance ¼: its sums, and the sums with the responses
/// assigned to other stimuli.
fn simulate(seed: u64, trials: usize, answer: impl Fn(&[f64]) -> f64) -> [[Vec<i64>; 3]; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let stimuli: Vec<Vec<f64>> = (0..trials)
        .map(|_| {
            let normal = StandardNormal.sample_iter(&mut rng).take(PIXELS);
            normal.map(|z: f64| 0.5 * z).collect()
        })
        .collect();
    let answers: Vec<f64> = stimuli.iter().map(|s| answer(s)).collect();
    [0, 1].map(|shift| {
        let (mut total, mut first) = (0.0, vec![0.0; PIXELS]);
        let mut outer = vec![0.0; PIXELS * PIXELS];
        for (s, a) in stimuli.iter().zip(answers.iter().cycle().skip(shift)) {
            total += a;
            for (i, x) in s.iter().enumerate() {
                first[i] += a * x;
                for (j, y) in s.iter().enumerate() {
                    outer[i * PIXELS + j] += a * x * y;
                }
            }
        }
        [fixed(&[total]), fixed(&first), fixed(&outer)]
    })
}

fn axes(sums: &[[Vec<i64>; 3]; 2]) -> StcAxes {
    let copied = |[activation, weighted, outer]: &'_ [Vec<i64>; 3]| {
        (activation[0], weighted.clone(), outer.clone())
    };
    let owned = sums.each_ref().map(copied);
    let moments = owned
        .each_ref()
        .map(|(activation, weighted, outer)| SecondMoments {
            activation: *activation,
            weighted,
            outer,
        });
    stc_axes(&moments[0], &moments[1], 0.25).unwrap()
}

/// A direction of unit norm.
fn direction() -> Vec<f64> {
    let raw: Vec<f64> = (0..PIXELS).map(|i| (i as f64 * 0.7).sin()).collect();
    let norm = raw.iter().map(|v| v * v).sum::<f64>().sqrt();
    raw.into_iter().map(|v| v / norm).collect()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn the_only_axis(found: &StcAxes) -> &(f64, Vec<f64>) {
    match found.axes.as_slice() {
        [only] => only,
        _ => panic!("{:?} {:?}", found.eigenvalues, found.chance),
    }
}

/// a = (u·s)²: E[a(u·s)²]/E[a] = 3σ⁴/σ² = 3σ², so the variance along u grows by 2σ² = ½, and along
/// nothing else.
#[test]
fn a_squared_projection_has_one_axis_of_more_variance() {
    let u = direction();
    let found = axes(&simulate(1, 20_000, |s| product(&u, s).powi(2)));
    let (value, axis) = the_only_axis(&found);
    assert!((value - 0.5).abs() < 0.03, "{value}");
    assert!(product(axis, &u).abs() > 0.99);
}

/// A half-wave rectifier halves the normal: the rest, weighted by itself, is a Rayleigh
/// distribution, of variance σ²(2 − π/2). It loses σ²(π/2 − 1) along w and nothing else.
#[test]
fn a_rectified_projection_has_one_axis_of_less_variance() {
    let w = direction();
    let found = axes(&simulate(2, 20_000, |s| product(&w, s).max(0.0)));
    let (value, axis) = the_only_axis(&found);
    let expected = -0.25 * (std::f64::consts::FRAC_PI_2 - 1.0);
    assert!((value - expected).abs() < 0.01, "{value} {expected}");
    assert!(product(axis, &w).abs() > 0.97);
}

#[test]
fn a_unit_that_responds_to_nothing_has_no_axes() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let noise: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(2000).collect();
        let next = std::cell::Cell::new(0);
        let answer = |_: &[f64]| noise[next.replace(next.get() + 1)].max(0.0);
        let found = axes(&simulate(seed, 2000, answer));
        assert!(found.axes.is_empty(), "seed {seed}: {:?}", found.axes);
    }
}

#[test]
fn without_a_spike_there_is_no_covariance() {
    let sums = SecondMoments {
        activation: 0,
        weighted: &[0; 2],
        outer: &[0; 4],
    };
    assert_eq!(stc_axes(&sums, &sums, 1.0), None);
    // Whatever there is by chance.
    let fired = SecondMoments {
        activation: 2,
        weighted: &[0; 2],
        outer: &[4, 1, 1, 2],
    };
    assert_eq!(stc_axes(&sums, &fired, 1.0), None);
    assert_eq!(stc_axes(&fired, &sums, 1.0), None);
    assert!(stc_axes(&fired, &fired, 1.0).is_some());
}

/// The sums of a unit with a receptive field of one pixel.
fn one_pixel(outer: &[i64]) -> SecondMoments<'_> {
    SecondMoments {
        activation: 2,
        weighted: &[1],
        outer,
    }
}

/// Of one pixel there is one eigenvalue, so that chance has no range.
#[test]
fn an_eigenvalue_equal_to_that_by_chance_has_no_axis() {
    let axes = |spikes: i64, by_chance: i64| {
        let found = stc_axes(&one_pixel(&[spikes]), &one_pixel(&[by_chance]), 0.25);
        found.unwrap().axes.len()
    };
    assert_eq!(axes(3, 3), 0);
    assert_eq!((axes(2, 3), axes(4, 3)), (1, 1));
}
