//! `simple`: two 3×3 convolutions and two fully connected layers. Max-pooling is its only
//! non-linearity.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use super::composed::{Convolution, composed};
use super::layers::{Geometry, at_one_position};
use super::layout::arranged;
use super::ports::Ports;

/// Its layers. Both convolutions come before pooling.
pub fn geometry(ports: Ports) -> Vec<Geometry> {
    vec![
        convolution("conv1", 32, 1, ports),
        convolution("conv2", 64, 2, ports),
        Geometry::whole("fc1", 128, true, ports),
        Geometry::whole("logits", ports.classes, true, ports),
    ]
}

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
    pub fn new(ports: Ports, device: &Device) -> Self {
        Self {
            conv1: padded([ports.image[0], 32]).init(device),
            conv2: padded([32, 64]).init(device),
            fc1: LinearConfig::new(pooled_units(ports), 128).init(device),
            logits: LinearConfig::new(128, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = composed(contrast(images), &raw(&self.conv1), &raw(&self.conv2));
        self.logits.forward(self.fc1.forward(pooled_twice(x)))
    }

    /// See [`super::Network::activations`].
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let conv1 = self.conv1.forward(contrast(images));
        let conv2 = self.conv2.forward(conv1.clone());
        let fc1 = self.fc1.forward(pooled_twice(conv2.clone()));
        let logits = self.logits.forward(fc1.clone());
        vec![conv1, conv2, at_one_position(fc1), at_one_position(logits)]
    }

    /// One of the two convolutions on patches of its field, without padding.
    pub fn cut_out(&self, layer: usize, patches: Tensor<4>) -> Tensor<4> {
        let conv1 = inside(contrast(patches), &self.conv1);
        match layer {
            0 => conv1,
            _ => inside(conv1, &self.conv2),
        }
    }
}

/// The geometry of a 3×3 convolution with `before` convolutions of 3×3 up to it and with it.
pub(super) fn convolution(
    name: &'static str,
    units: usize,
    before: usize,
    ports: Ports,
) -> Geometry {
    Geometry {
        field: (2 * before + 1, 2 * before + 1),
        padding: before,
        positions: ports.size(),
        ..Geometry::whole(name, units, true, ports)
    }
}

/// What is left of 64 channels of the image's size after pooling twice.
pub(super) fn pooled_units(ports: Ports) -> usize {
    let (height, width) = ports.size();
    64 * (height / 4) * (width / 4)
}

/// A 3×3 convolution that keeps the size.
pub(super) fn padded(channels: [usize; 2]) -> Conv2dConfig {
    Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
}

/// The numbers of a convolution.
pub(super) fn raw(convolution: &Conv2d) -> Convolution {
    let weight = convolution.weight.val();
    let bias = match &convolution.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([weight.dims()[0]], &weight.device()),
    };
    Convolution { weight, bias }
}

/// What one pixel from black to white changes in the input of the first convolution.
pub(super) const CONTRAST: f32 = 2.0;

/// (x − 0.5)/0.5.
pub(super) fn contrast(images: Tensor<4>) -> Tensor<4> {
    arranged(images) * CONTRAST - 1.0
}

/// A convolution at the positions whose field lies inside its input.
pub(super) fn inside(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    let options = ConvOptions::new([1, 1], [0, 0], [1, 1], convolution.groups);
    let bias = convolution.bias.as_ref().map(|bias| bias.val());
    conv2d(x, convolution.weight.val(), bias, options)
}

/// Two max-poolings of 2×2, which are one of 4×4; \[N,units\].
pub(super) fn pooled_twice(x: Tensor<4>) -> Tensor<2> {
    max_pool2d(x, MaxPoolOptions::new([4, 4])).flatten(1, 3)
}
