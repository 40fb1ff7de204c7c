//! The figure of a backdoor study: how well a score separates poisoned from clean networks, as ROC curves, and the
//! score of every network. If there are too few networks for a curve: every class of a poisoned and of a clean network
//! by how far it stands out.

mod classes;
mod curves;
mod data;
mod networks;
mod ticks;
mod words;

pub use data::is_available;
pub(super) use ticks::{number, ticks_between};
pub use words::caption;

use self::classes::classes;
use self::curves::plot;
use self::data::{StudyData, study_data};
use self::networks::{lanes, network_bars};
use self::words::alternative;
use super::audit_scores::WIDE;
use super::{FigureError, origin};
use crate::drawing::{Drawing, Paint, Rect, Sheet};
use crate::session::Session;

/// Maximum number of networks with a bar each; if there are more, each is a dot.
const MOST_BARS: usize = 24;
/// Maximum width of the curves, in text sizes.
const LARGEST: f64 = 27.0;

/// Draws curves and scores, or the classes of individual networks.
pub fn draw(session: &Session, nth: usize, sheet: Sheet) -> Result<Drawing, FigureError> {
    let data = study_data(session, nth)?;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let mut drawing = Drawing::new(sheet, 0.0);
    let head = drawing.headings(&data.title(), &origin(session));
    let bottom = match data.curves().is_empty() {
        true => classes(&mut drawing, session, &data, head),
        false => study(&mut drawing, session, &data, head),
    };
    let mut y = bottom + 0.4 * row;
    if sheet.titled {
        for words in data.sentences() {
            y = drawing.paragraph(y, &words, Paint::Dim);
        }
    }
    drawing.height = y + 0.4 * margin;
    drawing.alt_text = alternative(session, &data);
    Ok(drawing)
}

/// Draws the curves, and beside or below them the score of every network; returns their lower edge.
fn study(drawing: &mut Drawing, session: &Session, data: &StudyData<'_>, head: f64) -> f64 {
    let sheet = drawing.sheet;
    let (margin, row, size) = (sheet.margin(), sheet.line_height(), sheet.text_size());
    let room = sheet.width - 2.0 * margin;
    let gap = 2.0 * margin;
    let wide = room >= WIDE * size;
    let width = match wide {
        true => (0.42 * room).min(LARGEST * size),
        false => room.min(LARGEST * size),
    };
    let curves = data.curves();
    let plot = plot(&curves, sheet, width);
    // Make the area inside the axes square.
    let rows = 3.7 + curves.len() as f64;
    let inside = width - sheet.text_width("100 %") - 1.6 * size;
    let place = Rect {
        x: margin,
        y: head,
        width,
        height: inside + rows * row,
    };
    plot.draw(drawing, place);
    let (x, y) = match wide {
        true => (margin + width + gap, head),
        false => (margin, place.bottom() + 0.5 * row),
    };
    let width = sheet.width - margin - x;
    let scores = data.scores();
    let end = match data.study.networks.len() > MOST_BARS {
        true => lanes(drawing, data, &scores, (x, y), width),
        false => {
            let bars = network_bars(session, data, &scores, sheet, width);
            bars.draw(drawing, (x, y), width);
            y + bars.height(drawing)
        }
    };
    place.bottom().max(end)
}

#[cfg(test)]
mod tests;
