//! Memory layout of images, which decides how fast a backend convolves and pools.

use burn::tensor::{Device, Tensor};

/// Whether the device is Flex, with or without gradients.
pub fn is_flex(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Images \[N,C,H,W\] in the fastest memory layout.
///
/// For every backend but Flex the channels go innermost. Libraries keep that order from layer to
/// layer, and convolve and pool whole vectors of channels: with libtorch this doubles `cnn`'s
/// trials per second. Flex would move every layer's rows innermost again. A single channel can be
/// declared innermost for free; several would have to be copied.
pub fn in_fast_layout(images: Tensor<4>) -> Tensor<4> {
    let [n, channels, height, width] = images.dims();
    if channels > 1 || is_flex(&images.device()) {
        return images;
    }
    images.reshape([n, height, width, 1]).permute([0, 3, 1, 2])
}
