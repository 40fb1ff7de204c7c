//! How images lie in memory: it decides how fast a backend convolves and pools.

use burn::tensor::{Device, Tensor};

/// Whether tensors are Flex's, with or without gradients.
pub fn is_flex(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Images \[N,H,W\] as images of one channel, \[N,1,H,W\].
///
/// For all but Flex the channels lie innermost in memory. A library keeps that order from layer to
/// layer, and convolves and pools whole vectors of channels: `cnn` makes twice the trials with
/// libtorch so. Flex would put every layer's rows innermost again.
pub fn one_channel(images: Tensor<3>) -> Tensor<4> {
    match is_flex(&images.device()) {
        true => images.unsqueeze_dim(1),
        false => images.unsqueeze_dim::<4>(3).permute([0, 3, 1, 2]),
    }
}
