//! The audit figure: the maps of the highlighted class with its window outlined, the score of every class and network,
//! and the effect of pasting the findings.

mod bars;
mod data;
mod maps;
mod scores;
mod tile;
mod words;

pub use data::is_available;
pub(super) use scores::{bars_to_show, full_length, line_label, score_text};
pub(super) use tile::MapTile;
pub use words::caption;

use self::bars::{classes, networks, pasted};
use self::data::audit_data;
use self::maps::maps;
use self::words::{alternative, sentences};
use super::{FigureError, origin};
use crate::drawing::{Drawing, Paint, Sheet};
use crate::session::Session;

/// Width, in text sizes, from which two columns are drawn side by side.
pub(super) const WIDE: f64 = 46.0;

/// Draws maps and bars, in two columns if there is room, and on a sheet with headings also the findings in words.
pub fn draw(session: &Session, nth: usize, sheet: Sheet) -> Result<Drawing, FigureError> {
    let data = audit_data(session, nth)?;
    let (margin, row, size) = (sheet.margin(), sheet.line_height(), sheet.text_size());
    let room = sheet.width - 2.0 * margin;
    let gap = 2.0 * margin;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!("audit: {}", data.summary.short_finding);
    let head = drawing.headings(&title, &origin(session));
    let wide = room >= WIDE * size;
    let width = if wide { 0.5 * (room - gap) } else { room };
    let mut ends = [head; 2];
    // The index of a column, of which there may be only one.
    let column = |index: usize| if wide { index } else { 0 };
    let left = |index: usize| margin + column(index) as f64 * (width + gap);
    let maps = maps(&mut drawing, session, &data, (left(0), ends[0]), width);
    ends[0] += maps;
    let all = [
        (1, Some(classes(session, &data, sheet, width))),
        (1, networks(session, &data, sheet, width)),
        (0, pasted(session, &data, sheet, width)),
    ];
    for (index, bars) in all {
        let Some(bars) = bars else { continue };
        let y = ends[column(index)];
        bars.draw(&mut drawing, (left(index), y), width);
        ends[column(index)] = y + bars.height(&drawing) + 0.8 * row;
    }
    let mut y = ends[0].max(ends[1]);
    if sheet.titled {
        for (index, words) in sentences(&data).into_iter().enumerate() {
            let paint = if index == 0 { Paint::Ink } else { Paint::Dim };
            y = drawing.paragraph(y, &words, paint);
        }
    }
    drawing.height = y + 0.4 * margin;
    drawing.alt_text = alternative(session, &data);
    Ok(drawing)
}

#[cfg(test)]
mod tests;
