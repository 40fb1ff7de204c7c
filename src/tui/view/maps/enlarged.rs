//! One class, as large as whole zooms of its pixels allow, beside its figures.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::choices::scale_line;
use super::numbers;
use super::sight::Sight;
use crate::tui::scene::Scene;
use crate::tui::scene::lens::Lens;
use crate::tui::scene::sheet::thumbnail;
use crate::tui::shared::Pixels;
use crate::tui::widget::heatmap::{Heatmap, Marks, cells};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Least columns for the figures beside the map.
const FIGURES: u16 = 30;

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
    let used = numbers::draw(scene, lens, panel, cursor, height + 2, buf);
    let under = below(area, height);
    let scale_room = if used > height { width } else { under.width };
    if under.height > 0 {
        let class = scene.shared.class;
        if let Some((_, ramp)) = lens.stand_in(class) {
            let used = scale::draw(ramp, 20.min(under.width / 3), under, scene.theme, buf);
            let words = Span::styled("  mean stimulus", scene.theme.dim());
            left(buf, beside(under, used), 0, words);
        } else if lens.nothing().is_none() {
            let place = start(under, scale_room);
            scale_line(scene, sight, lens.ramp(class), place, buf);
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
    numbers::draw(scene, lens, panel, None, panel.height, buf);
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
    let own = lens.values(class).map(|values| (values, lens.ramp(class)));
    let marks = match scene.shared.pixels {
        Pixels::Significant if own.is_some() => Marks::Only,
        _ => Marks::Outline,
    };
    let Some((values, ramp)) = own.or_else(|| lens.stand_in(class)) else {
        thumbnail(scene, lens, class, area, buf);
        return;
    };
    Heatmap {
        values,
        size: lens.size(),
        ramp,
        significance: lens.significance(class),
        marks,
        cursor,
    }
    .draw(area, scene.theme, buf);
}

/// All classes in small below the large one, the chosen one marked.
fn strip(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let classes = lens.classes() as u16;
    if area.height == 0 || classes == 0 {
        return;
    }
    let step = (area.width / classes)
        .min(2 * area.height.saturating_sub(1) + 2)
        .max(3);
    let width = step - 1;
    let height = (width / 2).min(area.height - 1);
    for class in 0..classes {
        let tile = start(beside(area, class * step), width);
        if height >= 3 {
            thumbnail_or_dots(scene, lens, usize::from(class), top(tile, height), buf);
        }
        let row = if height >= 3 { height } else { 0 };
        let name = if usize::from(class) == scene.shared.class {
            Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen())
        } else if shows(lens, usize::from(class)) {
            Span::styled(format!("{class}"), theme.text())
        } else {
            Span::styled(format!("{class}"), theme.dim())
        };
        centre(buf, tile, row, name);
    }
}

/// Whether there is a picture of a class.
fn shows(lens: &Lens<'_>, class: usize) -> bool {
    lens.values(class).is_some() || lens.stand_in(class).is_some()
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
