//! One class, as large as integer zooms of its pixels allow or, if it is larger than the screen, averaged;
//! beside its numbers.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::choices::{ScaleLine, scale_line};
use super::selection::MapsSelection;
use super::{course, neighbours, numbers};
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::contact_sheet::{own_scale, thumbnail};
use crate::tui::scene::map_set::MapSet;
use crate::tui::shared::Pixels;
use crate::tui::widget::columns::columns;
use crate::tui::widget::heatmap::{
    Heatmap, SignificanceMarks, averaged, cells, extent, in_proportion,
};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Minimum columns of the numbers beside the map.
const FIGURES: u16 = 30;
/// Columns of the numbers if the same class at other γ is shown beside them, including a gap.
const NUMBERS: u16 = 54;
/// Columns beside a map that is wider than it should be, below which the numbers may go below it.
const NARROWEST: u16 = 20;
/// Rows of the numbers below a map that is averaged, unless the map would have less than a quarter of all.
const BELOW: u16 = 12;

/// Draws the chosen class with a cursor on it, and all classes as small maps below.
pub fn draw(scene: &Scene<'_>, sight: &MapsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let lens = &sight.lens;
    let (width, height) = size_in(lens.size(), area);
    let cursor = Some(sight.cursor);
    picture(scene, lens, start(top(area, height), width), cursor, buf);
    let under = below(area, height);
    let (panel, is_beside) = numbers_area(area, (width, height));
    // The same class at other γ goes beside the numbers if both fit.
    let least = neighbours::columns(sight);
    let panel = match is_beside && least > 0 && panel.width >= NUMBERS + least {
        true => {
            let neighbours_area = top(beside(panel, NUMBERS), height);
            neighbours::draw(scene, sight, neighbours_area, buf);
            start(panel, NUMBERS - 3)
        }
        false => panel,
    };
    // Numbers that merely explain may use the row of the scale, but not those of the small maps.
    let rows = match is_beside {
        true => height + 2,
        false => panel.height.saturating_sub(2),
    };
    let used = numbers::draw(scene, lens, panel, cursor, rows, buf);
    if is_beside {
        // Below the numbers, beside the map and no lower.
        let room = top(panel, height).height.saturating_sub(used + 1);
        course::draw(scene, lens, top(below(panel, used + 1), room), buf);
    }
    let scale_room = match is_beside && used > height {
        true => width,
        false => under.width,
    };
    if under.height > 0 {
        let class = scene.shared.class;
        let stands_in = lens
            .painting(class)
            .filter(|_| lens.shows_substitute(class));
        if let Some(painting) = stands_in {
            let scale_area = start(under, scale_room);
            let bar = 20.min(scale_area.width / 3);
            let used = scale::draw(painting.ramp, bar, scale_area, scene.theme, buf);
            let words = Span::styled("  mean stimulus", scene.theme.dim());
            left(buf, beside(scale_area, used), 0, words);
        } else if lens.no_maps_message().is_none() {
            let scale_area = start(under, scale_room);
            let shown = in_strip(scene, lens, under.width);
            let position = form::position(&shown, lens.classes());
            let words = averaged(lens.size(), (width, height));
            // Beside long numbers there is no room for it on the row of the scale.
            let (on_row, below_row) = match scale_room < under.width {
                true => (None, words),
                false => (words, None),
            };
            let line = ScaleLine {
                ramp: lens.ramp(class),
                class: Some(class),
                position,
                averaged: on_row,
            };
            scale_line(scene, sight, line, scale_area, buf);
            if let Some(words) = below_row {
                let words = match columns(&words) <= usize::from(scale_room) {
                    true => words,
                    false => "averaged".to_owned(),
                };
                let words = Span::styled(words, scene.theme.dim());
                left(buf, below(scale_area, 1), 0, words);
            }
        }
        // The other numbers may go on below a low map: then the small maps begin below them.
        let end = panel.y - area.y + used;
        let taken = match end > height + 2 {
            true => end + 1,
            false => height + 2,
        };
        strip(scene, lens, below(area, taken), buf);
    }
}

/// Where the numbers go, and whether that is beside the map: below it if hardly anything would fit beside it.
fn numbers_area(area: Rect, (width, height): (u16, u16)) -> (Rect, bool) {
    let (right, lower) = (beside(area, width + 3), below(area, height + 2));
    match right.width < NARROWEST && lower.height >= right.width / 2 && lower.height > 0 {
        true => (lower, false),
        false => (right, true),
    }
}

/// Columns and rows of the map: the largest whole zoom that leaves room for the numbers beside it, or else
/// single pixels; if even these are larger than the area, as much as leaves room for the numbers beside or
/// below it.
fn size_in(size: (usize, usize), area: Rect) -> (u16, u16) {
    let beside = extent(size, (area.width.saturating_sub(FIGURES), area.height));
    let single = cells(size, 1);
    if beside.0 >= single.0 && beside.1 >= single.1 {
        return beside;
    }
    if single.0 <= area.width && single.1 <= area.height {
        return single;
    }
    // The scale, a blank row and the names go below in either case.
    let rows = area.height.saturating_sub(3);
    let above_numbers = rows.saturating_sub(BELOW).max(area.height / 4);
    let beside = in_proportion(size, (area.width.saturating_sub(FIGURES), rows));
    let over = in_proportion(size, (area.width, above_numbers));
    match over.0 > beside.0 && over.0 + 3 + NARROWEST > area.width {
        true => over,
        false => beside,
    }
}

