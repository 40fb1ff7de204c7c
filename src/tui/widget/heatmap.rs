//! A map of pixels: two a cell as half blocks, or one a cell where the terminal has no half
//! blocks, or as glyphs whose weight tells the size and whose shape tells the sign where it has no
//! colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::figure::channels::RGB;
use crate::tui::theme::{Depth, Theme};

/// How a value becomes a colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ramp {
    /// Symmetric about `centre`; `limit` away from it the colours end.
    Diverging {
        /// The value that is grey.
        centre: f32,
        /// Distance from it at which the colours end.
        limit: f32,
    },
    /// Greys from `low` to `high`.
    Grey {
        /// The value that is black.
        low: f32,
        /// The value that is white.
        high: f32,
    },
}

impl Ramp {
    /// Where a value stands: −1 to 1 in a diverging ramp, 0 to 1 in a grey one.
    pub fn place(self, value: f32) -> f32 {
        match self {
            Self::Diverging { centre, limit } if limit > 0.0 => {
                ((value - centre) / limit).clamp(-1.0, 1.0)
            }
            Self::Diverging { .. } => 0.0,
            Self::Grey { low, high } if high > low => {
                ((value - low) / (high - low)).clamp(0.0, 1.0)
            }
            Self::Grey { .. } => 0.5,
        }
    }

    /// The colour of a place.
    pub fn colour(self, place: f32, theme: &Theme) -> Color {
        match self {
            Self::Diverging { .. } => theme.palette.diverging(place),
            Self::Grey { .. } => theme.palette.sequential(place),
        }
    }

    /// The glyph of a place where there is no colour.
    pub fn glyph(self, place: f32, theme: &Theme) -> &'static str {
        let set = match self {
            Self::Diverging { .. } if place < 0.0 => theme.glyphs.negative,
            Self::Diverging { .. } => theme.glyphs.positive,
            Self::Grey { .. } => theme.glyphs.shades,
        };
        // A few glyphs must tell weak values from none: the root spends them on small values.
        let level = (place.abs().sqrt() * set.len() as f32) as usize;
        set[level.min(set.len() - 1)]
    }
}

/// A map to draw.
#[derive(Debug, Clone, Copy)]
pub struct Heatmap<'a> {
    /// Row by row.
    pub values: &'a [f32],
    /// Red, green and blue of an image in colour, row by row: painted instead of the values where
    /// the terminal has colours.
    pub colours: Option<[&'a [f32]; RGB]>,
    /// Height and width in pixels.
    pub size: (usize, usize),
    /// How values become colours.
    pub ramp: Ramp,
    /// The values by whose size pixels are significant, and the bound: z and its threshold.
    pub significance: Option<(&'a [f32], f32)>,
    /// What to do with significance.
    pub marks: Marks,
    /// Row and column of the pixel under the cursor.
    pub cursor: Option<(usize, usize)>,
}

impl<'a> Heatmap<'a> {
    /// A map without significance and cursor.
    pub fn plain(values: &'a [f32], size: (usize, usize), ramp: Ramp) -> Self {
        Self {
            values,
            colours: None,
            size,
            ramp,
            significance: None,
            marks: Marks::None,
            cursor: None,
        }
    }
}

/// What to do with the significance of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Nothing.
    None,
    /// Outline the significant ones, where a pixel is large enough.
    Outline,
    /// Paint only the significant ones.
    Only,
}

/// Columns and rows that a map of this many pixels takes at a zoom.
pub fn cells(size: (usize, usize), zoom: u16) -> (u16, u16) {
    let (height, width) = (size.0 as u16 * zoom, size.1 as u16 * zoom);
    (width, height.div_ceil(2))
}

