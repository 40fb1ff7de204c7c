//! Choice of grain: how coarse the noise must be for reliable maps, extrapolated from a few trials at each grain.

use serde::{Deserialize, Serialize};

use super::correlation::trials_needed_beyond;
use super::interval::snr_interval;

/// A forecast from a few trials at one grain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Foretold")]
pub struct GrainForecast {
    /// Side of a noise cell in pixels: the noise consists of squares of equal pixels.
    pub cell: usize,
    /// Numbers of a map.
    pub points: usize,
    /// Trials shown.
    pub trials: u64,
    /// Mean signal-to-noise ratio over the maps of all classes.
    pub snr: f64,
    /// Lower end of its 95 % interval.
    pub snr_low: f64,
    /// Upper end of its 95 % interval.
    pub snr_high: f64,
    /// The reliability SNR/(1+SNR) of these trials.
    pub reliability: f64,
    /// Trials needed for the target reliability; `None` if the maps show nothing above chance.
    pub needed: Option<u64>,
    /// Lower bound on the trials needed: from the upper end of the ratio's interval.
    pub least: u64,
    /// Trials per second during the pilot.
    pub per_second: f64,
}

/// Extrapolates to the reliability `target` in (0,1) from the signal-to-noise ratios of maps of `points`
/// numbers after `trials` trials, one ratio per class. The ratio R/(1−R) grows in proportion to the trials, but for
/// those that are `fitted` by means.
///
/// `None` if there is no map.
pub fn forecast(
    (cell, points): (usize, usize),
    (trials, fitted): (u64, u64),
    ratios: &[f64],
    target: f64,
    per_second: f64,
) -> Option<GrainForecast> {
    if ratios.is_empty() || trials == 0 {
        return None;
    }
    let snr = ratios.iter().sum::<f64>() / ratios.len() as f64;
    // The responses of K classes add up to 0, so K − 1 of them are free.
    let free = (ratios.len() as f64 - 1.0).max(1.0);
    let [low, high] = snr_interval(snr, points);
    let half = (high - low) / 2.0 / free.sqrt();
    let (low, high) = (snr - half, snr + half);
    let reliability = |ratio: f64| ratio.max(0.0) / (1.0 + ratio.max(0.0));
    // No forecast from a ratio that is not above chance.
    let shown = low > 0.0;
    let trials_for = |ratio| trials_needed_beyond(fitted, trials, reliability(ratio), target);
    let needed = trials_for(snr).filter(|_| shown);
    Some(GrainForecast {
        cell,
        points,
        trials,
        snr,
        snr_low: low,
        snr_high: high,
        reliability: reliability(snr),
        needed,
        least: trials_for(high).unwrap_or(u64::MAX),
        per_second,
    })
}

/// Seconds within which the maps of a recommended grain should become reliable.
const PATIENCE: f64 = 600.0;

/// The finest grain whose maps become reliable within ten minutes when `workers` workers share the trials,
/// else the one that gets there soonest; `None` if no grain shows anything.
pub fn recommend(all: &[GrainForecast], workers: usize) -> Option<&GrainForecast> {
    let seconds = PATIENCE * workers.max(1) as f64;
    let time =
        |forecast: &GrainForecast| Some(forecast.needed? as f64 / forecast.per_second.max(1e-9));
    let mut within = all
        .iter()
        .filter(|forecast| time(forecast).is_some_and(|t| t <= seconds));
    let soonest = || {
        let known = all
            .iter()
            .filter_map(|forecast| Some((time(forecast)?, forecast)));
        known
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, forecast)| forecast)
    };
    within.next().or_else(soonest)
}

