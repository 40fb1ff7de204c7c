//! Two consecutive 3×3 convolutions, computed as a single 5×5 convolution.
//!
//! Without a non-linearity between them they compose, and the channels in the middle need not be
//! computed. The results differ only at the border of the image: beyond it the second convolution
//! sees zeros, where the composed one sees the first one's output. That difference is subtracted.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, s};

/// Weights \[channels out,channels in,3,3\] and biases \[channels out\] of a convolution padded by one
/// pixel.
pub struct Convolution {
    /// \[out,in,3,3\].
    pub weight: Tensor<4>,
    /// \[out\].
    pub bias: Tensor<1>,
}

/// `second` applied to the output of `first` on images \[N,C,H,W\]: \[N,channels,H,W\].
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

    // One pixel beyond each side of the image, the first convolution still reaches the outermost
    // pixels with one row or column of its kernel. The corners are counted with the rows.
    let beyond = |dim: usize, pixel: usize, kernel: [usize; 2], pads: [[usize; 2]; 2]| {
        let edge = x.clone().narrow(dim, pixel, 1);
        let bias = Some(first.bias.clone());
        let weight = first.weight.clone().narrow(dim, kernel[0], 1);
        let outside = conv2d(edge, weight, bias, padded(pads[0]));
        let weight = second.weight.clone().narrow(dim, kernel[1], 1);
        conv2d(outside, weight, None, padded(pads[1]))
    };
    let (last_row, last_column) = (height - 1, width - 1);
    let (row_pads, column_pads) = ([[0, 2], [0, 0]], [[1, 0], [1, 0]]);
    let top = beyond(2, 0, [2, 0], row_pads);
    let bottom = beyond(2, last_row, [0, 2], row_pads);
    let left = beyond(3, 0, [2, 0], column_pads);
    let right = beyond(3, last_column, [0, 2], column_pads);

    let y = subtract_edge(y, 2, 0, top);
    let y = subtract_edge(y, 2, last_row, bottom);
    let y = subtract_edge(y, 3, 0, left);
    subtract_edge(y, 3, last_column, right)
}

/// Subtracts `edge` from one row (dimension 2) or column (3) of `y`.
fn subtract_edge(y: Tensor<4>, dim: usize, index: usize, edge: Tensor<4>) -> Tensor<4> {
    let rest = y.clone().narrow(dim, index, 1) - edge;
    match dim {
        2 => y.slice_assign(s![.., .., index..=index, ..], rest),
        _ => y.slice_assign(s![.., .., .., index..=index], rest),
    }
}

fn padded(padding: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new([1, 1], padding, [1, 1], 1)
}
