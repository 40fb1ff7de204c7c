//! Drawing the kinds of noise.
//!
//! A [`NoiseSource`] is prepared once for an analysis (the bases of `gabor` and `pca` take a moment) and
//! then shared by all workers. It draws points on the grid of its kind.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::chacha;
use super::gabor::Gabor;
use super::pca::Pca;
use super::{in_vectors, noise_values, normal};
use crate::data::Images;
use crate::session::config::{Gaussian, Grain, Noise, PATCH_SIDE};
use crate::session::form::Shape;

/// A kind of noise, ready to draw. Clones share the prepared data.
///
/// # Examples
/// ```
/// use noisescope::data::Images;
/// use noisescope::ids::BlockIndex;
/// use noisescope::session::Form;
/// use noisescope::session::config::Noise;
/// use noisescope::stimulus::{BlockSeed, NoiseSource};
///
/// let form = Form::numbered([1, 28, 28], 10);
/// let source = NoiseSource::new(Noise::Uniform, &Images::none(&form));
/// let seed = BlockSeed {
///     session: 1,
///     analysis: 0,
///     stream: 0,
///     block: BlockIndex(0),
/// };
/// let points = source.draw(&mut seed.generator(), 2);
/// let values = source.shown_values(&points);
/// assert_eq!(values.len(), 2 * 28 * 28);
/// assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
/// // The same seed gives the same noise.
/// assert_eq!(source.draw(&mut seed.generator(), 2), points);
/// ```
#[derive(Debug, Clone)]
pub struct NoiseSource {
    noise: Noise,
    /// Channels, rows and columns of the noise's own grid.
    grid: Shape,
    /// For each image value, the index of the grid point that it shows; `None` if they correspond one to one.
    cells: Option<Arc<[usize]>>,
    sampler: Sampler,
}

/// How noise is drawn, with the prepared data.
#[derive(Debug, Clone)]
enum Sampler {
    Uniform,
    Gaussian(Gaussian),
    Binary,
    Patch,
    Gabor(Arc<Gabor>),
    Pca(Arc<Pca>),
}

impl NoiseSource {
    /// Prepares a kind of noise without grain. `images` are the training images; `pca` computes their
    /// principal components, which takes seconds.
    pub fn new(noise: Noise, images: &Images) -> Self {
        Self::with_grain(noise, Grain::default(), images)
    }

    /// The same with a grain.
    pub fn with_grain(noise: Noise, grain: Grain, images: &Images) -> Self {
        let grid = grain.grid(images.shape());
        let drawn = match noise {
            Noise::Uniform => Sampler::Uniform,
            Noise::Gaussian(gaussian) => Sampler::Gaussian(gaussian),
            Noise::Binary => Sampler::Binary,
            Noise::Patch => Sampler::Patch,
            Noise::Gabor => Sampler::Gabor(Arc::new(Gabor::new(grid))),
            Noise::Pca => Sampler::Pca(Arc::new(Pca::new(images))),
        };
        Self {
            noise,
            grid,
            cells: grain.cells(images.shape()).map(Arc::from),
            sampler: drawn,
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
    pub fn shown_values(&self, noise: &[u16]) -> Vec<f32> {
        let grid = self.noise.grid();
        match &self.cells {
            None => noise_values(noise, grid),
            Some(cells) => {
                let images = noise.chunks_exact(self.points());
                let shown = images.flat_map(|image| {
                    let values = noise_values(image, grid);
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
        match &self.sampler {
            Sampler::Gaussian(_) => self.points(),
            Sampler::Gabor(gabor) => gabor.normals(),
            _ => 0,
        }
    }

    /// Number of principal components of PCA noise, n, each of which takes one random number per image; 0 for other
    /// noise.
    pub fn components(&self) -> usize {
        match &self.sampler {
            Sampler::Pca(pca) => pca.count(),
            _ => 0,
        }
    }

    /// The constants of the kernel that draws this noise, as words; `None` if it has none.
    ///
    /// For Gabor noise, the components of each pixel of its grid of H rows and W columns, \[3,9,H·W\]: for each tile
    /// size, the tile that contains the pixel and the bits of the `f32` values of its eight filters there. For PCA noise
    /// of P points, the bits of `f32` values: for each component the lower end and the width of the range of its
    /// coefficient, \[n\] each; the mean image, \[P\]; the components, \[n,P\].
    pub fn kernel_constants(&self) -> Option<Vec<u32>> {
        match &self.sampler {
            Sampler::Gabor(gabor) => Some(gabor.kernel_words()),
            Sampler::Pca(pca) => Some(pca.kernel_words()),
            _ => None,
        }
    }

    /// For patch noise, everything random in `trials` images: for each of their C channels, the pixel where the
    /// white square begins, \[trials,C\].
    pub fn draw_patch_places(&self, rng: &mut ChaCha8Rng, trials: usize) -> Option<Vec<u32>> {
        match &self.sampler {
            Sampler::Patch => Some(places(rng, trials, self.grid).collect()),
            _ => None,
        }
    }

    /// Draws `trials` noise images as points on the grid, \[trials,points\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let count = trials * self.points();
        match &self.sampler {
            Sampler::Uniform => uniform(rng, count),
            Sampler::Gaussian(plan) => gaussian(rng, *plan, count),
            Sampler::Binary => binary(rng, count),
            Sampler::Patch => patch(rng, trials, self.grid),
            Sampler::Gabor(gabor) => gabor.draw(rng, trials),
            Sampler::Pca(pca) => pca.draw(rng, trials),
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
        for row in 0..PATCH_SIDE {
            image[place as usize + row * width..][..PATCH_SIDE].fill(1);
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
        let top = PATCH_SIDE * rng.random_range(0..height / PATCH_SIDE);
        let left = PATCH_SIDE * rng.random_range(0..width / PATCH_SIDE);
        (top * width + left) as u32
    })
}

#[cfg(test)]
mod tests;
