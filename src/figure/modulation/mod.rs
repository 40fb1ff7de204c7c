//! The modulation figure: the effect of pushing the biases of a layer towards a class on the accuracy on test images,
//! and on the share of noise called the class, by the strength of the push. One plot per layer, the one with the
//! largest effect first.

mod curves;
mod layers;
mod words;

pub use words::caption;

use self::curves::{legend, plot};
use self::layers::{by_effect, is_measured};
use self::words::{alternative, left_out};
use super::{FigureError, origin};
use crate::drawing::{Drawing, Paint, Rect, Sheet};
use crate::session::Session;
use crate::session::record::Modulation;

/// Maximum number of layers drawn; of more, those with the largest effects.
const MOST: usize = 8;
/// Maximum number of classes with their own dots; of more, those that change most.
const MOST_CLASSES: usize = 40;
/// Maximum number of plots per row, and minimum width of each, in text sizes.
const COLUMNS: usize = 4;
const LEAST: f64 = 14.0;

const TITLE: &str = "layers pushed towards a class: accuracy by strength";

/// Whether any stimulus has been shown with a layer pushed.
pub fn is_available(session: &Session, nth: usize) -> bool {
    begun(session, nth).is_ok()
}

fn begun(session: &Session, nth: usize) -> Result<&Modulation, FigureError> {
    let modulation = super::nth::<Modulation>(session, nth).map(|(_, modulation)| modulation);
    modulation
        .filter(|modulation| modulation.layers.iter().any(is_measured))
        .ok_or(FigureError::Missing("modulation"))
}

/// Draws the effect of a push on each layer, as small multiples.
pub fn draw(session: &Session, nth: usize, sheet: Sheet) -> Result<Drawing, FigureError> {
    let modulation = begun(session, nth)?;
    let layers = by_effect(modulation);
    let shown = &layers[..layers.len().min(MOST)];
    let (margin, row, size) = (sheet.margin(), sheet.line_height(), sheet.text_size());
    let (room, gap) = (sheet.width - 2.0 * margin, 2.0 * margin);
    let mut drawing = Drawing::new(sheet, 0.0);
    let head = drawing.headings(TITLE, &origin(session));
    let legend = legend(&mut drawing, (margin, head), room, modulation);
    let top = head + legend + 0.4 * row;
    let fitting = ((room + gap) / (LEAST * size + gap)) as usize;
    let fitting = fitting.clamp(1, COLUMNS);
    let rows = shown.len().div_ceil(fitting).max(1);
    let columns = shown.len().div_ceil(rows).max(1);
    let width = (room - gap * (columns - 1) as f64) / columns as f64;
    let height = (0.8 * width).clamp(17.0 * size, 24.0 * size);
    for (index, layer) in shown.iter().enumerate() {
        let place = Rect {
            x: margin + (index % columns) as f64 * (width + gap),
            y: top + (index / columns) as f64 * (height + margin),
            width,
            height,
        };
        plot(session, modulation, layer, place, sheet).draw(&mut drawing, place);
    }
    let mut y = top + rows as f64 * (height + margin);
    for words in left_out(modulation, &layers) {
        y = drawing.paragraph(y, &words, Paint::Dim);
    }
    drawing.height = y + 0.4 * margin;
    drawing.alt_text = alternative(modulation, shown);
    Ok(drawing)
}

#[cfg(test)]
mod tests;
