//! The confusion matrix: images by true class and predicted class.

use super::headline::accuracy_suffix;
use super::{FigureError, origin, wording};
use crate::drawing::{Drawing, Mark, Paint, Rect, Sheet};
use crate::format;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::Split;
use crate::session::record::{Predictions, SplitCounts};

/// Maximum length of a class's name beside the matrix, in characters.
const LETTERS: usize = 16;

/// The confusion matrix of a split of the data set. Rows are true classes; the shade of a cell is its share of the
/// row, orange if the prediction is right and blue if it is wrong.
pub fn draw(
    session: &Session,
    nth: usize,
    split: Split,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let predictions = super::nth::<Predictions>(session, nth);
    let splits = predictions.map_or(&[][..], |(_, predictions)| &predictions.splits);
    let counts = splits
        .iter()
        .find(|counts| counts.split == split && counts.total() > 0);
    let counts = counts.ok_or(FigureError::Missing("predictions"))?;
    let mut drawing = Drawing::new(sheet, 0.0);
    let share = counts.correct() as f64 / counts.total() as f64;
    let title = format!(
        "{} of {} {} images are classified correctly: {}{}",
        format::thousands(counts.correct()),
        format::thousands(counts.total()),
        split.label(),
        format::percent(share),
        accuracy_suffix(session.record.training.as_ref())
    );
    let head = drawing.headings(&title, &origin(session));
    let matrix = Matrix::fit(session, counts, &sheet, head);
    let end = matrix.head + matrix.side * matrix.classes();
    drawing.height = end + sheet.margin();
    if let Some(words) = matrix.numbers {
        let row = sheet.line_height();
        let words = sheet.truncate(words, sheet.width - 2.0 * sheet.margin());
        drawing.text((sheet.margin(), end + 0.4 * row), &words, Paint::Dim);
        drawing.height += 1.4 * row;
    }
    matrix.name(&mut drawing);
    matrix.shades(&mut drawing, counts);
    for truth in ClassId::all(counts.classes()) {
        for called in ClassId::all(counts.classes()) {
            matrix.count(&mut drawing, counts, truth, called);
        }
    }
    drawing.alt_text = alternative(session, counts, &title);
    Ok(drawing)
}

fn alternative(session: &Session, counts: &SplitCounts, title: &str) -> String {
    let classes = counts.classes();
    let wrong = (0..classes * classes).filter(|cell| cell / classes != cell % classes);
    let most = wrong.max_by_key(|&cell| (counts.counts[cell], std::cmp::Reverse(cell)));
    let mut words = format!("A matrix of {classes} true classes by predicted class. {title}.");
    if let Some(cell) = most.filter(|&cell| counts.counts[cell] > 0) {
        let name = |class: ClassId| wording::class_name(&session.record, class);
        words += &format!(
            " The most frequent mistake: {} of {} are called {}.",
            format::thousands(counts.counts[cell]),
            name(ClassId(cell / classes)),
            name(ClassId(cell % classes))
        );
    }
    words
}

/// The layout of the matrix, and its labels.
struct Matrix {
    /// The shortened name of each class.
    names: Vec<String>,
    /// What the numbers among the names mean, if there are any.
    numbers: Option<&'static str>,
    /// Whether the class names are just numbers.
    numbered: bool,
    /// The side of a cell in millimetres.
    side: f64,
    /// The left edge of the first cell.
    left: f64,
    /// The upper edge of the first cell.
    head: f64,
    /// The upper edge of the column labels.
    top: f64,
    /// Whether the column labels run upwards.
    upright: bool,
}

impl Matrix {
    fn fit(session: &Session, counts: &SplitCounts, sheet: &Sheet, top: f64) -> Self {
        let (margin, row) = (sheet.margin(), sheet.line_height());
        let name = |class: ClassId| wording::bare_class_name(&session.record, class);
        let whole: Vec<(ClassId, String)> = ClassId::all(counts.classes())
            .map(|class| (class, name(class)))
            .collect();
        let names = wording::short_and_distinct(&whole, |name| wording::truncate(name, LETTERS));
        let widest = |width: &dyn Fn(&String) -> f64| names.iter().map(width).fold(0.0, f64::max);
        let numbered = names.iter().all(|name| name.parse::<u64>().is_ok());
        let across = widest(&|name| sheet.text_width(name));
        let beside = match numbered {
            true => widest(&|name| sheet.text_width(&format!("true {name}"))),
            false => across.max(sheet.text_width("true")),
        };
        let gutter = beside + margin;
        let room = sheet.width - 2.0 * margin - gutter;
        let largest = sheet.text_width("00000") + 0.8 * sheet.text_size();
        let side = (room / names.len().max(1) as f64).clamp(0.1, largest);
        // Numbers are thinned out if they are too close; names of any length can run upwards.
        let upright = !numbered && across > side - 0.3 * sheet.text_size();
        let above = if upright { across + 0.4 * row } else { row };
        Self {
            numbers: wording::numbers_in_words(&whole, &names),
            numbered,
            side,
            left: margin + gutter,
            head: top + row + above,
            top,
            upright,
            names,
        }
    }

