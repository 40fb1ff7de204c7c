//! `cnn`: two 5×5 convolutions with ReLU and 2×2 max-pooling, two fully connected layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

/// conv 1→20 5×5, ReLU, maxpool 2, conv 20→50 5×5, ReLU, maxpool 2, fc 800→500, ReLU, fc 500→10.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    logits: Linear,
}

impl Cnn {
    /// The architecture; the caller sets the weights.
    pub fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 50], [5, 5]).init(device),
            fc1: LinearConfig::new(800, 500).init(device),
            logits: LinearConfig::new(500, 10).init(device),
        }
    }

    /// Logits \[N,10\] of images \[N,28,28\].
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        let [n, height, width] = images.dims();
        let x = images.reshape([n, 1, height, width]);
        // The maximum of a monotone function is the function of the maximum: pooling before the
        // ReLU gives the same numbers and leaves the ReLU a quarter of the work.
        let x = relu(pooled_convolution(x, &self.conv1));
        let x = relu(pooled_convolution(x, &self.conv2));
        let x = relu(self.fc1.forward(x.flatten::<2>(1, 3)));
        self.logits.forward(x)
    }
}

/// A convolution (stride 1, no padding) followed by 2×2 max-pooling, in one strided convolution.
///
/// The four positions that a pooling window covers are four shifts of the kernel: padded by one
/// row and column on either side they become four kernels of stride 2, whose maximum is the pooled
/// output. The numbers are the same; the patches to gather are fewer, and the maximum runs over
/// contiguous memory instead of scattered windows.
fn pooled_convolution(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    let kernel = convolution.weight.val();
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
    match &convolution.bias {
        Some(bias) => pooled + bias.val().reshape([1, channels, 1, 1]),
        None => pooled,
    }
}
