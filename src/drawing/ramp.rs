//! The colour scale of a map: grey at zero, with its ends at equal distances on either side.

use super::Drawing;
use super::mark::{Mark, Paint, Point, Rect};
use super::scale;
use crate::format;

/// Steps in the colour bar.
const STEPS: usize = 65;

/// A colour scale centred on zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    limit: f32,
}

impl Ramp {
    /// A scale that ends at a round number at or above the largest absolute value in some maps.
    pub fn covering<'a>(maps: impl Iterator<Item = &'a [f32]>) -> Self {
        let sizes = maps.flatten().map(|value| value.abs());
        let most = sizes.filter(|size| size.is_finite()).fold(0.0, f32::max);
        Self {
            limit: scale::round_up(most),
        }
    }

    /// A scale that ends at `limit`.
    pub fn with_limit(limit: f32) -> Self {
        Self { limit }
    }

    /// The value at its bright end.
    pub fn limit(self) -> f32 {
        self.limit
    }

    /// The paint for a value; NaN and infinities are painted as paper.
    pub fn paint(self, value: f32) -> Paint {
        match value.is_finite() {
            true => Paint::Signed((value / self.limit).clamp(-1.0, 1.0)),
            false => Paint::Paper,
        }
    }

    /// Draws `−limit ████ +limit` with a bar `width` millimetres long; returns the width it took in millimetres.
    pub fn draw(self, drawing: &mut Drawing, (x, y): Point, width: f64) -> f64 {
        let sheet = drawing.sheet;
        let limit = f64::from(self.limit);
        let gap = 0.8 * sheet.text_size();
        let low = format::signed(-limit);
        drawing.text((x, y), &low, Paint::Dim);
        let start = x + sheet.text_width(&low) + gap;
        self.bar(drawing, (start, y), width);
        let end = start + width + gap;
        let high = format::signed(limit);
        drawing.text((end, y), &high, Paint::Dim);
        end + sheet.text_width(&high) - x
    }

    /// Draws the bar alone.
    pub fn bar(self, drawing: &mut Drawing, (x, y): Point, width: f64) {
        let sheet = drawing.sheet;
        let place = Rect {
            x,
            y: y + 0.22 * sheet.text_size(),
            width,
            height: 0.9 * sheet.text_size(),
        };
        let step = |index: usize| 2.0 * index as f32 / (STEPS - 1) as f32 - 1.0;
        drawing.marks.push(Mark::Pixels {
            rect: place,
            columns: STEPS,
            paints: (0..STEPS).map(|index| Paint::Signed(step(index))).collect(),
        });
    }

    /// The label of its limit: `±0.02`.
    pub fn label(self) -> String {
        scale::limit_label(self.limit)
    }
}
