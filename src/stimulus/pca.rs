//! PCA noise: uniform along each of the first principal components of the training images, over the range of
//! their projections.

mod product;

use nalgebra::{DMatrix, DMatrixView};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use self::product::{Components, GROUP};
use super::in_vectors;
use crate::data::Images;
use crate::stats::covariance::symmetric_eigen;

/// Number of components used, the strongest ones.
const COMPONENTS: usize = 250;

/// Trials drawn at once: their sums and coefficients fit into the L2 cache.
const AT_ONCE: usize = 4 * GROUP;

/// Images per matrix product: 256·255² < 2²⁴, so sums of products of bytes are exact in 32-bit
/// floats, in any order.
const IMAGES_A_PRODUCT: usize = 256;

/// Mean and principal components of the training images, of H×W pixels in \[0,1\].
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// The mean image, \[H·W\].
    mean: Vec<f32>,
    /// The components, strongest first, of unit norm, \[components,H·W\].
    components: Components,
    /// Smallest and largest projection of a training image minus the mean, \[components\].
    ranges: Vec<(f32, f32)>,
}

impl Pca {
    /// Computes the components of the covariance of all images, and their ranges.
    ///
    /// Components have the sign given by [`symmetric_eigen`]. The same images give the same bits on the
    /// same machine.
    pub fn new(images: &Images) -> Self {
        let pixels = images.area();
        let moments = Moments::new(images);
        let eigen = symmetric_eigen(&moments.covariance(), pixels);
        let strongest = eigen.vectors.iter().rev().take(COMPONENTS);
        let values: Vec<f32> = strongest.flatten().map(|&v| v as f32).collect();
        let components = DMatrix::from_vec(pixels, values.len() / pixels.max(1), values);
        let mean = moments.mean();
        let ranges = ranges(images, &mean, &components);
        Self {
            components: Components::new(components.as_slice(), pixels),
            mean,
            ranges,
        }
    }

    /// Number of components.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The constants of the kernel as bits of `f32` values: for each of n components the lower end and the width of its
    /// range, \[n\] each; the mean image, \[P\]; the components, \[n,P\].
    pub fn kernel_words(&self) -> Vec<u32> {
        let lows = self.ranges.iter().map(|(low, _)| *low);
        let widths = self.ranges.iter().map(|(low, high)| high - low);
        let images = self.mean.iter().copied().chain(self.components.values());
        lows.chain(widths).chain(images).map(f32::to_bits).collect()
    }

    /// Draws `trials` images on the 16-bit grid, clipped to its range, \[trials,H·W\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let pixels = self.mean.len();
        let at_once = AT_ONCE.min(trials);
        let mut points = vec![0; trials * pixels];
        let mut coefficients = vec![[0.0; GROUP]; at_once.div_ceil(GROUP) * self.count()];
        let mut sums = vec![0.0; at_once * pixels];
        for points in points.chunks_mut(AT_ONCE * pixels) {
            let sums = &mut sums[..points.len()];
            self.draw_coefficients(rng, points.len() / pixels, &mut coefficients);
            self.components.multiply(&coefficients, sums);
            in_vectors(
                #[inline(always)]
                || self.round(sums, points),
            );
        }
        points
    }

    /// Draws random coefficients within the range of each of n components, in groups of twelve trials,
    /// \[⌈trials/12⌉,n,12\].
    fn draw_coefficients(
        &self,
        rng: &mut ChaCha8Rng,
        trials: usize,
        coefficients: &mut [[f32; GROUP]],
    ) {
        for trial in 0..trials {
            let group = &mut coefficients[trial / GROUP * self.count()..][..self.count()];
            for (row, (low, high)) in group.iter_mut().zip(&self.ranges) {
                row[trial % GROUP] = low + (high - low) * rng.random::<f32>();
            }
        }
    }

    /// The points of images that are the mean plus these sums, \[trials,H·W\].
    #[inline(always)]
    fn round(&self, sums: &[f32], points: &mut [u16]) {
        let pixels = self.mean.len();
        let images = sums.chunks_exact(pixels);
        for (points, sums) in points.chunks_exact_mut(pixels).zip(images) {
            for ((point, sum), mean) in points.iter_mut().zip(sums).zip(&self.mean) {
                // Rounded down to a grid point; the cast clips.
                *point = ((sum + mean) * 65536.0) as u16;
            }
        }
    }
}

/// Exact sums of bytes.
struct Moments {
    images: i64,
    /// Σx, \[P\].
    sum: Vec<i64>,
    /// Σx·xᵀ, \[P,P\].
    products: Vec<i64>,
}

impl Moments {
    fn new(images: &Images) -> Self {
        let pixels = images.area();
        let mut sum = vec![0; pixels];
        let mut products = vec![0; pixels * pixels];
        for bytes in images.pixels.chunks(IMAGES_A_PRODUCT * pixels) {
            for image in bytes.chunks_exact(pixels) {
                for (sum, &x) in sum.iter_mut().zip(image) {
                    *sum += i64::from(x);
                }
            }
            let chunk = columns(bytes, pixels);
            let product = &chunk * chunk.transpose();
            for (sum, &product) in products.iter_mut().zip(product.as_slice()) {
                *sum += product as i64;
            }
        }
        Self {
            images: images.len().max(1) as i64,
            sum,
            products,
        }
    }

    /// The mean image, in \[0,1\].
    fn mean(&self) -> Vec<f32> {
        let scale = 255.0 * self.images as f64;
        let mean = |&sum: &i64| (sum as f64 / scale) as f32;
        self.sum.iter().map(mean).collect()
    }

    /// (n·Σx·xᵀ − Σx·Σxᵀ)/n², exact but for the last division, \[P,P\], in squared bytes.
    fn covariance(&self) -> Vec<f64> {
        let n = i128::from(self.images);
        let pixels = self.sum.len();
        let products = self.products.iter().enumerate();
        products
            .map(|(at, &product)| {
                let (a, b) = (self.sum[at / pixels], self.sum[at % pixels]);
                let spread = n * i128::from(product) - i128::from(a) * i128::from(b);
                spread as f64 / (n * n) as f64
            })
            .collect()
    }
}

/// Images as columns.
fn columns(bytes: &[u8], pixels: usize) -> DMatrix<f32> {
    let values = bytes.iter().map(|&x| f32::from(x)).collect();
    DMatrix::from_vec(pixels, bytes.len() / pixels, values)
}

/// Smallest and largest projection of the images, \[components\].
fn ranges(images: &Images, mean: &[f32], components: &DMatrix<f32>) -> Vec<(f32, f32)> {
    let pixels = images.area();
    let mean = DMatrixView::from_slice(mean, pixels, 1);
    let centre = components.transpose() * mean;
    let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); components.ncols()];
    for bytes in images.pixels.chunks(IMAGES_A_PRODUCT * pixels) {
        let projections = components.transpose() * columns(bytes, pixels);
        for image in projections.column_iter() {
            for ((range, &projection), &centre) in ranges.iter_mut().zip(&image).zip(&centre) {
                let offset = projection / 255.0 - centre;
                *range = (range.0.min(offset), range.1.max(offset));
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests;
