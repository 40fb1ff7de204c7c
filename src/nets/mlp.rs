//! `mlp`: one hidden layer of 1,000 ReLU units.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::layers::{Geometry, at_one_position};

/// Its layers.
pub const GEOMETRY: [Geometry; 2] = [
    Geometry::whole("fc1", 1000, false),
    Geometry::whole("logits", 10, true),
];

/// fc 784→1000, ReLU, fc 1000→10.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    logits: Linear,
}

impl Mlp {
    /// The architecture; the caller sets the weights.
    pub fn new(device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(784, 1000).init(device),
            logits: LinearConfig::new(1000, 10).init(device),
        }
    }

    /// Logits \[N,10\] of images \[N,28,28\].
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        let hidden = relu(self.fc1.forward(images.flatten::<2>(1, 2)));
        self.logits.forward(hidden)
    }

    /// See [`super::Network::activations`].
    pub fn activations(&self, images: Tensor<3>) -> Vec<Tensor<4>> {
        let fc1 = relu(self.fc1.forward(images.flatten::<2>(1, 2)));
        let logits = self.logits.forward(fc1.clone());
        vec![at_one_position(fc1), at_one_position(logits)]
    }
}
