//! Drawing maps and images as square pixels, and outlines around selected pixels.

use super::Drawing;
use super::mark::{Mark, Paint, Rect};
use super::ramp::Ramp;

/// Draws a map with `columns` values per row into a rectangle, in the colours of a ramp.
pub fn map_of_values(
    drawing: &mut Drawing,
    place: Rect,
    values: &[f32],
    columns: usize,
    ramp: Ramp,
) {
    let paints = values.iter().map(|&value| ramp.paint(value)).collect();
    drawing.marks.push(Mark::Pixels {
        rect: place,
        columns,
        paints,
    });
}

/// Draws an image with `columns` pixels per row into a rectangle, in its own colours.
pub fn image_of_colours(drawing: &mut Drawing, place: Rect, colours: &[[u8; 3]], columns: usize) {
    let paints = colours.iter().map(|&colour| Paint::Rgb(colour)).collect();
    drawing.marks.push(Mark::Pixels {
        rect: place,
        columns,
        paints,
    });
}

/// Draws an outline around the chosen pixels of a map of (rows, columns) that fills a rectangle.
pub fn outline(
    drawing: &mut Drawing,
    place: Rect,
    (rows, columns): (usize, usize),
    chosen: impl Fn(usize) -> bool,
) {
    let (wide, high) = (place.width / columns as f64, place.height / rows as f64);
    let corner =
        |row: usize, column: usize| (place.x + column as f64 * wide, place.y + row as f64 * high);
    let inside = |row: usize, column: usize| {
        row < rows && column < columns && chosen(row * columns + column)
    };
    let mut ends = Vec::new();
    // Edges between rows, and at the top and bottom; adjacent edges are merged.
    for row in 0..=rows {
        let edge = |column: usize| inside(row.wrapping_sub(1), column) != inside(row, column);
        runs(columns, edge, |from, to| {
            ends.push((corner(row, from), corner(row, to)));
        });
    }
    for column in 0..=columns {
        let edge = |row: usize| inside(row, column.wrapping_sub(1)) != inside(row, column);
        runs(rows, edge, |from, to| {
            ends.push((corner(from, column), corner(to, column)));
        });
    }
    if ends.is_empty() {
        return;
    }
    let thick = (wide * 0.18).clamp(0.6 * drawing.sheet.thin_line(), drawing.sheet.thick_line());
    drawing.marks.push(Mark::Segments {
        segments: ends,
        thick,
        paint: Paint::Ink,
    });
}

/// Calls `found` with the start and end of every run for which `holds` is true.
fn runs(length: usize, holds: impl Fn(usize) -> bool, mut found: impl FnMut(usize, usize)) {
    let mut from = 0;
    while from < length {
        let run = (from..length).take_while(|&index| holds(index)).count();
        if run > 0 {
            found(from, from + run);
        }
        from += run.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Sheet;

    #[test]
    fn pixels_that_touch_share_an_outline() {
        let mut drawing = Drawing::new(Sheet::DOUBLE, 10.0);
        let place = Rect {
            x: 1.0,
            y: 2.0,
            width: 3.0,
            height: 2.0,
        };
        outline(&mut drawing, place, (2, 3), |pixel| {
            pixel == 0 || pixel == 1
        });
        let Some(Mark::Segments { segments: ends, .. }) = drawing.marks.first() else {
            panic!("no outline")
        };
        assert_eq!(
            ends[..],
            [
                ((1.0, 2.0), (3.0, 2.0)),
                ((1.0, 3.0), (3.0, 3.0)),
                ((1.0, 2.0), (1.0, 3.0)),
                ((3.0, 2.0), (3.0, 3.0)),
            ]
        );
        outline(&mut drawing, place, (2, 3), |_| false);
        assert_eq!(drawing.marks.len(), 1);
    }
}
