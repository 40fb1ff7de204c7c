//! A convolution and the max-pooling after it, computed as a single convolution.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// An unpadded convolution of stride 1 and the 2×2 max-pooling after it, as one strided convolution.
///
/// The four positions of a pooling window are four shifts of the kernel: padded by a row and a
/// column on one side each, they become four kernels of stride 2, whose maximum is the pooled
/// output. The numbers are the same; there are fewer patches to gather, and the maximum runs over
/// contiguous memory instead of scattered windows.
pub fn pooled_convolution(x: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
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
    let part = |shift| all.clone().narrow(0, shift, 1);
    let most = part(0)
        .max_pair(part(1))
        .max_pair(part(2).max_pair(part(3)));
    let pooled = most.reshape([n, channels, height, width]);
    match bias {
        Some(bias) => pooled + bias.reshape([1, channels, 1, 1]),
        None => pooled,
    }
}
