//! Scores as they are written, and which of them have bars of what length.

use crate::drawing::Sheet;

/// Most classes that have a bar; of more, those of the highest scores.
pub const MOST_CLASSES: usize = 24;

/// The places of some scores that have bars: all in their order, or of many the highest, that first.
pub fn shown(scores: &[Option<f64>]) -> Vec<usize> {
    let mut all: Vec<usize> = (0..scores.len()).collect();
    if all.len() > MOST_CLASSES {
        let worth = |at: usize| scores[at].unwrap_or(f64::NEG_INFINITY);
        all.sort_by(|&a, &b| worth(b).total_cmp(&worth(a)));
        all.truncate(MOST_CLASSES);
    }
    all
}

/// A score as it is written.
pub fn score_in_words(score: f64) -> String {
    format!("{score:.1}").replace('-', "−")
}

/// Words at an upright line of bars so wide, cut where they have no room.
pub fn at_line(sheet: Sheet, words: &str, width: f64) -> String {
    sheet.cut(words, 0.9 * width)
}

/// The value of a full bar: the largest of some, and a little more.
pub fn full(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    if most > 0.0 { 1.02 * most } else { 1.0 }
}
