//! Overlays above a view: the list of keys, the command palette, the prompts for text, and the question
//! before a run is stopped.

pub mod copy;
pub mod extend;
pub mod help;
pub mod jump;
pub mod note;
pub mod palette;
pub mod question;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, left, rule};

/// Rows of a prompt: a rule, the typed text, and its effect.
const LINE: u16 = 3;

/// Clears the last rows of a view for a prompt, leaving the rest visible; returns the prompt's area and its
/// cursor.
fn line(theme: &Theme, area: Rect, buf: &mut Buffer) -> (Rect, &'static str) {
    let panel = below(area, area.height.saturating_sub(LINE));
    rule(buf, panel, 0, theme.glyphs.rule, theme.dim());
    for row in 1..LINE {
        let blank = " ".repeat(usize::from(panel.width));
        left(buf, panel, row, Span::raw(blank));
    }
    (panel, if theme.glyphs.unicode { "▏" } else { "_" })
}
