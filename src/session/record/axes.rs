//! The principal axes of a noise's covariance, stored for regressions on its coefficients.

use serde::{Deserialize, Serialize};

use super::{arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::Noise;
use crate::session::form::Shape;
use crate::stats::covariance::Eigen;
use crate::stats::regression::NoiseBasis;

/// The principal axes of the covariance of noise with dependent pixels: A axes, for maps of \[c,h,w\].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseAxes {
    /// Variance of the noise along each axis, in squared units of its values, ascending, \[A\].
    pub variances: Array<f32>,
    /// The axes, of unit norm, \[A,c,h,w\].
    pub vectors: Array<f32>,
}

impl NoiseAxes {
    /// Maximum number of values in a map for which axes are stored; they need its square.
    pub const MAX_PIXELS: usize = 1024;

    /// Bytes needed for noise of this kind, for maps of this shape.
    pub fn bytes(noise: Noise, shape: Shape) -> u64 {
        let numbers: usize = shape.iter().product();
        match noise.has_coefficients() && numbers <= Self::MAX_PIXELS {
            true => 4 * (numbers * (numbers + 1)) as u64,
            false => 0,
        }
    }

    /// Keeps the axes along which the noise varies, for maps of this shape.
    pub fn new(eigen: &Eigen, [c, h, w]: Shape) -> Self {
        let largest = eigen.values.last().copied().unwrap_or(0.0);
        let least = f64::from(f32::EPSILON) * largest;
        let first = eigen.values.partition_point(|&value| value <= least);
        let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
        let vectors = eigen.vectors[first..]
            .iter()
            .flat_map(|vector| narrow(vector));
        let count = eigen.values.len() - first;
        Self {
            variances: Array::new(&[count], narrow(&eigen.values[first..])),
            vectors: Array::new(&[count, c, h, w], vectors.collect()),
        }
    }

    /// Whether its shapes are consistent, for maps of this shape.
    pub(super) fn is_consistent(&self, [c, h, w]: Shape) -> bool {
        // Only shapes are checked: the numbers of a file are loaded later.
        match *self.variances.shape() {
            [count] => {
                let pixels = [c, h, w].into_iter().fold(1, usize::saturating_mul);
                has_shape(&self.vectors, &[count, c, h, w]) && count <= pixels
            }
            _ => false,
        }
    }

    /// A view for the statistics.
    pub fn view(&self) -> NoiseBasis<'_> {
        NoiseBasis {
            variances: self.variances.values(),
            vectors: self.vectors.values(),
        }
    }
}

arrays!(NoiseAxes: variances, vectors);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_kept_where_the_noise_varies_and_for_small_maps_only() {
        assert_eq!(NoiseAxes::bytes(Noise::Gabor, [1, 28, 28]), 4 * 784 * 785);
        assert_eq!(NoiseAxes::bytes(Noise::Pca, [1, 32, 32]), 4 * 1024 * 1025);
        assert_eq!(NoiseAxes::bytes(Noise::Pca, [1, 32, 33]), 0);
        assert_eq!(NoiseAxes::bytes(Noise::Uniform, [1, 2, 2]), 0);
        // The second variance is exactly the least one, relative to the largest, that counts as none.
        let eigen = Eigen {
            values: vec![0.0, 4.0 * f64::from(f32::EPSILON), 1.0, 4.0],
            vectors: (0..4).map(|axis| vec![f64::from(axis); 4]).collect(),
        };
        let axes = NoiseAxes::new(&eigen, [1, 2, 2]);
        assert_eq!(axes.view().variances, [1.0, 4.0]);
        assert_eq!(
            axes.view().vectors,
            [2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]
        );
        assert!(axes.is_consistent([1, 2, 2]) && !axes.is_consistent([1, 4, 1]));
        let many = |count: usize| NoiseAxes {
            variances: Array::zeros(&[count]),
            vectors: Array::zeros(&[count, 1, 1, 2]),
        };
        assert!(many(2).is_consistent([1, 1, 2]) && !many(3).is_consistent([1, 1, 2]));
        let wide = NoiseAxes {
            variances: Array::zeros(&[0]),
            vectors: Array::zeros(&[0, 2, usize::MAX, 2]),
        };
        assert!(wide.is_consistent([2, usize::MAX, 2]));
    }
}
