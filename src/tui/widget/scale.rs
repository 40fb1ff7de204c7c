//! Draws the scale bar that shows which colour is which value.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::heatmap::Ramp;
use super::text::{beside, left};
pub use crate::drawing::scale::round_up;
use crate::format::{short, signed};
use crate::tui::theme::{Depth, Theme};

/// The labels of the two ends of a scale.
fn ends(ramp: Ramp) -> (String, String) {
    match ramp {
        Ramp::Diverging { centre: 0.0, limit } => {
            (signed(-f64::from(limit)), signed(f64::from(limit)))
        }
        Ramp::Diverging { centre, limit } => (
            short(f64::from(centre - limit)),
            short(f64::from(centre + limit)),
        ),
        Ramp::Grey { low, high } => (short(f64::from(low)), short(f64::from(high))),
    }
}

/// Columns that a scale with a bar of `width` columns takes.
pub fn columns(ramp: Ramp, width: u16) -> u16 {
    let (low, high) = ends(ramp);
    (Span::raw(low).width() + Span::raw(high).width()) as u16 + width + 2
}

/// Minimum columns of a bar.
const LEAST: u16 = 2;

/// Draws `low ████████ high` on the first row of `area`, with a bar of `width` columns; returns the columns
/// used.
pub fn draw(ramp: Ramp, width: u16, area: Rect, theme: &Theme, buf: &mut Buffer) -> u16 {
    let (low, high) = ends(ramp);
    // A truncated number would be a different number: the bar shrinks first, then everything is dropped.
    let words = columns(ramp, 0);
    if area.width < words + LEAST {
        return 0;
    }
    let width = width.min(area.width - words);
    let mut used = left(buf, area, 0, Span::styled(format!("{low} "), theme.dim()));
    let bar = beside(area, used).intersection(buf.area);
    let width = width.min(bar.width);
    if bar.height > 0 {
        for x in 0..width {
            let share = (f32::from(x) + 0.5) / f32::from(width);
            let position = match ramp {
                Ramp::Diverging { .. } => 2.0 * share - 1.0,
                Ramp::Grey { .. } => share,
            };
            let cell = &mut buf[(bar.x + x, bar.y)];
            if theme.depth == Depth::Mono {
                cell.set_symbol(ramp.glyph(position, theme));
            } else {
                cell.set_symbol(" ")
                    .set_style(Style::new().bg(ramp.colour(position, theme)));
            }
        }
    }
    used += width;
    used + left(
        buf,
        beside(area, used),
        0,
        Span::styled(format!(" {high}"), theme.dim()),
    )
}
