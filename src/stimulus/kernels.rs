//! Kernels that draw noise on NVIDIA GPUs through libtorch, bit-identical to that of [`super::draw`].
//!
//! The kernels, `kernels.cu` and `normal.cu`, `gabor.cu` and `pca.cu` in `kernels`, are compiled as one source by NVRTC
//! at run time, so building needs no CUDA toolkit. They run on libtorch's context and stream, in memory allocated by
//! libtorch, without any synchronisation. If there is no NVRTC, or the driver is too old for its output, the
//! processor's threads draw the noise, and the reason is reported.
//!
//! A test compiles the same source as C++ and compares its results with the processor's.

use burn::tensor::{Int, Tensor};

use super::NoiseSource;

/// A launch to be drawn by kernels: B blocks of T trials, N = B·T, with p points and P stimulus values each.
#[derive(Debug)]
pub struct KernelLaunch<'a> {
    /// The noise.
    pub source: &'a NoiseSource,
    /// The input for each block, \[B,12\] ([`super::KernelBlock::kernel_input`]).
    pub inputs: &'a [u32],
    /// The indices of the images in the pool, \[N\].
    pub image: &'a [u32],
    /// For patch noise the first pixels of the patches, \[N·C\] ([`NoiseSource::draw_patch_places`]); otherwise empty.
    pub places: &'a [u32],
    /// The constants for Gabor or PCA noise ([`NoiseSource::kernel_constants`]), as 32-bit integers.
    pub constants: Option<&'a Tensor<1, Int>>,
    /// The true classes, K for padding, \[N\].
    pub truth: &'a [i16],
    /// T.
    pub trials: usize,
    /// P.
    pub numbers: usize,
    /// The pool's images, \[images,P\]; `None` if there are none.
    pub images: Option<&'a Tensor<2, Int>>,
    /// For each image value the index of the noise point that it shows, as 32-bit integers.
    pub cells: Option<&'a Tensor<1, Int>>,
    /// Whether images are blended in.
    pub blends: bool,
}

/// The output of the kernels.
#[derive(Debug)]
pub struct KernelOutput {
    /// True classes, K for padding, \[N\].
    pub truth: Tensor<1, Int>,
    /// The indices of the images in the pool, \[N\].
    pub image: Tensor<1, Int>,
    /// Points minus the centre of the grid, \[N,p\].
    pub noise: Tensor<2, Int>,
    /// Stimuli, \[N,P\].
    pub stimuli: Tensor<2>,
}

/// The source code of the kernels.
pub const KERNEL_SOURCE: &str = concat!(
    include_str!("kernels.cu"),
    include_str!("kernels/normal.cu"),
    include_str!("kernels/gabor.cu"),
    include_str!("kernels/pca.cu")
);

/// Compiler options: no fused operations but those written as such, since the host rounds each one separately.
pub const OPTIONS: [&str; 2] = ["--std=c++17", "--fmad=false"];

/// Whether the kernels that draw this noise can fail without an error of the device, so that [`Kernels::check`] is
/// needed: a normal number may need more words than they examine.
pub fn can_fail(source: &NoiseSource) -> bool {
    source.normals() > 0
}

#[cfg(feature = "libtorch")]
pub use cuda::{Kernels, compile, upload};

/// Asynchronous uploads need libtorch.
#[cfg(not(feature = "libtorch"))]
pub fn upload(_: &[i16], _: usize) -> Option<Tensor<1, Int>> {
    None
}

/// There are no kernels without libtorch.
#[cfg(not(feature = "libtorch"))]
#[derive(Debug)]
pub enum Kernels {}

#[cfg(not(feature = "libtorch"))]
impl Kernels {
    /// Always fails.
    ///
    /// # Errors
    /// Always.
    pub fn get(_: usize, _: Option<&std::path::Path>) -> Result<&'static Self, String> {
        Err("noisescope was built without libtorch".into())
    }

    /// Never called.
    pub fn draw(&self, _: &KernelLaunch<'_>) -> KernelOutput {
        match *self {}
    }

    /// Never called.
    pub fn check(&self) {
        match *self {}
    }
}

#[cfg(feature = "libtorch")]
mod cuda;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;
    use crate::session::config::{Gaussian, Noise};

    /// Every kind of noise, for images of 4×4 pixels.
    fn sources() -> [NoiseSource; 6] {
        let images = Images {
            pixels: (0..32).collect(),
            labels: [0, 1].into(),
            channels: 1,
            height: 4,
            width: 4,
            classes: 2,
        };
        let kinds = [
            Noise::Uniform,
            Noise::Gaussian(Gaussian::default()),
            Noise::Binary,
            Noise::Patch,
            Noise::Gabor,
            Noise::Pca,
        ];
        kinds.map(|noise| NoiseSource::new(noise, &images))
    }

    #[test]
    fn only_the_kernels_for_normal_numbers_can_fail() {
        for source in sources() {
            let noise = source.noise();
            let normal = matches!(noise, Noise::Gaussian(_) | Noise::Gabor);
            assert_eq!(can_fail(&source), normal, "{noise:?}");
        }
    }
}
