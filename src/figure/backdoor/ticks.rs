//! Round numbers at an axis, and how they are written.

use crate::format::short;

/// Round numbers between two values, at most six: 1, 2 or 5 times a power of ten apart.
pub fn ticks_between(low: f64, high: f64) -> Vec<f64> {
    let reach = high - low;
    if !(reach.is_finite() && reach > 0.0) {
        return vec![low];
    }
    let steps = (-12..=12).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
    let step = steps.into_iter().find(|step| reach / step <= 5.0);
    let step = step.unwrap_or(reach);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|at| at as f64 * step).collect()
}

/// A number at an axis: `−0.5`.
pub fn number(value: f64) -> String {
    short(value).replace('-', "−")
}
