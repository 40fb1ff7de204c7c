//! Convolutions and poolings.

use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};

use super::super::op::{Conv, Divisor, Pads, Rounding, Window};

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

pub fn max_pool(window: &Window, x: Tensor<4>) -> Tensor<4> {
    let options = MaxPoolOptions::new(window.kernel)
        .with_stride(window.stride)
        .with_padding_pairs(pairs(window.pads))
        .with_dilation(window.dilation)
        .with_ceil_mode(window.rounding == Rounding::Ceil);
    max_pool2d(x, options)
}

pub fn average_pool(window: &Window, divisor: Divisor, x: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new(window.kernel)
        .with_stride(window.stride)
        .with_padding_pairs(pairs(window.pads))
        .with_count_include_pad(divisor == Divisor::WithPadding)
        .with_ceil_mode(window.rounding == Rounding::Ceil);
    avg_pool2d(x, options)
}

/// Whether [`in_one_convolution`] computes a convolution and the pooling after it, and is worth it:
/// its kernel grows by one, which matters little to large ones.
pub fn is_one_convolution(conv: &Conv, kernel: &[usize], window: &Window) -> bool {
    let plain = Conv::default();
    *conv == plain && *window == Window::tiles([2, 2]) && kernel[2..].iter().all(|&side| side >= 5)
}

/// A convolution of stride 1 without padding and the 2×2 max-pooling after it, in one strided
/// convolution.
///
/// The four positions that a pooling window covers are four shifts of the kernel: padded by one
/// row and column on either side they become four kernels of stride 2, whose maximum is the pooled
/// output. The numbers are the same; the patches to gather are fewer, and the maximum runs over
/// contiguous memory instead of scattered windows.
pub fn in_one_convolution(x: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let shift = |left, right, top, bottom| kernel.clone().pad((left, right, top, bottom), 0.0);
    let shifts = vec![
        shift(0, 1, 0, 1),
        shift(1, 0, 0, 1),
        shift(0, 1, 1, 0),
        shift(1, 0, 1, 0),
    ];
    let channels = kernel.dims()[0];
    let options = ConvOptions::new([2, 2], [0, 0], [1, 1], 1);
    let all = conv2d(x, Tensor::cat(shifts, 0), None, options);
    let [n, _, height, width] = all.dims();
    // The shifts first, each contiguous.
    let all = all
        .reshape([n, 4, channels * height * width])
        .swap_dims(0, 1)
        .reshape([4, n * channels * height * width]);
    let of = |shift| all.clone().narrow(0, shift, 1);
    let most = of(0).max_pair(of(1)).max_pair(of(2).max_pair(of(3)));
    let pooled = most.reshape([n, channels, height, width]);
    match bias {
        Some(bias) => pooled + bias.reshape([1, channels, 1, 1]),
        None => pooled,
    }
}
