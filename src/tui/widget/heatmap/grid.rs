//! How pixels and cells cover each other: averages over pixels, and the cells of one pixel.

use ratatui::layout::Rect;

/// Divides `from` pixels into `to` intervals of equal length; gives each interval's first pixel, and how much
/// of each pixel it covers.
pub(super) fn coverage(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to as f64;
    (0..to)
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
        let zoom = width / size.1;
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
