//! Gabor noise: a sum of tiled Gabor filters with random coefficients.
//!
//! For each size k, a grid of ⌈H/k⌉ × ⌈W/k⌉ tiles covers the image and is centred on it; if it is larger
//! than the image, its outer tiles extend beyond it. Every tile has eight filters, of four
//! orientations and two phases. A pixel lies in one tile of each size, so it is a sum of 8 terms per
//! size: filters are stored by pixel, without their zeros.

use rand_chacha::ChaCha8Rng;

use super::{in_vectors, normal};
use crate::session::form::Shape;

/// Side lengths of the tiles, in pixels.
const SIZES: [usize; 3] = [3, 7, 15];

/// Orientations, evenly from 0 to 180°.
const ORIENTATIONS: usize = 4;

/// Filters on one tile: a cosine and a sine for each orientation.
const FILTERS: usize = 2 * ORIENTATIONS;

/// The filters' values at one pixel of a tile, or the coefficients of one tile.
type Octet = [f32; FILTERS];

/// The filters for images of H×W pixels; every channel has its own coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Gabor {
    /// Number of tiles of all sizes.
    tiles: usize,
    /// The components of each pixel, \[H·W\].
    pixels: Vec<[TileFilters; SIZES.len()]>,
    channels: usize,
}

/// The contribution of one tile size to a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TileFilters {
    /// The tile that contains the pixel, numbered over all sizes.
    tile: usize,
    /// The values of the tile's filters there.
    values: Octet,
}

impl Gabor {
    /// The filters for images of this many channels, rows and columns.
    pub fn new([channels, height, width]: Shape) -> Self {
        let mut tiles = 0;
        let grids = SIZES.map(|side| {
            let grid = Tiling::new(side, height, width, tiles);
            tiles += grid.down * grid.across;
            (grid, filters(side))
        });
        let part = |(grid, filters): &(Tiling, Vec<Octet>), row, column| {
            let (tile, inside) = grid.locate(row, column);
            TileFilters {
                tile,
                values: filters[inside],
            }
        };
        let pixel = |pixel: usize| {
            let (row, column) = (pixel / width, pixel % width);
            grids.each_ref().map(|grid| part(grid, row, column))
        };
        Self {
            tiles,
            pixels: (0..height * width).map(pixel).collect(),
            channels,
        }
    }

    /// Number of normal numbers used by one image.
    pub fn normals(&self) -> usize {
        self.channels * self.tiles * FILTERS
    }

    /// The components of each pixel as words, \[3,9,H·W\]: for each size, the tile that contains the pixel and the
    /// bits of the values of its eight filters there.
    pub fn kernel_words(&self) -> Vec<u32> {
        let mut words = Vec::with_capacity(SIZES.len() * (1 + FILTERS) * self.pixels.len());
        for size in 0..SIZES.len() {
            words.extend(self.pixels.iter().map(|parts| parts[size].tile as u32));
            for lane in 0..FILTERS {
                let bits = |parts: &[TileFilters; SIZES.len()]| parts[size].values[lane].to_bits();
                words.extend(self.pixels.iter().map(bits));
            }
        }
        words
    }

