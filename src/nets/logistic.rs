//! The `logistic` architecture: logistic regression on the pixels.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::network_shape::NetworkShape;

/// fc C·H·W→K.
#[derive(Module, Debug)]
pub struct Logistic {
    logits: Linear,
}

impl Logistic {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        Self {
            logits: LinearConfig::new(ports.pixels(), ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.logits.forward(images.flatten::<2>(1, 3))
    }
}
