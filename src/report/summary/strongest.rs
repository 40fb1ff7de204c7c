//! Where the reliable maps of a summary are strongest, a line each: what leads to a bias.

use crate::figure::choice::{RELIABLE, best_response};
use crate::figure::{StrongestValue, strongest_values, wording};
use crate::format::gamma;
use crate::session::record::{ClassificationImages, Record};

/// Maximum number of classes with a line: the most reliable ones.
const MOST: usize = 10;

/// The lines; none if no map is reliable.
pub(super) fn strongest(record: &Record, images: &ClassificationImages) -> Vec<String> {
    let by = best_response(images);
    let mut values = strongest_values(record, images, by);
    if values.is_empty() {
        return Vec::new();
    }
    let all = values.len();
    if all > MOST {
        values.sort_by(|a, b| b.reliability.total_cmp(&a.reliability));
        values.truncate(MOST);
    }
    let name = |value: &StrongestValue| {
        let name = wording::bare_class_name(record, value.class);
        wording::truncate(&name, super::images::LETTERS)
    };
    let names: Vec<String> = values.iter().map(name).collect();
    let lengths = names.iter().map(|name| name.chars().count());
    let width = lengths.max().unwrap_or(0);
    let head = format!(
        "strongest value of each reliable map, by {} (R ≥ {RELIABLE})",
        by.label()
    );
    let lines = names.iter().zip(&values);
    let lines = lines.map(|(name, value)| {
        format!(
            "  {name:<width$}  {}, γ {}",
            value.words,
            gamma(value.gamma)
        )
    });
    let more = (all > MOST).then(|| format!("not listed: {} less reliable maps", all - MOST));
    [String::new(), head]
        .into_iter()
        .chain(lines)
        .chain(more)
        .collect()
}
