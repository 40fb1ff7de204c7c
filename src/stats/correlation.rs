//! Correlation of two maps, and the split-half reliability derived from it.

use super::interval::NORMAL_95;

/// Pearson's r of two maps of the same length; `None` if either is constant or empty.
pub fn pearson(a: &[f32], b: &[f32]) -> Option<f64> {
    let n = a.len().min(b.len()) as f64;
    let mean = |map: &[f32]| map.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x) - mean_a, f64::from(y) - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

/// Reliability of a map with `length` times as many trials as the halves that correlate by `r`: Spearman–Brown,
/// nr/(1+(n−1)r), which is 2r/(1+r) if each half has half of the trials.
///
/// For a negative `r`, for which that formula diverges, nr/(1+(n−1)|r|), so that the result stays in
/// \[−1,1\] and a map without signal has about 0.
pub fn whole_reliability(r: f64, length: f64) -> f64 {
    (length * r / (1.0 + (length - 1.0) * r.abs())).clamp(-1.0, 1.0)
}

/// The 95 % interval of the correlation `r` of two halves of a map of `pixels` numbers; `None` if there are too few
/// pixels.
///
/// The map is fixed and only the trials vary: with independent errors of equal variance in every
/// pixel, the delta method gives Var r = (1−r)²(1+2r−r²)/P, narrower than Fisher's (1−r²)²/P, which lets
/// the map vary too. The interval is computed for artanh r, whose error hardly depends on r.
pub fn correlation_interval(r: f64, pixels: usize) -> Option<[f64; 2]> {
    if pixels < 8 || !r.is_finite() {
        return None;
    }
    if r >= 1.0 {
        return Some([1.0; 2]);
    }
    let signal = r.max(0.0);
    let error = ((1.0 + 2.0 * signal - signal * signal) / pixels as f64).sqrt() / (1.0 + signal);
    let end = |side: f64| (r.atanh() + side * NORMAL_95 * error).tanh();
    Some([end(-1.0), end(1.0)])
}

/// [`trials_needed`] if `fitted` of the trials are fitted by means, as the first trial of every true class, so that only
/// the others make the map.
pub fn trials_needed_beyond(
    fitted: u64,
    trials: u64,
    reliability: f64,
    target: f64,
) -> Option<u64> {
    let needed = trials_needed(trials.saturating_sub(fitted), reliability, target)?;
    needed.checked_add(fitted)
}

