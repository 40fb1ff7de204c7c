//! The palette of commands: the rows of the table that fit what is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::possible;
use crate::tui::scene::Scene;
use crate::tui::state::State;
use crate::tui::widget::text::{below, left, start};

/// Draws what is typed and what fits it, the chosen one marked.
pub fn draw(scene: &Scene<'_>, state: &State, area: Rect, buf: &mut Buffer) {
    let Scene { session, theme, .. } = *scene;
    let area = start(area, 72);
    let cursor = if theme.glyphs.unicode { "▏" } else { "_" };
    let typed = Line::from(vec![
        Span::styled(":", theme.accent()),
        Span::styled(state.palette.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    left(buf, area, 0, typed);
    let rows = possible::fitting(&state.palette.typed, state, session);
    let area = below(area, 2);
    if rows.is_empty() {
        let text = Span::styled("no command has that in its name", theme.dim());
        left(buf, area, 0, text);
        return;
    }
    let height = usize::from(area.height.max(1));
    let chosen = state.palette.chosen.min(rows.len() - 1);
    let first = (chosen + 1).saturating_sub(height);
    for (line, (at, row)) in rows.iter().enumerate().skip(first).take(height).enumerate() {
        let (mark, style) = match at == chosen {
            true => (theme.glyphs.pointer, theme.chosen()),
            false => (" ", theme.text()),
        };
        let line_of = Line::from(vec![
            Span::styled(format!("{mark} {:<46}", row.name), style),
            Span::styled(row.keys.clone(), theme.dim()),
        ]);
        left(buf, area, line as u16, line_of);
    }
}
