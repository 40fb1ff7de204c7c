//! Plans Winograd convolutions.

use std::sync::Arc;

use super::draft::Draft;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Conv;
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::product::{Tile, channel_tiles};
use crate::nets::plan::steps::PlanStep;
use crate::nets::plan::winograd::{Form, Rows, Squares, Transform, Variant, Winograd};
use crate::session::array::Array;

impl Draft<'_> {
    /// Plans a convolution that is computed by this variant of Winograd.
    pub(super) fn winograd(
        &mut self,
        id: NodeId,
        conv: Conv,
        variant: Variant,
        weight: &Array<f32>,
        bias: Arc<[f32]>,
    ) -> Result<(), UnsupportedNode> {
        let from = self.output(self.source(id, 0)?);
        let shape = self.shape(id)?;
        let (size, lanes) = ((shape[1], shape[2]), self.lanes);
        let (last, window, activation) = self.fuse_followers(id, |window| window.kernel == [2, 2]);
        let to = self.add_output(last)?;
        let [channels, inputs, kernel_rows, taps] = *weight.shape() else {
            return Err(self.unsupported(id, "its kernel has no rows and columns"));
        };
        let base = |row: usize, column: usize| {
            let row = row + from.border.top - conv.pads.top;
            let column = column + from.border.left - conv.pads.left;
            (row * from.padded_width() + column) * lanes
        };
        let (transform, form, weights) = match variant {
            Variant::Squares(transform) => {
                let tiles = channel_tiles(channels);
                let weights = self.packed(id, 1, "squares", || {
                    pack_squares(transform, weight.values(), (taps, inputs), &tiles)
                });
                let form = Form::Squares(Squares::new(tiles, size, base));
                (transform, form, weights)
            }
            Variant::Rows(transform) => {
                let weights = self.packed(id, 1, "rows", || {
                    let mut packed = vec![0.0; channels * inputs * kernel_rows * transform.points];
                    transform.pack_rows(weight.values(), &mut packed);
                    packed
                });
                let base = base(0, 0);
                let form = Form::Rows(Rows { kernel_rows, base });
                (transform, form, weights)
            }
        };
        // Counts the operations of the direct convolution: the same work, done with fewer operations.
        self.operations += 2 * (size.0 * size.1 * channels * inputs * kernel_rows * taps) as u64;
        let step = Winograd {
            node: id,
            from,
            to,
            transform,
            form,
            weights,
            bias,
            size,
            pooled: window.is_some(),
            activation,
        };
        self.add_step(PlanStep::Winograd(step));
        Ok(())
    }
}

/// Kernels \[outputs,inputs,taps,taps\], transformed along both axes, ordered by tile, point, input channel, and channel
/// of the tile.
fn pack_squares(
    transform: Transform,
    kernels: &[f32],
    (taps, inputs): (usize, usize),
    tiles: &[Tile],
) -> Vec<f32> {
    let kernels: Vec<Vec<f32>> = kernels
        .chunks_exact(taps * taps)
        .map(|kernel| transform.transform_kernel(kernel, taps))
        .collect();
    let points = transform.points.pow(2);
    let number =
        |output: usize, input: usize, point: usize| kernels[output * inputs + input][point];
    let mut weights = Vec::with_capacity(points * kernels.len());
    for tile in tiles {
        for point in 0..points {
            for input in 0..inputs {
                let outputs = tile.first..tile.first + tile.count;
                weights.extend(outputs.map(|output| number(output, input, point)));
            }
        }
    }
    weights
}
