//! What an audit of a network found: the map of the class that was found with its window outlined, the
//! score of every class beside those of the references, and what pasting the findings does.

mod bars;
mod maps;
mod scores;
mod seen;
mod tile;
mod words;

pub(super) use scores::{at_line, full, score_in_words, shown};
pub use seen::is_there;
pub(super) use tile::Tile;
pub use words::caption;

use self::bars::{classes, networks, pasted};
use self::maps::maps;
use self::seen::seen;
use self::words::{alternative, sentences};
use super::{FigureError, origin};
use crate::drawing::{Drawing, Paint, Sheet};
use crate::session::Session;

/// From so many letters' sizes across on, two columns stand beside each other.
pub(super) const WIDE: f64 = 46.0;

/// Maps and bars, in two columns where there is room, and on a sheet with headings the findings in words.
pub fn draw(session: &Session, sheet: Sheet) -> Result<Drawing, FigureError> {
    let seen = seen(session)?;
    let (margin, row, size) = (sheet.margin(), sheet.row(), sheet.size());
    let room = sheet.width - 2.0 * margin;
    let gap = 2.0 * margin;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!("audit: {}", seen.said.short);
    let head = drawing.headings(&title, &origin(session));
    let wide = room >= WIDE * size;
    let width = if wide { 0.5 * (room - gap) } else { room };
    let mut ends = [head; 2];
    // The place of a column, of which there may be only one.
    let column = |at: usize| if wide { at } else { 0 };
    let left = |at: usize| margin + column(at) as f64 * (width + gap);
    let maps = maps(&mut drawing, session, &seen, (left(0), ends[0]), width);
    ends[0] += maps;
    let all = [
        (1, Some(classes(session, &seen, sheet, width))),
        (1, networks(session, &seen, sheet, width)),
        (0, pasted(session, &seen, sheet, width)),
    ];
    for (at, bars) in all {
        let Some(bars) = bars else { continue };
        let y = ends[column(at)];
        bars.draw(&mut drawing, (left(at), y), width);
        ends[column(at)] = y + bars.height(&drawing) + 0.8 * row;
    }
    let mut y = ends[0].max(ends[1]);
    if sheet.titled {
        for (at, words) in sentences(&seen).into_iter().enumerate() {
            let paint = if at == 0 { Paint::Ink } else { Paint::Dim };
            for line in sheet.wrap(&words, room) {
                drawing.text((margin, y), &line, paint);
                y += row;
            }
        }
    }
    drawing.height = y + 0.4 * margin;
    drawing.alternative = alternative(session, &seen);
    Ok(drawing)
}

#[cfg(test)]
mod tests;
