//! The `mlp` architecture: one hidden layer of 1,000 ReLU units.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::network_shape::NetworkShape;

/// fc C·H·W→1000, ReLU, fc 1000→K.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    logits: Linear,
}

impl Mlp {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(ports.pixels(), 1000).init(device),
            logits: LinearConfig::new(1000, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let hidden = relu(self.fc1.forward(images.flatten::<2>(1, 3)));
        self.logits.forward(hidden)
    }
}
