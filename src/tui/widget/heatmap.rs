//! A map of pixels: two per cell as half blocks; one per cell if the terminal has no half blocks; or, without
//! colour, glyphs whose weight shows the magnitude and whose shape shows the sign.

mod grid;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use self::grid::{PixelGrid, coverage};
pub use self::grid::{averaged, cells, covered, extent, in_proportion};
use crate::figure::channels::RGB;
use crate::tui::theme::{Depth, Theme};

/// How values are mapped to colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ramp {
    /// Symmetric about `centre`; the colours saturate `limit` away from it.
    Diverging {
        /// The value that is grey.
        centre: f32,
        /// The distance from it at which the colours saturate.
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
    /// The position of a value on the ramp: −1 to 1 in a diverging ramp, 0 to 1 in a grey one.
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

    /// The colour at a position.
    pub fn colour(self, position: f32, theme: &Theme) -> Color {
        match self {
            Self::Diverging { .. } => theme.palette.diverging(position),
            Self::Grey { .. } => theme.palette.sequential(position),
        }
    }

    /// The glyph at a position, for terminals without colour.
    pub fn glyph(self, position: f32, theme: &Theme) -> &'static str {
        let set = match self {
            Self::Diverging { .. } if position < 0.0 => theme.glyphs.negative,
            Self::Diverging { .. } => theme.glyphs.positive,
            Self::Grey { .. } => theme.glyphs.shades,
        };
        // A few glyphs must separate weak values from zero: the square root spreads them towards small
        // values.
        let level = (position.abs().sqrt() * set.len() as f32) as usize;
        set[level.min(set.len() - 1)]
    }
}

/// A map to draw.
#[derive(Debug, Clone, Copy)]
pub struct Heatmap<'a> {
    /// The values, row by row.
    pub values: &'a [f32],
    /// Red, green and blue of an image in colour, row by row: painted instead of the values if the terminal
    /// has colours.
    pub colours: Option<[&'a [f32]; RGB]>,
    /// Height and width in pixels.
    pub size: (usize, usize),
    /// How values are mapped to colours.
    pub ramp: Ramp,
    /// z of every pixel, and the threshold beyond which a pixel is significant.
    pub significance: Option<(&'a [f32], f32)>,
    /// How significance is shown.
    pub marks: SignificanceMarks,
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
            marks: SignificanceMarks::None,
            cursor: None,
        }
    }
}

/// How the significance of pixels is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignificanceMarks {
    /// Not at all.
    None,
    /// Outline the significant pixels, if a pixel is large enough.
    Outline,
    /// Paint only the significant ones.
    Only,
}

impl Heatmap<'_> {
    /// Draws the map over the whole of `area`: pixels are averaged if it is smaller, and repeated if it is an
    /// integer multiple. Below an odd number of half cells, half of the last cell stays empty.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let (height, width) = self.size;
        let area = area.intersection(buf.area);
        if area.is_empty() || height == 0 || width == 0 || self.values.len() < height * width {
            return;
        }
        let halves = theme.glyphs.unicode && theme.depth != Depth::Mono;
        let rows = covered(self.size, area) * if halves { 2.0 } else { 1.0 };
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
        if self.marks == SignificanceMarks::Outline {
            self.outline(area, theme, buf);
        }
        self.point(area, theme, buf);
    }

    /// The colours of a grid of points over the map; the last row of points may reach beyond it.
    fn paint<'b>(&self, rows: f64, columns: usize, theme: &'b Theme) -> Paint<'b> {
        let places = match self.colours.filter(|_| theme.depth != Depth::Mono) {
            Some(colours) => {
                let [red, green, blue] = colours.map(|channel| self.places(channel, rows, columns));
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

    /// The position on the ramp of every point of a grid over the map.
    fn places(&self, values: &[f32], rows: f64, columns: usize) -> Vec<f32> {
        let (height, width) = self.size;
        let vertical = coverage(height, rows);
        let horizontal = coverage(width, columns as f64);
        let mut places = Vec::with_capacity(vertical.len() * columns);
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

    /// The position of a pixel on the ramp, or the ramp's middle if it is not to be painted.
    fn painted(&self, values: &[f32], pixel: usize) -> f32 {
        if self.marks == SignificanceMarks::Only && !self.is_significant(pixel) {
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

    /// Draws strokes along the edges of the significant pixels, in cells that belong to a single pixel.
    fn outline(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        if self.significance.is_none() {
            return;
        }
        let Some(grid) = PixelGrid::of(self.size, area) else {
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
                // Without colour the glyph encodes the value, and a stroke would hide it.
                if theme.depth != Depth::Mono {
                    let cell = &mut buf[(area.x + x, area.y + y)];
                    let colour = theme.contrast(cell.bg);
                    cell.set_symbol(stroke).set_fg(colour);
                }
            }
        }
    }

    /// Draws brackets around the pixel under the cursor, or the pixel itself in the strongest contrast; of a
    /// map whose pixels are averaged, the point that shows the pixel.
    fn point(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let Some((row, column)) = self.cursor else {
            return;
        };
        let grid = PixelGrid::of(self.size, area).filter(|grid| grid.zoom > 1);
        let shows = |grid: &PixelGrid, x, y| grid.whole(x, y) == Some((row, column));
        let cells: Vec<(u16, u16)> = (0..area.height)
            .flat_map(|y| (0..area.width).map(move |x| (x, y)))
            .filter(|&(x, y)| grid.as_ref().is_some_and(|grid| shows(grid, x, y)))
            .collect();
        let bold = theme.bright();
        if let (Some(&first), Some(&last)) = (cells.first(), cells.last()) {
            for &(x, y) in &cells {
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
        let (height, width) = self.size;
        let at = |pixel: usize, pixels: usize, points: f64| {
            ((pixel as f64 + 0.5) / pixels as f64 * points) as u16
        };
        let half = at(row, height, 2.0 * covered(self.size, area));
        let (x, y) = (at(column, width, f64::from(area.width)), half / 2);
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
                let (mark, other) = if half.is_multiple_of(2) {
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

/// The positions of a grid of points on a ramp.
enum Places {
    Ramp(Vec<f32>),
    /// Red, green and blue.
    Colours(Vec<[f32; RGB]>),
}

/// The colours of a grid of points.
struct Paint<'a> {
    places: Places,
    ramp: Ramp,
    theme: &'a Theme,
}

impl Paint<'_> {
    /// The colour of a point; none beyond the map.
    fn colour(&self, index: usize) -> Color {
        let colour = match &self.places {
            Places::Ramp(places) => places
                .get(index)
                .map(|place| self.ramp.colour(*place, self.theme)),
            Places::Colours(places) => places
                .get(index)
                .map(|channels| self.theme.palette.mixed(*channels)),
        };
        colour.unwrap_or(Color::Reset)
    }

    fn glyph(&self, index: usize) -> &'static str {
        match &self.places {
            Places::Ramp(places) => self.ramp.glyph(places[index], self.theme),
            Places::Colours(_) => " ",
        }
    }
}

#[cfg(test)]
mod tests;
