//! The command palette: the actions that match the typed text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::possible::PaletteCommand;
use crate::tui::state::PickerState;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, left, right, start};

/// Draws the typed text and the matching commands, with the chosen one marked; if they do not all fit, its
/// position too.
pub fn draw(
    typed: &PickerState,
    rows: &[PaletteCommand],
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let area = start(area, 72);
    let cursor = if theme.glyphs.unicode { "▏" } else { "_" };
    let line = Line::from(vec![
        Span::styled(":", theme.accent()),
        Span::styled(typed.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    let used = left(buf, area, 0, line);
    let list = below(area, 2);
    if rows.is_empty() {
        let text = Span::styled("no command matches", theme.dim());
        left(buf, list, 0, text);
        return;
    }
    let height = usize::from(list.height.max(1));
    let chosen = typed.chosen.min(rows.len() - 1);
    if rows.len() > height && used + 16 < area.width {
        let text = format!("{} of {}", chosen + 1, rows.len());
        right(buf, area, 0, Span::styled(text, theme.dim()));
    }
    let first = (chosen + 1).saturating_sub(height);
    for (line, (index, row)) in rows.iter().enumerate().skip(first).take(height).enumerate() {
        let (mark, style) = match index == chosen {
            true => (theme.glyphs.pointer, theme.chosen()),
            false => (" ", theme.text()),
        };
        let entry = Line::from(vec![
            Span::styled(format!("{mark} {:<46}", row.name), style),
            Span::styled(row.keys.clone(), theme.dim()),
        ]);
        left(buf, list, line as u16, entry);
    }
}
