//! How coarse noise must be for reliable maps, extrapolated from a few trials at each grain.

use serde::{Deserialize, Serialize};

use super::correlation::trials_needed;
use super::interval::snr_interval;

/// What a few trials at one grain foretell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foretold {
    /// Side of the squares of equal pixels that the noise consists of.
    pub cell: usize,
    /// Numbers of a map.
    pub points: usize,
    /// Trials that were shown.
    pub trials: u64,
    /// Mean signal-to-noise ratio of the maps of all classes, and the ends of its 95 % interval.
    pub snr: f64,
    /// Its lower end.
    pub snr_low: f64,
    /// Its upper end.
    pub snr_high: f64,
    /// The reliability SNR/(1+SNR) of these trials.
    pub reliability: f64,
    /// Trials to the target reliability, where the maps show anything.
    pub needed: Option<u64>,
    /// The least that they may be: with the upper end of the ratio.
    pub least: u64,
    /// Trials a second while they were shown.
    pub per_second: f64,
}

/// From the signal-to-noise ratios of the maps of `trials` trials, one a class, each of `points`
/// numbers, to the reliability `target` in (0,1). The ratio grows in proportion to the trials, so
/// R/(1−R) does.
///
/// `None` without a map.
pub fn foretold(
    (cell, points): (usize, usize),
    trials: u64,
    ratios: &[f64],
    target: f64,
    per_second: f64,
) -> Option<Foretold> {
    if ratios.is_empty() || trials == 0 {
        return None;
    }
    let snr = ratios.iter().sum::<f64>() / ratios.len() as f64;
    // The responses of K classes add up to 0: K − 1 of them are free.
    let free = (ratios.len() as f64 - 1.0).max(1.0);
    let [low, high] = snr_interval(snr, points);
    let half = (high - low) / 2.0 / free.sqrt();
    let (low, high) = (snr - half, snr + half);
    let reliability = |ratio: f64| ratio.max(0.0) / (1.0 + ratio.max(0.0));
    // What is not above chance foretells nothing.
    let shown = low > 0.0;
    let needed = trials_needed(trials, reliability(snr), target).filter(|_| shown);
    Some(Foretold {
        cell,
        points,
        trials,
        snr,
        snr_low: low,
        snr_high: high,
        reliability: reliability(snr),
        needed,
        least: trials_needed(trials, reliability(high), target).unwrap_or(u64::MAX),
        per_second,
    })
}

/// Seconds that the maps of a grain that is advised may take.
const PATIENCE: f64 = 600.0;

/// The finest of some grains whose maps are reliable within ten minutes where so many workers share the
/// trials, else the one that is so soonest; `None` where no grain shows anything.
pub fn advised(all: &[Foretold], workers: usize) -> Option<&Foretold> {
    let seconds = PATIENCE * workers.max(1) as f64;
    let time = |it: &Foretold| Some(it.needed? as f64 / it.per_second.max(1e-9));
    let mut within = all
        .iter()
        .filter(|it| time(it).is_some_and(|t| t <= seconds));
    let soonest = || {
        let known = all.iter().filter_map(|it| Some((time(it)?, it)));
        known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, it)| it)
    };
    within.next().or_else(soonest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cell: usize, ratios: &[f64]) -> Foretold {
        foretold((cell, 784), 1000, ratios, 0.95, 1000.0).unwrap()
    }

    #[test]
    fn trials_follow_from_the_ratio_in_proportion() {
        // A ratio of 1 is R ½; 0.95 is a ratio of 19.
        let it = of(1, &[1.0; 10]);
        assert_eq!(it.needed, Some(19_000));
        assert!((it.reliability - 0.5).abs() < 1e-12);
        assert!(it.snr_low < 1.0 && it.snr_high > 1.0 && it.least < 19_000);
    }

    #[test]
    fn what_is_not_above_chance_has_a_bound_alone() {
        let it = of(1, &[0.01, -0.02, 0.015, -0.01]);
        assert_eq!(it.needed, None);
        assert!(it.least > 100_000, "{}", it.least);
    }

    #[test]
    fn the_finest_grain_in_time_is_advised_else_the_soonest() {
        // 47,500 trials of cells of 2 take 475 s at 100 a second.
        let at = |rate: f64| {
            let all = [(1, [0.0001]), (2, [0.4]), (4, [2.0]), (8, [9.0])];
            all.map(|(cell, ratios)| foretold((cell, 784), 1000, &ratios, 0.95, rate).unwrap())
        };
        assert_eq!(advised(&at(100.0), 1).map(|it| it.cell), Some(2));
        assert_eq!(advised(&at(1.0), 1).map(|it| it.cell), Some(8));
        assert_eq!(advised(&at(1.0), 100).map(|it| it.cell), Some(2));
        assert_eq!(advised(&at(100.0)[..1], 1), None);
    }
}
