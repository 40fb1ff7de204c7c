//! The list of keys, read from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::action::{Binding, Place, TABLE};
use crate::tui::possible::is_possible;
use crate::tui::scene::Scene;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{beside, left, start};

/// Least columns of one list.
const WIDTH: u16 = 56;

/// Places that belong to the list of sessions, and those that belong to a session's views.
const LISTS: [Place; 5] = [
    Place::Sessions,
    Place::Filter,
    Place::Form,
    Place::Deleting,
    Place::DeletingByName,
];

/// Draws the keys of a session's views from line `first` on.
pub fn draw(scene: &Scene<'_>, state: &State, first: usize, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let possible = |row: &Binding| is_possible(row.action, state, scene.session);
    let own = |place: &Place| !LISTS.contains(place) && *place != Place::Comparison;
    let places: Vec<Place> = Place::ALL.into_iter().filter(own).collect();
    let rows = lines(&places, possible, state.entries().len(), theme);
    columns(rows, first, area, theme, buf);
}

/// Draws the keys of the list of sessions from line `first` on.
pub fn draw_of_list(theme: &Theme, first: usize, area: Rect, buf: &mut Buffer) {
    let places = [&LISTS[..], &[Place::Help, Place::Everywhere]].concat();
    // The digits of the views are no keys of the list.
    let rows = lines(&places, |_| true, 0, theme);
    columns(rows, first, area, theme, buf);
}

/// Draws the keys of the comparison of two sessions from line `first` on.
pub fn draw_of_comparison(theme: &Theme, first: usize, area: Rect, buf: &mut Buffer) {
    let places = [Place::Comparison, Place::Help, Place::Everywhere];
    let rows = lines(&places, |_| true, 0, theme);
    columns(rows, first, area, theme, buf);
}

/// A line of the list, and whether it is the heading of those below.
struct Row<'a> {
    line: Line<'a>,
    heads: bool,
}

/// Puts lines into as many columns as there is room for. A heading is never the last of its column,
/// and where lines are below the last column, the last row says so.
fn columns(rows: Vec<Row<'_>>, first: usize, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let height = usize::from(area.height.max(1));
    let columns = usize::from((area.width / WIDTH).clamp(1, 3));
    let width = area.width / columns as u16;
    let fits = rows.len() + columns <= height * columns;
    let furthest = rows.len().saturating_sub(height * columns - columns);
    let first = if fits { 0 } else { first.min(furthest) };
    let (mut column, mut row) = (0, 0);
    let mut rows = rows.into_iter().skip(first).peekable();
    while let Some(Row { line, heads }) = rows.next() {
        let ends = column + 1 == columns;
        if heads && !ends && row + 1 == height {
            (column, row) = (column + 1, 0);
        }
        if column >= columns {
            break;
        }
        let place = beside(area, column as u16 * width);
        let place = start(place, width.saturating_sub(2));
        let more = row + 1 == height || heads && row + 2 == height;
        if column + 1 == columns && more && rows.peek().is_some() {
            let more = format!("{:>11}  more below", "");
            left(buf, place, row as u16, Span::styled(more, theme.dim()));
            break;
        }
        // No column begins with a blank line.
        if row > 0 || line.width() > 0 {
            left(buf, place, row as u16, line);
            row += 1;
        }
        if row == height {
            (column, row) = (column + 1, 0);
        }
    }
}

/// How many lines the list has: as far as scrolling need ever go.
pub fn length() -> usize {
    TABLE.len() + 2 * Place::ALL.len()
}

fn lines<'a>(
    places: &[Place],
    possible: impl Fn(&Binding) -> bool,
    views: usize,
    theme: &Theme,
) -> Vec<Row<'a>> {
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for place in places {
        let own = |row: &&Binding| row.places.contains(place) && !listed.contains(&row.action);
        let rows: Vec<&Binding> = TABLE.iter().filter(own).collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Row {
                line: Line::default(),
                heads: false,
            });
        }
        lines.push(Row {
            line: Line::from(Span::styled(place.label(), theme.bright())),
            heads: true,
        });
        for row in rows {
            listed.push(row.action);
            let keys: Vec<String> = row.keys.iter().map(|key| key.label(views)).collect();
            let (keys_style, style) = match possible(row) {
                true => (theme.accent(), theme.text()),
                false => (theme.dim(), theme.dim()),
            };
            let more = if possible(row) { "" } else { " (not now)" };
            let line = Line::from(vec![
                Span::styled(format!("{:>11}  ", keys.join(" ")), keys_style),
                Span::styled(format!("{}{more}", row.help), style),
            ]);
            lines.push(Row { line, heads: false });
        }
    }
    lines
}