    /// Draws `trials` images, each scaled so that its darkest pixel is 0 and its brightest is
    /// 65,535, \[trials,C·H·W\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let mut points = Vec::with_capacity(trials * self.channels * self.pixels.len());
        let mut normals = vec![0.0; self.tiles * FILTERS];
        let mut coefficients = vec![[0.0; FILTERS]; self.tiles];
        let mut image = vec![0.0; self.channels * self.pixels.len()];
        for _ in 0..trials {
            for channel in image.chunks_exact_mut(self.pixels.len()) {
                normal::fill(rng, &mut normals);
                let pairs = coefficients.as_flattened_mut().iter_mut().zip(&normals);
                pairs.for_each(|(coefficient, normal)| *coefficient = *normal as f32);
                in_vectors(
                    #[inline(always)]
                    || self.sum(&coefficients, channel),
                );
            }
            in_vectors(
                #[inline(always)]
                || scale(&image, &mut points),
            );
        }
        points
    }

    /// The sum of the filters, each multiplied by its coefficient (\[tiles\] of 8), \[H·W\].
    #[inline(always)]
    fn sum(&self, coefficients: &[Octet], image: &mut [f32]) {
        for (sum, parts) in image.iter_mut().zip(&self.pixels) {
            let mut lanes = [0.0; FILTERS];
            for part in parts {
                let tile = &coefficients[part.tile];
                for lane in 0..FILTERS {
                    lanes[lane] += tile[lane] * part.values[lane];
                }
            }
            let [a, b, c, d, e, f, g, h] = lanes;
            *sum = ((a + e) + (b + f)) + ((c + g) + (d + h));
        }
    }
}

/// A grid of square tiles that covers an image and is centred on it.
struct Tiling {
    side: usize,
    /// Rows of tiles.
    down: usize,
    /// Columns of tiles.
    across: usize,
    /// How far the first tile extends beyond the image above and to the left.
    overhang: (usize, usize),
    /// Number of the first tile.
    first: usize,
}

impl Tiling {
    fn new(side: usize, height: usize, width: usize, first: usize) -> Self {
        let (down, across) = (height.div_ceil(side), width.div_ceil(side));
        Self {
            side,
            down,
            across,
            overhang: ((down * side - height) / 2, (across * side - width) / 2),
            first,
        }
    }

    /// The tile that contains a pixel of the image, and the pixel's index in the tile.
    fn locate(&self, row: usize, column: usize) -> (usize, usize) {
        let (row, column) = (row + self.overhang.0, column + self.overhang.1);
        let tile = row / self.side * self.across + column / self.side;
        let inside = row % self.side * self.side + column % self.side;
        (self.first + tile, inside)
    }
}

/// The eight filters of a tile of `side` × `side` pixels, by pixel: exp(−(u² + ¼v²)/2σ²)·cos(2πu/λ) and the
/// same with sine, where u runs across the stripes and v along them, from the tile's centre;
/// σ = side/7, λ = side/2, and the aspect ½ makes them twice as long as wide.
fn filters(side: usize) -> Vec<Octet> {
    use std::f64::consts::{PI, TAU};
    const ASPECT: f64 = 0.5;
    let (sigma, wavelength) = (side as f64 / 7.0, side as f64 / 2.0);
    let centre = (side as f64 - 1.0) / 2.0;
    let value = |pixel: usize, filter: usize| {
        let (y, x) = (
            (pixel / side) as f64 - centre,
            (pixel % side) as f64 - centre,
        );
        let (sin, cos) = (PI * (filter / 2) as f64 / ORIENTATIONS as f64).sin_cos();
        let (u, v) = (x * cos + y * sin, y * cos - x * sin);
        let bell = (-(u * u + (ASPECT * v).powi(2)) / (2.0 * sigma * sigma)).exp();
        let wave = TAU * u / wavelength;
        let wave = if filter.is_multiple_of(2) {
            wave.cos()
        } else {
            wave.sin()
        };
        (bell * wave) as f32
    };
    let octet = |pixel| std::array::from_fn(|filter| value(pixel, filter));
    (0..side * side).map(octet).collect()
}

/// Appends the image to `points`, its range stretched to that of the 16-bit grid. A uniform image becomes
/// all 0.
#[inline(always)]
fn scale(image: &[f32], points: &mut Vec<u16>) {
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    for &value in image {
        least = least.min(value);
        most = most.max(value);
    }
    // A float in [0, 1] times 2¹⁶, rounded down; the cast keeps 1 at the highest point.
    let scale = if most > least {
        65536.0 / (most - least)
    } else {
        0.0
    };
    points.extend(image.iter().map(|value| ((value - least) * scale) as u16));
}

#[cfg(test)]
mod tests;