    fn classes(&self) -> f64 {
        self.names.len() as f64
    }

    /// Draws the row and column labels, thinned out if they are too close.
    fn name(&self, drawing: &mut Drawing) {
        let sheet = drawing.sheet;
        let (margin, row) = (sheet.margin(), sheet.line_height());
        let (side, left, head, top) = (self.side, self.left, self.head, self.top);
        drawing.text((left, top), "called", Paint::Dim);
        if !self.numbered {
            drawing.text((margin, top), "true", Paint::Dim);
        }
        let widest = self.names.iter().map(|name| sheet.text_width(name));
        let wide = match self.upright {
            true => row,
            false => widest.fold(0.0, f64::max) + 0.3 * sheet.text_size(),
        };
        for class in (0..self.names.len()).step_by(every(wide, side)) {
            let middle = left + (class as f64 + 0.5) * side;
            let name = &self.names[class];
            match self.upright {
                true => {
                    drawing.text_upwards((middle - 0.5 * row, head - 0.2 * row), name, Paint::Ink)
                }
                false => drawing.text_centred((middle, head - row), name, Paint::Ink),
            }
        }
        for class in (0..self.names.len()).step_by(every(row, side)) {
            let y = head + (class as f64 + 0.5) * side - 0.5 * row;
            let name = match self.numbered {
                true => format!("true {}", self.names[class]),
                false => self.names[class].clone(),
            };
            drawing.text((margin, y), &name, Paint::Ink);
        }
    }

    /// Draws all cells as one image.
    fn shades(&self, drawing: &mut Drawing, counts: &SplitCounts) {
        let classes = counts.classes();
        let paint = |cell: usize| {
            let (truth, called) = (ClassId(cell / classes), ClassId(cell % classes));
            // The square root: a few mistakes among many hits are what matters.
            let sign = if truth == called { 1.0 } else { -1.0 };
            Paint::Signed(sign * share(counts, truth, called).sqrt())
        };
        let side = self.side * self.classes();
        drawing.marks.push(Mark::Pixels {
            rect: Rect {
                x: self.left,
                y: self.head,
                width: side,
                height: side,
            },
            columns: classes,
            paints: (0..classes * classes).map(paint).collect(),
        });
    }

    fn count(&self, drawing: &mut Drawing, counts: &SplitCounts, truth: ClassId, called: ClassId) {
        let (sheet, side) = (drawing.sheet, self.side);
        let count = counts.counts[truth.0 * counts.classes() + called.0];
        let words = count.to_string();
        if count > 0 && side > 0.9 * sheet.line_height() && sheet.text_width(&words) < side {
            let middle = (
                self.left + (called.0 as f64 + 0.5) * side,
                self.head + (truth.0 as f64 + 0.5) * side - 0.5 * sheet.line_height(),
            );
            let strong = share(counts, truth, called) > 0.3;
            let paint = if strong { Paint::Paper } else { Paint::Ink };
            drawing.text_centred(middle, &words, paint);
        }
    }
}

/// The share of a true class that is called `called`.
fn share(counts: &SplitCounts, truth: ClassId, called: ClassId) -> f32 {
    let count = counts.counts[truth.0 * counts.classes() + called.0];
    match counts.shown(truth) {
        0 => 0.0,
        shown => count as f32 / shown as f32,
    }
}

/// The number of cells of `side` millimetres per label of `room` millimetres, rounded up to a round number.
fn every(room: f64, side: f64) -> usize {
    const STEPS: [usize; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let minimum = (room / side.max(1e-3)).ceil() as usize;
    let step = STEPS.into_iter().find(|step| *step >= minimum);
    step.unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_touch_are_thinned_to_round_numbers() {
        assert_eq!(
            [every(1.0, 6.6), every(2.2, 1.0), every(6.0, 1.0)],
            [1, 5, 10]
        );
        assert_eq!(every(10.0, 0.0), 1000);
    }
}
