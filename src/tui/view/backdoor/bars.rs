//! The anomaly index of every class as bars, with the line past which a class is flagged.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sight::{Sight, index};
use crate::stats::backdoor::FLAGGED;
use crate::tui::scene::Scene;
use crate::tui::widget::text::{beside, left};

/// Columns of a class's name, and of its number.
const NAME: u16 = 3;
const NUMBER: u16 = 7;

/// Draws them, a row a class.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let Some(finding) = sight.finding() else {
        return;
    };
    let long = format!("anomaly index, flagged past {FLAGGED:.0}");
    let title = match long.len() <= usize::from(area.width) {
        true => long,
        false => format!("index, flagged past {FLAGGED:.0}"),
    };
    // Where the classes alone fill the place, the line of the bars must speak for itself.
    let head = u16::from(usize::from(area.height) > finding.windows.len());
    if head > 0 {
        left(buf, area, 0, Span::styled(title, theme.dim()));
    }
    let width = area.width.saturating_sub(NAME + NUMBER).min(60);
    let indices: Vec<Option<f64>> = finding
        .windows
        .iter()
        .map(|window| window.and_then(|it| it.index))
        .collect();
    let most = indices
        .iter()
        .flatten()
        .fold(2.0 * FLAGGED, |most, it| it.max(most));
    let columns = |value: f64| (value.max(0.0) / most * f64::from(width)).round() as u16;
    let line = columns(FLAGGED);
    let full = theme.glyphs.bar[theme.glyphs.bar.len() - 1];
    for (class, own) in indices.into_iter().enumerate() {
        let row = class as u16 + head;
        let name = match class == sight.class {
            true => Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {class}")),
        };
        left(buf, area, row, name);
        let bar = beside(area, NAME);
        let flagged = own.is_some_and(|index| index > FLAGGED);
        let style = if flagged {
            theme.warning()
        } else {
            theme.accent()
        };
        let filled = own.map_or(0, columns);
        let mark = Span::styled(theme.glyphs.upright, theme.dim());
        left(buf, beside(bar, line), row, mark);
        let text = full.repeat(usize::from(filled));
        left(buf, bar, row, Span::styled(text, style));
        if line < filled {
            let mark = Span::styled(theme.glyphs.upright, theme.bright());
            left(buf, beside(bar, line), row, mark);
        }
        let number = match own {
            Some(_) => Span::styled(
                index(own),
                if flagged {
                    theme.bright()
                } else {
                    theme.text()
                },
            ),
            None => Span::styled(lack(sight, class), theme.dim()),
        };
        left(
            buf,
            beside(bar, filled.max(line) + 2),
            row,
            Line::from(number),
        );
    }
}

/// Why a class has no index.
fn lack(sight: &Sight<'_>, class: usize) -> &'static str {
    let Some(finding) = sight.finding() else {
        return "";
    };
    match finding.called.get(class).copied().unwrap_or(0) {
        0 => "never called",
        called if called == finding.trials => "all called so",
        _ => "too few",
    }
}
