//! Draws a table: by how many percentage points the accuracy of every class changes when a layer is pushed
//! towards every class.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::selection::{ModulationSelection, signed};
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::theme::Depth;
use crate::tui::widget::columns::pad_start;
use crate::tui::widget::text::{beside, left, start};

/// Columns of a cell.
const CELL: u16 = 5;
/// Change at which the colours saturate.
const FULL: f32 = 0.5;

/// Minimum columns of the class names, minimum with spacing, and maximum.
const NAMES: u16 = 8;
const AIRY_NAMES: u16 = 10;
const MOST_NAMES: u16 = 16;
/// Rows above the table.
const HEAD: u16 = 2;
/// Up to this many classes, the table is always shown whole.
pub const FEW: usize = 10;
/// Rows that the curves below the table need.
const CURVES: u16 = 7;

/// Columns of the class names with a mark before and a blank after them, and spacing if the cells of all classes
/// leave room.
fn names(sight: &ModulationSelection<'_>, width: u16) -> u16 {
    let widest = ClassId::all(sight.classes)
        .map(|class| Span::raw(form::class_label(sight.session, class)).width() as u16)
        .max();
    let least = NAMES.max((widest.unwrap_or(0) + 2).min(MOST_NAMES));
    match width < least + 2 + cells(sight.classes) {
        true => least,
        false => least.max(AIRY_NAMES),
    }
}

fn cells(classes: usize) -> u16 {
    (u32::from(CELL) * classes as u32).min(u32::from(u16::MAX / 2)) as u16
}

/// Columns and rows of the table of all classes in an area of this width.
pub fn size(sight: &ModulationSelection<'_>, width: u16) -> (u16, u16) {
    (
        names(sight, width) + cells(sight.classes),
        sight.classes as u16 + HEAD,
    )
}

/// Rows of the table in an area of this height: all of a few classes; of more, as many as leave room for the
/// curves below.
pub fn rows(classes: usize, height: u16) -> u16 {
    let all = classes.min(999) as u16 + HEAD;
    match classes > FEW && all + CURVES > height {
        true => height.saturating_sub(CURVES).max(HEAD + 4).min(all),
        false => all,
    }
}

/// Draws the table: a row per class pushed towards, a column per class shown; if they do not all fit, those
/// around the chosen one.
pub fn draw(scene: &Scene<'_>, sight: &ModulationSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let names = names(sight, area.width);
    let room = |cells: u16, classes: usize| match classes > FEW {
        true => usize::from(cells),
        false => classes,
    };
    let window = |room| form::window(sight.class.0, sight.classes, room);
    let across = window(room(area.width.saturating_sub(names) / CELL, sight.classes));
    let down = window(room(area.height.saturating_sub(HEAD), sight.classes));
    let title = "change of accuracy on test images, in % points";
    let positions = [("", &across), ("towards ", &down)].into_iter();
    let positions = positions.filter_map(|(word, shown)| {
        let position = form::position(shown, sight.classes)?;
        Some(format!("{word}{position}"))
    });
    let positions = positions.collect::<Vec<_>>().join(", ");
    let titles = match positions.is_empty() {
        true => vec![title.to_string()],
        false => vec![
            format!("{title}; {positions}"),
            format!("change of accuracy in points; {positions}"),
            format!("change in points; {positions}"),
            positions,
        ],
    };
    let fits = |title: &&String| title.chars().count() <= usize::from(area.width);
    let title = titles.iter().find(fits).or(titles.last()).cloned();
    let title = Span::styled(title.unwrap_or_default(), theme.dim());
    left(buf, area, 0, title);
    left(buf, area, 1, Span::styled("towards", theme.dim()));
    let cell_area = |column: usize| beside(area, names + CELL * column as u16);
    // Columns show all their names, or all their numbers.
    let named = form::widest(sight.session) < usize::from(CELL);
    for (column, class) in across.clone().map(ClassId).enumerate() {
        let name = match named {
            true => form::class_name(sight.session, class),
            false => class.to_string(),
        };
        let name = pad_start(&name, usize::from(CELL) - 1);
        let style = if class == sight.class {
            theme.bright()
        } else {
            theme.dim()
        };
        left(buf, cell_area(column), 1, Span::styled(name, style));
    }
    for (row_index, target) in down.map(ClassId).enumerate() {
        let row = HEAD + row_index as u16;
        let room = usize::from(names - 2);
        let long = form::class_label(sight.session, target);
        let long = match Span::raw(long.as_str()).width() <= room {
            true => long,
            false => form::class_name_within(sight.session, target, room),
        };
        let name = match target == sight.class {
            true => Span::styled(format!("{}{long}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {long}")),
        };
        left(buf, start(area, names), row, Line::from(name));
        for (column, class) in across.clone().map(ClassId).enumerate() {
            let (text, style) = match sight.change(target, class) {
                Some(change) => (points(change), colour(scene, change)),
                None => (theme.glyphs.dot.into(), theme.dim()),
            };
            let text = format!("{text:>width$} ", width = usize::from(CELL) - 1);
            let text = match target == class && theme.depth == Depth::Mono {
                true => Span::styled(text, theme.bright()),
                false => Span::styled(text, style),
            };
            left(buf, start(cell_area(column), CELL), row, text);
        }
    }
}

/// Percentage points with their sign; `0` if they round to zero.
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
