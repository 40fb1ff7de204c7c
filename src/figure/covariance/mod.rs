//! The spike-triggered covariance figure: the directions in which the stimuli that excite a unit vary more, or less,
//! than all stimuli. Shows the unit's spike-triggered average, the covariance axes beyond chance, and all eigenvalues
//! with the range of chance. Colour images are drawn in colour around mid-grey.

mod eigenvalues;
mod pictures;
mod units;
mod words;

pub use words::caption;

use self::eigenvalues::eigenvalues;
use self::pictures::pictures;
use self::units::units;
use self::words::alternative;
use super::{FigureError, origin};
use crate::drawing::{Drawing, Paint, Rect, Sheet};
use crate::format;
use crate::session::Session;
use crate::session::record::SpikeTriggered;

/// Maximum number of units drawn: those whose eigenvalues lie farthest outside chance.
const MOST: usize = 4;
/// Maximum height and width of the eigenvalue plot, in text sizes.
const HIGH: f64 = 17.0;
const WIDE: f64 = 45.0;

/// Whether the covariance of any unit of the layer has been analysed.
pub fn is_available(session: &Session, layer: &str) -> bool {
    !units(session, layer).is_empty()
}

/// Draws the average and the axes of each unit, and below them its eigenvalues.
pub fn draw(session: &Session, layer: &str, sheet: Sheet) -> Result<Drawing, FigureError> {
    let units = units(session, layer);
    if units.is_empty() {
        return Err(missing(session, layer));
    }
    let shown = &units[..units.len().min(MOST)];
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let room = sheet.width - 2.0 * margin;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!(
        "{}: axes of the spike-triggered covariance",
        format::layer(layer)
    );
    let mut y = drawing.headings(&title, &origin(session));
    for unit in shown {
        y = pictures(&mut drawing, unit, y);
        let width = room.min(WIDE * sheet.text_size());
        let place = Rect {
            x: margin,
            y,
            width,
            height: HIGH * sheet.text_size(),
        };
        eigenvalues(unit, sheet, width).draw(&mut drawing, place);
        y = place.bottom() + 0.5 * row;
    }
    if units.len() > shown.len() {
        let words = format!(
            "{} of {} units: those farthest outside chance",
            shown.len(),
            units.len()
        );
        drawing.text((margin, y), &sheet.truncate(&words, room), Paint::Dim);
        y += row;
    }
    drawing.height = y + 0.4 * margin;
    drawing.alt_text = alternative(layer, shown);
    Ok(drawing)
}

/// The reason why a layer has no figure.
fn missing(session: &Session, layer: &str) -> FigureError {
    let all = session.record.all::<SpikeTriggered>();
    let mut layers = all.flat_map(|(_, spikes)| &spikes.layers).peekable();
    if layers.peek().is_none() || layers.any(|layer_responses| layer_responses.name == layer) {
        return FigureError::Missing("spike-triggered covariances");
    }
    let all = session.record.all::<SpikeTriggered>();
    let mut known: Vec<String> = Vec::new();
    for layer_responses in all.flat_map(|(_, spikes)| &spikes.layers) {
        if !known.contains(&layer_responses.name) {
            known.push(layer_responses.name.clone());
        }
    }
    FigureError::Layer {
        layer: layer.to_owned(),
        available: known,
    }
}

#[cfg(test)]
mod tests;
