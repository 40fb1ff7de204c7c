//! The layout of a sheet of equal tiles, one per class: how many fit in a row, and how large each is.

/// The aspect ratio (width over height) that a sheet aims for.
const SHAPE: f64 = 4.0 / 3.0;

/// Desired minimum width of a tile in millimetres.
const LEAST: f64 = 5.0;

/// Pixels per millimetre that print can resolve.
const FINE: f64 = 24.0;

/// The input of a layout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileRequest {
    /// The number of tiles.
    pub count: usize,
    /// Rows and columns of a map.
    pub size: (usize, usize),
    /// The total width in millimetres.
    pub room: f64,
    /// The gap between tiles in millimetres.
    pub gap: f64,
    /// The height of the caption below each tile in millimetres.
    pub caption: f64,
}

/// The layout of a sheet of tiles, each a map with a caption below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileGrid {
    /// Tiles per row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// How many pixels of a map are merged into one, in each direction: 1 if print can resolve them.
    pub shrink: usize,
    /// The width of a map in millimetres.
    pub across: f64,
    /// The height of a map in millimetres.
    pub down: f64,
}

impl TileGrid {
    /// The layout that fills a sheet of about 4:3. Full rows matter more than the aspect ratio.
    pub fn fit(request: TileRequest) -> Self {
        let count = request.count.max(1);
        let all = (count.min(2)..=count).map(|columns| {
            let layout = Self::of(columns, request);
            (layout, layout.cost(request))
        });
        let best = all.min_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or_else(|| Self::of(1, request), |(layout, _)| layout)
    }

    fn of(columns: usize, request: TileRequest) -> Self {
        let (height, width) = request.size;
        let all = request.room + request.gap;
        let across = (all / columns as f64 - request.gap).max(0.5);
        Self {
            columns,
            rows: request.count.max(1).div_ceil(columns),
            shrink: ((width as f64 / (across * FINE)).ceil() as usize).max(1),
            across,
            down: across * height as f64 / width.max(1) as f64,
        }
    }

    fn cost(&self, request: TileRequest) -> f64 {
        let height = self.rows as f64 * (self.down + request.caption);
        let shape = request.room / height / SHAPE;
        let places = (self.columns * self.rows) as f64;
        let holes = (places - request.count.max(1) as f64) / places;
        let small = (LEAST / self.across).ln().max(0.0);
        shape.ln().abs() + 5.0 * holes + 2.0 * small
    }

    /// The upper left corner of a tile, relative to that of the first; `gap` and `caption` as in the request.
    pub fn corner(&self, index: usize, first: (f64, f64), gap: f64, caption: f64) -> (f64, f64) {
        let (column, row) = (index % self.columns, index / self.columns);
        (
            first.0 + column as f64 * (self.across + gap),
            first.1 + row as f64 * (self.down + caption),
        )
    }

    /// The total height in millimetres.
    pub fn height(&self, caption: f64) -> f64 {
        self.rows as f64 * (self.down + caption)
    }
}

/// Downsamples a map of (rows, columns) by averaging squares of `side` pixels; the last ones may be cut off.
pub fn shrink(map: &[f32], (height, width): (usize, usize), side: usize) -> Vec<f32> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let mean = |index: usize| {
        let (top, left) = (index / columns * side, index % columns * side);
        let lines = top..(top + side).min(height);
        let square =
            lines.flat_map(|row| &map[row * width + left..row * width + (left + side).min(width)]);
        let (sum, count) =
            square.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    };
    (0..rows * columns).map(mean).collect()
}

/// Downsamples a map of (rows, columns) by keeping, in each square of `side` pixels, the value farthest from zero.
pub fn shrink_strongest(map: &[f32], (height, width): (usize, usize), side: usize) -> Vec<f32> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let most = |index: usize| {
        let (top, left) = (index / columns * side, index % columns * side);
        let lines = top..(top + side).min(height);
        let square =
            lines.flat_map(|row| &map[row * width + left..row * width + (left + side).min(width)]);
        square.fold(0.0, |most: f32, &value| match value.abs() > most.abs() {
            true => value,
            false => most,
        })
    };
    (0..rows * columns).map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(count: usize, size: (usize, usize), room: f64) -> TileGrid {
        TileGrid::fit(TileRequest {
            count,
            size,
            room,
            gap: 2.0,
            caption: 6.0,
        })
    }

    #[test]
    fn ten_maps_fill_two_rows_on_every_sheet() {
        for room in [40.0, 81.0, 175.0, 400.0] {
            let tiles = fit(10, (28, 28), room);
            assert_eq!((tiles.columns, tiles.rows), (5, 2), "{room}");
        }
    }

    #[test]
    fn any_number_of_maps_fits_a_sheet_in_more_than_one_column() {
        for count in [2, 3, 7, 13, 26, 100] {
            let tiles = fit(count, (32, 32), 175.0);
            assert!(tiles.columns >= 2 && tiles.columns * tiles.rows >= count);
            let all = tiles.columns as f64 * (tiles.across + 2.0) - 2.0;
            assert!(all <= 175.0 + 1e-9, "{count}: {all}");
        }
        let one = fit(1, (32, 32), 175.0);
        assert_eq!((one.columns, one.rows), (1, 1));
    }

    #[test]
    fn a_map_finer_than_print_is_shrunk_by_averaging() {
        assert_eq!(fit(10, (28, 28), 175.0).shrink, 1);
        assert!(fit(100, (1000, 900), 80.0).shrink > 1);
        let map = [1.0, 3.0, 5.0, 1.0, 3.0, 5.0, 4.0, 4.0, 9.0];
        assert_eq!(shrink(&map, (3, 3), 2), [2.0, 5.0, 4.0, 9.0]);
        assert_eq!(shrink(&map, (3, 3), 1), map);
        let signed = [1.0, -3.0, 5.0, 1.0, 3.0, -5.5, 4.0, -4.5, 9.0];
        assert_eq!(
            shrink_strongest(&signed, (3, 3), 2),
            [-3.0, -5.5, -4.5, 9.0]
        );
    }
}
