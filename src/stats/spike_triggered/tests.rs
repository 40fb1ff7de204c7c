//! Tests of averages, by hand and of several units.

use super::*;

mod covariance;

/// In units of 1/[`FIXED_POINT`].
fn fixed(values: &[f64]) -> Vec<i64> {
    let round = |&v: &f64| (v * FIXED_POINT).round() as i64;
    values.iter().map(round).collect()
}

const NO_GRADIENTS: GradientSums = GradientSums {
    units: &[],
    fields: 0,
    sum: &[],
};

/// One unit, two pixels, two fields of each parity: s−½ = (.1,.3), (.3,.1) with a = 1, 3, and
/// (.2,.2), (.4,0) with a = 1, 3.
fn by_hand<'a>(sums: &'a [Vec<i64>; 4]) -> StaSums<'a> {
    StaSums {
        fields: [2, 2],
        fired: &[4],
        activation: &sums[0],
        magnitude: &sums[1],
        stimulus: &sums[2],
        weighted: &sums[3],
    }
}

fn sums() -> [Vec<i64>; 4] {
    [
        fixed(&[4.0, 4.0]),
        fixed(&[4.0, 4.0]),
        fixed(&[0.4, 0.4, 0.6, 0.2]),
        fixed(&[1.0, 0.6, 1.4, 0.2]),
    ]
}

/// Sums may come from a damaged file.
#[test]
fn sums_that_do_not_fit_are_held_at_the_last_numbers_that_do() {
    let far = [
        vec![i64::MAX; 2],
        vec![i64::MAX; 2],
        vec![i64::MIN; 4],
        vec![i64::MAX; 4],
    ];
    let noise = StaSums {
        fields: [u64::MAX; 2],
        ..by_hand(&far)
    };
    let result = estimate(&noise, &noise, &[], &NO_GRADIENTS);
    assert!(result.sta[0].is_some() && result.silent.is_empty());
}

