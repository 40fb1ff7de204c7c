//! The list of keys, generated from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::session::Session;
use crate::tui::action::{Action, Binding, KeyBindings, KeyContext};
use crate::tui::possible::is_possible;
use crate::tui::scene::Scene;
use crate::tui::size::Size;
use crate::tui::state::{DashboardState, Overlay};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, beside, left, start};

/// Minimum columns of one list.
const WIDTH: u16 = 56;

/// The places that belong to the list of sessions; all others belong to a session's views.
const LISTS: [KeyContext; 5] = [
    KeyContext::Sessions,
    KeyContext::Filter,
    KeyContext::Form,
    KeyContext::Deleting,
    KeyContext::DeletingByName,
];

/// Draws the keys of a session's views from line `first` on, below the search text if there is any.
pub fn draw(scene: &Scene<'_>, state: &DashboardState, first: usize, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let mut area = area;
    let typing = state.overlay == Overlay::FindKeys;
    if typing || !state.key_search.typed.is_empty() {
        let cursor = match (typing, theme.glyphs.unicode) {
            (false, _) => "",
            (true, true) => "▏",
            (true, false) => "_",
        };
        let line = Line::from(vec![
            Span::styled("/", theme.accent()),
            Span::styled(state.key_search.typed.clone(), theme.bright()),
            Span::styled(cursor, theme.accent()),
        ]);
        left(buf, area, 0, line);
        area = below(area, 2);
    }
    let rows = rows_of(state, scene.session, theme);
    if rows.is_empty() {
        let text = Span::styled("no action matches", theme.dim());
        left(buf, area, 0, text);
    }
    columns(rows, first, area, theme, buf);
}

fn rows_of<'a>(state: &DashboardState, session: &Session, theme: &Theme) -> Vec<Row<'a>> {
    let possible = |row: &Binding| is_possible(row.action, state, session);
    let is_listed = |place: &KeyContext| !LISTS.contains(place) && *place != KeyContext::Comparison;
    let places: Vec<KeyContext> = KeyContext::ALL.iter().copied().filter(is_listed).collect();
    let listed = Listed {
        keys: state.shared.keys,
        views: state.entries().len(),
        text: &state.key_search.typed,
    };
    lines(listed, &places, possible, theme)
}

/// The last line to which the list scrolls on the area of all views.
pub fn furthest(state: &DashboardState, session: &Session, theme: &Theme, area: Rect) -> usize {
    let area = match state.key_search.typed.is_empty() {
        true => area,
        // The search text is above.
        false => below(area, 2),
    };
    last(rows_of(state, session, theme).len(), area)
}

/// The last line to which this many lines scroll in an area.
fn last(rows: usize, area: Rect) -> usize {
    let height = usize::from(area.height.max(1));
    let columns = columns_of(area);
    match rows + columns <= height * columns {
        true => 0,
        false => rows.saturating_sub(height * columns - columns),
    }
}

/// The area between the header and the footer of a screen without views.
fn between(size: Size) -> Rect {
    let (width, height) = (size.width.saturating_sub(2), size.height.saturating_sub(3));
    Rect::new(1, 2, width, height)
}

/// The places whose keys the list of sessions shows.
fn of_list() -> Vec<KeyContext> {
    let palette = [KeyContext::Palette, KeyContext::Question];
    [
        &LISTS[..],
        &palette,
        &[KeyContext::Help, KeyContext::Everywhere],
    ]
    .concat()
}

/// The places whose keys the comparison shows.
const OF_COMPARISON: [KeyContext; 4] = [
    KeyContext::Comparison,
    KeyContext::Jump,
    KeyContext::Help,
    KeyContext::Everywhere,
];

/// Whether a key has a meaning outside the views of a session.
fn is_general(row: &Binding) -> bool {
    row.action != Action::FindKeys
}

/// Draws the keys of the list of sessions from line `first` on.
pub fn draw_of_list(keys: KeyBindings, theme: &Theme, first: usize, area: Rect, buf: &mut Buffer) {
    // The digits of the views are not keys of this list.
    let rows = lines(Listed::of(keys), &of_list(), is_general, theme);
    columns(rows, first, area, theme, buf);
}

/// The last line to which it scrolls on a screen of this size.
pub fn furthest_of_list(keys: KeyBindings, size: Size) -> usize {
    let rows = lines(Listed::of(keys), &of_list(), is_general, &Theme::plain());
    last(rows.len(), between(size))
}

/// Draws the keys of the comparison of two sessions from line `first` on.
pub fn draw_of_comparison(
    keys: KeyBindings,
    theme: &Theme,
    first: usize,
    area: Rect,
    buf: &mut Buffer,
) {
    let rows = lines(Listed::of(keys), &OF_COMPARISON, is_general, theme);
    columns(rows, first, area, theme, buf);
}

/// The last line to which it scrolls on a screen of this size.
pub fn furthest_of_comparison(keys: KeyBindings, size: Size) -> usize {
    let rows = lines(
        Listed::of(keys),
        &OF_COMPARISON,
        is_general,
        &Theme::plain(),
    );
    last(rows.len(), between(size))
}

/// Which keys are listed.
#[derive(Debug, Clone, Copy)]
struct Listed<'a> {
    keys: KeyBindings,
    /// How many views there are.
    views: usize,
    /// The search text.
    text: &'a str,
}

impl Listed<'_> {
    fn of(keys: KeyBindings) -> Self {
        Self {
            keys,
            views: 0,
            text: "",
        }
    }

    /// Whether a row matches the search text: by what it does, or by one of its keys.
    fn has(&self, row: &Binding) -> bool {
        let words = row.help.to_lowercase();
        let keys = || row.keys.iter().map(|key| key.label(self.views));
        let mut typed = self.text.split_whitespace();
        typed.all(|word| words.contains(&word.to_lowercase()) || keys().any(|key| key == word))
    }
}

/// How many columns fit in an area.
fn columns_of(area: Rect) -> usize {
    usize::from((area.width / WIDTH).clamp(1, 3))
}

/// A line of the list, and whether it heads those below.
struct Row<'a> {
    line: Line<'a>,
    heads: bool,
}

/// Lays out lines in as many columns as fit. A heading is never the last line of its column, and if lines
/// remain after the last column, its last row says so.
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
        let column_area = beside(area, column as u16 * width);
        let column_area = start(column_area, width.saturating_sub(2));
        let more = row + 1 == height || heads && row + 2 == height;
        if column + 1 == columns && more && rows.peek().is_some() {
            let more = format!("{:>11}  more below", "");
            left(
                buf,
                column_area,
                row as u16,
                Span::styled(more, theme.dim()),
            );
            break;
        }
        // No column begins with a blank line.
        if row > 0 || line.width() > 0 {
            left(buf, column_area, row as u16, line);
            row += 1;
        }
        if row == height {
            (column, row) = (column + 1, 0);
        }
    }
}

fn lines<'a>(
    all: Listed<'_>,
    places: &[KeyContext],
    possible: impl Fn(&Binding) -> bool,
    theme: &Theme,
) -> Vec<Row<'a>> {
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for place in places {
        let fits = |row: &&Binding| {
            row.contexts.contains(place) && !listed.contains(&row.action) && all.has(row)
        };
        let rows: Vec<&Binding> = all.keys.iter().filter(fits).collect();
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