impl Heatmap<'_> {
    /// Draws the map over the whole of `area`: pixels are averaged where it is smaller, and
    /// repeated where it is a whole multiple.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let (height, width) = self.size;
        let area = area.intersection(buf.area);
        if area.is_empty() || height == 0 || width == 0 || self.values.len() < height * width {
            return;
        }
        let halves = theme.glyphs.unicode && theme.depth != Depth::Mono;
        let rows = usize::from(area.height) * if halves { 2 } else { 1 };
        let columns = usize::from(area.width);
        let paint = self.paint(rows, columns, theme);
        for y in 0..area.height {
            for x in 0..area.width {
                let cell = &mut buf[(area.x + x, area.y + y)];
                let (row, column) = (usize::from(y), usize::from(x));
                if halves {
                    let top = paint.colour(2 * row * columns + column);
                    let bottom = paint.colour((2 * row + 1) * columns + column);
                    cell.set_symbol("▀")
                        .set_style(Style::new().fg(top).bg(bottom));
                } else if theme.depth != Depth::Mono {
                    let colour = paint.colour(row * columns + column);
                    cell.set_symbol(" ").set_style(Style::new().bg(colour));
                } else {
                    cell.set_symbol(paint.glyph(row * columns + column));
                }
            }
        }
        if self.marks == Marks::Outline {
            self.outline(area, theme, buf);
        }
        self.point(area, theme, buf);
    }

    /// What every point of a grid laid over the map is painted with.
    fn paint<'b>(&self, rows: usize, columns: usize, theme: &'b Theme) -> Paint<'b> {
        let places = match self.colours.filter(|_| theme.depth != Depth::Mono) {
            Some(colours) => {
                let [red, green, blue] = colours.map(|own| self.places(own, rows, columns));
                let pixels = red.into_iter().zip(green).zip(blue);
                Places::Colours(pixels.map(|((r, g), b)| [r, g, b]).collect())
            }
            None => Places::Ramp(self.places(self.values, rows, columns)),
        };
        Paint {
            places,
            ramp: self.ramp,
            theme,
        }
    }

    /// The place on the ramp of every point of a grid laid over the map.
    fn places(&self, values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
        let (height, width) = self.size;
        let vertical = weights(height, rows);
        let horizontal = weights(width, columns);
        let mut places = Vec::with_capacity(rows * columns);
        for (first_row, row_weights) in &vertical {
            for (first_column, column_weights) in &horizontal {
                let (mut sum, mut total) = (0.0, 0.0);
                for (dy, wy) in row_weights.iter().enumerate() {
                    for (dx, wx) in column_weights.iter().enumerate() {
                        let pixel = (first_row + dy) * width + first_column + dx;
                        sum += wy * wx * self.painted(values, pixel);
                        total += wy * wx;
                    }
                }
                places.push(sum / total);
            }
        }
        places
    }

    /// Where a pixel stands on the ramp, or its middle where it is not to be painted.
    fn painted(&self, values: &[f32], pixel: usize) -> f32 {
        if self.marks == Marks::Only && !self.is_significant(pixel) {
            return 0.0;
        }
        values
            .get(pixel)
            .map_or(0.0, |&value| self.ramp.place(value))
    }

    fn is_significant(&self, pixel: usize) -> bool {
        self.significance
            .is_some_and(|(z, bound)| z.get(pixel).is_some_and(|z| z.abs() > bound))
    }

    /// Strokes along the edge of the significant pixels, in the cells that belong to one pixel.
    fn outline(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        if self.significance.is_none() {
            return;
        }
        let Some(grid) = Grid::of(self.size, area) else {
            return;
        };
        let (height, width) = self.size;
        let significant = |row: isize, column: isize| {
            let inside =
                row >= 0 && column >= 0 && (row as usize) < height && (column as usize) < width;
            inside && self.is_significant(row as usize * width + column as usize)
        };
        for y in 0..area.height {
            for x in 0..area.width {
                let Some((row, column)) = grid.whole(x, y) else {
                    continue;
                };
                let (row, column) = (row as isize, column as isize);
                if !significant(row, column) {
                    continue;
                }
                let edges = grid.edges(x, y);
                let stroke = if edges.left && !significant(row, column - 1) {
                    ["▏", "["]
                } else if edges.right && !significant(row, column + 1) {
                    ["▕", "]"]
                } else if edges.top && !significant(row - 1, column) {
                    ["▔", "^"]
                } else if edges.bottom && !significant(row + 1, column) {
                    ["▁", "_"]
                } else {
                    continue;
                };
                let stroke = stroke[usize::from(!theme.glyphs.unicode)];
                // Without colour the glyph is the value: a stroke would hide it.
                if theme.depth != Depth::Mono {
                    let cell = &mut buf[(area.x + x, area.y + y)];
                    let colour = theme.contrast(cell.bg);
                    cell.set_symbol(stroke).set_fg(colour);
                }
            }
        }
    }

    /// Brackets around the pixel under the cursor, or the pixel itself in the strongest contrast.
    fn point(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let (Some((row, column)), Some(grid)) = (self.cursor, Grid::of(self.size, area)) else {
            return;
        };
        let own: Vec<(u16, u16)> = (0..area.height)
            .flat_map(|y| (0..area.width).map(move |x| (x, y)))
            .filter(|&(x, y)| grid.whole(x, y) == Some((row, column)))
            .collect();
        let bold = theme.bright();
        if let (Some(&first), Some(&last)) = (own.first(), own.last())
            && grid.zoom > 1
        {
            for &(x, y) in &own {
                let symbol = if x == first.0 {
                    "["
                } else if x == last.0 {
                    "]"
                } else {
                    continue;
                };
                let cell = &mut buf[(area.x + x, area.y + y)];
                let colour = theme.contrast(cell.bg);
                cell.set_symbol(symbol).set_style(bold);
                if theme.depth != Depth::Mono {
                    cell.set_fg(colour);
                }
            }
            return;
        }
        let (x, y) = (column as u16, row as u16 / 2);
        if x >= area.width || y >= area.height {
            return;
        }
        let cell = &mut buf[(area.x + x, area.y + y)];
        match theme.depth {
            Depth::Mono => {
                cell.set_symbol("X").set_style(bold);
            }
            _ if !theme.glyphs.unicode => {
                let colour = theme.contrast(cell.bg);
                cell.set_symbol("X").set_fg(colour);
            }
            _ => {
                let (mark, other) = if row.is_multiple_of(2) {
                    ("▀", cell.bg)
                } else {
                    ("▄", cell.fg)
                };
                cell.set_symbol(mark)
                    .set_style(Style::new().fg(theme.contrast(other)).bg(other));
            }
        }
    }
}

