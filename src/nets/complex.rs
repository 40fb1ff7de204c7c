//! The `complex` architecture: `simple` with batch normalization and a depthwise convolution.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::composed::{Convolution, composed};
use super::network_shape::NetworkShape;
use super::simple::{contrast, convolution_weights, padded, pooled_twice, pooled_units};

/// conv C→32 3×3 pad 1, batch normalization, conv 32→64 3×3 pad 1, depthwise conv 64→64 3×3 pad 1,
/// maxpool 2, maxpool 2, fc →128, fc 128→K; with one channel, 28×28 pixels and ten classes 422,346
/// parameters.
#[derive(Module, Debug)]
pub struct Complex {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    conv3: Conv2d,
    fc1: Linear,
    logits: Linear,
}

impl Complex {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        Self {
            conv1: padded([ports.image[0], 32]).init(device),
            norm1: BatchNormConfig::new(32).init(device),
            conv2: padded([32, 64]).init(device),
            conv3: padded([64, 64]).with_groups(64).init(device),
            fc1: LinearConfig::new(pooled_units(ports), 128).init(device),
            logits: LinearConfig::new(128, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\], normalized by the running statistics from training.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = composed(
            contrast(images),
            &self.normalized_convolution(),
            &convolution_weights(&self.conv2),
        );
        self.rest(x)
    }

    /// The same, normalized by the statistics of this batch, which also update the running ones.
    /// The device must record gradients.
    pub fn forward_training(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.norm1.forward(self.conv1.forward(contrast(images)));
        self.rest(self.conv2.forward(x))
    }

    fn rest(&self, conv2: Tensor<4>) -> Tensor<2> {
        let x = pooled_twice(self.conv3.forward(conv2));
        self.logits.forward(self.fc1.forward(x))
    }

    /// The first convolution with the normalization after it folded in.
    fn normalized_convolution(&self) -> Convolution {
        let norm = &self.norm1;
        let spread = (norm.running_var.value_sync() + norm.epsilon).sqrt();
        let scale = norm.gamma.val() / spread;
        let Convolution { weight, bias } = convolution_weights(&self.conv1);
        let centred = bias - norm.running_mean.value_sync();
        Convolution {
            weight: weight * scale.clone().reshape([-1, 1, 1, 1]),
            bias: centred * scale + norm.beta.val(),
        }
    }
}
