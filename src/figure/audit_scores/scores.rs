//! Scores as text, and the selection and length of their bars.

use crate::drawing::Sheet;
use crate::format::fixed;
use crate::ids::ClassId;

/// Maximum number of classes with a bar; of more, those with the highest scores.
pub const MOST_CLASSES: usize = 24;

/// The classes to draw as bars: all in order, or if there are too many, those with the highest scores, highest first.
pub fn bars_to_show(scores: &[Option<f64>]) -> Vec<ClassId> {
    let mut all: Vec<ClassId> = ClassId::all(scores.len()).collect();
    if all.len() > MOST_CLASSES {
        let worth = |class: ClassId| scores[class].unwrap_or(f64::NEG_INFINITY);
        all.sort_by(|&a, &b| worth(b).total_cmp(&worth(a)));
        all.truncate(MOST_CLASSES);
    }
    all
}

/// A score as text, with one decimal.
pub fn score_text(score: f64) -> String {
    fixed(score, 1)
}

/// The label of a vertical line in a bar chart of this width, truncated if necessary.
pub fn line_label(sheet: Sheet, words: &str, width: f64) -> String {
    sheet.truncate(words, 0.9 * width)
}

/// The value of a full-length bar: slightly above the largest value.
pub fn full_length(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    if most > 0.0 { 1.02 * most } else { 1.0 }
}
