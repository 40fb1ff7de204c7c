//! What maps of noise whose pixels go together look like without a signal, kept beside its sums.

use serde::{Deserialize, Serialize};

use super::{arrays, has_shape};
use crate::session::array::Array;
use crate::session::form::Shape;
use crate::stats::null::{Null, Simulated};

/// What follows from sums of the noise under random signs, for maps of c channels, h rows and w columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseNull {
    /// |z| that one map in twenty reaches anywhere.
    pub bound: f64,
    /// Standard deviation of the smoothed z map at every pixel, \[c,h,w\].
    pub deviations: Array<f32>,
    /// The size of the largest cluster of each of N maps, ascending, \[N\].
    pub largest: Array<i64>,
    /// Some z maps, \[n,c,h,w\], in sixteenths around 128; none of very large images.
    pub maps: Array<u8>,
}

impl NoiseNull {
    /// Takes what was simulated for maps of this shape.
    pub fn new(simulated: Simulated, [c, h, w]: Shape) -> Self {
        let Simulated {
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

    /// Whether its numbers agree with each other, for maps of this shape.
    pub(super) fn agrees(&self, [c, h, w]: Shape) -> bool {
        // Shapes alone: numbers of a file come later.
        self.bound.is_finite()
            && self.bound > 0.0
            && has_shape(&self.deviations, &[c, h, w])
            && self.largest.shape().len() == 1
            && matches!(self.maps.shape(), [_, own @ ..] if *own == [c, h, w])
    }

    /// As statistics take it.
    pub fn view(&self) -> Null<'_> {
        Null {
            bound: self.bound,
            deviations: self.deviations.values(),
            largest: self.largest.values(),
            maps: self.maps.values(),
        }
    }
}

arrays!(NoiseNull: deviations, largest, maps);
