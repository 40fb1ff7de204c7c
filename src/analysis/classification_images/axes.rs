//! The axes of the noise's covariance, estimated from noise drawn for the purpose.

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::session::form::Shape;
use crate::session::record::NoiseAxes;
use crate::stats::covariance::symmetric_eigen;
use crate::stimulus::NoiseSource;

/// Number of noise images drawn: sums of 2¹⁴ products of 2¹⁵·2¹⁵ are exact in 64-bit floats.
const IMAGES: usize = 1 << 14;

/// Noise images multiplied at once.
const AT_ONCE: usize = 512;

/// The middle of the 16-bit grid.
const CENTRE: f64 = 32_768.0;

/// The axes of noise that has coefficients, for maps of this shape; `None` for other noise, and for maps that
/// are too large. Always uses the same noise: the axes are a property of the noise, not of a session. Takes
/// seconds.
pub(super) fn axes(source: &NoiseSource, shape: Shape) -> Option<NoiseAxes> {
    let pixels: usize = shape.iter().product();
    if !source.noise().has_coefficients()
        || pixels > NoiseAxes::MAX_PIXELS
        || pixels != source.points()
    {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(19);
    let mut sum = vec![0.0; pixels];
    let mut products = DMatrix::<f64>::zeros(pixels, pixels);
    for _ in 0..IMAGES / AT_ONCE {
        let points = source.draw(&mut rng, AT_ONCE);
        let values = points.into_iter().map(|k| f64::from(k) - CENTRE);
        let images = DMatrix::from_iterator(pixels, AT_ONCE, values);
        for image in images.column_iter() {
            sum.iter_mut().zip(&image).for_each(|(sum, v)| *sum += v);
        }
        products.gemm(1.0, &images, &images.transpose(), 1.0);
    }
    let (n, step) = (IMAGES as f64, source.noise().grid().step);
    let covariance = products.iter().enumerate().map(|(at, product)| {
        let (a, b) = (sum[at / pixels], sum[at % pixels]);
        step * step * (product - a * b / n) / n
    });
    let covariance: Vec<f64> = covariance.collect();
    Some(NoiseAxes::new(&symmetric_eigen(&covariance, pixels), shape))
}
