//! Images by true class and by what the network calls them.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::headline::beside_accuracy;
use super::{FigureError, names, origin};
use crate::format;
use crate::session::Session;
use crate::session::config::Split;
use crate::session::record::{Predictions, SplitCounts};

/// Most letters of a class's name beside the matrix.
const LETTERS: usize = 14;

/// The confusion matrix of a part of the data set: rows are true classes, and the shade of a cell
/// is its share of the row.
pub fn draw(session: &Session, split: Split, sheet: Sheet) -> Result<RgbImage, FigureError> {
    let predictions = session.record.first::<Predictions>();
    let splits = predictions.map_or(&[][..], |it| &it.splits);
    let own = splits.iter().find(|it| it.split == split && it.total() > 0);
    let own = own.ok_or(FigureError::Nothing("predictions"))?;
    let matrix = Matrix::fit(session, own, sheet);
    let (margin, row) = (sheet.margin(), sheet.row());
    let mut canvas = Canvas::new(sheet, matrix.head + matrix.side * matrix.classes() + margin);
    let share = own.correct() as f64 / own.total() as f64;
    let title = format!(
        "{} of {} {} images are called what they are: {}{}",
        format::thousands(own.correct()),
        format::thousands(own.total()),
        split.label(),
        format::percent(share),
        beside_accuracy(session.record.training.as_ref())
    );
    canvas.text((margin, margin), &title, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
    matrix.name(&mut canvas);
    for truth in 0..own.classes() {
        for called in 0..own.classes() {
            matrix.cell(&mut canvas, own, truth, called);
        }
    }
    Ok(canvas.finish())
}

/// Where the cells of a matrix stand, and its names.
struct Matrix {
    /// The name of each class, short.
    names: Vec<String>,
    /// Whether the classes have only numbers.
    numbered: bool,
    /// Pixels a side of a cell.
    side: u32,
    /// The left edge of the first cell.
    left: u32,
    /// The upper edge of the first cell.
    head: u32,
    /// Whether the names above the columns run upwards.
    upright: bool,
}

impl Matrix {
    fn fit(session: &Session, own: &SplitCounts, sheet: Sheet) -> Self {
        let (margin, row) = (sheet.margin(), sheet.row());
        let name = |class: usize| names::bare_drawn(&session.record, class);
        let names: Vec<String> = (0..own.classes())
            .map(|class| names::cut(&name(class), LETTERS))
            .collect();
        let widest = |of: &dyn Fn(&String) -> u32| names.iter().map(of).max().unwrap_or(0);
        let numbered = names.iter().all(|name| name.parse::<u64>().is_ok());
        let across = widest(&|name| sheet.text_width(name));
        let beside = match numbered {
            true => widest(&|name| sheet.text_width(&format!("true {name}"))),
            false => across.max(sheet.text_width("true")),
        };
        let gutter = beside + margin;
        let room = sheet.width.saturating_sub(2 * margin + gutter);
        let largest = sheet.text_width("00000") + 4 * sheet.text;
        let side = (room / names.len().max(1) as u32).clamp(2, largest);
        // Numbers are left out where they are too close; names of any length can run upwards.
        let upright = !numbered && across > side.saturating_sub(2 * sheet.text);
        let above = if upright { across + row / 2 } else { row };
        Self {
            numbered,
            side,
            left: margin + gutter,
            head: margin + 3 * row + above,
            upright,
            names,
        }
    }

    fn classes(&self) -> u32 {
        self.names.len() as u32
    }

    /// Writes the names above and beside the cells; where they are too close, some of them.
    fn name(&self, canvas: &mut Canvas) {
        let sheet = canvas.sheet;
        let (margin, row) = (sheet.margin(), sheet.row());
        let Self {
            side, left, head, ..
        } = *self;
        canvas.text((left, margin + 2 * row), "called", Paint::Dim);
        if !self.numbered {
            canvas.text((margin, margin + 2 * row), "true", Paint::Dim);
        }
        let widest = self.names.iter().map(|name| sheet.text_width(name)).max();
        let wide = match self.upright {
            true => row,
            false => widest.unwrap_or(0) + 2 * sheet.text,
        };
        for class in (0..self.names.len()).step_by(every(wide, side)) {
            let middle = left + class as u32 * side + side / 2;
            let name = &self.names[class];
            match self.upright {
                true => {
                    let x = middle.saturating_sub(4 * sheet.text);
                    canvas.text_up((x, head - row / 4), name, Paint::Ink);
                }
                false => canvas.text_about((middle, margin + 3 * row), name, Paint::Ink),
            }
        }
        for class in (0..self.names.len()).step_by(every(8 * sheet.text, side)) {
            let y = head + class as u32 * side + (side / 2).saturating_sub(3 * sheet.text);
            let name = match self.numbered {
                true => format!("true {}", self.names[class]),
                false => self.names[class].clone(),
            };
            canvas.text((margin, y), &name, Paint::Ink);
        }
    }

    fn cell(&self, canvas: &mut Canvas, own: &SplitCounts, truth: usize, called: usize) {
        let (sheet, side) = (canvas.sheet, self.side);
        let count = own.counts[truth * own.classes() + called];
        let share = match own.shown(truth) {
            0 => 0.0,
            shown => count as f32 / shown as f32,
        };
        let cell = Place {
            x: self.left + called as u32 * side,
            y: self.head + truth as u32 * side,
            width: side,
            height: side,
        };
        // The root: a few mistakes among many hits are what one looks for.
        let sign = if truth == called { 1.0 } else { -1.0 };
        canvas.fill(cell, Paint::signed(sign * share.sqrt()));
        let words = count.to_string();
        if count > 0 && side > 7 * sheet.text && sheet.text_width(&words) < side {
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

/// How many cells of `side` pixels one name of `room` pixels stands for: a round number.
fn every(room: u32, side: u32) -> usize {
    const STEPS: [u32; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let least = room.div_ceil(side.max(1));
    let step = STEPS.into_iter().find(|step| *step >= least);
    step.unwrap_or(1000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_touch_are_thinned_out_to_round_numbers() {
        assert_eq!([every(10, 66), every(22, 10), every(60, 10)], [1, 5, 10]);
        assert_eq!(every(10, 0), 10);
    }
}
