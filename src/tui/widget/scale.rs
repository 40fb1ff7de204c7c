//! The bar that says which colour is which value.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::heatmap::Ramp;
use super::text::{beside, left};
use crate::tui::format::{short, signed};
use crate::tui::theme::{Depth, Theme};

/// The round number at or above a value at which scales end, so that a scale stands still while
/// its map grows: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
pub fn round_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    const STEPS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let value = f64::from(value);
    let decade = 10_f64.powi(value.log10().floor() as i32);
    let step = STEPS
        .into_iter()
        .find(|step| step * decade >= value * (1.0 - 1e-6))
        .unwrap_or(10.0);
    (step * decade) as f32
}

/// The words at the two ends of a scale.
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

/// Draws `low ████████ high` on the first row of `area`, the bar `width` columns long, and gives
/// the columns it took.
pub fn draw(ramp: Ramp, width: u16, area: Rect, theme: &Theme, buf: &mut Buffer) -> u16 {
    let (low, high) = ends(ramp);
    let mut used = left(buf, area, 0, Span::styled(format!("{low} "), theme.dim()));
    let bar = beside(area, used).intersection(buf.area);
    let width = width.min(bar.width);
    if bar.height > 0 {
        for x in 0..width {
            let share = (f32::from(x) + 0.5) / f32::from(width);
            let place = match ramp {
                Ramp::Diverging { .. } => 2.0 * share - 1.0,
                Ramp::Grey { .. } => share,
            };
            let cell = &mut buf[(bar.x + x, bar.y)];
            if theme.depth == Depth::Mono {
                cell.set_symbol(ramp.glyph(place, theme));
            } else {
                cell.set_symbol(" ")
                    .set_style(Style::new().bg(ramp.colour(place, theme)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers_at_or_above_the_value() {
        for (value, end) in [
            (0.0173, 0.02),
            (0.02, 0.02),
            (0.9, 1.0),
            (11.3, 12.0),
            (6.1, 8.0),
        ] {
            assert!(
                (round_up(value) - end).abs() < 1e-5,
                "{value} {}",
                round_up(value)
            );
        }
        assert_eq!(round_up(0.0), 1.0);
        assert_eq!(round_up(f32::NAN), 1.0);
    }
}
