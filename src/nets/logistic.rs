//! `logistic`: logistic regression on the pixels.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::layers::{Geometry, at_one_position};

/// Its one layer.
pub const GEOMETRY: [Geometry; 1] = [Geometry::whole("logits", 10, true)];

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

    /// See [`super::Network::activations`].
    pub fn activations(&self, images: Tensor<3>) -> Vec<Tensor<4>> {
        vec![at_one_position(self.forward(images))]
    }
}
