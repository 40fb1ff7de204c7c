//! The list of keys, read from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::session::Session;
use crate::tui::action::{Action, Binding, Keys, Place};
use crate::tui::possible::is_possible;
use crate::tui::scene::Scene;
use crate::tui::size::Size;
use crate::tui::state::{Overlay, State};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, beside, left, start};

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

/// Draws the keys of a session's views from line `first` on; below what is typed to find them by, where
/// something is.
pub fn draw(scene: &Scene<'_>, state: &State, first: usize, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let mut area = area;
    let typing = state.overlay == Overlay::FindKeys;
    if typing || !state.keys_found.typed.is_empty() {
        let cursor = match (typing, theme.glyphs.unicode) {
            (false, _) => "",
            (true, true) => "▏",
            (true, false) => "_",
        };
        let line = Line::from(vec![
            Span::styled("/", theme.accent()),
            Span::styled(state.keys_found.typed.clone(), theme.bright()),
            Span::styled(cursor, theme.accent()),
        ]);
        left(buf, area, 0, line);
        area = below(area, 2);
    }
    let rows = rows_of(state, scene.session, theme);
    if rows.is_empty() {
        let text = Span::styled("no key does anything of that name", theme.dim());
        left(buf, area, 0, text);
    }
    columns(rows, first, area, theme, buf);
}

fn rows_of<'a>(state: &State, session: &Session, theme: &Theme) -> Vec<Row<'a>> {
    let possible = |row: &Binding| is_possible(row.action, state, session);
    let own = |place: &Place| !LISTS.contains(place) && *place != Place::Comparison;
    let places: Vec<Place> = Place::ALL.into_iter().filter(own).collect();
    let listed = Listed {
        keys: state.shared.keys,
        views: state.entries().len(),
        text: &state.keys_found.typed,
    };
    lines(listed, &places, possible, theme)
}

/// The furthest line from which on there is something to draw on the place of all views.
pub fn furthest(state: &State, session: &Session, theme: &Theme, area: Rect) -> usize {
    let area = match state.keys_found.typed.is_empty() {
        true => area,
        // What is typed stands above.
        false => below(area, 2),
    };
    last(rows_of(state, session, theme).len(), area)
}

/// The furthest line of so many on a place.
fn last(rows: usize, area: Rect) -> usize {
    let height = usize::from(area.height.max(1));
    let columns = columns_of(area);
    match rows + columns <= height * columns {
        true => 0,
        false => rows.saturating_sub(height * columns - columns),
    }
}

/// The place between the header and the footer of a screen without views.
fn between(size: Size) -> Rect {
    let (width, height) = (size.width.saturating_sub(2), size.height.saturating_sub(3));
    Rect::new(1, 2, width, height)
}

/// The places whose keys the list of sessions tells.
fn of_list() -> Vec<Place> {
    let palette = [Place::Palette, Place::Question];
    [&LISTS[..], &palette, &[Place::Help, Place::Everywhere]].concat()
}

/// The places whose keys the comparison tells.
const OF_COMPARISON: [Place; 4] = [
    Place::Comparison,
    Place::Jump,
    Place::Help,
    Place::Everywhere,
];

/// What has no meaning outside the views of a session.
fn is_told(row: &Binding) -> bool {
    row.action != Action::FindKeys
}

/// Draws the keys of the list of sessions from line `first` on.
pub fn draw_of_list(keys: Keys, theme: &Theme, first: usize, area: Rect, buf: &mut Buffer) {
    // The digits of the views are no keys of the list.
    let rows = lines(Listed::of(keys), &of_list(), is_told, theme);
    columns(rows, first, area, theme, buf);
}

/// The furthest line of it on such a screen.
pub fn furthest_of_list(keys: Keys, size: Size) -> usize {
    let rows = lines(Listed::of(keys), &of_list(), is_told, &Theme::plain());
    last(rows.len(), between(size))
}

/// Draws the keys of the comparison of two sessions from line `first` on.
pub fn draw_of_comparison(keys: Keys, theme: &Theme, first: usize, area: Rect, buf: &mut Buffer) {
    let rows = lines(Listed::of(keys), &OF_COMPARISON, is_told, theme);
    columns(rows, first, area, theme, buf);
}

/// The furthest line of it on such a screen.
pub fn furthest_of_comparison(keys: Keys, size: Size) -> usize {
    let rows = lines(Listed::of(keys), &OF_COMPARISON, is_told, &Theme::plain());
    last(rows.len(), between(size))
}

/// Which keys are listed.
#[derive(Debug, Clone, Copy)]
struct Listed<'a> {
    keys: Keys,
    /// How many views there are.
    views: usize,
    /// What is typed to find them by.
    text: &'a str,
}

impl Listed<'_> {
    fn of(keys: Keys) -> Self {
        Self {
            keys,
            views: 0,
            text: "",
        }
    }

    /// Whether a row has what is typed: in what it does, or as one of its keys.
    fn has(&self, row: &Binding) -> bool {
        let words = row.help.to_lowercase();
        let keys = || row.keys.iter().map(|key| key.label(self.views));
        let mut typed = self.text.split_whitespace();
        typed.all(|word| words.contains(&word.to_lowercase()) || keys().any(|key| key == word))
    }
}

/// How many columns a place has room for.
fn columns_of(area: Rect) -> usize {
    usize::from((area.width / WIDTH).clamp(1, 3))
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
    let columns = columns_of(area);
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

fn lines<'a>(
    all: Listed<'_>,
    places: &[Place],
    possible: impl Fn(&Binding) -> bool,
    theme: &Theme,
) -> Vec<Row<'a>> {
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for place in places {
        let own = |row: &&Binding| {
            row.places.contains(place) && !listed.contains(&row.action) && all.has(row)
        };
        let rows: Vec<&Binding> = all.keys.iter().filter(own).collect();
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
            let keys: Vec<String> = row.keys.iter().map(|key| key.label(all.views)).collect();
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
