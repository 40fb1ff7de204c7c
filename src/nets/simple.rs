//! The `simple` architecture: two 3×3 convolutions and two fully connected layers, with max-pooling as
//! the only non-linearity.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::composed::{Convolution, composed};
use super::layout::in_fast_layout;
use super::network_shape::NetworkShape;

/// conv C→32 3×3 pad 1, conv 32→64 3×3 pad 1, maxpool 2, maxpool 2, fc →128, fc 128→K; with one channel,
/// 28×28 pixels and ten classes 421,642 parameters.
#[derive(Module, Debug)]
pub struct Simple {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    logits: Linear,
}

impl Simple {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        Self {
            conv1: padded([ports.image[0], 32]).init(device),
            conv2: padded([32, 64]).init(device),
            fc1: LinearConfig::new(pooled_units(ports), 128).init(device),
            logits: LinearConfig::new(128, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = composed(
            contrast(images),
            &convolution_weights(&self.conv1),
            &convolution_weights(&self.conv2),
        );
        self.logits.forward(self.fc1.forward(pooled_twice(x)))
    }
}

/// Units left of 64 channels of the image's size after pooling twice.
pub(super) fn pooled_units(ports: NetworkShape) -> usize {
    let (height, width) = ports.size();
    64 * (height / 4) * (width / 4)
}

/// A 3×3 convolution that keeps the size.
pub(super) fn padded(channels: [usize; 2]) -> Conv2dConfig {
    Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
}

/// The weights of a convolution, with zeros for a missing bias.
pub(super) fn convolution_weights(convolution: &Conv2d) -> Convolution {
    let weight = convolution.weight.val();
    let bias = match &convolution.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([weight.dims()[0]], &weight.device()),
    };
    Convolution { weight, bias }
}

/// (x − 0.5)/0.5.
pub(super) fn contrast(images: Tensor<4>) -> Tensor<4> {
    in_fast_layout(images) * 2.0 - 1.0
}

/// Two 2×2 max-poolings, computed as one of 4×4; \[N,units\].
pub(super) fn pooled_twice(x: Tensor<4>) -> Tensor<2> {
    max_pool2d(x, MaxPoolOptions::new([4, 4])).flatten(1, 3)
}
