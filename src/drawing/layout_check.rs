//! Layout checks: labels that overlap one another or run off the sheet.

use super::Drawing;
use super::mark::{Anchor, Label, Mark, Point};
#[cfg(test)]
use super::{Background, Palette, Sheet};

/// A line of text and its bounding box: left, top, right, bottom.
struct Row<'a> {
    text: &'a str,
    edges: [f64; 4],
}

/// How far text may cross an edge without anyone noticing, in millimetres.
const SLACK: f64 = 0.1;

/// Describes every pair of overlapping labels, and every label that runs off the sheet.
pub fn layout_faults(drawing: &Drawing) -> Vec<String> {
    let rows = drawing.marks.iter().filter_map(|mark| match mark {
        Mark::Text {
            position: at,
            label: words,
            ..
        } if !words.text.trim().is_empty() => Some(row(drawing, *at, words)),
        _ => None,
    });
    let rows: Vec<Row<'_>> = rows.collect();
    let mut found = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let [left, top, right, bottom] = row.edges;
        let inside = left >= -SLACK
            && top >= -SLACK
            && right <= drawing.sheet.width + SLACK
            && bottom <= drawing.height + SLACK;
        if !inside {
            found.push(format!("`{}` leaves the sheet", row.text));
        }
        let over = |other: &&Row<'_>| {
            let [l, t, r, b] = other.edges;
            left < r && l < right && top < b && t < bottom
        };
        let others = rows[index + 1..].iter().filter(over);
        found.extend(others.map(|other| format!("`{}` lies on `{}`", row.text, other.text)));
    }
    found
}

/// The bounding box of the glyphs, without the space above and below them.
fn row<'a>(drawing: &Drawing, (x, y): Point, words: &'a Label) -> Row<'a> {
    let sheet = &drawing.sheet;
    let size = sheet.text_size();
    let width = match words.bold {
        true => sheet.bold_width(&words.text),
        false => sheet.text_width(&words.text),
    };
    let before = match words.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => width / 2.0,
        Anchor::End => width,
    };
    let (high, low) = (0.32 * size, 1.08 * size);
    let edges = match words.upwards {
        true => [x + high, y + before - width, x + low, y + before],
        false => [x - before, y + high, x - before + width, y + low],
    };
    Row {
        text: &words.text,
        edges,
    }
}

/// The sheets on which every layout is tested: both widths, with and without headings.
#[cfg(test)]
pub fn test_sheets() -> [Sheet; 4] {
    let bare = |sheet: Sheet, titled| Sheet {
        titled,
        palette: Palette::Grey,
        background: Background::Dark,
        ..sheet
    };
    [
        bare(Sheet::SINGLE, true),
        bare(Sheet::SINGLE, false),
        bare(Sheet::DOUBLE, true),
        bare(Sheet::DOUBLE, false),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Paint;

    #[test]
    fn text_that_overlaps_or_leaves_the_sheet_is_found() {
        let mut drawing = Drawing::new(Sheet::SINGLE, 20.0);
        drawing.text((2.0, 2.0), "one", Paint::Ink);
        drawing.text(
            (2.0, 2.0 + drawing.sheet.line_height()),
            "below",
            Paint::Ink,
        );
        assert_eq!(layout_faults(&drawing), [""; 0]);
        drawing.text((3.0, 2.5), "over it", Paint::Ink);
        drawing.text_right_aligned((3.0, 12.0), "too far to the left", Paint::Ink);
        let found = layout_faults(&drawing);
        assert!(found[0].starts_with("`one` lies on `over it`"), "{found:?}");
        assert!(
            found.last().unwrap().ends_with("leaves the sheet"),
            "{found:?}"
        );
    }
}
