//! Bounds: normal quantiles, the Bonferroni threshold on a map's |z|, and Wilson's interval for a
//! proportion.

/// Family-wise level at which a pixel or a cluster of a map counts as significant.
pub const ALPHA: f64 = 0.05;

/// The z value that bounds the middle 95 % of the standard normal distribution.
pub const NORMAL_95: f64 = 1.959_963_984_540_054;

/// An estimate and the ends of its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate itself, always inside the interval.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Wilson's 95 % score interval of the share `successes / n`, in \[0,1\]. `None` if there is no
/// share: no trials, or more successes than trials.
///
/// Wilson 1927: the shares p for which |p̂ − p| ≤ 1.96·√(p(1−p)/n). Unlike p̂ ± 1.96·SE it never
/// leaves \[0,1\], and it has a width at 0 and at n successes.
pub fn wilson(successes: u64, n: u64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    Some(score_interval(successes as f64 / n as f64, n as f64))
}

/// Wilson's 95 % score interval of a share, in \[0,1\], of `trials` trials, which need not be whole.
pub(super) fn score_interval(share: f64, trials: f64) -> Interval {
    let square = NORMAL_95 * NORMAL_95 / trials;
    let centre = (share + square / 2.0) / (1.0 + square);
    let spread = share * (1.0 - share) * square + square * square / 4.0;
    let half = spread.sqrt() / (1.0 + square);
    // Exact ends where the formula only comes within a rounding error of them.
    Interval {
        estimate: share,
        low: if share <= 0.0 { 0.0 } else { centre - half },
        high: if share >= 1.0 { 1.0 } else { centre + half },
    }
}

/// The 95 % interval of the signal-to-noise ratio of a map of `pixels` numbers with independent errors.
///
/// Σz² follows the noncentral χ² of P degrees of freedom and noncentrality λ = P·SNR, of mean P + λ and
/// variance 2P + 4λ. As in Wilson's interval: the λ for which |Σz² − P − λ| ≤ 1.96·√(2P + 4λ).
pub fn snr_interval(snr: f64, pixels: usize) -> [f64; 2] {
    let (p, square) = (pixels as f64, NORMAL_95 * NORMAL_95);
    let excess = snr * p;
    let spread = NORMAL_95 * (4.0 * excess + 4.0 * square + 2.0 * p).max(0.0).sqrt();
    let end = |side: f64| (excess + 2.0 * square + side * spread) / p;
    [end(-1.0), end(1.0)]
}

/// Quantile of the standard normal distribution at probability `p` in (0,1).
///
/// Acklam's rational approximation, with a relative error below 1.2e-9.
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.38357751867269e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 5] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 4] = [
        7.784695709041462e-03,
        3.224671290700398e-01,
        2.445134137142996e+00,
        3.754408661907416e+00,
    ];
    let polynomial =
        |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |q: f64| polynomial(&C, q) / (polynomial(&D, q) * q + 1.0);
    const LOW: f64 = 0.02425;
    if p < LOW {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 1.0 - LOW {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
    }
}

/// The two-sided Bonferroni bound on |z| for `tests` pixels at family-wise level `alpha`.
///
/// 784 pixels at 0.05: 4.0.
pub fn bonferroni(tests: usize, alpha: f64) -> f64 {
    normal_quantile(1.0 - alpha / (2.0 * tests as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959963984540),
            (0.025, -1.959963984540),
            (0.999, 3.090232306168),
            (1e-6, -4.753424308823),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn bonferroni_at_784_pixels_is_four() {
        assert!((bonferroni(784, 0.05) - 4.0).abs() < 0.01);
    }

    #[test]
    fn wilson_matches_its_closed_form_and_a_published_example() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 1 of 29, 0 of 20.
        for (successes, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (1, 29, 0.0061, 0.1718),
            (0, 20, 0.0, 0.1611),
        ] {
            let interval = wilson(successes, n).unwrap();
            assert_eq!(interval.estimate, successes as f64 / n as f64);
            assert!(
                (interval.low - low).abs() < 5e-5,
                "{successes} of {n}: {interval:?}"
            );
            assert!(
                (interval.high - high).abs() < 5e-5,
                "{successes} of {n}: {interval:?}"
            );
        }
    }

    #[test]
    fn the_ends_of_wilsons_interval_are_where_the_score_test_just_rejects() {
        let interval = wilson(7, 40).unwrap();
        for end in [interval.low, interval.high] {
            let z = (interval.estimate - end).abs() / (end * (1.0 - end) / 40.0).sqrt();
            assert!((z - NORMAL_95).abs() < 1e-9, "{z}");
        }
    }

    #[test]
    fn a_share_of_all_or_nothing_still_has_an_interval() {
        let (none, all) = (wilson(0, 50).unwrap(), wilson(50, 50).unwrap());
        assert!(none.low == 0.0 && none.high > 0.05);
        assert!(all.high == 1.0 && all.low < 0.95);
        assert!((none.high - (1.0 - all.low)).abs() < 1e-12);
    }

    #[test]
    fn impossible_counts_have_no_interval() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(3, 2), None);
    }

    /// So few pixels that every term counts: |P·SNR − λ| = 1.96·√(2P + 4λ), with λ = P times the end.
    #[test]
    fn the_ends_of_the_snr_interval_are_where_its_score_test_just_rejects() {
        let snr = 0.7;
        let [low, high] = snr_interval(snr, 10);
        assert!(low < snr && snr < high);
        for end in [low, high] {
            let z = 10.0 * (snr - end).abs() / (20.0 + 40.0 * end).sqrt();
            assert!((z - NORMAL_95).abs() < 1e-9, "{z}");
        }
    }
}
