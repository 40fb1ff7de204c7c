//! The layout of the three maps and the table of classes.

use ratatui::layout::Rect;

use super::classes;
use crate::tui::widget::heatmap::{cells, in_proportion};

/// Columns between maps.
pub const GAP: u16 = 2;

/// Rows below the maps for the facts about the chosen class.
pub const FACTS: u16 = 4;

/// How large the maps are, and where the table of classes goes.
pub struct ComparisonLayout {
    /// Columns and rows of a map.
    pub map: (u16, u16),
    /// Whether the table is beside the maps.
    pub beside: bool,
}

/// Minimum rows of the table when it is below.
const TABLE: u16 = 6;

impl ComparisonLayout {
    /// The largest whole zoom that fits, with the table beside the maps unless they are larger with the table
    /// below; if none fits, whatever size does.
    pub fn fit(size: (usize, usize), area: Rect) -> Self {
        let height = area.height.saturating_sub(1 + FACTS);
        let largest = |width: u16, height: u16| {
            let fits = |zoom: &u16| {
                let map = cells(size, *zoom);
                3 * map.0 + 2 * GAP <= width && map.1 <= height
            };
            (1..=8).rev().find(fits).unwrap_or(0)
        };
        let with_table = area.width.saturating_sub(classes::COLUMNS + GAP);
        let zooms = [
            largest(with_table, height),
            largest(area.width, height.saturating_sub(TABLE)),
        ];
        if let Some(zoom) = zooms.into_iter().max().filter(|zoom| *zoom > 0) {
            return Self {
                map: cells(size, zoom),
                beside: zooms[0] == zoom,
            };
        }
        let width = area.width.saturating_sub(2 * GAP) / 3;
        let map = in_proportion(size, (width, height));
        Self {
            map,
            beside: 3 * map.0 + 3 * GAP + classes::COLUMNS <= area.width,
        }
    }
}
