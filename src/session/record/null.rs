//! The stored null distribution of maps under noise with dependent pixels.

use serde::{Deserialize, Serialize};

use super::{arrays, has_shape};
use crate::session::array::Array;
use crate::session::form::Shape;
use crate::stats::null::{NullDistribution, NullRef};

/// The null distribution, from sums of the noise with random signs, for maps of c channels, h rows and w
/// columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseNull {
    /// The |z| that one null map in twenty reaches anywhere.
    pub bound: f64,
    /// Standard deviation of the smoothed z map at every pixel, \[c,h,w\].
    pub deviations: Array<f32>,
    /// The size of the largest cluster in each of N null maps, ascending, \[N\].
    pub largest: Array<i64>,
    /// Some null z maps, \[n,c,h,w\], in sixteenths around 128; none for very large images.
    pub maps: Array<u8>,
}

impl NoiseNull {
    /// Stores a simulation for maps of this shape.
    pub fn new(simulated: NullDistribution, [c, h, w]: Shape) -> Self {
        let NullDistribution {
            bound,
            deviations,
            largest,
            maps,
        } = simulated;
        let kept = maps.len() / (c * h * w).max(1);
        Self {
            bound,
            deviations: Array::new(&[c, h, w], deviations),
            largest: Array::new(&[largest.len()], largest),
            maps: Array::new(&[kept, c, h, w], maps),
        }
    }

    /// Whether its shapes are consistent, for maps of this shape.
    pub(super) fn agrees(&self, [c, h, w]: Shape) -> bool {
        // Only shapes are checked: the numbers of a file are loaded later.
        self.bound.is_finite()
            && self.bound > 0.0
            && has_shape(&self.deviations, &[c, h, w])
            && self.largest.shape().len() == 1
            && matches!(self.maps.shape(), [_, shape @ ..] if *shape == [c, h, w])
    }

    /// A view for the statistics.
    pub fn view(&self) -> NullRef<'_> {
        NullRef {
            bound: self.bound,
            deviations: self.deviations.values(),
            largest: self.largest.values(),
            maps: self.maps.values(),
        }
    }
}

arrays!(NoiseNull: deviations, largest, maps);
