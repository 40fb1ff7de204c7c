//! Where the three maps and the table of classes stand.

use ratatui::layout::Rect;

use super::classes;
use crate::tui::widget::heatmap::cells;

/// Columns between maps.
pub const GAP: u16 = 2;

/// Rows below the maps for what is said of the chosen class.
pub const FACTS: u16 = 4;

/// How large the maps are, and where the table of classes stands.
pub struct Layout {
    /// Columns and rows of a map.
    pub map: (u16, u16),
    /// Whether the table stands beside the maps.
    pub beside: bool,
}

impl Layout {
    /// The largest whole zoom that has room with the table beside the maps, else without; else what
    /// has room.
    pub fn fit(size: (usize, usize), area: Rect) -> Self {
        let height = area.height.saturating_sub(1 + FACTS);
        let whole = |room: u16| {
            (1..=8)
                .rev()
                .map(|zoom| cells(size, zoom))
                .find(|map| 3 * map.0 + 2 * GAP <= room && map.1 <= height)
        };
        let table = area.width.saturating_sub(classes::COLUMNS + GAP);
        if let Some(map) = whole(table) {
            return Self { map, beside: true };
        }
        if let Some(map) = whole(area.width) {
            return Self { map, beside: false };
        }
        // Square pixels: a cell is one wide and two high.
        let (rows, columns) = (size.0.max(1) as u32, size.1.max(1) as u32);
        let by_height = 2 * u32::from(height) * columns / rows;
        let width = (area.width.saturating_sub(2 * GAP) / 3)
            .min(by_height as u16)
            .max(1);
        let tall = (u32::from(width) * rows).div_ceil(2 * columns) as u16;
        let beside = 3 * width + 3 * GAP + classes::COLUMNS <= area.width;
        Self {
            map: (width, tall.min(height)),
            beside,
        }
    }
}
