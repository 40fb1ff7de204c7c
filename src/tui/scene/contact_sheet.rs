//! The contact sheet: the maps of all classes side by side, each with a caption. If they do not all fit, the
//! rows around the chosen class.

mod caption;
mod layout;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use self::caption::caption;
pub use self::layout::{ContactSheetLayout, comfortable};
use super::Scene;
use super::map_set::MapSet;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::ClassificationImages;
use crate::tui::action::Action;
use crate::tui::form;
use crate::tui::shared::Pixels;
use crate::tui::widget::heatmap::{Heatmap, SignificanceMarks};
use crate::tui::widget::text::{centre, left, top};

/// Whether an action on a sheet is possible: maps of one channel have only one component.
pub fn is_possible(action: Action, session: &Session) -> bool {
    let mut all = session.record.all::<ClassificationImages>();
    let channels =
        |images: &ClassificationImages| images.gammas.first().map(|trials| trials.shape()[0]);
    action != Action::NextLook || all.any(|(_, images)| channels(images) > Some(1))
}

/// Draws the maps of all classes over `area`, or those around the chosen one.
pub fn draw(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    layout: ContactSheetLayout,
    area: Rect,
    buf: &mut Buffer,
) {
    let shown = layout.shown(scene.shared.class, lens.classes());
    for (index, class) in shown.map(ClassId).enumerate() {
        let (row, column) = (index / layout.columns, index % layout.columns);
        let x = area.x + column as u16 * layout.step;
        let y = area.y + row as u16 * layout.pitch;
        let tile = Rect::new(x, y, layout.step.saturating_sub(1), layout.pitch);
        tile_of(scene, lens, class, layout, tile.intersection(area), buf);
    }
}

/// Which classes are visible, in words, if not all are.
pub fn position(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    layout: ContactSheetLayout,
) -> Option<String> {
    let shown = layout.shown(scene.shared.class, lens.classes());
    form::position(&shown, lens.classes())
}

fn tile_of(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    class: ClassId,
    layout: ContactSheetLayout,
    tile: Rect,
    buf: &mut Buffer,
) {
    let map = Rect {
        width: layout.width,
        height: layout.height,
        ..tile
    }
    .intersection(tile);
    thumbnail(scene, lens, class, map, buf);
    let words = Rect {
        y: tile.y + layout.height.min(tile.height),
        height: tile.height.saturating_sub(layout.height).min(layout.words),
        ..tile
    };
    for (row, line) in caption(scene, lens, class, layout).into_iter().enumerate() {
        left(buf, words, row as u16, line);
    }
}

/// Draws the map of a class, or why there is none, over the whole of `area`.
pub fn thumbnail(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    class: ClassId,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let marks = match scene.shared.pixels {
        Pixels::Significant if lens.values(class).is_some() => SignificanceMarks::Only,
        _ => SignificanceMarks::None,
    };
    if let Some(painting) = lens.painting(class) {
        let significance = lens.significance(class);
        Heatmap {
            colours: painting.colours,
            significance: significance.as_ref().map(|(z, bound)| (&z[..], *bound)),
            marks,
            ..Heatmap::plain(&painting.values, lens.size(), painting.ramp)
        }
        .draw(area, theme, buf);
        if let Some(words) = lens.own_scale(class) {
            own_scale(&words, scene, area, buf);
        }
        return;
    }
    let Some(missing) = lens.missing(class) else {
        return;
    };
    for row in 0..area.height {
        let dots = format!("{} ", theme.glyphs.dot).repeat(usize::from(area.width).div_ceil(2));
        if row % 2 == 0 {
            left(buf, area, row, Span::styled(dots, theme.dim()));
        }
    }
    let fits = |line: &String| Span::raw(line.as_str()).width() <= usize::from(area.width);
    let lines: Vec<String> = missing.lines.into_iter().filter(fits).collect();
    let start = area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.iter().enumerate() {
        let padded = match Span::raw(line.as_str()).width() + 2 <= usize::from(area.width) {
            true => format!(" {line} "),
            false => line.clone(),
        };
        let text = Span::styled(padded, theme.text());
        centre(buf, top(area, area.height), start + row as u16, text);
    }
}

/// Labels a map, in its lower left corner, as having its own scale, with the scale's limit if there is room.
pub fn own_scale(label: &str, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let fits = |label: &&str| Span::raw(*label).width() <= usize::from(area.width);
    let label = [label, "±"].into_iter().find(fits).unwrap_or_default();
    let row = area.height.saturating_sub(1);
    left(
        buf,
        area,
        row,
        Span::styled(label.to_owned(), scene.theme.text()),
    );
}
