//! [`ContactSheetLayout`]: how many maps stand side by side on a contact sheet, and how large they are.

use std::ops::Range;

use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::widget::heatmap::cells;

/// Columns between two maps.
pub(super) const GAP: u16 = 2;

/// Preferred width of the caption under a map.
const WORDS: u16 = 20;

/// The cost of incomplete rows, in quarters of a column of a map.
const UNEVEN: u16 = 12;

/// Up to this many classes are always all visible, in full rows if their number allows.
pub(super) const FEW: usize = 12;

/// Minimum columns of a map, and of its caption, where rows of maps scroll.
const LEAST: u16 = 8;
const LEAST_WORDS: u16 = 10;

/// The width at which a map is easy to read.
const EASY: u16 = 24;

/// How maps are laid out in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactSheetLayout {
    /// Maps in a row.
    pub columns: usize,
    /// Rows of maps that are visible.
    pub rows: usize,
    /// Columns of a map.
    pub width: u16,
    /// Rows of a map.
    pub height: u16,
    /// Rows of the caption under a map.
    pub words: u16,
    /// Columns from one map to the next.
    pub step: u16,
    /// Rows from one row of maps to the next.
    pub pitch: u16,
}

impl ContactSheetLayout {
    /// The best layout of `maps` maps of `size` pixels on `place` = width × height cells, with captions of up
    /// to `words` rows. A few maps are arranged in full rows; of many, as many rows are visible as leave room
    /// for pixels and names.
    pub fn fit(maps: usize, size: (usize, usize), place: (u16, u16), words: u16) -> Self {
        let maps = maps.max(1);
        let whole = cells(size, comfortable(size)).0;
        // A prime number of maps fills only a single row or a single column.
        let has_full_rows = (2..maps).any(|columns| maps.is_multiple_of(columns));
        let full = maps <= FEW && has_full_rows;
        let least = LEAST.min(whole.max(2));
        // Additional columns are worth something until a map is easy to read; beyond that, more visible
        // classes are worth more.
        let easy = whole.min((whole / 2).max(12));
        (1..=maps)
            .flat_map(|columns| {
                let all = maps.div_ceil(columns);
                let first = if maps <= FEW { all } else { 1 };
                (first..=all).map(move |rows| (columns, rows))
            })
            .take_while(|(columns, _)| place.0 / *columns as u16 >= 3 || *columns == 1)
            .flat_map(|grid| (1..=words.max(1)).map(move |words| (grid, words)))
            .flat_map(|(grid, words)| [0, 1].map(|gap| (grid, words, gap)))
            .map(|((columns, rows), words, gap)| {
                let visible = maps.min(columns * rows);
                let layout = Self::with(visible, size, place, (columns, words, gap));
                let width = layout.width.min(whole);
                if maps <= FEW {
                    // One more column on every map is worth more than a row of caption, which is worth more
                    // than a blank row; more columns than pixels are worth nothing.
                    let empty = (columns * rows - maps) as u16;
                    // Incomplete rows pay off only if the maps become clearly larger.
                    let uneven = match full && !maps.is_multiple_of(columns) {
                        true => UNEVEN,
                        false => 0,
                    };
                    let worth = 4 * width + 3 * words + 2 * gap;
                    return (u32::from(worth.saturating_sub(empty + uneven)), layout);
                }
                let readable = width >= least && layout.step >= LEAST_WORDS.max(least) + GAP;
                // A single row does not show that there are more.
                let several = visible == maps || rows > 1;
                let worth = 40 * u32::from(width.min(easy)) / u32::from(easy.max(1))
                    + 40 * visible as u32 / maps as u32
                    + u32::from(3 * words + 2 * gap)
                    + u32::from(width.saturating_sub(easy));
                let marks = 1000 * u32::from(readable) + 400 * u32::from(several);
                (marks + worth, layout)
            })
            .max_by_key(|(worth, layout)| (*worth, layout.columns))
            .map_or_else(
                || Self::with(maps, size, place, (1, 1, 0)),
                |(_, best)| best,
            )
    }

    /// The visible classes, by number: those in the rows around the chosen one.
    pub fn shown(&self, chosen: ClassId, classes: usize) -> Range<usize> {
        let columns = self.columns.max(1);
        let all = classes.div_ceil(columns);
        let rows = form::window(chosen.0 / columns, all, self.rows);
        rows.start * columns..(rows.end * columns).min(classes)
    }

    /// The height of all visible rows of maps.
    pub fn taken(&self) -> u16 {
        self.rows as u16 * self.pitch
    }

    /// The layout with a given number of maps per row, caption rows and blank rows.
    pub fn with(
        maps: usize,
        size: (usize, usize),
        (width, height): (u16, u16),
        (columns, words, gap): (usize, u16, u16),
    ) -> Self {
        let columns = columns.max(1);
        let rows = maps.div_ceil(columns).clamp(1, 999) as u16;
        let across = (width + GAP) / columns as u16;
        let down = (height + gap) / rows;
        let (room_x, room_y) = (across.saturating_sub(GAP), down.saturating_sub(words + gap));
        // Square pixels: a cell is one wide and two high. The width that fits the height, in columns:
        let (tall, broad) = (size.0.max(1) as u32, size.1.max(1) as u32);
        let by_height = (2 * u32::from(room_y) * broad / tall).min(u32::from(u16::MAX)) as u16;
        let room = room_x.min(by_height);
        let rows_of = |columns: u16| (u32::from(columns) * tall).div_ceil(2 * broad) as u16;
        let (full, _) = cells(size, 1);
        let (wide, tall) = if by_height == 0 && room_x > 0 && room_y > 0 {
            // A single column is too wide for square pixels.
            (1, room_y)
        } else if room >= full && full > 0 {
            cells(size, room / full)
        } else if room >= full / 2 && room < full / 2 + full / 8 {
            // A clean average of four pixels is worth more than a few columns.
            (full / 2, rows_of(full / 2))
        } else {
            (room, rows_of(room))
        };
        Self {
            columns,
            rows: usize::from(rows),
            width: wide,
            height: tall,
            words,
            step: across.min(WORDS.max(wide + GAP)),
            pitch: tall + words + gap,
        }
    }
}

/// The zoom at which a map is easy to read: one cell per pixel, more for coarse maps.
pub fn comfortable(size: (usize, usize)) -> u16 {
    let longest = size.0.max(size.1).clamp(1, usize::from(EASY)) as u16;
    EASY.div_ceil(longest).clamp(1, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_too_narrow_for_square_pixels_are_a_column_as_high_as_fits() {
        let layout = ContactSheetLayout::fit(2, (200, 1), (98, 20), 3);
        assert_eq!((layout.columns, layout.width), (2, 1));
        assert_eq!((layout.height, layout.words), (17, 3));
    }
}
