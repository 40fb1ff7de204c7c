//! Labels on a tile: a map's own scale, or the absence of a map.

use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet};

/// The gap between adjacent maps in millimetres.
pub fn gap(sheet: &Sheet) -> f64 {
    sheet.margin()
}

/// Marks a map, in its lower left corner, as having its own scale, and gives its limit if there is room.
pub fn mark_own_scale(drawing: &mut Drawing, tile: Rect, ramp: Ramp) {
    let sheet = drawing.sheet;
    let edge = 0.15 * sheet.text_size();
    let whole = ramp.label();
    let words = match sheet.text_width(&whole) + 2.0 * edge <= tile.width {
        true => whole,
        false => "±".to_owned(),
    };
    let height = sheet.line_height().min(tile.height);
    let place = Rect {
        x: tile.x,
        y: tile.bottom() - height,
        width: (sheet.text_width(&words) + 2.0 * edge).min(tile.width),
        height,
    };
    drawing.fill(place, Paint::Paper);
    drawing.text((tile.x + edge, place.y), &words, Paint::Ink);
}

/// Draws an empty tile in place of a missing map.
pub fn draw_empty(drawing: &mut Drawing, tile: Rect) {
    let sheet = drawing.sheet;
    drawing.frame(tile, sheet.thin_line(), Paint::Dim);
    let words = "too few trials";
    let words = match sheet.text_width(words) < tile.width {
        true => words,
        false => "too few",
    };
    if sheet.text_width(words) < tile.width && sheet.line_height() < tile.height {
        let middle = (
            tile.x + tile.width / 2.0,
            tile.y + (tile.height - sheet.line_height()) / 2.0,
        );
        drawing.text_centred(middle, words, Paint::Dim);
    }
}
