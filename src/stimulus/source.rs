//! The kinds of noise, drawn.
//!
//! A [`Source`] is prepared once for an analysis (the bases of `gabor` and `pca` take a moment) and
//! then shared by all workers. What it draws are points on the grid of its kind.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::data::Images;
use crate::session::config::{Gaussian, Noise};

/// A kind of noise, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Source {
    noise: Noise,
    /// Rows and columns of an image.
    size: (usize, usize),
}

impl Source {
    /// Prepares a kind of noise. `images` are the training images, of which `pca` takes the
    /// principal components.
    pub fn new(noise: Noise, images: &Images) -> Self {
        Self {
            noise,
            size: (images.height, images.width),
        }
    }

    /// Its kind.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// Draws `trials` noise images: their points on the grid, \[trials,H·W\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let pixels = self.size.0 * self.size.1;
        let count = trials * pixels;
        match self.noise {
            Noise::Uniform => uniform(rng, count),
            Noise::Gaussian(it) => gaussian(rng, it, count),
            Noise::Binary => binary(rng, count),
            Noise::Patch => patch(rng, trials, self.size),
            Noise::Gabor | Noise::Pca => uniform(rng, count),
        }
    }
}

/// `count` points of the 16-bit grid, equally likely.
fn uniform(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut bytes = vec![0; 2 * count];
    rng.fill_bytes(&mut bytes);
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// `count` points of the grid of [`Noise::Gaussian`].
fn gaussian(rng: &mut ChaCha8Rng, it: Gaussian, count: usize) -> Vec<u16> {
    let grid = Noise::Gaussian(it).grid();
    let centre = ((0.5 - grid.offset) / grid.step).round();
    let scale = it.sigma / grid.step;
    let normal = StandardNormal.sample_iter(rng).take(count);
    let point = |n: f64| (centre + scale * n).round().clamp(0.0, 2.0 * centre) as u16;
    normal.map(point).collect()
}

/// `count` points 0 or 1, equally likely.
fn binary(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut bytes = vec![0; count.div_ceil(8)];
    rng.fill_bytes(&mut bytes);
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.take(count).map(u16::from).collect()
}

/// One white 4×4 square an image, on a grid of whole squares.
fn patch(rng: &mut ChaCha8Rng, trials: usize, (height, width): (usize, usize)) -> Vec<u16> {
    const SIDE: usize = 4;
    let mut points = vec![0; trials * height * width];
    for image in points.chunks_exact_mut(height * width) {
        let top = SIDE * rng.random_range(0..height / SIDE);
        let left = SIDE * rng.random_range(0..width / SIDE);
        for row in top..top + SIDE {
            image[row * width + left..][..SIDE].fill(1);
        }
    }
    points
}
