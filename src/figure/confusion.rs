//! Images by true class and by what the network calls them.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::{FigureError, origin};
use crate::format;
use crate::session::Session;
use crate::session::config::{CLASSES, Split};
use crate::session::record::Predictions;

/// The confusion matrix of a part of the data set: rows are true classes, and the shade of a cell
/// is its share of the row.
pub fn draw(session: &Session, split: Split, sheet: Sheet) -> Result<RgbImage, FigureError> {
    let predictions = session.record.first::<Predictions>();
    let splits = predictions.map_or(&[][..], |it| &it.splits);
    let own = splits.iter().find(|it| it.split == split && it.total() > 0);
    let own = own.ok_or(FigureError::Nothing("predictions"))?;
    let (margin, row) = (sheet.margin(), sheet.row());
    let gutter = sheet.text_width("true 0") + margin;
    let room = sheet.width.saturating_sub(2 * margin + gutter);
    let side = (room / CLASSES as u32).clamp(2, sheet.text_width("00000") + 4 * sheet.text);
    let head = margin + 4 * row;
    let mut canvas = Canvas::new(sheet, head + CLASSES as u32 * side + margin);
    let share = own.correct() as f64 / own.total() as f64;
    let title = format!(
        "{} of {} {} images are called what they are: {}",
        format::thousands(own.correct()),
        format::thousands(own.total()),
        split.label(),
        format::percent(share)
    );
    canvas.text((margin, margin), &title, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
    let left = margin + gutter;
    canvas.text((left, margin + 2 * row), "called", Paint::Dim);
    for class in 0..CLASSES as u32 {
        let middle = left + class * side + side / 2;
        canvas.text_about((middle, margin + 3 * row), &class.to_string(), Paint::Ink);
        let y = head + class * side + (side / 2).saturating_sub(3 * sheet.text);
        canvas.text((margin, y), &format!("true {class}"), Paint::Ink);
    }
    for truth in 0..CLASSES {
        let shown = own.shown(truth);
        for called in 0..CLASSES {
            let count = own.counts[truth * CLASSES + called];
            let share = match shown {
                0 => 0.0,
                shown => count as f32 / shown as f32,
            };
            let cell = Place {
                x: left + called as u32 * side,
                y: head + truth as u32 * side,
                width: side,
                height: side,
            };
            // The root: a few mistakes among many hits are what one looks for.
            let sign = if truth == called { -1.0 } else { 1.0 };
            canvas.fill(cell, Paint::signed(sign * share.sqrt()));
            let words = count.to_string();
            if count > 0 && sheet.text_width(&words) < side {
                let y = cell.y + (side / 2).saturating_sub(3 * sheet.text);
                let paint = if share > 0.3 {
                    Paint::Paper
                } else {
                    Paint::Ink
                };
                canvas.text_about((cell.x + side / 2, y), &words, paint);
            }
        }
    }
    Ok(canvas.finish())
}
