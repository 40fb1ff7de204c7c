//! Drawing the kinds of noise.
//!
//! A [`Source`] is prepared once for an analysis (the bases of `gabor` and `pca` take a moment) and
//! then shared by all workers. It draws points on the grid of its kind.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::chacha;
use super::gabor::Gabor;
use super::pca::Pca;
use super::{in_vectors, normal, values};
use crate::data::Images;
use crate::session::config::{Gaussian, Grain, Noise, PATCH};
use crate::session::form::Shape;

/// A kind of noise, ready to draw. Clones share the prepared data.
#[derive(Debug, Clone)]
pub struct Source {
    noise: Noise,
    /// Channels, rows and columns of the noise's own grid.
    grid: Shape,
    /// For each image value, the index of the grid point that it shows; `None` if they correspond one to one.
    cells: Option<Arc<[usize]>>,
    drawn: Drawn,
}

/// How noise is drawn, with the prepared data.
#[derive(Debug, Clone)]
enum Drawn {
    Uniform,
    Gaussian(Gaussian),
    Binary,
    Patch,
    Gabor(Arc<Gabor>),
    Pca(Arc<Pca>),
}

impl Source {
    /// Prepares a kind of noise without grain. `images` are the training images; `pca` computes their
    /// principal components, which takes seconds.
    pub fn new(noise: Noise, images: &Images) -> Self {
        Self::of(noise, Grain::default(), images)
    }

    /// The same with a grain.
    pub fn of(noise: Noise, grain: Grain, images: &Images) -> Self {
        let grid = grain.grid(images.shape());
        let drawn = match noise {
            Noise::Uniform => Drawn::Uniform,
            Noise::Gaussian(gaussian) => Drawn::Gaussian(gaussian),
            Noise::Binary => Drawn::Binary,
            Noise::Patch => Drawn::Patch,
            Noise::Gabor => Drawn::Gabor(Arc::new(Gabor::new(grid))),
            Noise::Pca => Drawn::Pca(Arc::new(Pca::new(images))),
        };
        Self {
            noise,
            grid,
            cells: grain.cells(images.shape()).map(Arc::from),
            drawn,
        }
    }

    /// Channels, rows and columns of one noise image on its grid.
    pub fn grid(&self) -> Shape {
        self.grid
    }

    /// Number of points of one noise image on its grid.
    pub fn points(&self) -> usize {
        self.grid.iter().product()
    }

    /// The values shown, \[N,C·H·W\], for noise images given as points, \[N,points\].
    pub fn show(&self, noise: &[u16]) -> Vec<f32> {
        let grid = self.noise.grid();
        match &self.cells {
            None => values(noise, grid),
            Some(cells) => {
                let images = noise.chunks_exact(self.points());
                let shown = images.flat_map(|image| {
                    let values = values(image, grid);
                    cells.iter().map(move |&cell| values[cell])
                });
                shown.collect()
            }
        }
    }

    /// For each image value, the index of the grid point that it shows; `None` if they correspond one to one.
    pub fn cells(&self) -> Option<&[usize]> {
        self.cells.as_deref()
    }

    /// The kind of noise.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// Number of standard normal numbers used by one image.
    pub fn normals(&self) -> usize {
        match &self.drawn {
            Drawn::Gaussian(_) => self.points(),
            Drawn::Gabor(gabor) => gabor.normals(),
            _ => 0,
        }
    }

    /// For Gabor noise, the components of each pixel of its grid of H rows and W columns, as words, \[3,9,H·W\]: for
    /// each tile size, the tile that contains the pixel and the bits of the `f32` values of its eight filters there.
    pub fn filters(&self) -> Option<Vec<u32>> {
        match &self.drawn {
            Drawn::Gabor(gabor) => Some(gabor.words()),
            _ => None,
        }
    }

    /// For patch noise, everything random in `trials` images: for each of their C channels, the pixel where the
    /// white square begins, \[trials,C\].
    pub fn places(&self, rng: &mut ChaCha8Rng, trials: usize) -> Option<Vec<u32>> {
        match &self.drawn {
            Drawn::Patch => Some(places(rng, trials, self.grid).collect()),
            _ => None,
        }
    }

    /// Draws `trials` noise images as points on the grid, \[trials,points\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let count = trials * self.points();
        match &self.drawn {
            Drawn::Uniform => uniform(rng, count),
            Drawn::Gaussian(plan) => gaussian(rng, *plan, count),
            Drawn::Binary => binary(rng, count),
            Drawn::Patch => patch(rng, trials, self.grid),
            Drawn::Gabor(gabor) => gabor.draw(rng, trials),
            Drawn::Pca(pca) => pca.draw(rng, trials),
        }
    }
}

/// `count` uniformly distributed points of the 16-bit grid.
fn uniform(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut points = vec![0; count];
    chacha::fill(rng, &mut points);
    points
}

/// `count` points of the grid of [`Noise::Gaussian`].
fn gaussian(rng: &mut ChaCha8Rng, plan: Gaussian, count: usize) -> Vec<u16> {
    let grid = Noise::Gaussian(plan).grid();
    let centre = ((0.5 - grid.offset) / grid.step).round();
    let scale = plan.sigma / grid.step;
    let mut points = vec![0; count];
    let mut normals = [0.0; 1024];
    for points in points.chunks_mut(normals.len()) {
        let normals = &mut normals[..points.len()];
        normal::fill(rng, normals);
        in_vectors(
            #[inline(always)]
            || {
                for (point, n) in points.iter_mut().zip(&*normals) {
                    *point = gaussian_point(*n, centre, scale);
                }
            },
        );
    }
    points
}

/// The point nearest to `n` standard deviations from the centre, clipped to the grid.
#[inline(always)]
fn gaussian_point(n: f64, centre: f64, scale: f64) -> u16 {
    let place = (centre + scale * n).clamp(0.0, 2.0 * centre);
    // Halves are rounded up. Clipping does not affect rounding, since the grid's ends are whole.
    let whole = place.trunc();
    (whole + f64::from(u8::from(place - whole >= 0.5))) as u16
}

/// `count` points that are 0 or 1, equally likely.
fn binary(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut bytes = vec![0; count.div_ceil(8)];
    rng.fill_bytes(&mut bytes);
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.take(count).map(u16::from).collect()
}

/// One white square per image and channel, aligned to a grid of squares.
fn patch(rng: &mut ChaCha8Rng, trials: usize, grid: Shape) -> Vec<u16> {
    let [channels, height, width] = grid;
    let mut points = vec![0; trials * channels * height * width];
    let images = points.chunks_exact_mut(height * width);
    for (image, place) in images.zip(places(rng, trials, grid)) {
        for row in 0..PATCH {
            image[place as usize + row * width..][..PATCH].fill(1);
        }
    }
    points
}

/// The first pixels of the white squares, \[trials,channels\].
fn places(
    rng: &mut ChaCha8Rng,
    trials: usize,
    [channels, height, width]: Shape,
) -> impl Iterator<Item = u32> {
    (0..trials * channels).map(move |_| {
        let top = PATCH * rng.random_range(0..height / PATCH);
        let left = PATCH * rng.random_range(0..width / PATCH);
        (top * width + left) as u32
    })
}

#[cfg(test)]
mod tests;
