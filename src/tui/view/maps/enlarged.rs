//! One class, as large as whole zooms of its pixels allow, beside its figures.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::choices::{ScaleLine, scale_line};
use super::sight::Sight;
use super::{course, neighbours, numbers};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::lens::Lens;
use crate::tui::scene::sheet::{own_scale, thumbnail};
use crate::tui::shared::Pixels;
use crate::tui::widget::heatmap::{Heatmap, Marks, cells};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Least columns for the figures beside the map.
const FIGURES: u16 = 30;
/// Columns of the figures where the same class otherwise stands beside them, a gap included.
const NUMBERS: u16 = 54;

/// Draws the chosen class with a cursor on it, and all classes in small below.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let lens = &sight.lens;
    let room = (area.width.saturating_sub(FIGURES), area.height);
    let zoom = largest(lens, room);
    let (width, height) = cells(lens.size(), zoom);
    let cursor = Some(sight.cursor);
    picture(scene, lens, start(top(area, height), width), cursor, buf);
    // The row of the scale may be used beside it, that of the small maps not.
    let panel = beside(area, width + 3);
    // The same class otherwise stands beside the figures where there is room for both.
    let least = neighbours::columns(sight);
    let panel = match least > 0 && panel.width >= NUMBERS + least {
        true => {
            let place = top(beside(panel, NUMBERS), height);
            neighbours::draw(scene, sight, place, buf);
            start(panel, NUMBERS - 3)
        }
        false => panel,
    };
    let used = numbers::draw(scene, lens, panel, cursor, height + 2, buf);
    // Below the figures, beside the map and no lower.
    let room = top(panel, height).height.saturating_sub(used + 1);
    course::draw(scene, lens, top(below(panel, used + 1), room), buf);
    let under = below(area, height);
    let scale_room = if used > height { width } else { under.width };
    if under.height > 0 {
        let class = scene.shared.class;
        let stands_in = lens.painting(class).filter(|_| lens.stands_in(class));
        if let Some(painting) = stands_in {
            let place = start(under, scale_room);
            let bar = 20.min(place.width / 3);
            let used = scale::draw(painting.ramp, bar, place, scene.theme, buf);
            let words = Span::styled("  mean stimulus", scene.theme.dim());
            left(buf, beside(place, used), 0, words);
        } else if lens.nothing().is_none() {
            let place = start(under, scale_room);
            let shown = in_strip(scene, lens, under.width);
            let position = form::position(&shown, lens.classes());
            let line = ScaleLine {
                ramp: lens.ramp(class),
                class: Some(class),
                position,
            };
            scale_line(scene, sight, line, place, buf);
        }
        strip(scene, lens, below(under, 2), buf);
    }
}

/// Draws the chosen class beside all the others, without a cursor.
pub fn closer(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let zoom = largest(lens, (area.width, area.height.saturating_sub(12)));
    let (width, height) = cells(lens.size(), zoom);
    picture(scene, lens, start(top(area, height), width), None, buf);
    let panel = below(area, height + 1);
    let used = numbers::draw(scene, lens, panel, None, panel.height, buf);
    course::draw(scene, lens, top(below(panel, used + 1), 14), buf);
}

/// The largest whole zoom at which a map fits.
fn largest(lens: &Lens<'_>, room: (u16, u16)) -> u16 {
    let fits = |zoom: &u16| {
        let (width, height) = cells(lens.size(), *zoom);
        width <= room.0 && height <= room.1
    };
    (1..=8).rev().find(fits).unwrap_or(1)
}

fn picture(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    area: Rect,
    cursor: Option<(usize, usize)>,
    buf: &mut Buffer,
) {
    let class = scene.shared.class;
    let marks = match scene.shared.pixels {
        Pixels::Significant if lens.values(class).is_some() => Marks::Only,
        _ => Marks::Outline,
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

/// Least rows for a picture with its name below.
const PICTURES: u16 = 4;

/// Columns that a class needs in the strip: its number, marked, and a gap.
fn least(lens: &Lens<'_>) -> u16 {
    2 + lens.classes().saturating_sub(1).to_string().len() as u16
}

/// Columns from one class to the next at which all names in the strip have room; 0 where they have
/// none.
fn named(scene: &Scene<'_>, shown: usize, width: u16) -> u16 {
    let step = form::widest(scene.session) as u16 + 3;
    match step * shown as u16 <= width {
        true => step,
        false => 0,
    }
}

/// The classes in the strip: those about the chosen one, where not all have room.
fn in_strip(scene: &Scene<'_>, lens: &Lens<'_>, width: u16) -> Range<usize> {
    let room = usize::from(width / least(lens));
    form::window(scene.shared.class, lens.classes(), room)
}

/// All classes in small below the large one, the chosen one marked.
fn strip(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
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
    for (at, class) in shown.enumerate() {
        let tile = start(beside(area, at as u16 * step), width);
        if pictures {
            // As wide as it is high, in the middle above the name.
            let wide = width.min(2 * height + 1);
            let place = start(beside(top(tile, height), (width - wide) / 2), wide);
            thumbnail_or_dots(scene, lens, class, place, buf);
        }
        let row = if pictures { height } else { 0 };
        let text = form::within(scene.session, class, usize::from(width - 1));
        centre(buf, tile, row, marked(scene, lens, class, text));
    }
}

/// The names of the classes one after the other, where there is no room for pictures; says whether
/// there is room for that.
fn names_alone(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    shown: &Range<usize>,
    area: Rect,
    buf: &mut Buffer,
) -> bool {
    let names = shown.clone().map(|class| {
        let name = form::name(scene.session, class);
        [marked(scene, lens, class, name), Span::raw("  ")]
    });
    let line = Line::from_iter(names.flatten());
    let fits = line.width() <= usize::from(area.width) + 2;
    if fits {
        left(buf, area, 0, line);
    }
    fits
}

/// What a class is called, in the style of what there is of it.
fn marked(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, text: String) -> Span<'static> {
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
fn shows(lens: &Lens<'_>, class: usize) -> bool {
    lens.values(class).is_some() || lens.stands_in(class)
}

fn thumbnail_or_dots(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    class: usize,
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