#[test]
fn an_average_equals_the_one_computed_by_hand() {
    let sums = sums();
    let noise = by_hand(&sums);
    let result = estimate(&noise, &noise, &[1.0, -1.0], &NO_GRADIENTS);
    // Σa·(s−½) = (2.4, 0.8), s̄−½ = (.25, .15), Σa = 8: (2.4 − 2)/8 and (0.8 − 1.2)/8.
    let sta = result.sta[0].as_ref().unwrap();
    assert!((sta[0] - 0.05).abs() < 1e-6 && (sta[1] + 0.05).abs() < 1e-6);
    assert_eq!(result.image_sta, result.sta);
    assert!((result.kernel_correlation[0].unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(
        (result.silent.len(), result.stein_correlation[0]),
        (0, None)
    );
    // Both halves have (.2, −.2)/4.
    assert!((result.reliability[0].unwrap() - 1.0).abs() < 1e-9);
}

/// Halves that correlate by ½ are a signal-to-noise ratio of 1 in each; all fields have one of 2, or, if one half has
/// four times as many as the other, of 2½.
#[test]
fn the_reliability_is_that_of_all_fields_also_if_the_halves_differ_in_size() {
    let sums = [
        fixed(&[1.0; 2]),
        fixed(&[1.0; 2]),
        fixed(&[0.0; 6]),
        fixed(&[1.0, -1.0, 0.0, 1.0, 0.0, -1.0]),
    ];
    for (fields, expected) in [([4, 4], 2.0 / 3.0), ([4, 1], 2.5 / 3.5)] {
        let noise = StaSums {
            fields,
            ..by_hand(&sums)
        };
        let result = estimate(&noise, &noise, &[], &NO_GRADIENTS);
        let found = result.reliability[0].unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn there_is_no_reliability_before_both_halves_have_fired() {
    let mut sums = sums();
    for sums in &mut sums {
        let half = sums.len() / 2;
        sums[half..].fill(0);
    }
    let mut noise = by_hand(&sums);
    noise.fields = [2, 0];
    let result = estimate(&noise, &noise, &[], &NO_GRADIENTS);
    assert!(result.sta[0].is_some());
    assert_eq!(result.reliability, [None]);
}

/// A constant activation is summed over a thousand blocks of 64 fields, each rounded: without a bound, noise of less than
/// a millionth of it would have a reliability of its own.
#[test]
fn a_constant_activation_has_an_average_of_zero_and_no_reliability() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let estimate_of = |activation: f64, slope: f64| {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(12);
        let mut sums = [vec![0; 2], vec![0; 2], vec![0; 16], vec![0; 16]];
        for block in 0..1000 {
            let (mut weighted, mut stimulus, mut total) = ([0.0; 8], [0.0; 8], 0.0);
            for _ in 0..64 {
                let field: [f64; 8] = std::array::from_fn(|_| rng.random_range(-0.5..0.5));
                let a = activation * (1.0 + slope * field[3]);
                total += a;
                let sums = weighted.iter_mut().zip(&mut stimulus).zip(field);
                sums.for_each(|((weighted, stimulus), s)| {
                    *weighted += a * s;
                    *stimulus += s;
                });
            }
            let half = block % 2;
            let add = |sums: &mut [i64], more: &[f64]| {
                let pairs = sums.iter_mut().zip(fixed(more));
                pairs.for_each(|(sum, more)| *sum += more);
            };
            add(&mut sums[0][half..], &[total]);
            add(&mut sums[1][half..], &[total]);
            add(&mut sums[2][half * 8..], &stimulus);
            add(&mut sums[3][half * 8..], &weighted);
        }
        let noise = StaSums {
            fields: [32_000; 2],
            ..by_hand(&sums)
        };
        estimate(&noise, &noise, &[], &NO_GRADIENTS)
    };
    // Activations from 0.001 to 10.
    for _ in 0..4 {
        let activation = 10.0_f64.powf(rng.random_range(-3.0..1.0));
        let result = estimate_of(activation, 0.0);
        assert_eq!(result.sta, [Some(vec![0.0; 8])], "{activation}");
        assert_eq!((result.reliability, result.silent.len()), (vec![None], 0));
        // A slope of a thousandth of it is no rounding.
        let result = estimate_of(activation, 1e-3);
        assert!(result.sta[0].as_ref().unwrap()[3] > 0.0, "{activation}");
        assert!(result.reliability[0].is_some());
    }
}

#[test]
fn signed_activations_are_averaged_over_their_magnitude() {
    let mut sums = sums();
    // Σa is zero where a is −a in the other half.
    sums[0] = fixed(&[4.0, -4.0]);
    let result = estimate(&by_hand(&sums), &by_hand(&sums), &[], &NO_GRADIENTS);
    let sta = result.sta[0].as_ref().unwrap();
    assert!((sta[0] - 2.4 / 8.0).abs() < 1e-6 && (sta[1] - 0.8 / 8.0).abs() < 1e-6);
    assert_eq!(result.kernel_correlation, [None]);
}

#[test]
fn a_unit_that_never_fired_is_silent_and_has_no_average() {
    let zeros = [vec![0; 2], vec![0; 2], vec![7; 4], vec![0; 4]];
    let mut seen = by_hand(&zeros);
    seen.fired = &[0];
    let mut unseen = seen;
    unseen.fields = [0, 0];
    let result = estimate(&seen, &unseen, &[1.0, -1.0], &NO_GRADIENTS);
    assert_eq!((result.silent, result.sta), (vec![0], vec![None]));
    assert_eq!(
        (result.kernel_correlation, result.image_sta),
        (vec![None], vec![None])
    );
    // A unit that has been shown nothing is not silent.
    assert!(
        estimate(&unseen, &unseen, &[], &NO_GRADIENTS)
            .silent
            .is_empty()
    );
}

#[test]
fn the_covariance_is_compared_with_the_gradient_of_the_selected_units() {
    let sums = sums();
    let gradients = GradientSums {
        units: &[0],
        fields: 3,
        sum: &[5, -9],
    };
    let noise = by_hand(&sums);
    let result = estimate(&noise, &noise, &[], &gradients);
    assert!((result.stein_correlation[0].unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn sums_over_no_field_give_neither_averages_nor_correlations() {
    let sums = sums();
    let seen = by_hand(&sums);
    let gradients = GradientSums {
        units: &[0],
        fields: 0,
        sum: &[5, -9],
    };
    let result = estimate(&seen, &seen, &[], &gradients);
    assert_eq!(
        (result.gradient, result.stein_correlation),
        (vec![None], vec![None])
    );
    let unseen = StaSums {
        fields: [0, 0],
        ..seen
    };
    let gradients = GradientSums {
        fields: 3,
        ..gradients
    };
    let result = estimate(&unseen, &unseen, &[1.0, -1.0], &gradients);
    assert_eq!(
        (result.sta, result.image_sta, result.reliability),
        (vec![None], vec![None], vec![None])
    );
    assert_eq!(result.gradient, [Some(vec![5.0, -9.0])]);
    assert_eq!(
        (result.stein_correlation, result.kernel_correlation),
        (vec![None], vec![None])
    );
}

#[test]
fn each_of_several_units_has_its_own_average_correlations_and_reliability() {
    const UNITS: usize = 3;
    const PIXELS: usize = 3;
    // Eighths, which are exact; the last unit never fires.
    let stimulus = |t: usize, p: usize| ((3 * t + 5 * p + t * p + t * t) % 7) as f64 / 8.0 - 0.375;
    let activation = |t: usize, unit: usize| match unit {
        0 => (t % 3) as f64,
        1 => (5 * t % 4) as f64 - 1.0,
        _ => 0.0,
    };
    let all: Vec<usize> = (0..24).collect();
    let parity = |t: usize| t / 6 % 2;
    let by_parity = |of: &dyn Fn(usize) -> f64| {
        [0, 1].map(|side| {
            all.iter()
                .filter(|&&t| parity(t) == side)
                .map(|&t| of(t))
                .sum::<f64>()
        })
    };
    // Sums by parity, one number after the other, as [2,N].
    let table = |count: usize, of: &dyn Fn(usize, usize) -> f64| {
        let sums: Vec<[f64; 2]> = (0..count).map(|at| by_parity(&|t| of(t, at))).collect();
        let halves = [0, 1].map(|side| sums.iter().map(|sums| sums[side]).collect::<Vec<f64>>());
        fixed(&halves.concat())
    };
    let sums = [
        table(UNITS, &activation),
        table(UNITS, &|t, unit| activation(t, unit).abs()),
        table(PIXELS, &stimulus),
        table(UNITS * PIXELS, &|t, at| {
            activation(t, at / PIXELS) * stimulus(t, at % PIXELS)
        }),
    ];
    let mut noise = by_hand(&sums);
    noise.fields = [12, 12];
    noise.fired = &[16, 18, 0];
    let kernel = [1.0, 0.0, 0.5, -1.0, 2.0, 0.0, 1.0, 2.0, 3.0];
    let gradients = GradientSums {
        units: &[1, 0],
        fields: 1,
        sum: &[7, -2, 4, 1, 5, -3],
    };
    let result = estimate(&noise, &noise, &kernel, &gradients);
    assert_eq!(result.silent, [2]);
    assert!(result.fits(UNITS, PIXELS));
    let average = |unit: usize, side: Option<usize>| -> Vec<f32> {
        let taken = all
            .iter()
            .filter(|&&t| side.is_none_or(|side| parity(t) == side));
        let taken: Vec<usize> = taken.copied().collect();
        let total = |of: &dyn Fn(usize) -> f64| taken.iter().map(|&t| of(t)).sum::<f64>();
        let pixel = |p: usize| {
            let mean = total(&|t| stimulus(t, p)) / taken.len() as f64;
            let sum = total(&|t| activation(t, unit) * (stimulus(t, p) - mean));
            (sum / total(&|t| activation(t, unit).abs())) as f32
        };
        (0..PIXELS).map(pixel).collect()
    };
    for (unit, gradient) in [(0, [1.0, 5.0, -3.0]), (1, [7.0, -2.0, 4.0])] {
        let expected = average(unit, None);
        let found = result.sta[unit].as_ref().unwrap();
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-5)
        );
        let kernel = &kernel[unit * PIXELS..][..PIXELS];
        let halves = [0, 1].map(|side| average(unit, Some(side)));
        for (found, expected) in [
            (result.kernel_correlation[unit], pearson(&expected, kernel)),
            (
                result.stein_correlation[unit],
                pearson(&expected, &gradient),
            ),
            (
                result.reliability[unit],
                pearson(&halves[0], &halves[1]).map(|r| whole_reliability(r, 2.0)),
            ),
        ] {
            assert!(
                (found.unwrap() - expected.unwrap()).abs() < 1e-4,
                "unit {unit}"
            );
        }
        assert_eq!(result.gradient[unit].as_deref(), Some(&gradient[..]));
    }
    assert_eq!((&result.sta[2], &result.gradient[2]), (&None, &None));
    // Other sizes.
    let with = |change: &dyn Fn(&mut LayerEstimate)| {
        let mut changed = result.clone();
        change(&mut changed);
        changed.fits(UNITS, PIXELS)
    };
    assert!(!with(&|layer| layer.sta.truncate(2)));
    assert!(!with(&|layer| layer.image_sta[0] = Some(vec![0.0; 2])));
    assert!(!with(&|layer| layer.gradient.truncate(2)));
    assert!(!with(&|layer| layer.silent = vec![3]));
    assert!(!with(&|layer| layer.kernel_correlation.truncate(2)));
    assert!(!with(&|layer| layer.stein_correlation.truncate(2)));
    assert!(!with(&|layer| layer.reliability.truncate(2)));
}

/// Diagonal sums of two spikes with the mean (1, 0, …). Eigenvalues by chance fill −1 to 1, a half-width of 1, which
/// is widened by 5·8^(−⅔) = 1.25.
#[test]
fn axes_are_the_eigenvalues_beyond_the_widened_range_farthest_from_zero_first() {
    fn moments(outer: &[i64]) -> SecondMoments<'_> {
        SecondMoments {
            activation: 2,
            weighted: &[2, 0, 0, 0, 0, 0, 0, 0],
            outer,
        }
    }
    let diagonal = |values: [f64; 8]| -> Vec<i64> {
        let mut outer = vec![0; 64];
        for (at, value) in values.into_iter().enumerate() {
            // Two times the eigenvalue, the prior's ½ and the square of the mean.
            outer[9 * at] = (2.0 * (value + 0.5 + if at == 0 { 1.0 } else { 0.0 })) as i64;
        }
        outer
    };
    let outer = diagonal([-3.0, 2.0, 4.0, 0.0, 0.0, -2.0, 0.0, 0.0]);
    let shuffled = diagonal([-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let found = stc_axes(&moments(&outer), &moments(&shuffled), 0.5).unwrap();
    let expected: [f64; 8] = [-3.0, -2.0, 0.0, 0.0, 0.0, 0.0, 2.0, 4.0];
    let mut pairs = found.eigenvalues.iter().zip(expected);
    assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-9));
    assert!((found.chance.0 + 2.25).abs() < 1e-9 && (found.chance.1 - 2.25).abs() < 1e-9);
    let places: Vec<Option<usize>> = found
        .axes
        .iter()
        .map(|(_, axis)| axis.iter().position(|&v| (v - 1.0).abs() < 1e-9))
        .collect();
    assert_eq!(places, [Some(2), Some(0)]);
}
