//! By how many percent points the accuracy of every class changes when a layer is pushed towards
//! every class.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::sight::{Sight, signed};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::theme::Depth;
use crate::tui::widget::text::{beside, left, start};

/// Columns of a cell.
const CELL: u16 = 5;
/// Change at which the colours end.
const FULL: f32 = 0.5;

/// Columns of the numbers of classes on the left, and with air after them; most of their names.
const NAMES: u16 = 8;
const AIRY_NAMES: u16 = 10;
const MOST_NAMES: u16 = 16;
/// Rows above the table.
const HEAD: u16 = 2;
/// So many classes are never told apart from where they stand.
pub const FEW: usize = 10;
/// Rows that curves below the table need.
const CURVES: u16 = 7;

/// Columns of the names, with air where there is room for the cells of all classes.
fn names(sight: &Sight<'_>, width: u16) -> u16 {
    let widest = (0..sight.classes)
        .map(|class| Span::raw(form::of_class(sight.session, class)).width() as u16)
        .max();
    let least = NAMES.max((widest.unwrap_or(0) + 1).min(MOST_NAMES));
    match width < least + 2 + cells(sight.classes) {
        true => least,
        false => least.max(AIRY_NAMES),
    }
}

fn cells(classes: usize) -> u16 {
    (u32::from(CELL) * classes as u32).min(u32::from(u16::MAX / 2)) as u16
}

/// Columns and rows of the table of all classes on a place of this width.
pub fn size(sight: &Sight<'_>, width: u16) -> (u16, u16) {
    (
        names(sight, width) + cells(sight.classes),
        sight.classes as u16 + HEAD,
    )
}

/// Rows of the table on a place of this height: of a few classes all, of more so many as leave
/// room for the curves below.
pub fn rows(classes: usize, height: u16) -> u16 {
    let all = classes.min(999) as u16 + HEAD;
    match classes > FEW && all + CURVES > height {
        true => height.saturating_sub(CURVES).max(HEAD + 4).min(all),
        false => all,
    }
}

/// Draws it: a row a class that is pushed towards, a column a class that is shown; where not all
/// have room, those about the chosen one.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let names = names(sight, area.width);
    let room = |cells: u16, classes: usize| match classes > FEW {
        true => usize::from(cells),
        false => classes,
    };
    let window = |room| form::window(sight.class, sight.classes, room);
    let across = window(room(area.width.saturating_sub(names) / CELL, sight.classes));
    let down = window(room(area.height.saturating_sub(HEAD), sight.classes));
    let title = "change of accuracy on test images, in percent points";
    let told = [("", &across), ("towards ", &down)].into_iter();
    let told = told.filter_map(|(word, shown)| {
        let position = form::position(shown, sight.classes)?;
        Some(format!("{word}{position}"))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let titles = match told.is_empty() {
        true => vec![title.to_string()],
        false => vec![
            format!("{title}; {told}"),
            format!("change of accuracy in points; {told}"),
            format!("change in points; {told}"),
            told,
        ],
    };
    let fits = |title: &&String| title.chars().count() <= usize::from(area.width);
    let title = titles.iter().find(fits).or(titles.last()).cloned();
    let title = Span::styled(title.unwrap_or_default(), theme.dim());
    left(buf, area, 0, title);
    left(buf, area, 1, Span::styled("towards", theme.dim()));
    let place = |at: usize| beside(area, names + CELL * at as u16);
    // Columns have all their names, or all their numbers.
    let named = form::widest(sight.session) < usize::from(CELL);
    for (at, class) in across.clone().enumerate() {
        let name = match named {
            true => form::name(sight.session, class),
            false => class.to_string(),
        };
        let name = format!("{name:>width$}", width = usize::from(CELL) - 1);
        let style = if class == sight.class {
            theme.bright()
        } else {
            theme.dim()
        };
        left(buf, place(at), 1, Span::styled(name, style));
    }
    for (at, target) in down.enumerate() {
        let row = HEAD + at as u16;
        let room = usize::from(names - 1);
        let long = form::of_class(sight.session, target);
        let long = match Span::raw(long.as_str()).width() <= room {
            true => long,
            false => form::within(sight.session, target, room),
        };
        let name = match target == sight.class {
            true => Span::styled(format!("{}{long}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {long}")),
        };
        left(buf, start(area, names), row, Line::from(name));
        for (at, class) in across.clone().enumerate() {
            let (text, style) = match sight.change(target, class) {
                Some(change) => (points(change), colour(scene, change)),
                None => (theme.glyphs.dot.into(), theme.dim()),
            };
            let text = format!("{text:>width$} ", width = usize::from(CELL) - 1);
            let text = match target == class && theme.depth == Depth::Mono {
                true => Span::styled(text, theme.bright()),
                false => Span::styled(text, style),
            };
            left(buf, start(place(at), CELL), row, text);
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