/// Where the points of a grid stand on a ramp.
enum Places {
    Ramp(Vec<f32>),
    /// Red, green and blue.
    Colours(Vec<[f32; RGB]>),
}

/// What the points of a grid are painted with.
struct Paint<'a> {
    places: Places,
    ramp: Ramp,
    theme: &'a Theme,
}

impl Paint<'_> {
    fn colour(&self, at: usize) -> Color {
        match &self.places {
            Places::Ramp(places) => self.ramp.colour(places[at], self.theme),
            Places::Colours(places) => self.theme.palette.mixed(places[at]),
        }
    }

    fn glyph(&self, at: usize) -> &'static str {
        match &self.places {
            Places::Ramp(places) => self.ramp.glyph(places[at], self.theme),
            Places::Colours(_) => " ",
        }
    }
}

/// For each of `to` stretches of equal length over `from` pixels: its first pixel, and how much of
/// each pixel it covers.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let (start, end) = (i as f64 * step, (i as f64 + 1.0) * step);
            // A stretch within one pixel, or a hair over its edge by rounding, is that pixel's.
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

/// Which pixel a cell shows, at a whole zoom.
struct Grid {
    zoom: usize,
}

struct Edges {
    left: bool,
    right: bool,
    top: bool,
    bottom: bool,
}

impl Grid {
    fn of(size: (usize, usize), area: Rect) -> Option<Self> {
        let (width, rows) = (usize::from(area.width), usize::from(area.height));
        let zoom = width / size.1;
        let whole = zoom > 0 && zoom * size.1 == width && (zoom * size.0).div_ceil(2) == rows;
        whole.then_some(Self { zoom })
    }

    /// Row and column of the pixel that fills this cell, where one does.
    fn whole(&self, x: u16, y: u16) -> Option<(usize, usize)> {
        let (top, bottom) = (
            2 * usize::from(y) / self.zoom,
            (2 * usize::from(y) + 1) / self.zoom,
        );
        (top == bottom).then_some((top, usize::from(x) / self.zoom))
    }

    /// Which edges of its pixel a cell touches.
    fn edges(&self, x: u16, y: u16) -> Edges {
        let (x, y) = (usize::from(x), 2 * usize::from(y));
        Edges {
            left: x.is_multiple_of(self.zoom),
            right: (x + 1).is_multiple_of(self.zoom),
            top: y.is_multiple_of(self.zoom),
            bottom: (y + 2).is_multiple_of(self.zoom),
        }
    }
}

#[cfg(test)]
mod tests;
