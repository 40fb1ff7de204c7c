//! Number formats shared by all statistics: image shapes, the noise grid and fixed-point sums.

use serde::{Deserialize, Serialize};

/// Size of an image along each axis: \[channels, rows, columns\].
pub type Shape = [usize; 3];

/// Sums of activations are stored as integers in units of one over this: rounded once per block, then
/// added exactly, in any order.
pub const FIXED_POINT: f64 = 1048576.0;

/// The values that a noise pixel may take: `offset + step·k` for k from 0 to 65,535.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Grid")]
pub struct NoiseGrid {
    /// Value at k = 0.
    pub offset: f64,
    /// Distance between adjacent grid points.
    pub step: f64,
}

impl NoiseGrid {
    /// The value of grid point `k`.
    pub fn value(self, k: f64) -> f64 {
        self.offset + self.step * k
    }
}

/// Which response of the network a map is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Response {
    /// Whether the network chose the class.
    Decision,
    /// The class's output relative to the other classes.
    Evidence,
}

impl Response {
    /// Every response, in the order in which the key cycles through them.
    pub const ALL: [Self; 2] = [Self::Decision, Self::Evidence];

    /// The label in views and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Decision => "decisions",
            Self::Evidence => "evidence",
        }
    }

    /// The name of its map.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_have_a_word_in_views_a_name_of_their_map_and_a_key_in_exports() {
        let names = |response: Response| (response.label(), response.image_label(), response.key());
        assert_eq!(
            Response::ALL.map(names),
            [
                ("decisions", "classification image", "decision"),
                ("evidence", "evidence image", "evidence"),
            ]
        );
    }
}
