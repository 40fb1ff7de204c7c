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

/// Why a map is missing, in full and in fewer words.
pub type MissingMap = [&'static str; 2];

/// There are too few trials for it.
pub const TOO_FEW_TRIALS: MissingMap = ["too few trials", "too few"];

/// The response that it would be made of never changes.
pub const CONSTANT_OUTPUT: MissingMap = ["constant output", "constant"];

/// Its reason is given elsewhere.
pub const NO_MAP: MissingMap = ["no map", "none"];

/// Draws an empty tile in place of a missing map, with the reason.
pub fn draw_empty(drawing: &mut Drawing, tile: Rect, [full, short]: MissingMap) {
    let sheet = drawing.sheet;
    drawing.frame(tile, sheet.thin_line(), Paint::Dim);
    let words = match sheet.text_width(full) < tile.width {
        true => full,
        false => short,
    };
    if sheet.text_width(words) < tile.width && sheet.line_height() < tile.height {
        let middle = (
            tile.x + tile.width / 2.0,
            tile.y + (tile.height - sheet.line_height()) / 2.0,
        );
        drawing.text_centred(middle, words, Paint::Dim);
    }
}
