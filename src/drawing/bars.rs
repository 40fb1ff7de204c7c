//! Bars below each other, each with its name before it and its value behind it.

use super::Drawing;
use super::mark::{Paint, Place, Stroke};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What stands before it.
    pub name: String,
    /// How long it is; `None` where there is no value.
    pub value: Option<f64>,
    /// What stands behind it.
    pub said: String,
    /// Its colour.
    pub paint: Paint,
}

/// Bars below each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What stands above them.
    pub title: String,
    /// The value of a bar of full length; more than 0.
    pub most: f64,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
    /// Values that an upright line stands for, and what it says below the bars.
    pub lines: Vec<(f64, String)>,
}

impl Bars {
    /// Millimetres that they take down.
    pub fn height(&self, drawing: &Drawing) -> f64 {
        let row = drawing.sheet.row();
        (1.4 + self.bars.len() as f64) * row + self.lines.len() as f64 * row
    }

    /// Draws them from a corner on, `width` millimetres wide.
    pub fn draw(&self, drawing: &mut Drawing, (x, y): (f64, f64), width: f64) {
        let sheet = drawing.sheet;
        let (row, gap) = (sheet.row(), 0.5 * sheet.size());
        let title = sheet.cut(&self.title, width);
        drawing.text((x, y), &title, Paint::Ink);
        let widest = |of: &dyn Fn(&Bar) -> &str| {
            let all = self.bars.iter().map(|bar| sheet.text_width(of(bar)));
            all.fold(0.0, f64::max)
        };
        let name = widest(&|bar| &bar.name).min(0.35 * width);
        let said = widest(&|bar| &bar.said).min(0.4 * width);
        let bars = Place {
            x: x + name + gap,
            y: y + 1.2 * row,
            width: (width - name - said - 2.0 * gap).max(1.0),
            height: self.bars.len() as f64 * row,
        };
        let length = |value: f64| {
            let share = (value / self.most).clamp(0.0, 1.0);
            bars.width * if share.is_finite() { share } else { 0.0 }
        };
        for (at, bar) in self.bars.iter().enumerate() {
            let top = bars.y + at as f64 * row;
            let words = sheet.cut(&bar.name, name);
            drawing.text((x, top), &words, Paint::Ink);
            if let Some(value) = bar.value {
                let place = Place {
                    x: bars.x,
                    y: top + 0.16 * row,
                    width: length(value),
                    height: 0.68 * row,
                };
                drawing.fill(place, bar.paint);
            }
            let words = sheet.cut(&bar.said, said);
            drawing.text((bars.right() + gap, top), &words, Paint::Dim);
        }
        let foot = vec![(bars.x, bars.y), (bars.x, bars.bottom())];
        drawing.line(foot, sheet.thin(), Stroke::Solid, Paint::Dim);
        for (at, (value, words)) in self.lines.iter().enumerate() {
            let x = bars.x + length(*value);
            let below = bars.bottom() + at as f64 * row;
            let ends = vec![(x, bars.y), (x, below + 0.3 * row)];
            drawing.line(ends, sheet.thin(), Stroke::Dashed, Paint::Ink);
            let half = sheet.text_width(words) / 2.0;
            // On the sheet, also where they are wider than it.
            let left = bars.x - name - gap + half;
            let middle = x.min(bars.right() + said + gap - half).max(left);
            drawing.text_about((middle, below + 0.2 * row), words, Paint::Dim);
        }
    }
}