/// Draws the chosen class beside all the others, without a cursor.
pub fn closer(scene: &Scene<'_>, lens: &MapSet<'_>, area: Rect, buf: &mut Buffer) {
    let room = (area.width, area.height.saturating_sub(12));
    let (width, height) = extent(lens.size(), room);
    picture(scene, lens, start(top(area, height), width), None, buf);
    let panel = below(area, height + 1);
    let used = numbers::draw(scene, lens, panel, None, panel.height, buf);
    course::draw(scene, lens, top(below(panel, used + 1), 14), buf);
}

fn picture(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    area: Rect,
    cursor: Option<(usize, usize)>,
    buf: &mut Buffer,
) {
    let class = scene.shared.class;
    let marks = match scene.shared.pixels {
        Pixels::Significant if lens.values(class).is_some() => SignificanceMarks::Only,
        _ => SignificanceMarks::Outline,
    };
    let Some(painting) = lens.painting(class) else {
        thumbnail(scene, lens, class, area, buf);
        return;
    };
    let significance = lens.significance(class);
    Heatmap {
        colours: painting.colours,
        significance: significance.as_ref().map(|(z, bound)| (&z[..], *bound)),
        marks,
        cursor,
        ..Heatmap::plain(&painting.values, lens.size(), painting.ramp)
    }
    .draw(area, scene.theme, buf);
    if let Some(words) = lens.own_scale(class) {
        own_scale(&words, scene, area, buf);
    }
}

/// Minimum rows for a small map with its name below.
const PICTURES: u16 = 4;

/// Columns that a class needs in the strip: its number, marked, and a gap.
fn least(lens: &MapSet<'_>) -> u16 {
    2 + lens.classes().saturating_sub(1).to_string().len() as u16
}

/// Columns from one class to the next at which all names fit in the strip; 0 if they do not.
fn named(scene: &Scene<'_>, shown: usize, width: u16) -> u16 {
    let step = form::widest(scene.session) as u16 + 3;
    match step * shown as u16 <= width {
        true => step,
        false => 0,
    }
}

/// The classes in the strip: those around the chosen one, if they do not all fit.
fn in_strip(scene: &Scene<'_>, lens: &MapSet<'_>, width: u16) -> Range<usize> {
    let room = usize::from(width / least(lens));
    form::window(scene.shared.class.0, lens.classes(), room)
}

/// Draws all classes as small maps below the large one, with the chosen one marked.
fn strip(scene: &Scene<'_>, lens: &MapSet<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 || lens.classes() == 0 {
        return;
    }
    let shown = in_strip(scene, lens, area.width);
    let named = named(scene, shown.len(), area.width);
    let flows = area.height < PICTURES && named == 0;
    if flows && names_alone(scene, lens, &shown, area, buf) {
        return;
    }
    let step = (area.width / shown.len().max(1) as u16)
        .min(2 * area.height.saturating_sub(1) + 2)
        .max(least(lens))
        .max(named);
    let width = step - 1;
    let height = (width / 2).min(area.height - 1);
    let pictures = height + 1 >= PICTURES;
    for (index, class) in shown.map(ClassId).enumerate() {
        let tile = start(beside(area, index as u16 * step), width);
        if pictures {
            // In proportion, centred above the name.
            let (wide, high) = thumbnail_size(lens.size(), (width, height));
            let tile = below(top(tile, height), (height - high) / 2);
            let thumbnail_area = start(beside(top(tile, high), (width - wide) / 2), wide);
            thumbnail_or_dots(scene, lens, class, thumbnail_area, buf);
        }
        let row = if pictures { height } else { 0 };
        let text = form::class_name_within(scene.session, class, usize::from(width - 1));
        centre(buf, tile, row, marked(scene, lens, class, text));
    }
}

/// Columns and rows of a small map in a room of columns × rows; of square images, columns may be odd.
fn thumbnail_size(size: (usize, usize), room: (u16, u16)) -> (u16, u16) {
    match size.0 == size.1 {
        true => (room.0.min(2 * room.1 + 1), room.1),
        false => in_proportion(size, room),
    }
}

/// Draws the names of the classes one after another if there is no room for small maps; returns whether they
/// fit.
fn names_alone(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    shown: &Range<usize>,
    area: Rect,
    buf: &mut Buffer,
) -> bool {
    let names = shown.clone().map(ClassId).map(|class| {
        let name = form::class_name(scene.session, class);
        [marked(scene, lens, class, name), Span::raw("  ")]
    });
    let line = Line::from_iter(names.flatten());
    let fits = line.width() <= usize::from(area.width) + 2;
    if fits {
        left(buf, area, 0, line);
    }
    fits
}

/// The name of a class, styled by whether it is chosen and has a picture.
fn marked(scene: &Scene<'_>, lens: &MapSet<'_>, class: ClassId, text: String) -> Span<'static> {
    let theme = scene.theme;
    if class == scene.shared.class {
        Span::styled(format!("{}{text}", theme.glyphs.pointer), theme.chosen())
    } else if shows(lens, class) {
        Span::styled(text, theme.text())
    } else {
        Span::styled(text, theme.dim())
    }
}

/// Whether there is a picture of a class.
fn shows(lens: &MapSet<'_>, class: ClassId) -> bool {
    lens.values(class).is_some() || lens.shows_substitute(class)
}

fn thumbnail_or_dots(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    class: ClassId,
    area: Rect,
    buf: &mut Buffer,
) {
    if shows(lens, class) {
        thumbnail(scene, lens, class, area, buf);
    } else {
        let text = Span::styled(scene.theme.glyphs.dot, scene.theme.dim());
        centre(buf, area, area.height / 2, text);
    }
}
