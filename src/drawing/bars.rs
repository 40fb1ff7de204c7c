//! Horizontal bars, one below the other, each with its name on the left and its value on the right.

use super::Drawing;
use super::mark::{Paint, Rect, Stroke};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The label to its left.
    pub name: String,
    /// Its length; `None` if there is no value.
    pub value: Option<f64>,
    /// The text to its right.
    pub text: String,
    /// Its colour.
    pub paint: Paint,
}

/// A chart of horizontal bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The heading above the bars.
    pub title: String,
    /// The value of a full-length bar; greater than 0.
    pub max: f64,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
    /// Values marked by a vertical line, each with its label, which is drawn below the bars.
    pub reference_lines: Vec<(f64, String)>,
}

impl Bars {
    /// The height of the chart in millimetres.
    pub fn height(&self, drawing: &Drawing) -> f64 {
        let row = drawing.sheet.line_height();
        (1.4 + self.bars.len() as f64) * row + self.reference_lines.len() as f64 * row
    }

    /// Draws the chart with its upper left corner at (x, y), `width` millimetres wide.
    pub fn draw(&self, drawing: &mut Drawing, (x, y): (f64, f64), width: f64) {
        let sheet = drawing.sheet;
        let (row, gap) = (sheet.line_height(), 0.5 * sheet.text_size());
        let title = sheet.truncate(&self.title, width);
        drawing.text((x, y), &title, Paint::Ink);
        let widest = |label: &dyn Fn(&Bar) -> &str| {
            let all = self.bars.iter().map(|bar| sheet.text_width(label(bar)));
            all.fold(0.0, f64::max)
        };
        let name = widest(&|bar| &bar.name).min(0.35 * width);
        let value_width = widest(&|bar| &bar.text).min(0.4 * width);
        let bars = Rect {
            x: x + name + gap,
            y: y + 1.2 * row,
            width: (width - name - value_width - 2.0 * gap).max(1.0),
            height: self.bars.len() as f64 * row,
        };
        let length = |value: f64| {
            let share = (value / self.max).clamp(0.0, 1.0);
            bars.width * if share.is_finite() { share } else { 0.0 }
        };
        for (index, bar) in self.bars.iter().enumerate() {
            let top = bars.y + index as f64 * row;
            let words = sheet.truncate(&bar.name, name);
            drawing.text((x, top), &words, Paint::Ink);
            if let Some(value) = bar.value {
                let place = Rect {
                    x: bars.x,
                    y: top + 0.16 * row,
                    width: length(value),
                    height: 0.68 * row,
                };
                drawing.fill(place, bar.paint);
            }
            let words = sheet.truncate(&bar.text, value_width);
            drawing.text((bars.right() + gap, top), &words, Paint::Dim);
        }
        let foot = vec![(bars.x, bars.y), (bars.x, bars.bottom())];
        drawing.line(foot, sheet.thin_line(), Stroke::Solid, Paint::Dim);
        for (index, (value, words)) in self.reference_lines.iter().enumerate() {
            let x = bars.x + length(*value);
            let below = bars.bottom() + index as f64 * row;
            let ends = vec![(x, bars.y), (x, below + 0.3 * row)];
            drawing.line(ends, sheet.thin_line(), Stroke::Dashed, Paint::Ink);
            let half = sheet.text_width(words) / 2.0;
            // Keep the label on the sheet, even where it is wider than the sheet.
            let left = bars.x - name - gap + half;
            let middle = x.min(bars.right() + value_width + gap - half).max(left);
            drawing.text_centred((middle, below + 0.2 * row), words, Paint::Dim);
        }
    }
}
