//! The directions in which the stimuli that excite a unit vary more, or less, than all stimuli: beside its
//! spike-triggered average the axes of the covariance that chance does not explain, and all eigenvalues with
//! the range of chance. Of colour images in colour around mid-grey.

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
use crate::drawing::{Drawing, Paint, Place, Sheet};
use crate::format::clean;
use crate::session::Session;
use crate::session::record::SpikeTriggered;

/// Most units drawn: those whose eigenvalues lie farthest outside chance.
const MOST: usize = 4;
/// Most that eigenvalues are high and wide, in the size of letters.
const HIGH: f64 = 17.0;
const WIDE: f64 = 45.0;

/// Whether there is a covariance of a unit of the layer that has been taken apart.
pub fn is_there(session: &Session, layer: &str) -> bool {
    !units(session, layer).is_empty()
}

/// The average and the axes of each unit, and below them its eigenvalues.
pub fn draw(session: &Session, layer: &str, sheet: Sheet) -> Result<Drawing, FigureError> {
    let units = units(session, layer);
    if units.is_empty() {
        return Err(missing(session, layer));
    }
    let shown = &units[..units.len().min(MOST)];
    let (margin, row) = (sheet.margin(), sheet.row());
    let room = sheet.width - 2.0 * margin;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!("{}: axes of the spike-triggered covariance", clean(layer));
    let mut y = drawing.headings(&title, &origin(session));
    for unit in shown {
        y = pictures(&mut drawing, unit, y);
        let width = room.min(WIDE * sheet.size());
        let place = Place {
            x: margin,
            y,
            width,
            height: HIGH * sheet.size(),
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
        drawing.text((margin, y), &sheet.cut(&words, room), Paint::Dim);
        y += row;
    }
    drawing.height = y + 0.4 * margin;
    drawing.alternative = alternative(layer, shown);
    Ok(drawing)
}

/// Why there is nothing of a layer.
fn missing(session: &Session, layer: &str) -> FigureError {
    let all = session.record.all::<SpikeTriggered>();
    let mut layers = all.flat_map(|(_, own)| &own.layers).peekable();
    if layers.peek().is_none() || layers.any(|own| own.name == layer) {
        return FigureError::Nothing("spike-triggered covariances");
    }
    let all = session.record.all::<SpikeTriggered>();
    let mut there: Vec<String> = Vec::new();
    for own in all.flat_map(|(_, own)| &own.layers) {
        if !there.contains(&own.name) {
            there.push(own.name.clone());
        }
    }
    FigureError::Layer {
        layer: layer.to_owned(),
        there,
    }
}

#[cfg(test)]
mod tests;
