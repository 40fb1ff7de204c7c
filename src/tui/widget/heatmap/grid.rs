//! How pixels and cells cover each other: the cells that a map takes, averages over pixels, and the cells of
//! one pixel.

use ratatui::layout::Rect;

/// More columns or rows than any terminal has, of which several can be added.
const MOST: usize = 1 << 13;

/// Columns and rows that a map of this many pixels takes at a zoom; of long signals, `MOST`.
pub fn cells(size: (usize, usize), zoom: u16) -> (u16, u16) {
    let times = |pixels: usize| pixels.saturating_mul(usize::from(zoom));
    let (width, rows) = (times(size.1), times(size.0).div_ceil(2));
    (width.min(MOST) as u16, rows.min(MOST) as u16)
}

/// Columns and rows of a map of `size` pixels, (height, width), in a room of columns × rows: at the largest
/// whole zoom that fits or, if single pixels do not fit, averaged to as much as fits.
pub fn extent(size: (usize, usize), room: (u16, u16)) -> (u16, u16) {
    let mut whole = (1..=8).rev().map(|zoom| cells(size, zoom));
    let fits = |(width, height): &(u16, u16)| *width <= room.0 && *height <= room.1;
    whole
        .find(fits)
        .unwrap_or_else(|| in_proportion(size, room))
}

/// Columns and rows of a map that fills as much of a room as square pixels can, at least one cell.
pub fn in_proportion((height, width): (usize, usize), (columns, rows): (u16, u16)) -> (u16, u16) {
    let (height, width) = (height.max(1), width.max(1));
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    // A cell is one wide and two high.
    let columns = columns.min(2 * rows * width / height).max(1);
    let rows = (columns * height).div_ceil(2 * width).min(rows).max(1);
    (columns as u16, rows as u16)
}

/// How many rows of cells a map of `size` covers in its area: all or, at an integer zoom at which its height
/// is odd, half a cell less.
pub fn covered(size: (usize, usize), area: Rect) -> f64 {
    match PixelGrid::of(size, area) {
        Some(grid) => (grid.zoom * size.0) as f64 / 2.0,
        None => f64::from(area.height),
    }
}

/// Divides `from` pixels into intervals of equal length, of which `to` fit and a last one may reach beyond;
/// gives each interval's first pixel, and how much of each pixel it covers.
pub(super) fn coverage(from: usize, to: f64) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to;
    (0..to.ceil() as usize)
        .map(|i| {
            let (start, end) = (i as f64 * step, (i as f64 + 1.0) * step);
            // An interval within one pixel, or a hair beyond its edge by rounding, is that pixel's.
            let first = ((start + 1e-9).floor() as usize).min(from - 1);
            let last = ((end - 1e-9).floor() as usize).clamp(first, from - 1);
            let cover = (first..=last)
                .map(|pixel| {
                    let (low, high) = (pixel as f64, pixel as f64 + 1.0);
                    (end.min(high) - start.max(low)).max(1e-6) as f32
                })
                .collect();
            (first, cover)
        })
        .collect()
}

/// Which pixel a cell shows, at an integer zoom.
pub(super) struct PixelGrid {
    pub zoom: usize,
}

/// The edges of a pixel that a cell touches.
pub(super) struct Edges {
    pub left: bool,
    pub right: bool,
    pub top: bool,
    pub bottom: bool,
}

impl PixelGrid {
    pub(super) fn of(size: (usize, usize), area: Rect) -> Option<Self> {
        let (width, rows) = (usize::from(area.width), usize::from(area.height));
        let zoom = width.checked_div(size.1)?;
        let whole = zoom > 0 && zoom * size.1 == width && (zoom * size.0).div_ceil(2) == rows;
        whole.then_some(Self { zoom })
    }

    /// Row and column of the pixel that fills this cell, if one does.
    pub(super) fn whole(&self, x: u16, y: u16) -> Option<(usize, usize)> {
        let (top, bottom) = (
            2 * usize::from(y) / self.zoom,
            (2 * usize::from(y) + 1) / self.zoom,
        );
        (top == bottom).then_some((top, usize::from(x) / self.zoom))
    }

    /// Which edges of its pixel a cell touches.
    pub(super) fn edges(&self, x: u16, y: u16) -> Edges {
        let (x, y) = (usize::from(x), 2 * usize::from(y));
        Edges {
            left: x.is_multiple_of(self.zoom),
            right: (x + 1).is_multiple_of(self.zoom),
            top: y.is_multiple_of(self.zoom),
            bottom: (y + 2).is_multiple_of(self.zoom),
        }
    }
}

/// That a map of these columns and rows shows averages of its pixels, if it does.
pub fn averaged(size: (usize, usize), shown: (u16, u16)) -> Option<String> {
    let single = cells(size, 1);
    let smaller = shown.0 < single.0 || shown.1 < single.1;
    smaller.then(|| format!("averaged from {}×{} pixels", size.0, size.1))
}
