//! Two 3×3 convolutions with nothing between them, computed as one of 5×5.
//!
//! Without a non-linearity they compose: many channels in the middle need not be computed. Only at
//! the border of the image is there a difference. The second convolution sees zeros beyond it,
//! where the composed one sees what the first would say there; that is taken off again.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, s};

/// Weights \[channels out,channels in,3,3\] and biases \[channels out\] of a convolution with a padding
/// of one pixel.
pub struct Convolution {
    /// \[out,in,3,3\].
    pub weight: Tensor<4>,
    /// \[out\].
    pub bias: Tensor<1>,
}

/// The second convolution of the first of images \[N,C,H,W\]: \[N,channels,H,W\].
pub fn composed(x: Tensor<4>, first: &Convolution, second: &Convolution) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    // K[o,d] = Σ_c Σ_{a+b=d} W₂[o,c,a]·W₁[c,b].
    let turned = first.weight.clone().flip([2, 3]).swap_dims(0, 1);
    let kernel = conv2d(second.weight.clone(), turned, None, padded([2, 2]));
    let [units, channels, ..] = second.weight.dims();
    let sums = second.weight.clone().reshape([units, channels, 9]);
    let through = sums.sum_dim(2).reshape([units, channels]);
    let bias = through.matmul(first.bias.clone().unsqueeze_dim(1));
    let bias = bias.reshape([units]) + second.bias.clone();
    let y = conv2d(x.clone(), kernel, Some(bias), padded([2, 2]));

    // Beyond each side of the image the first convolution sees the outermost pixels with one row or
    // column of its kernel. The corners belong to the rows.
    let beyond = |dim: usize, pixel: usize, kernel: [usize; 2], pads: [[usize; 2]; 2]| {
        let edge = x.clone().narrow(dim, pixel, 1);
        let bias = Some(first.bias.clone());
        let weight = first.weight.clone().narrow(dim, kernel[0], 1);
        let said = conv2d(edge, weight, bias, padded(pads[0]));
        let weight = second.weight.clone().narrow(dim, kernel[1], 1);
        conv2d(said, weight, None, padded(pads[1]))
    };
    let (last_row, last_column) = (height - 1, width - 1);
    let (row_pads, column_pads) = ([[0, 2], [0, 0]], [[1, 0], [1, 0]]);
    let top = beyond(2, 0, [2, 0], row_pads);
    let bottom = beyond(2, last_row, [0, 2], row_pads);
    let left = beyond(3, 0, [2, 0], column_pads);
    let right = beyond(3, last_column, [0, 2], column_pads);

    let y = less(y, 2, 0, top);
    let y = less(y, 2, last_row, bottom);
    let y = less(y, 3, 0, left);
    less(y, 3, last_column, right)
}

/// Takes `edge` off one row (dimension 2) or column (3) of `y`.
fn less(y: Tensor<4>, dim: usize, at: usize, edge: Tensor<4>) -> Tensor<4> {
    let rest = y.clone().narrow(dim, at, 1) - edge;
    match dim {
        2 => y.slice_assign(s![.., .., at..=at, ..], rest),
        _ => y.slice_assign(s![.., .., .., at..=at], rest),
    }
}

fn padded(padding: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new([1, 1], padding, [1, 1], 1)
}
