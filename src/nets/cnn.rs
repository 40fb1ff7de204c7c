//! `cnn`: two 5×5 convolutions with ReLU and 2×2 max-pooling, two fully connected layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// conv 1→20 5×5, ReLU, maxpool 2, conv 20→50 5×5, ReLU, maxpool 2, fc 800→500, ReLU, fc 500→10.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    logits: Linear,
    pool: MaxPool2d,
}

impl Cnn {
    /// The architecture; the caller sets the weights.
    pub fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 50], [5, 5]).init(device),
            fc1: LinearConfig::new(800, 500).init(device),
            logits: LinearConfig::new(500, 10).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    /// Logits \[N,10\] of images \[N,28,28\].
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        let [n, height, width] = images.dims();
        let x = images.reshape([n, 1, height, width]);
        // The maximum of a monotone function is the function of the maximum: pooling before the
        // ReLU gives the same numbers and leaves the ReLU a quarter of the work.
        let x = relu(self.pool.forward(self.conv1.forward(x)));
        let x = relu(self.pool.forward(self.conv2.forward(x)));
        let x = relu(self.fc1.forward(x.flatten::<2>(1, 3)));
        self.logits.forward(x)
    }
}
