//! A map of a class with its title, its scale and an outlined window.

use super::super::channels;
use crate::drawing::{Drawing, Paint, Point, Ramp, Rect, Sheet, map_of_values, outline};
use crate::format::signed;
use crate::session::form::Shape;
use crate::stats::audit::SquareWindow;

/// Maximum height of a map, in text sizes.
const LARGEST: f64 = 24.0;

/// A map with its title above, its scale below and a window outlined.
pub struct MapTile<'a> {
    /// The title above it.
    pub title: String,
    /// Its values, \[C·h·w\]; if there are several channels, their mean is drawn.
    pub map: &'a [f32],
    /// Channels, rows and columns.
    pub shape: Shape,
    /// The window to outline: top row, left column, side.
    pub window: Option<SquareWindow>,
}

impl MapTile<'_> {
    /// Height over width.
    fn ratio(&self) -> f64 {
        let [_, height, width] = self.shape;
        height.max(1) as f64 / width.max(1) as f64
    }

    /// The width of the map in millimetres, given the available width.
    fn across(&self, sheet: Sheet, room: f64) -> f64 {
        room.min(LARGEST * sheet.text_size() / self.ratio())
    }

    /// The height of the tile in millimetres, given the available width.
    pub fn height(&self, sheet: Sheet, room: f64) -> f64 {
        2.4 * sheet.line_height() + self.across(sheet, room) * self.ratio()
    }

    /// Draws the tile with its upper left corner at (x, y), at most `room` millimetres wide.
    pub fn draw(&self, drawing: &mut Drawing, (x, y): Point, room: f64) {
        let sheet = drawing.sheet;
        let (row, size) = (sheet.line_height(), sheet.text_size());
        let [_, height, width] = self.shape;
        let across = self.across(sheet, room);
        let title = sheet.truncate(&self.title, room);
        drawing.text((x, y), &title, Paint::Ink);
        let place = Rect {
            x,
            y: y + 1.2 * row,
            width: across,
            height: across * self.ratio(),
        };
        let plane = channels::luminance(self.map, self.shape);
        let ramp = Ramp::covering(std::iter::once(&plane[..]));
        map_of_values(drawing, place, &plane, width, ramp);
        if let Some((top, left, side)) = self.window {
            let inside = |pixel: usize| {
                let (row, column) = (pixel / width.max(1), pixel % width.max(1));
                (top..top + side).contains(&row) && (left..left + side).contains(&column)
            };
            outline(drawing, place, (height, width), inside);
        }
        let foot = place.bottom() + 0.2 * row;
        let limit = f64::from(ramp.limit());
        let ends = sheet.text_width(&signed(-limit)) + sheet.text_width(&signed(limit));
        let bar = room - ends - size;
        if bar > size {
            ramp.draw(drawing, (x, foot), bar.min(8.0 * size));
        } else {
            drawing.text((x, foot), &sheet.truncate(&ramp.label(), room), Paint::Dim);
        }
    }
}
