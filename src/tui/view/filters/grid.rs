//! The grid of a layer's units, each on its own scale.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::selection::{FiltersSelection, component_of, ramp};
use crate::session::record::LayerResponses;
use crate::tui::scene::Scene;
use crate::tui::widget::heatmap::{Heatmap, cells, in_proportion};
use crate::tui::widget::text::{centre, left, top};

/// How units are laid out in an area.
pub struct Grid {
    /// Units in a row.
    pub columns: usize,
    /// Number of rows that fit.
    rows: usize,
    /// Columns and rows of a map.
    map: (u16, u16),
    /// Columns from one map to the next.
    step: u16,
}

impl Grid {
    /// The layout with the largest maps at which `units` units fit; if none fit, that of the smallest legible
    /// maps, or of a single one.
    pub fn fit(layer: &LayerResponses, units: usize, area: Rect) -> Self {
        let field = layer.receptive_field;
        let room = (area.width, area.height.saturating_sub(1));
        let whole = (1..=4).rev().map(|zoom| cells(field, zoom));
        let part = |by: usize| (field.1.div_ceil(by) as u16, field.0.div_ceil(2 * by) as u16);
        let candidates: Vec<(u16, u16)> = whole
            .chain([2, 4, 7].map(part))
            .filter(|map| map.0 >= 4 && map.0 <= room.0 && map.1 <= room.1)
            .collect();
        let with = |map: (u16, u16)| {
            let step = map.0.max(4) + 1;
            Self {
                columns: usize::from((area.width + 1) / step).max(1),
                rows: usize::from(area.height / (map.1 + 1)).max(1),
                map,
                step,
            }
        };
        let all = candidates.iter().copied().map(with);
        let fits = |grid: &Self| grid.columns * grid.rows >= units;
        let smallest = candidates.last().copied();
        let smallest = smallest.unwrap_or_else(|| in_proportion(field, room));
        all.into_iter().find(fits).unwrap_or_else(|| with(smallest))
    }
}

/// Draws the units; if they do not all fit, the rows around the chosen one.
pub fn draw(scene: &Scene<'_>, sight: &FiltersSelection<'_>, area: Rect, buf: &mut Buffer) {
    let units = sight.shown.len();
    let grid = Grid::fit(sight.layer, units, area);
    let rows = units.div_ceil(grid.columns);
    let chosen_row = sight.position / grid.columns;
    let first = chosen_row
        .saturating_sub(grid.rows / 2)
        .min(rows.saturating_sub(grid.rows));
    let shown = first * grid.columns..units.min((first + grid.rows) * grid.columns);
    for (index, &unit) in sight.shown[shown].iter().enumerate() {
        let tile_area = Rect {
            x: area.x + (index % grid.columns) as u16 * grid.step,
            y: area.y + (index / grid.columns) as u16 * (grid.map.1 + 1),
            width: grid.step - 1,
            height: grid.map.1 + 1,
        };
        tile(
            scene,
            sight,
            unit,
            grid.map,
            tile_area.intersection(area),
            buf,
        );
    }
}

fn tile(
    scene: &Scene<'_>,
    sight: &FiltersSelection<'_>,
    unit: usize,
    (width, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let map = Rect {
        width,
        height,
        ..area
    }
    .intersection(area);
    let name = match unit == sight.unit {
        true => Span::styled(format!("{}{unit}", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {unit}"), theme.dim()),
    };
    left(buf, area, height, name);
    match sight.average(unit) {
        Some(values) => {
            let size = sight.layer.receptive_field;
            let values = component_of(scene, values, size);
            Heatmap::plain(&values, size, ramp(&values)).draw(map, theme, buf);
        }
        None => {
            let words = match (sight.fields(), width) {
                (0, _) => theme.glyphs.dot,
                (_, 6..) => "silent",
                (_, _) => "off",
            };
            let text = Span::styled(words, theme.dim());
            centre(buf, top(map, height), height / 2, text);
        }
    }
}
