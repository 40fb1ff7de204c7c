//! `cnn`: two 5×5 convolutions with ReLU and 2×2 max-pooling, two fully connected layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use super::layers::{Geometry, at_one_position};
use super::layout::{arranged, is_flex};
use super::ports::Ports;

/// Rows or columns after a 5×5 convolution without padding, and after pooling that.
fn after(side: usize) -> (usize, usize) {
    (side - 4, (side - 4) / 2)
}

/// Its layers. A unit of `conv2` looks at 5×5 pooled positions, each the most of 2×2 fields of 5×5.
pub fn geometry(ports: Ports) -> Vec<Geometry> {
    let convolution = |name, units, field, stride, positions| Geometry {
        field: (field, field),
        stride,
        positions,
        ..Geometry::whole(name, units, false, ports)
    };
    let (height, width) = ports.size();
    let (first, pooled) = (
        (after(height).0, after(width).0),
        (after(height).1, after(width).1),
    );
    vec![
        convolution("conv1", 20, 5, 1, first),
        convolution("conv2", 50, 14, 2, (pooled.0 - 4, pooled.1 - 4)),
        Geometry::whole("fc1", 500, false, ports),
        Geometry::whole("logits", ports.classes, true, ports),
    ]
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
    pub fn new(ports: Ports, device: &Device) -> Self {
        let [channels, height, width] = ports.image;
        let left = |side| after(after(side).1).1;
        let inputs = 50 * left(height) * left(width);
        Self {
            conv1: Conv2dConfig::new([channels, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 50], [5, 5]).init(device),
            fc1: LinearConfig::new(inputs, 500).init(device),
            logits: LinearConfig::new(500, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = arranged(images);
        // Flex gathers patches in ordinary code, where one strided convolution is worth it.
        let pooled_convolution = match is_flex(&x.device()) {
            true => in_one_convolution,
            false => one_by_one,
        };
        // The maximum of a monotone function is the function of the maximum: pooling before the
        // ReLU gives the same numbers and leaves the ReLU a quarter of the work.
        let x = relu(pooled_convolution(x, &self.conv1));
        let x = relu(pooled_convolution(x, &self.conv2));
        let x = relu(self.fc1.forward(x.flatten::<2>(1, 3)));
        self.logits.forward(x)
    }

    /// See [`super::Network::activations`].
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let conv1 = self.first(images);
        let conv2 = self.second(conv1.clone());
        let fc1 = relu(self.fc1.forward(pooled(conv2.clone()).flatten::<2>(1, 3)));
        let logits = self.logits.forward(fc1.clone());
        vec![conv1, conv2, at_one_position(fc1), at_one_position(logits)]
    }

    /// One of the two convolutions on patches of its field. There is no padding, so that a patch is
    /// a small image.
    pub fn cut_out(&self, layer: usize, patches: Tensor<4>) -> Tensor<4> {
        let conv1 = self.first(patches);
        match layer {
            0 => conv1,
            _ => self.second(conv1),
        }
    }

    fn first(&self, images: Tensor<4>) -> Tensor<4> {
        relu(self.conv1.forward(arranged(images)))
    }

    fn second(&self, conv1: Tensor<4>) -> Tensor<4> {
        relu(self.conv2.forward(pooled(conv1)))
    }
}

/// The most of each window of 2×2.
fn pooled(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}

/// A convolution followed by 2×2 max-pooling.
fn one_by_one(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    pooled(convolution.forward(x))
}

/// [`one_by_one`] for a convolution of stride 1 without padding, in one strided convolution.
///
/// The four positions that a pooling window covers are four shifts of the kernel: padded by one
/// row and column on either side they become four kernels of stride 2, whose maximum is the pooled
/// output. The numbers are the same; the patches to gather are fewer, and the maximum runs over
/// contiguous memory instead of scattered windows.
fn in_one_convolution(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    let kernel = convolution.weight.val();
    let shift = |left, right, top, bottom| kernel.clone().pad((left, right, top, bottom), 0.0);
    let shifts = vec![
        shift(0, 1, 0, 1),
        shift(1, 0, 0, 1),
        shift(0, 1, 1, 0),
        shift(1, 0, 1, 0),
    ];
    let channels = kernel.dims()[0];
    let options = ConvOptions::new([2, 2], [0, 0], [1, 1], 1);
    let all = conv2d(x, Tensor::cat(shifts, 0), None, options);
    let [n, _, height, width] = all.dims();
    // The shifts first, each contiguous.
    let all = all
        .reshape([n, 4, channels * height * width])
        .swap_dims(0, 1)
        .reshape([4, n * channels * height * width]);
    let of = |shift| all.clone().narrow(0, shift, 1);
    let most = of(0).max_pair(of(1)).max_pair(of(2).max_pair(of(3)));
    let pooled = most.reshape([n, channels, height, width]);
    match &convolution.bias {
        Some(bias) => pooled + bias.val().reshape([1, channels, 1, 1]),
        None => pooled,
    }
}
