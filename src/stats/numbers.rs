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

/// What a trial is taken to say of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Response {
    /// Whether the network decided for it.
    Decision,
    /// What its outputs say for the class beside the others.
    Evidence,
}

impl Response {
    /// Every response, in the order in which a key goes through them.
    pub const ALL: [Self; 2] = [Self::Decision, Self::Evidence];

    /// In words, for views and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Decision => "decisions",
            Self::Evidence => "evidence",
        }
    }

    /// What its map is called.
    pub fn image_label(self) -> &'static str {
        match self {
            Self::Decision => "classification image",
            Self::Evidence => "evidence image",
        }
    }

    /// The key in exports.
    pub fn key(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Evidence => "evidence",
        }
    }
}
