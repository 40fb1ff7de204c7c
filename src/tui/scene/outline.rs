//! Outlines a window of a map.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::theme::{Depth, Theme};
use crate::tui::widget::heatmap::covered;

/// Draws a box around a window, (top row, left column, side), of the map of `size`, (rows, columns), that
/// fills `area`; brackets if the box would be too small.
pub fn outline(
    (row, column, side): (usize, usize, usize),
    size: (usize, usize),
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let span = |first: usize, total: usize, (reach, length): (f64, u16)| {
        let scaled = |pixel: usize| pixel as f64 * reach / total as f64;
        let low = scaled(first).floor() as u16;
        let high = (scaled(first + side).ceil() as u16).saturating_sub(1);
        (low.min(length - 1), high.clamp(low, length - 1))
    };
    let (top, bottom) = span(row, size.0, (covered(size, area), area.height));
    let (left, right) = span(column, size.1, (f64::from(area.width), area.width));
    let mut put = |x: u16, y: u16, symbol: &str| {
        let cell = &mut buf[(area.x + x, area.y + y)];
        let style = match theme.depth {
            Depth::Mono => theme.bright(),
            _ => Style::new().fg(theme.contrast(cell.bg)),
        };
        cell.set_symbol(symbol).set_style(style);
    };
    if bottom - top < 2 || right - left < 2 {
        let middle = top.midpoint(bottom);
        put(left, middle, "[");
        put(right, middle, if left == right { "o" } else { "]" });
        return;
    }
    let [across, down, corners] = match theme.glyphs.unicode {
        true => ["─", "│", "┌┐└┘"],
        false => ["-", "|", "++++"],
    };
    for x in left + 1..right {
        put(x, top, across);
        put(x, bottom, across);
    }
    for y in top + 1..bottom {
        put(left, y, down);
        put(right, y, down);
    }
    let positions = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for (corner, (x, y)) in corners.chars().zip(positions) {
        put(x, y, corner.encode_utf8(&mut [0; 4]));
    }
}
