//! Draws how far the suspect is from its references, pixel by pixel: the class that was found, and the chosen
//! one beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::AuditSelection;
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::outline::outline;
use crate::tui::widget::heatmap::{Heatmap, Ramp, cells};
use crate::tui::widget::scale::{self, round_up};
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Minimum columns of each of two maps that are drawn smaller than their pixels.
const LEAST: u16 = 8;

/// Columns and rows of each of so many maps that do not fit whole: as large as the room allows, keeping the aspect ratio;
/// a cell is twice as high as wide. `None` without room.
fn shrunk((height, width): (usize, usize), room: (u16, u16), maps: usize) -> Option<(u16, u16)> {
    let (height, width) = (height.max(1), width.max(1));
    let across = ((usize::from(room.0) + 3) / maps.max(1)).saturating_sub(3);
    let columns = across.min(usize::from(room.1) * 2 * width / height);
    let rows = (columns * height).div_ceil(2 * width);
    let extent: (u16, u16) = (columns.try_into().ok()?, rows.try_into().ok()?);
    (columns > 0).then_some(extent)
}

/// Draws the maps, with their scale below.
pub fn draw(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let Some([_, height, width]) = sight.audit.shape() else {
        return;
    };
    let size = (height, width);
    let mut shown = vec![sight.found()];
    if sight.class != sight.found() {
        shown.push(sight.class);
    }
    let room = (area.width, area.height.saturating_sub(2));
    let fits = |zoom: u16, maps: usize| {
        let (width, height) = cells(size, zoom);
        (width + 3) * maps as u16 <= room.0 + 3 && height <= room.1
    };
    let whole = |maps: usize| {
        let zoom = (1..=8).rev().find(|&zoom| fits(zoom, maps))?;
        Some(cells(size, zoom))
    };
    // The second map is dropped if both would be too small.
    let both = || shrunk(size, room, shown.len()).filter(|(columns, _)| *columns >= LEAST);
    let (columns, rows) = match whole(shown.len()).or_else(both) {
        Some(extent) => extent,
        None => {
            shown.truncate(1);
            whole(1).or_else(|| shrunk(size, room, 1)).unwrap_or(room)
        }
    };
    let limit = shown
        .iter()
        .filter_map(|&class| map(scene, sight, class))
        .flat_map(|map| map.into_iter().map(f32::abs))
        .fold(0.0, f32::max);
    let ramp = Ramp::Diverging {
        centre: 0.0,
        limit: round_up(limit),
    };
    for (index, &class) in shown.iter().enumerate() {
        let tile_area = start(beside(area, index as u16 * (columns + 3)), columns);
        let tile_area = top(tile_area, rows + 1);
        tile(scene, sight, (class, ramp, size), tile_area, buf);
    }
    legend(scene, ramp, below(area, rows + 1), buf);
}

/// The selected component of a class's map; `None` if it has none.
fn map(scene: &Scene<'_>, sight: &AuditSelection<'_>, class: ClassId) -> Option<Vec<f32>> {
    let (map, shape) = (sight.audit.map(class)?, sight.audit.shape()?);
    Some(scene.shared.component.values(map, shape).into_owned())
}

fn tile(
    scene: &Scene<'_>,
    sight: &AuditSelection<'_>,
    (class, ramp, size): (ClassId, Ramp, (usize, usize)),
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let map_area = top(area, area.height.saturating_sub(1));
    match map(scene, sight, class) {
        Some(values) => {
            Heatmap::plain(&values, size, ramp).draw(map_area, theme, buf);
            if let Some(window) = sight.window(class) {
                outline(window, size, map_area, theme, buf);
            }
        }
        None => {
            let text = Span::styled("no image", theme.dim());
            centre(buf, map_area, map_area.height / 2, text);
        }
    }
    let name = form::class_label(scene.session, class);
    let remark = match class == sight.found() {
        true if sight
            .statement
            .as_ref()
            .is_some_and(|statement| statement.found) =>
        {
            "  found"
        }
        true => "  highest score",
        false => "",
    };
    let line = Line::from(vec![
        Span::styled(name, theme.bright()),
        Span::styled(remark, theme.dim()),
    ]);
    left(buf, area, area.height.saturating_sub(1), line);
}

fn legend(scene: &Scene<'_>, ramp: Ramp, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let used = scale::draw(ramp, 14.min(area.width / 3), area, theme, buf);
    let rest = beside(area, used);
    let labels = [
        "  away from the references, in deviations",
        "  deviations",
        "",
    ];
    let fits = |labels: &&&str| labels.chars().count() <= usize::from(rest.width);
    let labels = labels.iter().find(fits).copied().unwrap_or_default();
    left(buf, rest, 0, Span::styled(labels, theme.dim()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrunk_maps_fill_their_room_and_keep_their_aspect_ratio() {
        assert_eq!(shrunk((28, 28), (53, 9), 2), Some((18, 9)));
        assert_eq!(shrunk((28, 28), (33, 9), 2), Some((15, 8)));
        assert_eq!(shrunk((28, 28), (53, 9), 1), Some((18, 9)));
        assert_eq!(shrunk((5, 60), (53, 9), 1), Some((53, 3)));
        assert_eq!(shrunk((28, 28), (2, 9), 2), None);
        assert_eq!(shrunk((28, 28), (53, 0), 1), None);
    }
}
