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
    let zoom = |maps: usize| (1..=8).rev().find(|&zoom| fits(zoom, maps));
    // The second map is dropped if it does not fit.
    if zoom(shown.len()).is_none() {
        shown.truncate(1);
    }
    let (columns, rows) = match zoom(shown.len()) {
        Some(zoom) => cells(size, zoom),
        // As large as fits, keeping its aspect ratio: a cell is twice as high as wide.
        None => {
            let columns = usize::from(room.1) * 2 * width / height.max(1);
            (room.0.min(columns.try_into().unwrap_or(u16::MAX)), room.1)
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
