//! The choice between direct convolution and the forms of Winograd.

use super::rows::BAND;
use super::transform::{TILE_OUTPUTS, Transform};
use crate::nets::plan::product::POSITIONS;

/// The cost model, in multiplications at the processor's peak rate: measured on AVX-512 and AVX2, whose proportions are
/// about the same. These are constants rather than run-time measurements, so that a session has the same logits on
/// whatever machine it is resumed.
mod cost {
    /// Share of the processor's peak that direct convolutions reach.
    pub const DIRECT: f64 = 0.85;
    /// Share of the processor's peak that the products at the points of squares reach.
    pub const SQUARE_POINTS: f64 = 0.9;
    /// Cost per point of transforming one channel of one square.
    pub const SQUARE_TRANSFORM: f64 = 7.8;
    /// Share of the processor's peak that the products at the points of rows reach: the mean of AVX-512 and AVX2, whose
    /// registers hold half of the sums.
    pub const ROW_POINTS: f64 = 0.75;
    /// Cost per point of transforming one channel of four inputs or outputs of a row.
    pub const ROW_TRANSFORM: f64 = 2.1;
    /// Cost of writing an output, over that of a direct convolution, if no pooling follows.
    pub const ROW_OUTPUT: f64 = 8.0;
}

/// Maximum floats per lane of the transformed inputs that a band of two rows of outputs reads. With more, the products
/// reach a smaller share of the peak than the cost model says.
const MAX_BAND_INPUTS: usize = 160;

/// The kernel of a convolution with stride 1 and without groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelShape {
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
}

/// A form of Winograd, with its transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Along both axes.
    Squares(Transform),
    /// Along rows.
    Rows(Transform),
}

impl KernelShape {
    /// The cheapest form of Winograd for outputs of this size (rows, columns); `None` if direct convolution is cheaper.
    pub fn cheapest(&self, size: [usize; 2]) -> Option<Variant> {
        let costs = [
            self.squares_cost(size)
                .map(|(transform, cost)| (Variant::Squares(transform), cost)),
            self.rows_cost(size)
                .map(|(transform, cost)| (Variant::Rows(transform), cost)),
        ];
        let cheapest = costs
            .into_iter()
            .flatten()
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        (cheapest.1 < self.direct_cost(size)).then_some(cheapest.0)
    }

    /// The transforms along both axes, if they cost less than direct convolution.
    pub fn squares(&self, size: [usize; 2]) -> Option<Transform> {
        let (transform, cost) = self.squares_cost(size)?;
        (cost < self.direct_cost(size)).then_some(transform)
    }

    /// The transforms along rows, if they cost less than direct convolution.
    pub fn along_rows(&self, size: [usize; 2]) -> Option<Transform> {
        let (transform, cost) = self.rows_cost(size)?;
        (cost < self.direct_cost(size)).then_some(transform)
    }

    /// Pairs of an input channel and an output channel.
    fn pairs(&self) -> f64 {
        (self.inputs * self.outputs) as f64
    }

    fn direct_cost(&self, [rows, columns]: [usize; 2]) -> f64 {
        (rows * columns * self.rows * self.columns) as f64 * self.pairs() / cost::DIRECT
    }

    fn squares_cost(&self, [rows, columns]: [usize; 2]) -> Option<(Transform, f64)> {
        let transform = Transform::new(self.columns).filter(|_| self.rows == self.columns)?;
        // Squares are always computed four at a time.
        let squares = rows.div_ceil(TILE_OUTPUTS) * columns.div_ceil(TILE_OUTPUTS);
        let squares = squares.next_multiple_of(POSITIONS) as f64;
        let points = transform.points.pow(2) as f64;
        let channels = (self.inputs + self.outputs) as f64;
        let products = self.pairs() / cost::SQUARE_POINTS;
        let square = points * (products + channels * cost::SQUARE_TRANSFORM);
        Some((transform, squares * square))
    }

    fn rows_cost(&self, [rows, columns]: [usize; 2]) -> Option<(Transform, f64)> {
        let transform = Transform::new(self.columns)?;
        let points = transform.points;
        if self.inputs * (self.rows + BAND - 1) * points > MAX_BAND_INPUTS {
            return None;
        }
        let (rows, tiles) = (rows.next_multiple_of(BAND), columns.div_ceil(TILE_OUTPUTS));
        let outputs = (rows * tiles * self.outputs) as f64;
        let inputs = ((rows + self.rows - 1) * tiles * self.inputs) as f64;
        let products = outputs * (self.rows * self.inputs) as f64 / cost::ROW_POINTS;
        let cost = points as f64 * (products + (inputs + outputs) * cost::ROW_TRANSFORM)
            + outputs * TILE_OUTPUTS as f64 * cost::ROW_OUTPUT;
        Some((transform, cost))
    }
}

impl Variant {
    /// Rows and columns of inputs, from the first one of the first output, that outputs of this size (rows, columns) read:
    /// tiles may extend past the last output.
    pub fn reach(self, kernel: [usize; 2], [rows, columns]: [usize; 2]) -> [usize; 2] {
        let columns = columns.next_multiple_of(TILE_OUTPUTS) + kernel[1] - 1;
        match self {
            Self::Squares(_) => [rows.next_multiple_of(TILE_OUTPUTS) + kernel[0] - 1, columns],
            Self::Rows(_) => [rows + kernel[0] - 1, columns],
        }
    }
}
