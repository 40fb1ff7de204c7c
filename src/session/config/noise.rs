//! The kinds of noise and the properties of each: its grid and its deviation.

use serde::{Deserialize, Serialize};

use super::check::invalid;
use super::{ConfigError, Grain, MAX_TRIALS};
use crate::session::form::Shape;
use crate::stats::numbers::NoiseGrid;

/// Side of the square of [`Noise::Patch`], in pixels.
pub const PATCH_SIDE: usize = 4;

/// The kinds of noise. Every value of a pixel lies on a [`NoiseGrid`], so sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Noise {
    /// Independent pixels, U\[0,1\] on a 16-bit grid: (k+½)/65536.
    Uniform,
    /// Independent pixels, N(0.5, σ²) on a grid of 2⁻¹², clipped at ±6σ.
    Gaussian(Gaussian),
    /// Independent pixels, 0 or 1 with equal chance.
    Binary,
    /// One white square of 4×4 pixels on a grid of such squares, every position equally likely.
    Patch,
    /// A sum of tiled Gabor filters (960 on 28×28 pixels) with random coefficients, min–max scaled per image.
    Gabor,
    /// Uniform over the range of each of the top 250 principal components of the training images,
    /// their mean added back, clipped to \[0,1\].
    Pca,
}

/// Maximum side of a cell, in pixels.
const MOST_CELL: usize = 1024;

/// The spread of Gaussian noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gaussian {
    /// Standard deviation in units of full white, in \[0.01, 1\].
    pub sigma: f64,
}

impl Default for Gaussian {
    fn default() -> Self {
        Self { sigma: 0.25 }
    }
}

