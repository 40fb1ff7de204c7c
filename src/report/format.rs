//! Numbers as a person reads them: a unit on each, and enough digits, not more.

use crate::session::config::DatasetName;

/// A count or a rate to `digits` significant digits, with k, M, G or T: `1.21 M`, `9.4 k`, `412 k`.
///
/// Digits before the point are all shown, and so are all of a whole number below 1,000.
pub fn si(value: f64, digits: usize) -> String {
    const PREFIXES: [&str; 5] = ["", " k", " M", " G", " T"];
    if !value.is_finite() {
        return "–".into();
    }
    if value.fract() == 0.0 && value.abs() < 1000.0 {
        return format!("{value:.0}");
    }
    // The rounded number decides the prefix: 999,960 is 1.00 M.
    let last = digits.saturating_sub(1);
    let rounded = format!("{value:.last$e}");
    let exponent = rounded.split_once('e').and_then(|(_, e)| e.parse().ok());
    let exponent = exponent.unwrap_or(0_i32).max(0) as usize;
    let thousands = (exponent / 3).min(PREFIXES.len() - 1);
    let decimals = last.saturating_sub(exponent - 3 * thousands);
    let scaled = value / 1000_f64.powi(thousands as i32);
    format!("{scaled:.decimals$}{}", PREFIXES[thousands])
}

/// A count to three significant digits: `784`, `60.0 k`, `1.21 M`.
pub fn count(value: u64) -> String {
    si(value as f64, 3)
}

/// Things per second to two significant digits: `9.4 k images/s`.
pub fn rate(per_second: f64, unit: &str) -> String {
    format!("{} {unit}/s", si(per_second, 2))
}

/// A whole number with commas between thousands: `1,000,000`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of time in its two largest units: `42 s`, `4 min 55 s`, `2 h 3 min`, `3 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    if seconds < 1.0 {
        return "under 1 s".into();
    }
    let seconds = seconds.round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => two(minutes, "min", seconds % 60, "s"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// A share in \[0,1\] as a percentage with so many decimals: `97.5 %`. What is not all does not
/// show as `100.0 %`, and what is not nothing shows as `<0.1 %` at least.
pub fn percent(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return "–".into();
    }
    let step = 10_f64.powi(-(decimals as i32));
    let mut shown = share * 100.0;
    if share < 1.0 && shown > 100.0 - step {
        shown = 100.0 - step;
    }
    if share > 0.0 && shown < step / 2.0 {
        return format!("<{step:.decimals$} %");
    }
    format!("{shown:.decimals$} %")
}

/// A file's size in decimal units: `812 B`, `38.2 kB`, `6.10 MB`.
pub fn bytes(size: u64) -> String {
    let text = si(size as f64, 3);
    match text.split_once(' ') {
        Some((number, prefix)) => format!("{number} {prefix}B"),
        None => format!("{text} B"),
    }
}

/// A learning rate to two significant digits: `0.00073`, `1.0e-5`.
pub fn learning_rate(lr: f64) -> String {
    if lr == 0.0 || !lr.is_finite() {
        return format!("{lr}");
    }
    let exponent = lr.abs().log10().floor() as i32;
    if exponent < -4 {
        return format!("{lr:.1e}");
    }
    let decimals = usize::try_from(1 - exponent).unwrap_or(0);
    format!("{lr:.decimals$}")
}

/// What a class shows, by its data set: `7`, `Sneaker`.
pub fn class_name(dataset: DatasetName, class: usize) -> String {
    const CLOTHES: [&str; 10] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];
    match (dataset, CLOTHES.get(class)) {
        (DatasetName::FashionMnist, Some(name)) => (*name).into(),
        _ => class.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_have_three_digits_and_a_prefix() {
        for (value, text) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1000, "1.00 k"),
            (9_996, "10.0 k"),
            (60_000, "60.0 k"),
            (99_960, "100 k"),
            (999_499, "999 k"),
            (999_600, "1.00 M"),
            (1_210_000, "1.21 M"),
            (4_000_000, "4.00 M"),
            (12_000_000_000, "12.0 G"),
        ] {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn rates_have_two_digits() {
        assert_eq!(rate(9432.0, "trials"), "9.4 k trials/s");
        assert_eq!(rate(2870.5, "images"), "2.9 k images/s");
        assert_eq!(rate(412_345.0, "trials"), "412 k trials/s");
        assert_eq!(rate(0.53, "trials"), "0.5 trials/s");
        assert_eq!(rate(9.97, "trials"), "10 trials/s");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(431_080), "431,080");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(grouped(12), "12");
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [
            (0.2, "under 1 s"),
            (42.4, "42 s"),
            (59.7, "1 min"),
            (295.0, "4 min 55 s"),
            (7_391.0, "2 h 3 min"),
            (273_600.0, "3 d 4 h"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn what_is_not_all_or_nothing_does_not_show_as_such() {
        assert_eq!(percent(0.9749, 1), "97.5 %");
        assert_eq!(percent(0.99999, 1), "99.9 %");
        assert_eq!(percent(1.0, 1), "100.0 %");
        assert_eq!(percent(0.000_01, 1), "<0.1 %");
        assert_eq!(percent(0.0, 1), "0.0 %");
        assert_eq!(percent(0.98854, 2), "98.85 %");
    }

    #[test]
    fn sizes_and_learning_rates() {
        assert_eq!(bytes(812), "812 B");
        assert_eq!(bytes(6_100_000), "6.10 MB");
        assert_eq!(learning_rate(0.000_731), "0.00073");
        assert_eq!(learning_rate(0.001), "0.0010");
        assert_eq!(learning_rate(1e-5), "1.0e-5");
    }

    proptest! {
        #[test]
        fn a_count_is_never_wider_than_six(value in 0_u64..1_000_000_000_000_000) {
            prop_assert!(count(value).chars().count() <= 6, "{}", count(value));
        }
    }
}
