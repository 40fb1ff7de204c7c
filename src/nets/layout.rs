//! How images lie in memory: it decides how fast a backend convolves and pools.

use burn::tensor::{Device, Tensor};

/// Whether tensors are Flex's, with or without gradients.
pub fn is_flex(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Images \[N,C,H,W\] as they are best laid out in memory.
///
/// For all but Flex the channels lie innermost in memory. A library keeps that order from layer to
/// layer, and convolves and pools whole vectors of channels: `cnn` makes twice the trials with
/// libtorch so. Flex would put every layer's rows innermost again. One channel is innermost
/// wherever it is said to be; several would have to be copied.
pub fn arranged(images: Tensor<4>) -> Tensor<4> {
    let [n, channels, height, width] = images.dims();
    if channels > 1 || is_flex(&images.device()) {
        return images;
    }
    images.reshape([n, height, width, 1]).permute([0, 3, 1, 2])
}