/// Trials at which a map with reliability `reliability` after `trials` trials would reach `target`;
/// `None` if there are no trials, the reliability is not above 0, the target is not inside (0,1), or the
/// number does not fit.
///
/// The signal-to-noise ratio R/(1−R) grows in proportion to the trials, so
/// n* = n·\[R*/(1−R*)\]/\[R/(1−R)\].
pub fn trials_needed(trials: u64, reliability: f64, target: f64) -> Option<u64> {
    let sensible = trials > 0 && reliability > 0.0 && 0.0 < target && target < 1.0;
    if !sensible {
        return None;
    }
    let ratio = |r: f64| r / (1.0 - r);
    let needed =
        (trials as f64 * ratio(target) * (1.0 - reliability).max(0.0) / reliability).ceil();
    (needed < u64::MAX as f64).then_some((needed as u64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of halves with equally many trials.
    fn spearman_brown(r: f64) -> f64 {
        whole_reliability(r, 2.0)
    }

    #[test]
    fn spearman_brown_matches_its_closed_form() {
        assert_eq!(spearman_brown(0.5), 2.0 / 3.0);
        assert_eq!(spearman_brown(1.0), 1.0);
        assert_eq!(spearman_brown(0.0), 0.0);
        assert_eq!(spearman_brown(-1.0), -1.0);
    }

    /// A signal-to-noise ratio of ½ of those that correlate by ⅓ is one of 1.25 of two and a half times as many trials.
    #[test]
    fn the_reliability_of_any_number_of_trials_follows_from_the_growth_of_the_ratio() {
        for (r, length, expected) in [
            (1.0 / 3.0, 2.5, 1.25 / 2.25),
            (0.5, 1.0, 0.5),
            (-0.5, 3.0, -0.75),
            (1.0, 2.3, 1.0),
        ] {
            assert!((whole_reliability(r, length) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn pearson_of_a_line_is_one_and_of_a_constant_is_undefined() {
        let x: Vec<f32> = (0..10).map(|v| v as f32).collect();
        let up: Vec<f32> = x.iter().map(|v| 3.0 * v + 1.0).collect();
        let down: Vec<f32> = x.iter().map(|v| -v).collect();
        assert!((pearson(&x, &up).unwrap() - 1.0).abs() < 1e-12);
        assert!((pearson(&x, &down).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(pearson(&x, &[2.0; 10]), None);
        assert_eq!(pearson(&[2.0; 10], &x), None);
    }

    #[test]
    fn pearson_matches_a_hand_made_pair() {
        // Deviations (-1,0,1) and (-1,1,0): r = 1 / 2.
        assert!((pearson(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn trials_needed_match_their_closed_form() {
        // R = ½ is a ratio of 1, and 0.95 one of 19.
        assert_eq!(trials_needed(1000, 0.5, 0.95), Some(19_000));
        assert_eq!(trials_needed(4, 0.8, 0.5), Some(1));
        assert_eq!(trials_needed(1000, 1.0, 0.95), Some(1));
        // If the target has been reached, the trials needed are the trials shown.
        let same = trials_needed(100_000, 0.95, 0.95).unwrap();
        assert!(same.abs_diff(100_000) <= 1, "{same}");
    }

    /// Of 1,000 trials 100 are fitted: the ratio of 1 of the other 900 must grow to 19.
    #[test]
    fn fitted_trials_are_needed_once() {
        let needed = |trials| trials_needed_beyond(100, trials, 0.5, 0.95);
        assert_eq!(needed(1000), Some(19 * 900 + 100));
        assert_eq!((needed(100), needed(7)), (None, None));
        assert_eq!(trials_needed_beyond(0, 1000, 0.5, 0.95), Some(19_000));
    }

    /// Maps of a known signal in white noise: the interval contains their true reliability.
    #[test]
    fn the_intervals_of_reliability_and_snr_contain_the_truth_19_times_in_20() {
        use crate::stats::interval::snr_interval;
        use rand::SeedableRng;
        use rand_distr::{Distribution, StandardNormal};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let pixels = 784;
        for strength in [0.0_f64, 0.2, 1.0, 3.0] {
            // A checkerboard has mean 0, so Pearson leaves it unchanged.
            let signal = |i: usize| {
                if (i + i / 28).is_multiple_of(2) {
                    strength
                } else {
                    -strength
                }
            };
            // Halves have errors of variance 1, the whole of ½.
            let snr = 2.0 * strength * strength;
            let reliability = snr / (1.0 + snr);
            let (mut held, mut snr_held) = (0, 0);
            for _ in 0..400 {
                let mut half = || -> Vec<f32> {
                    let mut draw =
                        |i| signal(i) + Distribution::<f64>::sample(&StandardNormal, &mut rng);
                    (0..pixels).map(|i| draw(i) as f32).collect()
                };
                let (even, odd) = (half(), half());
                let ends = correlation_interval(pearson(&even, &odd).unwrap(), pixels);
                let [low, high] = ends.unwrap().map(spearman_brown);
                held += usize::from((low..=high).contains(&reliability));
                let both = even.iter().zip(&odd).map(|(a, b)| f64::from(a + b) / 2.0);
                let power: f64 = both.map(|c| c * c).sum::<f64>() / pixels as f64;
                let [low, high] = snr_interval((power - 0.5) / 0.5, pixels);
                snr_held += usize::from((low..=high).contains(&snr));
            }
            // Three standard deviations of 400 draws at 95 %: 380 ± 13.
            assert!((367..=393).contains(&held), "{held} of 400 at {strength}");
            assert!(
                (367..=393).contains(&snr_held),
                "{snr_held} of 400 at {strength}"
            );
        }
    }

    #[test]
    fn trials_needed_are_not_given_without_a_usable_reliability() {
        assert_eq!(trials_needed(0, 0.5, 0.95), None);
        assert_eq!(trials_needed(1000, 0.0, 0.95), None);
        assert_eq!(trials_needed(1000, -0.0, 0.95), None);
        assert_eq!(trials_needed(1000, -0.2, 0.95), None);
        assert_eq!(trials_needed(1000, f64::NAN, 0.95), None);
        assert_eq!(trials_needed(1000, 0.5, 1.0), None);
        assert_eq!(trials_needed(1000, 0.5, 0.0), None);
        assert_eq!(trials_needed(1000, 1e-300, 0.95), None);
        // 2⁶³ fit 64 bits, and 2⁶⁴, to which the largest number of trials is rounded, do not.
        assert_eq!(trials_needed(1 << 63, 0.5, 0.5), Some(1 << 63));
        assert_eq!(trials_needed(u64::MAX, 0.5, 0.5), None);
    }

    /// artanh r has the standard error √(1 + 2r − r²)/(√P·(1 + r)), with 0 in place of a negative r.
    #[test]
    fn the_interval_of_a_correlation_matches_its_closed_form() {
        for (r, error) in [(0.6_f64, 1.84_f64.sqrt() / 16.0), (-0.3, 0.1)] {
            let ends = correlation_interval(r, 100).unwrap();
            for (end, side) in ends.into_iter().zip([-1.0, 1.0]) {
                let expected = r.atanh() + side * NORMAL_95 * error;
                assert!((end.atanh() - expected).abs() < 1e-9, "{end}");
            }
        }
        assert!(correlation_interval(0.5, 8).is_some());
        assert_eq!(correlation_interval(1.0, 8), Some([1.0; 2]));
        for (r, pixels) in [(0.5, 7), (1.0, 7), (f64::NAN, 8)] {
            assert_eq!(correlation_interval(r, pixels), None);
        }
    }
}
