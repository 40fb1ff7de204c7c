//! A sheet of equal tiles, one a class: how many stand in a row, and how large each is.

/// Width over height that a sheet comes near to.
const SHAPE: f64 = 4.0 / 3.0;

/// Millimetres across that a tile has at least, where that can be had.
const LEAST: f64 = 5.0;

/// Pixels to a millimetre that print can show.
const FINE: f64 = 24.0;

/// What tiles are made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// How many.
    pub count: usize,
    /// Rows and columns of a map.
    pub size: (usize, usize),
    /// Millimetres across that all have.
    pub room: f64,
    /// Millimetres between them.
    pub gap: f64,
    /// Millimetres below each.
    pub caption: f64,
}

/// The layout of a sheet of tiles, each a map with a caption below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tiles {
    /// Tiles in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Pixels of a map that become one, in each direction: 1 where print can show them as they are.
    pub shrink: usize,
    /// Millimetres that a map takes across.
    pub across: f64,
    /// The same, down.
    pub down: f64,
}

impl Tiles {
    /// The layout that fills a sheet of about 4:3. Rows that are filled count for more than the shape.
    pub fn fit(wanted: Wanted) -> Self {
        let count = wanted.count.max(1);
        let all = (count.min(2)..=count).map(|columns| {
            let own = Self::of(columns, wanted);
            (own, own.cost(wanted))
        });
        let best = all.min_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or_else(|| Self::of(1, wanted), |(own, _)| own)
    }

    fn of(columns: usize, wanted: Wanted) -> Self {
        let (height, width) = wanted.size;
        let all = wanted.room + wanted.gap;
        let across = (all / columns as f64 - wanted.gap).max(0.5);
        Self {
            columns,
            rows: wanted.count.max(1).div_ceil(columns),
            shrink: ((width as f64 / (across * FINE)).ceil() as usize).max(1),
            across,
            down: across * height as f64 / width.max(1) as f64,
        }
    }

    fn cost(&self, wanted: Wanted) -> f64 {
        let height = self.rows as f64 * (self.down + wanted.caption);
        let shape = wanted.room / height / SHAPE;
        let places = (self.columns * self.rows) as f64;
        let holes = (places - wanted.count.max(1) as f64) / places;
        let small = (LEAST / self.across).ln().max(0.0);
        shape.ln().abs() + 5.0 * holes + 2.0 * small
    }

    /// The upper left corner of a tile, from that of the first; `gap` and `caption` as they were wanted.
    pub fn corner(&self, at: usize, first: (f64, f64), gap: f64, caption: f64) -> (f64, f64) {
        let (column, row) = (at % self.columns, at / self.columns);
        (
            first.0 + column as f64 * (self.across + gap),
            first.1 + row as f64 * (self.down + caption),
        )
    }

    /// Millimetres that all of them take down.
    pub fn height(&self, caption: f64) -> f64 {
        self.rows as f64 * (self.down + caption)
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

/// A map of (rows, columns) with the value that is farthest from zero of squares of `side` pixels instead of these.
pub fn strongest(map: &[f32], (height, width): (usize, usize), side: usize) -> Vec<f32> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let most = |at: usize| {
        let (top, left) = (at / columns * side, at % columns * side);
        let lines = top..(top + side).min(height);
        let own =
            lines.flat_map(|row| &map[row * width + left..row * width + (left + side).min(width)]);
        own.fold(0.0, |most: f32, &value| match value.abs() > most.abs() {
            true => value,
            false => most,
        })
    };
    (0..rows * columns).map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(count: usize, size: (usize, usize), room: f64) -> Tiles {
        Tiles::fit(Wanted {
            count,
            size,
            room,
            gap: 2.0,
            caption: 6.0,
        })
    }

    #[test]
    fn ten_maps_stand_in_two_full_rows_on_every_sheet() {
        for room in [40.0, 81.0, 175.0, 400.0] {
            let own = fit(10, (28, 28), room);
            assert_eq!((own.columns, own.rows), (5, 2), "{room}");
        }
    }

    #[test]
    fn any_number_of_maps_makes_a_sheet_and_never_one_column() {
        for count in [2, 3, 7, 13, 26, 100] {
            let own = fit(count, (32, 32), 175.0);
            assert!(own.columns >= 2 && own.columns * own.rows >= count);
            let all = own.columns as f64 * (own.across + 2.0) - 2.0;
            assert!(all <= 175.0 + 1e-9, "{count}: {all}");
        }
        let one = fit(1, (32, 32), 175.0);
        assert_eq!((one.columns, one.rows), (1, 1));
    }

    #[test]
    fn a_map_finer_than_print_is_shrunk_by_means() {
        assert_eq!(fit(10, (28, 28), 175.0).shrink, 1);
        assert!(fit(100, (1000, 900), 80.0).shrink > 1);
        let map = [1.0, 3.0, 5.0, 1.0, 3.0, 5.0, 4.0, 4.0, 9.0];
        assert_eq!(shrink(&map, (3, 3), 2), [2.0, 5.0, 4.0, 9.0]);
        assert_eq!(shrink(&map, (3, 3), 1), map);
        let signed = [1.0, -3.0, 5.0, 1.0, 3.0, -5.5, 4.0, -4.5, 9.0];
        assert_eq!(strongest(&signed, (3, 3), 2), [-3.0, -5.5, -4.5, 9.0]);
    }
}
