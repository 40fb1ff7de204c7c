//! Where the reliable maps of a summary are strongest, a line each: what leads to a bias.

use crate::figure::choice::{RELIABLE, best_response};
use crate::figure::{StrongestValue, strongest_values, wording};
use crate::format::{counted, gamma};
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
    let more = (all > MOST).then(|| {
        let rest = (all - MOST) as u64;
        let words = counted(rest, "less reliable map", "less reliable maps");
        format!("not listed: {words}")
    });
    [String::new(), head]
        .into_iter()
        .chain(lines)
        .chain(more)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BlockIndex, Gamma};
    use crate::session::record::{BlockSums, TrialKind};
    use crate::session::{Config, config};

    /// The lines for as many classes as pixels, each called where another pixel is bright.
    fn lines(classes: usize) -> Vec<String> {
        let kind = TrialKind::plain(classes, [1, 1, classes]);
        let plan = config::ClassificationImages {
            gammas: vec![Gamma(0.0)],
            ..Default::default()
        };
        let mut images = ClassificationImages::with_trials(&plan, &kind);
        let bright = |class: usize| -> Vec<i64> {
            let sum = |pixel: usize| match pixel == class {
                true => 2_000_000,
                false => 1_300_000,
            };
            (0..classes).map(sum).collect()
        };
        for block in BlockIndex::first(2) {
            let mut counts = vec![0; classes * classes];
            counts[..classes].fill(40);
            images.gammas[0].add(&BlockSums {
                block,
                trials: 40 * classes as u64,
                counts,
                noise: (0..classes).map(|class| (class, bright(class))).collect(),
                ..BlockSums::default()
            });
        }
        strongest(&Record::new(&Config::default()), &images)
    }

    #[test]
    fn reliable_maps_beyond_ten_are_counted() {
        for (classes, last) in [
            (11, "not listed: 1 less reliable map"),
            (12, "not listed: 2 less reliable maps"),
        ] {
            let lines = lines(classes);
            // An empty line and a heading come first.
            assert_eq!(lines.len(), 2 + MOST + 1, "{lines:#?}");
            assert_eq!(lines.last().map(String::as_str), Some(last));
        }
    }
}
