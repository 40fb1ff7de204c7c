//! Convolutions and poolings.

use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};

use super::super::op::{Conv, Divisor, Pads, PoolWindow, Rounding};

fn pairs(pads: Pads) -> [(usize, usize); 2] {
    [pads.along(0), pads.along(1)]
}

pub fn convolve(
    conv: &Conv,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let options =
        ConvOptions::new_with_padding(conv.stride, pairs(conv.pads), conv.dilation, conv.groups);
    conv2d(x, weight, bias, options)
}

pub fn max_pool(window: &PoolWindow, x: Tensor<4>) -> Tensor<4> {
    let options = MaxPoolOptions::new(window.kernel)
        .with_stride(window.stride)
        .with_padding_pairs(pairs(window.pads))
        .with_dilation(window.dilation)
        .with_ceil_mode(window.rounding == Rounding::Ceil);
    max_pool2d(x, options)
}

pub fn average_pool(window: &PoolWindow, divisor: Divisor, x: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new(window.kernel)
        .with_stride(window.stride)
        .with_padding_pairs(pairs(window.pads))
        .with_count_include_pad(divisor == Divisor::WithPadding)
        .with_ceil_mode(window.rounding == Rounding::Ceil);
    avg_pool2d(x, options)
}

/// Whether [`crate::nets::pooled::pooled_convolution`] can compute a convolution and the pooling after it, and is
/// worthwhile: it enlarges the kernel by one, which costs little for large kernels.
pub fn is_one_convolution(conv: &Conv, kernel: &[usize], window: &PoolWindow) -> bool {
    let plain = Conv::default();
    *conv == plain
        && *window == PoolWindow::tiles([2, 2])
        && kernel[2..].iter().all(|&side| side >= 5)
}
