//! Human-readable numbers, durations and sizes: with a unit, and no more digits than needed.

use crate::ids::Gamma;

/// `431,080`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 trial`, `60,000 trials`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", thousands(count)),
    }
}

/// `812`, `9,812`, `41.2 k`, `3.21 M`: three digits from ten thousand on.
pub fn count(number: f64) -> String {
    if !number.is_finite() {
        return "?".into();
    }
    let number = number.max(0.0);
    if number < 9_999.5 {
        return thousands(number.round() as u64);
    }
    for (unit, size) in [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)] {
        let scaled = number / size;
        if scaled < 9.995 {
            return format!("{scaled:.2} {unit}");
        } else if scaled < 99.95 {
            return format!("{scaled:.1} {unit}");
        } else if scaled < 999.5 {
            return format!("{scaled:.0} {unit}");
        }
    }
    format!("{:.0} T", number / 1e12)
}

/// `42 s`, `2 min 10 s`, `11 min`, `2 h 05 min`, `3 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".into();
    }
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..600 => format!("{} min {:02} s", s / 60, s % 60),
        600..3600 => format!("{} min", s / 60),
        3600..86_400 => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// A lower bound on a duration: `over 4 min`; a dash below a minute, which says nothing.
pub fn minimum_duration(seconds: f64) -> String {
    match seconds < 60.0 {
        true => "–".into(),
        false => format!("over {}", coarse(seconds)),
    }
}

/// [`duration`] in a single unit, for displays that should not flicker: `under 1 min`, `11 min`, `2 h`.
pub fn coarse(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".into();
    }
    match seconds.max(0.0) as u64 {
        0..60 => "under 1 min".into(),
        s @ 60..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// [`count`] of a number rounded to two digits, for displays that should not flicker.
pub fn rounded_count(number: f64) -> String {
    let size = number.abs().max(1.0).log10().floor() as i32 - 1;
    let step = 10_f64.powi(size.max(0));
    count((number / step).round() * step)
}

/// Parses a whole number of trials as people write it: `4000000`, `4 000 000`, `4e6`, `400k`, `2.5M`.
pub fn parse_trials(text: &str) -> Option<u64> {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '_'))
        .collect();
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1e3),
        (at, 'm' | 'M') => (&text[..at], 1e6),
        _ => (text.as_str(), 1.0),
    };
    // A sign would mean more or fewer than there are.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = digits.parse::<f64>().ok()? * unit;
    let is_whole = (number - number.round()).abs() <= 1e-9 * number;
    (is_whole && (1.0..1e15).contains(&number)).then_some(number.round() as u64)
}

/// A number of trials as a user asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedTrials {
    /// This many in all: `400k`.
    Total(u64),
    /// This many more than are planned: `+20k`.
    More(u64),
}

impl AskedTrials {
    /// Parses a number as [`parse_trials`] does, with or without a `+` before it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim_start().strip_prefix('+') {
            Some(more) => parse_trials(more).map(Self::More),
            None => parse_trials(text).map(Self::Total),
        }
    }
}

/// `now`, `42 s ago`, `12 min ago`, `3 h ago`, `5 d ago`.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..3 => "now".into(),
        3..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// `00:41:07`; days are counted as hours.
pub fn clock(seconds: f64) -> String {
    let s = if seconds.is_finite() {
        seconds.max(0.0) as u64
    } else {
        0
    };
    format!("{:02}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60)
}

/// `6.1 MB`.
pub fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
        // From the size that rounds to 1.0 of this unit on.
        if bytes >= size - size / 2e4 {
            return format!("{:.1} {unit}", bytes / size);
        }
    }
    format!("{bytes:.0} B")
}

/// `98.9 %` for a share in \[0,1\]; [`percent_to`] with one decimal.
pub fn percent(share: f64) -> String {
    percent_to(share, 1)
}

/// A share in \[0,1\] as a percentage with `decimals` decimals. A share below 1 never shows as
/// `100.0 %`, and one above 0 shows at least as `<0.1 %`.
pub fn percent_to(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return "?".into();
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

/// A rate to two significant digits: `9,400 images/s`.
pub fn rate(per_second: f64, unit: &str) -> String {
    format!("{} {unit}/s", rounded_count(per_second))
}

/// A learning rate to two significant digits: `0.00073`, `1.0e-5`.
pub fn learning_rate(lr: f64) -> String {
    if lr == 0.0 || !lr.is_finite() {
        return format!("{lr}");
    }
    let exponent = exponent(lr, 2);
    if exponent < -4 {
        return format!("{lr:.1e}");
    }
    let decimals = usize::try_from(1 - exponent).unwrap_or(0);
    format!("{lr:.decimals$}")
}

/// The power of ten of a number's first digit, once it is rounded to `digits` significant digits.
fn exponent(number: f64, digits: usize) -> i32 {
    let decimals = digits.saturating_sub(1);
    let text = format!("{number:.decimals$e}");
    let exponent = text
        .rsplit_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok());
    exponent.unwrap_or(0)
}

/// Three significant digits, with an exponent only below 1e-4 and from 1e10 on: `0.0312`, `−1.25`, `3e-7`, `8.31e34`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    let text = if exponent(size, 2) < -4 {
        format!("{size:.1e}").replace(".0e", "e")
    } else if size >= 1e10 {
        format!("{size:.2e}").replace(".00e", "e")
    } else {
        let decimals = (2 - exponent(size, 3)).clamp(0, 6) as usize;
        format!("{size:.decimals$}")
    };
    match value < 0.0 {
        true => format!("−{text}"),
        false => text,
    }
}

/// [`number`] without trailing zeros: `0.02`, `−1.5`.
pub fn short(value: f64) -> String {
    let text = number(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}

/// [`short`] with a sign, as at the ends of a colour scale: `+0.02`, `−0.02`.
pub fn signed(value: f64) -> String {
    with_sign(value, short(value.abs()))
}

/// [`number`] with a sign, as in the reading under a cursor: `−0.0134`.
pub fn signed_number(value: f64) -> String {
    with_sign(value, number(value.abs()))
}

fn with_sign(value: f64, size: String) -> String {
    if value < 0.0 {
        format!("−{size}")
    } else if value > 0.0 {
        format!("+{size}")
    } else {
        size
    }
}

/// A signal strength: `0.0`, `0.25`.
pub fn gamma(gamma: Gamma) -> String {
    let text = format!("{gamma:.3}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') {
        format!("{text}0")
    } else {
        text.into()
    }
}

/// A reliability: `0.94`, `−0.12`. Shows three decimals rather than round 0.995 to 0.9995 up to `1.00`.
pub fn reliability(r: f64) -> String {
    if (0.995..0.9995).contains(&r) {
        return format!("{r:.3}");
    }
    fixed(r, 2)
}

/// A number with this many decimals: `−0.4`, `2.0`. What rounds to zero has no sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.trim_matches(['0', '.']).is_empty() => zero.into(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// A text whose numbers a program can read: with an ASCII hyphen for every minus sign.
pub fn with_ascii_minus(text: &str) -> String {
    text.replace('−', "-")
}

/// Untrusted text as one line: control characters, line breaks and bidirectional marks are replaced.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '?',
            c if c.is_control() => '?',
            c => c,
        })
        .collect()
}

/// The same for text of several lines, which are kept.
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<String>>().join("\n")
}

/// The name of a layer inside a sentence or beside numbers: `conv1`, but `layer 3` if the file only numbers its layers.
pub fn layer(name: &str) -> String {
    let name = clean(name);
    match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("layer {name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests;
