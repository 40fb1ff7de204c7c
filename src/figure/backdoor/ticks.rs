//! Round numbers for an axis, and their labels.

use crate::format::short;

/// At most six round numbers between two values, spaced by 1, 2 or 5 times a power of ten.
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
    (first..=last)
        .map(|multiple| multiple as f64 * step)
        .collect()
}

/// The label of a number: `−0.5`.
pub fn number(value: f64) -> String {
    short(value).replace('-', "−")
}