impl Noise {
    /// The lower-case name used in views and exports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Gaussian(_) => "gaussian",
            Self::Binary => "binary",
            Self::Patch => "patch",
            Self::Gabor => "gabor",
            Self::Pca => "pca",
        }
    }

    /// The grid that its values lie on.
    pub fn grid(self) -> NoiseGrid {
        const SIXTEEN_BITS: f64 = 1.0 / 65536.0;
        match self {
            Self::Uniform | Self::Gabor | Self::Pca => NoiseGrid {
                offset: SIXTEEN_BITS / 2.0,
                step: SIXTEEN_BITS,
            },
            Self::Gaussian(gaussian) => {
                // The grid point 0 is the clip at −6σ, and 0.5 is a grid point.
                let step = 1.0 / 4096.0;
                NoiseGrid {
                    offset: 0.5 - (6.0 * gaussian.sigma / step).floor() * step,
                    step,
                }
            }
            Self::Binary | Self::Patch => NoiseGrid {
                offset: 0.0,
                step: 1.0,
            },
        }
    }

    /// Standard deviation of one pixel, for images of this shape, if it follows from the definition and
    /// is the same for all pixels; `None` if it must be measured from the trials.
    pub fn deviation(self, [_, height, width]: Shape) -> Option<f64> {
        match self {
            // √((1 − 65536⁻²)/12)
            Self::Uniform => Some(((1.0 - 65536_f64.powi(-2)) / 12.0).sqrt()),
            // The grid adds step²/12; clipping at 6σ removes less than 10⁻⁷ of it.
            Self::Gaussian(gaussian) => {
                Some((gaussian.sigma.powi(2) + 4096_f64.powi(-2) / 12.0).sqrt())
            }
            Self::Binary => Some(0.5),
            // A pixel is white in one of n images, n being the number of positions; if the squares do
            // not fill the image, some pixels are never white.
            Self::Patch if height % PATCH_SIDE == 0 && width % PATCH_SIDE == 0 => {
                let places = (height / PATCH_SIDE * (width / PATCH_SIDE)) as f64;
                Some((places - 1.0).sqrt() / places)
            }
            Self::Patch | Self::Gabor | Self::Pca => None,
        }
    }

    /// Rejects noise that does not fit images of this shape.
    ///
    /// # Errors
    /// The problem and a remedy, without the place.
    pub fn fits(self, [_, height, width]: Shape) -> Result<(), String> {
        if self == Self::Patch && height.min(width) < PATCH_SIDE {
            return Err(format!(
                "images of {height}×{width} are too small for squares of {PATCH_SIDE}×{PATCH_SIDE}; use Uniform"
            ));
        }
        Ok(())
    }

    /// Rejects grains that this kind of noise does not support.
    pub(super) fn validate_grain(self, grain: Grain, path: &str) -> Result<(), ConfigError> {
        if grain.cell == 0 || grain.cell > MOST_CELL {
            return invalid(
                format!("{path}.cell"),
                format!(
                    "cells of {} pixels; the side must be from 1 to {MOST_CELL}",
                    grain.cell
                ),
            );
        }
        if grain.cell > 1 && !self.is_white() {
            return invalid(
                format!("{path}.cell"),
                format!(
                    "{} noise has its own grain; cells work with Uniform, Gaussian(()) and Binary",
                    self.label()
                ),
            );
        }
        if grain.grey && self == Self::Pca {
            return invalid(
                format!("{path}.grey"),
                "the principal components of colour images are in colour; leave out `grey`",
            );
        }
        Ok(())
    }

    /// The most trials whose sums of values fit into 64 bits, and of their squares where these are summed too: those of
    /// noise whose pixels depend on each other, unless its grid has so few points that squares need no more bits.
    pub(super) fn most_trials(self) -> u64 {
        let is_of_few_values = matches!(self, Self::Binary | Self::Patch);
        match self.is_white() || is_of_few_values {
            true => MAX_TRIALS,
            false => MAX_TRIALS >> 10,
        }
    }

    /// Whether pixels are independent of each other.
    pub fn is_white(self) -> bool {
        matches!(self, Self::Uniform | Self::Gaussian(_) | Self::Binary)
    }

    /// Whether it is a sum of fixed images with random coefficients, on which a response can be
    /// regressed.
    pub fn has_coefficients(self) -> bool {
        matches!(self, Self::Gabor | Self::Pca)
    }

    /// A remark for maps under noise with dependent pixels: such a map is the network's filter smoothed
    /// by the covariance of the noise. `None` for independent pixels.
    pub fn smoothing(self) -> Option<String> {
        (!self.is_white()).then(|| format!("smoothed by the {} noise", self.label()))
    }

    pub(super) fn validate(self, path: &str) -> Result<(), ConfigError> {
        match self {
            Self::Gaussian(Gaussian { sigma }) if !(0.01..=1.0).contains(&sigma) => invalid(
                format!("{path}.sigma"),
                format!("σ = {sigma} is outside [0.01, 1]"),
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_and_the_deviation_of_noise_follow_from_its_definition() {
        let quarter = Noise::Gaussian(Gaussian::default());
        // Six deviations are 6144 steps: the clip is at 0.5 − 1.5.
        let (offset, step) = (quarter.grid().offset, quarter.grid().step);
        assert_eq!((offset, step), (-1.0, 1.0 / 4096.0));
        let uniform = Noise::Uniform.grid();
        assert_eq!(
            (uniform.offset, uniform.step),
            (0.5 / 65536.0, 1.0 / 65536.0)
        );
        let close = |noise: Noise, shape, expected: f64| {
            let deviation: f64 = noise.deviation(shape).unwrap();
            assert!((deviation - expected).abs() < 1e-12, "{deviation}");
        };
        // 65536 equal steps have a variance of (65536² − 1)/12.
        close(
            Noise::Uniform,
            [1, 1, 1],
            (4_294_967_295.0_f64 / 12.0).sqrt() / 65536.0,
        );
        close(
            quarter,
            [1, 1, 1],
            (0.0625 + 1.0 / (12.0 * 16_777_216.0_f64)).sqrt(),
        );
        // Six squares: a pixel is white in one image of six.
        close(Noise::Patch, [1, 8, 12], 5_f64.sqrt() / 6.0);
        assert_eq!(Noise::Patch.deviation([1, 8, 10]), None);
        assert_eq!(Noise::Patch.deviation([1, 10, 8]), None);
        assert!(Noise::Patch.fits([1, 4, 4]).is_ok());
        assert!(Noise::Patch.fits([1, 4, 3]).is_err() && Noise::Uniform.fits([1, 4, 3]).is_ok());
    }

    #[test]
    fn noise_has_a_lower_case_name_and_smooths_maps_if_its_pixels_depend_on_each_other() {
        let white = [
            (Noise::Uniform, "uniform"),
            (Noise::Gaussian(Gaussian::default()), "gaussian"),
            (Noise::Binary, "binary"),
        ];
        for (noise, label) in white {
            assert_eq!((noise.label(), noise.smoothing()), (label, None));
        }
        let smooth = [
            (Noise::Patch, "patch"),
            (Noise::Gabor, "gabor"),
            (Noise::Pca, "pca"),
        ];
        for (noise, label) in smooth {
            assert_eq!(noise.label(), label);
            let remark = format!("smoothed by the {label} noise");
            assert_eq!(noise.smoothing(), Some(remark));
        }
    }
}
