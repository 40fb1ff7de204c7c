//! Draws the anomaly index of every class as bars, with the threshold at which a class is flagged.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::{BackdoorSelection, index};
use crate::ids::ClassId;
use crate::stats::backdoor::FLAG_THRESHOLD;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::text::{beside, left};

/// Maximum columns of a class's name, and columns of its number.
const MOST_NAME: u16 = 14;
const NUMBER: u16 = 7;

/// Draws the bars, one row per class.
pub fn draw(scene: &Scene<'_>, sight: &BackdoorSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let Some(finding) = sight.finding() else {
        return;
    };
    let classes = finding.windows.len();
    // If the classes exactly fill the area there is no room for a title; if they do not all fit, the title
    // tells which are visible.
    let height = usize::from(area.height);
    let head = u16::from(height != classes && height > 1);
    let shown = form::window(
        sight.class.0,
        classes,
        height.saturating_sub(usize::from(head)),
    );
    let flagged = format!("flagged past {FLAG_THRESHOLD:.0}");
    let titles = match form::position(&shown, classes) {
        Some(position) => vec![
            format!("anomaly index, {flagged}; {position}"),
            format!("index, {position}"),
            position,
        ],
        None => vec![
            format!("anomaly index, {flagged}"),
            format!("index, {flagged}"),
        ],
    };
    let fits = |title: &&String| title.chars().count() <= usize::from(area.width);
    let title = titles.iter().find(fits).or(titles.last()).cloned();
    if head > 0 {
        let title = Span::styled(title.unwrap_or_default(), theme.dim());
        left(buf, area, 0, title);
    }
    let name = (form::widest(sight.session) as u16 + 2).min(MOST_NAME);
    let name = name.min(area.width / 2).max(3);
    let width = area.width.saturating_sub(name + NUMBER).min(60);
    let indices: Vec<Option<f64>> = finding
        .windows
        .iter()
        .map(|window| window.and_then(|window| window.index))
        .collect();
    let limit = indices
        .iter()
        .flatten()
        .fold(2.0 * FLAG_THRESHOLD, |limit, index| index.max(limit));
    let columns = |value: f64| (value.max(0.0) / limit * f64::from(width)).round() as u16;
    let line = columns(FLAG_THRESHOLD);
    let full = theme.glyphs.bar[theme.glyphs.bar.len() - 1];
    for (row_index, class) in shown.map(ClassId).enumerate() {
        let (row, value) = (row_index as u16 + head, indices[class]);
        let room = usize::from(name - 1);
        left(buf, area, row, sight.marked(class, room, theme));
        let bar = beside(area, name);
        let flagged = value.is_some_and(|index| index > FLAG_THRESHOLD);
        let style = if flagged {
            theme.warning()
        } else {
            theme.accent()
        };
        let filled = value.map_or(0, columns);
        let mark = Span::styled(theme.glyphs.upright, theme.dim());
        left(buf, beside(bar, line), row, mark);
        let text = full.repeat(usize::from(filled));
        left(buf, bar, row, Span::styled(text, style));
        if line < filled {
            let mark = Span::styled(theme.glyphs.upright, theme.bright());
            left(buf, beside(bar, line), row, mark);
        }
        let number = match value {
            Some(_) => Span::styled(
                index(value),
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
fn lack(sight: &BackdoorSelection<'_>, class: ClassId) -> &'static str {
    let Some(finding) = sight.finding() else {
        return "";
    };
    match finding.called.get(class.0).copied().unwrap_or(0) {
        0 => "never called",
        called if called == finding.trials => "always called",
        _ if finding.windows.get(class.0).is_some_and(Option::is_some) => "not judged",
        _ => "too few",
    }
}
