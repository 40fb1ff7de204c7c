//! `logistic`: logistic regression on the pixels.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// fc 784→10.
#[derive(Module, Debug)]
pub struct Logistic {
    logits: Linear,
}

impl Logistic {
    /// The architecture; the caller sets the weights.
    pub fn new(device: &Device) -> Self {
        Self {
            logits: LinearConfig::new(784, 10).init(device),
        }
    }

    /// Logits \[N,10\] of images \[N,28,28\].
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        self.logits.forward(images.flatten::<2>(1, 2))
    }
}
