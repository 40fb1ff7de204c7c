//! The list of keys, read from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use crate::tui::action::{Place, TABLE, is_possible};
use crate::tui::widget::text::{beside, left, start};

/// Least columns of one list.
const WIDTH: u16 = 56;

/// Draws the list from line `first` on.
pub fn draw(scene: &Scene<'_>, first: usize, area: Rect, buf: &mut Buffer) {
    let lines = lines(scene);
    let height = usize::from(area.height.max(1));
    let columns = usize::from((area.width / WIDTH).clamp(1, 3));
    let width = area.width / columns as u16;
    let fits = lines.len().div_ceil(height) <= columns;
    let first = if fits {
        0
    } else {
        first.min(last_first(lines.len(), height, columns))
    };
    for (i, line) in lines.into_iter().skip(first).enumerate() {
        let (column, row) = (i / height, i % height);
        if column >= columns {
            break;
        }
        let place = beside(area, column as u16 * width);
        left(buf, start(place, width.saturating_sub(2)), row as u16, line);
    }
}

/// The furthest that scrolling can go.
fn last_first(lines: usize, height: usize, columns: usize) -> usize {
    lines.saturating_sub(height * columns)
}

/// How many lines the list has: as far as scrolling need ever go.
pub fn length() -> usize {
    TABLE.len() + 2 * Place::ALL.len()
}

fn lines<'a>(scene: &Scene<'_>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    for place in Place::ALL {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(Span::styled(place.label(), theme.bright())));
        for row in TABLE.iter().filter(|row| row.places[0] == place) {
            let keys: Vec<String> = row.keys.iter().map(|key| key.label()).collect();
            let possible = is_possible(row.action, scene.state, scene.session);
            let (keys_style, style) = if possible {
                (theme.accent(), theme.text())
            } else {
                (theme.dim(), theme.dim())
            };
            let more = if possible { "" } else { " (no engine runs)" };
            lines.push(Line::from(vec![
                Span::styled(format!("{:>11}  ", keys.join(" ")), keys_style),
                Span::styled(format!("{}{more}", row.help), style),
            ]));
        }
    }
    lines
}
