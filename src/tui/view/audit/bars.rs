//! Draws the score of every class as bars. A line is at the largest score of the references; if these are of another kind,
//! at the score beyond which a class stands out from the network's others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::AuditSelection;
use crate::figure::audit::class_scores;
use crate::format::fixed;
use crate::ids::ClassId;
use crate::stats::audit::Baseline;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::text::{beside, left};

/// Maximum columns of a class's name, and columns of its number.
const MOST_NAME: u16 = 14;
const NUMBER: u16 = 7;

/// The classes that have a row if not all do: those around the chosen one, and the one with the highest score.
fn visible((chosen, found): (ClassId, ClassId), count: usize, room: usize) -> Vec<ClassId> {
    let window = form::window(chosen.0, count, room);
    let mut shown: Vec<ClassId> = window.map(ClassId).collect();
    if let ([first, .., last], true) = (&mut shown[..], found.0 < count) {
        if found < *first {
            *first = found;
        } else if found > *last {
            if *last == chosen {
                *first = chosen;
            }
            *last = found;
        }
    }
    shown
}

/// Draws the bars, one row per class.
pub fn draw(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let Some((scores, null)) = class_scores(sight.audit) else {
        return;
    };
    let height = usize::from(area.height);
    let shown = visible(
        (sight.class, sight.found()),
        scores.len(),
        height.saturating_sub(1),
    );
    let line = theme.glyphs.upright;
    let own = sight.verdict.as_ref();
    let own = own.filter(|verdict| verdict.baseline == Baseline::OwnClasses);
    let (at, [long, short]) = match own {
        Some(verdict) => (verdict.bound(), ["stands out past", "past"]),
        None => {
            let largest = null.iter().copied().fold(0.0, f64::max);
            (Some(largest), ["the references' largest,", "references"])
        }
    };
    let titles = match at {
        Some(at) => [
            format!("score of each class; {line} {long} {at:.1}"),
            format!("score; {line} {short} {at:.1}"),
        ],
        None => ["score of each class", "score"].map(str::to_owned),
    };
    let fits = |title: &&String| title.chars().count() <= usize::from(area.width);
    let title = titles.iter().find(fits).cloned().unwrap_or_default();
    left(buf, area, 0, Span::styled(title, theme.dim()));
    let name = (form::widest(scene.session) as u16 + 2).min(MOST_NAME);
    let name = name.min(area.width / 2).max(3);
    let width = area.width.saturating_sub(name + NUMBER).min(60);
    let limit = scores
        .iter()
        .flatten()
        .copied()
        .fold(1.2 * at.unwrap_or(0.0), f64::max);
    let columns = |value: f64| (value.max(0.0) / limit * f64::from(width)).round() as u16;
    let mark = at.map(columns);
    let full = theme.glyphs.bar[theme.glyphs.bar.len() - 1];
    for (index, class) in shown.into_iter().enumerate() {
        let row = 1 + index as u16;
        let room = usize::from(name - 2);
        let text = form::class_name_within(scene.session, class, room);
        let text = match class == sight.class {
            true => Span::styled(format!("{}{text}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {text}")),
        };
        left(buf, area, row, text);
        let bar = beside(area, name);
        let filled = scores[class].map_or(0, columns);
        let found = class == sight.found()
            && sight
                .statement
                .as_ref()
                .is_some_and(|statement| statement.found);
        let style = if found {
            theme.warning()
        } else {
            theme.accent()
        };
        let text = full.repeat(usize::from(filled));
        left(buf, bar, row, Span::styled(text, style));
        if let Some(mark) = mark {
            let style = match mark < filled {
                true => theme.bright(),
                false => theme.dim(),
            };
            left(buf, beside(bar, mark), row, Span::styled(line, style));
        }
        let number = match scores[class] {
            Some(score) => fixed(score, 1),
            None => "no image".into(),
        };
        let style = if found { theme.bright() } else { theme.text() };
        let number_area = beside(bar, filled.max(mark.unwrap_or(0)) + 2);
        left(buf, number_area, row, Span::styled(number, style));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_class_and_the_one_found_have_a_row_whatever_the_room() {
        for count in [3, 10, 100] {
            for room in 2..12 {
                for chosen in ClassId::all(count) {
                    for found in ClassId::all(count) {
                        let shown = visible((chosen, found), count, room);
                        assert!(shown.contains(&chosen) && shown.contains(&found));
                        assert!(shown.len() == room.min(count) && shown.is_sorted());
                    }
                }
            }
        }
    }
}
