//! By how many percent points the accuracy of every class changes when a layer is pushed towards
//! every class.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::sight::{Sight, signed};
use crate::tui::scene::Scene;
use crate::tui::theme::Depth;
use crate::tui::widget::text::{beside, left, start};

/// Columns of a cell.
const CELL: u16 = 5;
/// Change at which the colours end.
const FULL: f32 = 0.5;

/// Columns of the names on the left, and with air after them.
const NAMES: u16 = 8;
const AIRY_NAMES: u16 = 10;

/// Columns of the names, with air where there is room for the cells of all classes.
fn names(classes: usize, width: u16) -> u16 {
    match width < AIRY_NAMES + CELL * classes as u16 {
        true => NAMES,
        false => AIRY_NAMES,
    }
}

/// Columns and rows of the table of all classes on a place of this width.
pub fn size(classes: usize, width: u16) -> (u16, u16) {
    let cells = CELL * classes as u16;
    (names(classes, width) + cells, classes as u16 + 2)
}

/// Draws it: a row a class that is pushed towards, a column a class that is shown.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let names = names(sight.classes, area.width);
    let title = "change of accuracy on test images, in percent points";
    left(buf, area, 0, Span::styled(title, theme.dim()));
    left(buf, area, 1, Span::styled("towards", theme.dim()));
    let place = |class: usize| beside(area, names + CELL * class as u16);
    for class in 0..sight.classes {
        let name = format!("{class:>width$}", width = usize::from(CELL) - 1);
        let style = if class == sight.class {
            theme.bright()
        } else {
            theme.dim()
        };
        left(buf, place(class), 1, Span::styled(name, style));
    }
    for target in 0..sight.classes {
        let row = 2 + target as u16;
        let name = match target == sight.class {
            true => Span::styled(
                format!("{}class {target}", theme.glyphs.pointer),
                theme.chosen(),
            ),
            false => Span::raw(format!(" class {target}")),
        };
        left(buf, start(area, names), row, Line::from(name));
        for class in 0..sight.classes {
            let (text, style) = match sight.change(target, class) {
                Some(change) => (points(change), colour(scene, change)),
                None => (theme.glyphs.dot.into(), theme.dim()),
            };
            let text = format!("{text:>width$} ", width = usize::from(CELL) - 1);
            let text = match target == class && theme.depth == Depth::Mono {
                true => Span::styled(text, theme.bright()),
                false => Span::styled(text, style),
            };
            left(buf, start(place(class), CELL), row, text);
        }
    }
}

/// Percent points with their sign; what rounds to nothing is `0`.
fn points(change: f64) -> String {
    let points = (change * 100.0).round() as i64;
    signed(points)
}

fn colour(scene: &Scene<'_>, change: f64) -> Style {
    let theme = scene.theme;
    if theme.depth == Depth::Mono {
        return theme.text();
    }
    let back = theme.palette.diverging(change as f32 / FULL);
    Style::new().bg(back).fg(theme.contrast(back))
}
