//! How sums are kept: the shape of an image, the points that noise lies on, fixed-point numbers.

use serde::{Deserialize, Serialize};

/// Numbers of one image, by axis: \[channels, rows, columns\].
pub type Shape = [usize; 3];

/// Sums of activations are kept as integers in units of one over this: rounded once a block, then
/// added exactly, in any order.
pub const FIXED_POINT: f64 = 1048576.0;

/// The values that a pixel of the noise may take: `offset + step·k` for k from 0 to 65,535.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Value of k = 0.
    pub offset: f64,
    /// Distance of two neighbours.
    pub step: f64,
}

impl Grid {
    /// The value of grid point `k`.
    pub fn value(self, k: f64) -> f64 {
        self.offset + self.step * k
    }
}
