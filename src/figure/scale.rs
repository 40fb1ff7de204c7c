//! Where scales and axes end, so that they stand still while what they measure grows.

/// The round number at or above a value at which scales end, so that a scale stands still while
/// its map grows: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
pub fn round_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    const STEPS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let value = f64::from(value);
    let decade = 10_f64.powi(value.log10().floor() as i32);
    let step = STEPS
        .into_iter()
        .find(|step| step * decade >= value * (1.0 - 1e-6))
        .unwrap_or(10.0);
    (step * decade) as f32
}

/// An axis from just below `low` to just above `high`, its ends 1, 2 or 5 times a power of ten;
/// named are its ends, and all such values or the powers alone between them.
pub fn log_axis(low: f64, high: f64) -> ((f64, f64), Vec<f64>) {
    let all: Vec<(f64, bool)> = (-9..=4)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| (step * 10_f64.powi(power), step == 1.0)))
        .collect();
    let last = all.len() - 1;
    let from = all.iter().rposition(|(t, _)| *t <= low).unwrap_or(0);
    let to = all.iter().position(|(t, _)| *t >= high).unwrap_or(last);
    let inside = &all[from..=to.max(from)];
    let ends = (inside[0].0, inside[inside.len() - 1].0);
    let few = inside.len() <= 7;
    let named = inside.iter().filter(|(_, whole)| few || *whole);
    (ends, named.map(|(t, _)| *t).collect())
}

/// Round numbers from 0 to `last`, at most nine of them: 1, 2 or 5 times a power of ten apart.
pub fn ticks(last: f64) -> Vec<f64> {
    let step = (-6..=9)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))
        .find(|step| last / step <= 8.0)
        .unwrap_or(last);
    let count = (last / step + 1e-9).floor() as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers_at_or_above_the_value() {
        for (value, end) in [
            (0.0173, 0.02),
            (0.02, 0.02),
            (0.9, 1.0),
            (11.3, 12.0),
            (6.1, 8.0),
        ] {
            assert!(
                (round_up(value) - end).abs() < 1e-5,
                "{value} {}",
                round_up(value)
            );
        }
        assert_eq!(round_up(0.0), 1.0);
        assert_eq!(round_up(f32::NAN), 1.0);
    }
}
