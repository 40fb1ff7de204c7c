//! `cnn`: two 5×5 convolutions with ReLU and 2×2 max-pooling, two fully connected layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::layout::{in_fast_layout, is_flex};
use super::network_shape::NetworkShape;
use super::pooled::pooled_convolution;

/// Rows or columns after an unpadded 5×5 convolution, and after the pooling that follows it.
fn sizes_after_stage(side: usize) -> (usize, usize) {
    (side - 4, (side - 4) / 2)
}

/// conv C→20 5×5, ReLU, maxpool 2, conv 20→50 5×5, ReLU, maxpool 2, fc →500, ReLU, fc 500→K; with one
/// channel, 28×28 pixels and ten classes 431,080 parameters.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    logits: Linear,
}

impl Cnn {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        let [channels, height, width] = ports.image;
        let remaining = |side| sizes_after_stage(sizes_after_stage(side).1).1;
        let inputs = 50 * remaining(height) * remaining(width);
        Self {
            conv1: Conv2dConfig::new([channels, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 50], [5, 5]).init(device),
            fc1: LinearConfig::new(inputs, 500).init(device),
            logits: LinearConfig::new(500, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = in_fast_layout(images);
        // Flex gathers patches in plain code, which makes a single strided convolution worthwhile.
        let pooled_convolution = match is_flex(&x.device()) {
            true => single_convolution,
            false => convolution_then_pooling,
        };
        // ReLU is monotone, so it commutes with the maximum: pooling first gives the same numbers
        // and leaves the ReLU a quarter of the work.
        let x = relu(pooled_convolution(x, &self.conv1));
        let x = relu(pooled_convolution(x, &self.conv2));
        let x = relu(self.fc1.forward(x.flatten::<2>(1, 3)));
        self.logits.forward(x)
    }
}

/// 2×2 max-pooling.
fn pooled(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}

/// A convolution followed by 2×2 max-pooling.
fn convolution_then_pooling(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    pooled(convolution.forward(x))
}

/// The same as [`convolution_then_pooling`], computed as a single convolution.
fn single_convolution(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    let bias = convolution.bias.as_ref().map(|bias| bias.val());
    pooled_convolution(x, convolution.weight.val(), bias)
}
