//! Number formats shared by all statistics: image shapes, the noise grid and fixed-point sums.

use serde::{Deserialize, Serialize};

/// Size of an image along each axis: \[channels, rows, columns\].
pub type Shape = [usize; 3];

/// Sums of activations are stored as integers in units of one over this: rounded once per block, then
/// added exactly, in any order.
pub const FIXED_POINT: f64 = 1048576.0;

/// A sum in units of one over [`FIXED_POINT`]; the largest or the smallest number if it does not fit, and the largest if
/// it is not a number.
pub fn fixed(sum: f64) -> i64 {
    match sum.is_nan() {
        true => i64::MAX,
        false => (sum * FIXED_POINT).round() as i64,
    }
}

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
    fn a_sum_that_is_not_a_number_is_never_taken_for_nothing() {
        assert_eq!([0.0, 0.5, -3.0].map(fixed), [0, 1 << 19, -(3 << 20)]);
        assert_eq!([1e300, f64::INFINITY, f64::NAN].map(fixed), [i64::MAX; 3]);
        assert_eq!(fixed(f64::NEG_INFINITY), i64::MIN);
    }

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
