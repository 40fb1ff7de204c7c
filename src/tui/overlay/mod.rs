//! What lies over a view: the list of keys, the palette of commands, the lines where something is
//! typed or chosen, the question before the run is stopped.

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

/// Rows of a line where something is typed: a rule, what is typed, what that comes to.
const LINE: u16 = 3;

/// Clears the last rows of a view for such a line, which the view stays in sight above, and gives their
/// place and the cursor.
fn line(theme: &Theme, area: Rect, buf: &mut Buffer) -> (Rect, &'static str) {
    let place = below(area, area.height.saturating_sub(LINE));
    rule(buf, place, 0, theme.glyphs.rule, theme.dim());
    for row in 1..LINE {
        let blank = " ".repeat(usize::from(place.width));
        left(buf, place, row, Span::raw(blank));
    }
    (place, if theme.glyphs.unicode { "▏" } else { "_" })
}