#[cfg(test)]
impl GrainForecast {
    /// A forecast at cells of this size for tests: R 0.5 after 1,000 trials.
    pub fn sample(cell: usize) -> Self {
        Self {
            cell,
            points: 196,
            trials: 1000,
            snr: 1.0,
            snr_low: 0.5,
            snr_high: 1.5,
            reliability: 0.5,
            needed: Some(19_000),
            least: 12_000,
            per_second: 1e4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast_at(cell: usize, ratios: &[f64]) -> GrainForecast {
        forecast((cell, 784), (1000, 0), ratios, 0.95, 1000.0).unwrap()
    }

    #[test]
    fn trials_needed_follow_from_the_signal_to_noise_ratio() {
        // A ratio of 1 is R ½; 0.95 is a ratio of 19.
        let forecast = forecast_at(1, &[1.0; 10]);
        assert_eq!(forecast.needed, Some(19_000));
        assert!((forecast.reliability - 0.5).abs() < 1e-12);
        assert!(forecast.snr_low < 1.0 && forecast.snr_high > 1.0 && forecast.least < 19_000);
        // Trials that fit means are needed once.
        let ratios = [1.0; 10];
        let fitted = super::forecast((1, 784), (1000, 100), &ratios, 0.95, 1000.0);
        assert_eq!(fitted.unwrap().needed, Some(17_200));
    }

    #[test]
    fn a_ratio_not_above_chance_has_only_a_bound() {
        let forecast = forecast_at(1, &[0.01, -0.02, 0.015, -0.01]);
        assert_eq!(forecast.needed, None);
        assert!(forecast.least > 100_000, "{}", forecast.least);
    }

    /// The ratio s whose interval begins at 0 to the last bit: s·P = 1.96·√(4·s·P + 4·1.96² + 2P).
    #[test]
    fn a_ratio_whose_interval_begins_at_zero_is_not_above_chance() {
        let found = forecast_at(1, &[0.109_758_159_900_970_88]);
        assert_eq!((found.snr_low, found.needed), (0.0, None));
        let above = forecast_at(1, &[0.109_759]);
        assert!(above.snr_low > 0.0 && above.needed.is_some());
    }

    #[test]
    fn the_finest_grain_in_time_is_recommended_else_the_fastest() {
        // 47,500 trials of cells of 2 take 475 s at 100 a second.
        let at = |rate: f64| {
            let all = [(1, [0.0001]), (2, [0.4]), (4, [2.0]), (8, [9.0])];
            all.map(|(cell, ratios)| forecast((cell, 784), (1000, 0), &ratios, 0.95, rate).unwrap())
        };
        assert_eq!(
            recommend(&at(100.0), 1).map(|forecast| forecast.cell),
            Some(2)
        );
        assert_eq!(
            recommend(&at(1.0), 1).map(|forecast| forecast.cell),
            Some(8)
        );
        assert_eq!(
            recommend(&at(1.0), 100).map(|forecast| forecast.cell),
            Some(2)
        );
        assert_eq!(recommend(&at(100.0)[..1], 1), None);
        // Exactly ten minutes are in time.
        let slow = |cell, needed| GrainForecast {
            needed: Some(needed),
            per_second: 100.0,
            ..forecast_at(cell, &[1.0; 10])
        };
        let chosen = |first, second, workers| {
            let all = [slow(1, first), slow(2, second)];
            recommend(&all, workers).map(|forecast| forecast.cell)
        };
        assert_eq!(chosen(60_000, 50_000, 1), Some(1));
        assert_eq!(chosen(60_001, 50_000, 0), Some(2));
        assert_eq!(chosen(60_001, 50_000, 2), Some(1));
        assert_eq!(chosen(60_001, 70_000, 1), Some(1));
    }

    #[test]
    fn the_ends_of_a_forecast_are_those_of_as_many_maps_as_are_free() {
        let [low, high] = snr_interval(0.5, 784);
        // Of five maps four are free; one map alone is.
        for (maps, free) in [(5, 4.0_f64), (1, 1.0)] {
            let found = forecast_at(1, &vec![0.5; maps]);
            let half = (high - low) / 2.0 / free.sqrt();
            assert!((found.snr_low - (0.5 - half)).abs() < 1e-12);
            assert!((found.snr_high - (0.5 + half)).abs() < 1e-12);
            assert_eq!(found.needed, trials_needed_beyond(0, 1000, 0.5 / 1.5, 0.95));
            let high = found.snr_high / (1.0 + found.snr_high);
            let least = trials_needed_beyond(0, 1000, high, 0.95);
            assert_eq!(Some(found.least), least);
        }
        assert_eq!(forecast((1, 784), (1000, 0), &[], 0.95, 1.0), None);
        assert_eq!(forecast((1, 784), (0, 0), &[0.5], 0.95, 1.0), None);
    }
}
