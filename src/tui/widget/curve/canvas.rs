//! [`Canvas`]: dots over an area of cells, and the straight lines between them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::theme::Theme;

/// Calls `dot` for every dot between two, ends included (Bresenham).
pub(super) fn line((x0, y0): (i32, i32), (x1, y1): (i32, i32), mut dot: impl FnMut(i32, i32)) {
    let (dx, dy) = ((x1 - x0).abs(), -(y1 - y0).abs());
    let (sx, sy) = ((x1 - x0).signum(), (y1 - y0).signum());
    let (mut x, mut y, mut error) = (x0, y0, dx + dy);
    loop {
        dot(x, y);
        if (x, y) == (x1, y1) {
            return;
        }
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            x += sx;
        }
        if twice <= dx {
            error += dx;
            y += sy;
        }
    }
}

/// A grid of dots over an area of cells.
pub(super) struct Canvas {
    area: Rect,
    unicode: bool,
    cells: Vec<u8>,
}

/// Bits of the braille dots, by row and column.
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    pub(super) fn new(area: Rect, theme: &Theme) -> Self {
        Self {
            area,
            unicode: theme.glyphs.unicode,
            cells: vec![0; usize::from(area.width) * usize::from(area.height)],
        }
    }

    pub(super) fn dots(&self) -> (i32, i32) {
        let (width, height) = (i32::from(self.area.width), i32::from(self.area.height));
        if self.unicode {
            (2 * width, 4 * height)
        } else {
            (width, height)
        }
    }

    pub(super) fn dot(&mut self, x: i32, y: i32) {
        let (width, height) = self.dots();
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        let columns = usize::from(self.area.width);
        if self.unicode {
            self.cells[y / 4 * columns + x / 2] |= BRAILLE[y % 4][x % 2];
        } else {
            self.cells[y * columns + x] = 1;
        }
    }

    /// Draws the dots into the frame, merged with those of earlier curves.
    pub(super) fn show(&self, ascii: &'static str, style: Style, buf: &mut Buffer) {
        for (i, &bits) in self.cells.iter().enumerate() {
            if bits == 0 {
                continue;
            }
            let columns = usize::from(self.area.width);
            let position = (
                self.area.x + (i % columns) as u16,
                self.area.y + (i / columns) as u16,
            );
            let Some(cell) = buf.cell_mut(position) else {
                continue;
            };
            if self.unicode {
                let before = cell.symbol().chars().next().map_or(0, |c| c as u32);
                let before = before.checked_sub(0x2800).filter(|bits| *bits < 256);
                let all = u32::from(bits) | before.unwrap_or(0);
                cell.set_char(char::from_u32(0x2800 + all).unwrap_or(' '));
            } else {
                cell.set_symbol(ascii);
            }
            cell.set_style(Style::reset().patch(style));
        }
    }
}
