//! The grain of noise: each noise value can cover a square of equal pixels.

use serde::{Deserialize, Serialize};

use crate::session::form::Shape;

/// The grain of noise. Sums, maps and z are kept on the grid of cells: maps of large images become
/// reliable sooner, since the signal is summed over a cell, and fit in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grain {
    /// Side of a cell, in pixels.
    pub cell: usize,
    /// Whether all channels show the same noise.
    pub grey: bool,
}

impl Default for Grain {
    fn default() -> Self {
        Self {
            cell: 1,
            grey: false,
        }
    }
}

impl Grain {
    /// The grid for images of this shape, \[channels, ⌈H/cell⌉, ⌈W/cell⌉\].
    pub fn grid(self, [channels, height, width]: Shape) -> Shape {
        let channels = if self.grey { 1 } else { channels };
        let cell = self.cell.max(1);
        [channels, height.div_ceil(cell), width.div_ceil(cell)]
    }

    /// For every number of an image, \[C·H·W\], the index of its cell; `None` if each has its own.
    pub fn cells(self, image: Shape) -> Option<Vec<usize>> {
        let [_, rows, columns] = self.grid(image);
        if self.grid(image) == image {
            return None;
        }
        let [channels, height, width] = image;
        let cell = self.cell.max(1);
        let mut cells = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            let channel = if self.grey { 0 } else { channel };
            for row in 0..height {
                let line = (channel * rows + row / cell) * columns;
                cells.extend((0..width).map(|column| line + column / cell));
            }
        }
        Some(cells)
    }

    /// How many numbers of an image each cell covers, \[c·h·w\].
    pub fn cover(self, image: Shape) -> Vec<u32> {
        let grid: usize = self.grid(image).iter().product();
        match self.cells(image) {
            None => vec![1; grid],
            Some(cells) => {
                let mut cover = vec![0; grid];
                cells.into_iter().for_each(|cell| cover[cell] += 1);
                cover
            }
        }
    }

    /// Expands a map on the grid, \[c·h·w\], to an image, \[C·H·W\].
    pub fn spread<T: Copy>(self, map: &[T], image: Shape) -> Vec<T> {
        match self.cells(image) {
            None => map.to_vec(),
            Some(cells) => cells.into_iter().map(|cell| map[cell]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_square_of_equal_pixels_and_the_last_ones_may_be_cut() {
        let grain = Grain {
            cell: 2,
            grey: false,
        };
        let image = [2, 3, 5];
        assert_eq!(grain.grid(image), [2, 2, 3]);
        let map: Vec<usize> = (0..12).collect();
        assert_eq!(
            grain.spread(&map, image)[..15],
            [0, 0, 1, 1, 2, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5]
        );
        assert_eq!(grain.cover(image), [4, 4, 2, 2, 2, 1, 4, 4, 2, 2, 2, 1]);
    }

    #[test]
    fn grey_noise_is_the_same_in_every_channel() {
        let grain = Grain {
            cell: 1,
            grey: true,
        };
        assert_eq!(grain.grid([3, 1, 2]), [1, 1, 2]);
        assert_eq!(grain.spread(&[7, 8], [3, 1, 2]), [7, 8, 7, 8, 7, 8]);
        assert_eq!(grain.cover([3, 1, 2]), [3, 3]);
        assert_eq!(Grain::default().cells([3, 1, 2]), None);
        assert_eq!(grain.cells([1, 4, 4]), None);
    }
}
