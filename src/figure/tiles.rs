//! A sheet of equal tiles, one a class: how many stand in a row, and how large each is.

use super::canvas::Sheet;

/// Width over height that a sheet comes near to.
const SHAPE: f64 = 4.0 / 3.0;

/// Pixels across that a tile has at least, where that can be had.
const LEAST: f64 = 12.0;

/// The layout of a sheet of tiles, each a map with a caption below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// Tiles in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Pixels of a map that become one, in each direction: 1 where it has room as it is.
    pub shrink: usize,
    /// Pixels of the sheet that a pixel of the map then takes, in each direction.
    pub zoom: u32,
    /// Pixels of the sheet that a map takes across.
    pub across: u32,
    /// The same, down.
    pub down: u32,
}

impl Tiles {
    /// The layout that makes `count` maps of `size` (rows, columns) fill a sheet of about 4:3, `gap`
    /// pixels between them and `caption` pixels below each. Rows that are filled count for more
    /// than the shape.
    pub fn fit(count: usize, size: (usize, usize), sheet: Sheet, gap: u32, caption: u32) -> Self {
        let count = (count as u32).max(1);
        let all = (count.min(2)..=count).map(|columns| {
            let own = Self::of(columns, count, size, sheet, gap);
            (own, own.cost(count, sheet, caption))
        });
        let best = all.min_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or_else(|| Self::of(1, count, size, sheet, gap), |(own, _)| own)
    }

    fn of(
        columns: u32,
        count: u32,
        (height, width): (usize, usize),
        sheet: Sheet,
        gap: u32,
    ) -> Self {
        let room = sheet.width.saturating_sub(2 * sheet.margin()) + gap;
        let tile = (room / columns).saturating_sub(gap).max(1);
        let shrink = width.div_ceil(tile as usize).max(1);
        let (height, width) = (
            height.div_ceil(shrink) as u32,
            width.div_ceil(shrink) as u32,
        );
        let zoom = (tile / width.max(1)).max(1);
        Self {
            columns,
            rows: count.div_ceil(columns),
            shrink,
            zoom,
            across: width * zoom,
            down: height * zoom,
        }
    }

    fn cost(&self, count: u32, sheet: Sheet, caption: u32) -> f64 {
        let height = self.rows * (self.down + caption) + 2 * sheet.margin() + sheet.row();
        let shape = f64::from(sheet.width) / f64::from(height) / SHAPE;
        let places = self.columns * self.rows;
        let holes = f64::from(places - count) / f64::from(places);
        let small = (LEAST / f64::from(self.across)).ln().max(0.0);
        shape.ln().abs() + 3.0 * holes + 2.0 * small
    }
}

/// A map of (rows, columns) with the means of squares of `side` pixels instead of these; the last
/// ones may be cut.
pub fn shrink(map: &[f32], (height, width): (usize, usize), side: usize) -> Vec<f32> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let mean = |at: usize| {
        let (top, left) = (at / columns * side, at % columns * side);
        let lines = top..(top + side).min(height);
        let own =
            lines.flat_map(|row| &map[row * width + left..row * width + (left + side).min(width)]);
        let (sum, count) = own.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    };
    (0..rows * columns).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(count: usize, side: usize, width: u32, text: u32) -> (u32, u32) {
        let sheet = Sheet {
            width,
            text,
            ..Sheet::FILE
        };
        let own = Tiles::fit(
            count,
            (side, side),
            sheet,
            sheet.margin().max(4),
            2 * sheet.row(),
        );
        (own.columns, own.rows)
    }

    #[test]
    fn ten_maps_stand_in_two_full_rows_on_every_sheet() {
        for (width, text) in [(80, 1), (100, 1), (200, 1), (640, 1), (1200, 2), (2400, 4)] {
            assert_eq!(columns(10, 28, width, text), (5, 2), "{width}");
        }
    }

    #[test]
    fn any_number_of_maps_makes_a_sheet_and_never_one_column() {
        for (count, expected) in [(2, 2), (7, 4), (13, 5), (26, 7), (100, 13)] {
            let (columns, rows) = columns(count, 32, 1200, 2);
            assert_eq!(columns, expected, "{count}");
            assert!((columns * rows) as usize >= count);
        }
        assert!(columns(100, 32, 20, 1).0 >= 2);
        assert_eq!(columns(1, 32, 1200, 2), (1, 1));
    }

    #[test]
    fn a_map_without_room_is_shrunk_by_means() {
        let sheet = Sheet {
            width: 200,
            text: 1,
            ..Sheet::FILE
        };
        let own = Tiles::fit(9, (100, 90), sheet, 4, 11);
        assert!(own.shrink > 1 && own.across <= 200 / own.columns, "{own:?}");
        let map = [1.0, 3.0, 5.0, 1.0, 3.0, 5.0, 4.0, 4.0, 9.0];
        assert_eq!(shrink(&map, (3, 3), 2), [2.0, 5.0, 4.0, 9.0]);
        assert_eq!(shrink(&map, (3, 3), 1), map);
    }
}
