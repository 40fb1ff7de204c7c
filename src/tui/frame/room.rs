//! What every screen does around its own drawing: a terminal that is too small gets a request instead, and one
//! without Unicode gets ASCII alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::size::Size;
use crate::tui::theme::{Theme, plain_ascii};
use crate::tui::widget::text::{below, centre, rule, top};

/// Draws `screen` if the area has room for one, otherwise `too_small`, with what the terminal can show.
pub fn draw(
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    screen: impl FnOnce(Rect, &mut Buffer),
    too_small: impl FnOnce(Rect, &mut Buffer),
) {
    let area = area.intersection(buf.area);
    let size = Size {
        width: area.width,
        height: area.height,
    };
    if size.is_enough() {
        screen(area, buf);
    } else {
        too_small(area, buf);
    }
    if !theme.glyphs.unicode {
        for cell in buf.content.iter_mut().filter(|c| !c.symbol().is_ascii()) {
            cell.set_symbol(plain_ascii(cell.symbol()));
        }
    }
}

/// The header, body and footer of a screen without tabs, a column away from its sides. Draws the rule between the
/// first two.
pub fn bands(theme: &Theme, area: Rect, buf: &mut Buffer) -> [Rect; 3] {
    rule(buf, below(area, 1), 0, theme.glyphs.rule, theme.dim());
    let inside = Rect {
        x: area.x + 1,
        width: area.width - 2,
        ..area
    };
    [
        top(inside, 1),
        top(below(inside, 2), inside.height - 3),
        below(inside, inside.height - 1),
    ]
}

/// Asks for a larger terminal in one line, and says how to leave.
pub fn ask_for_more(leave: &str, area: Rect, buf: &mut Buffer) {
    let least = Size::LEAST;
    let text = format!("make the screen {}×{}; {leave}", least.width, least.height);
    centre(buf, area, area.height / 2, text);
}
