//! Noise drawn by kernels of its own on NVIDIA's GPUs, through libtorch: bit for bit the noise of [`super::draw`].
//!
//! The kernels are `kernels.cu` and `kernels/gabor.cu`, which NVRTC compiles as one text where the program runs: no
//! CUDA toolkit is needed to build it. They run on libtorch's own context and stream, on memory that libtorch allocates, so that nothing
//! has to be waited for. Where there is no NVRTC, or the driver is too old for what it makes, the processor's
//! threads draw the noise, and the reason is told.
//!
//! A test compiles the same text as C++ and compares it with what is drawn here.

use burn::tensor::{Int, Tensor};

use super::{BlockSeed, Source};

/// A launch that is drawn by kernels: B blocks of T trials, N = B·T, of p points and P numbers.
#[derive(Debug)]
pub struct Launch<'a> {
    /// What is drawn.
    pub source: &'a Source,
    /// What is told of each block, \[B,12\] ([`super::Undrawn::head`]).
    pub heads: &'a [u32],
    /// The places of the images in the pool, \[N\].
    pub image: &'a [u32],
    /// Of patch noise the first pixels of the patches, \[N·C\] ([`Source::places`]); otherwise empty.
    pub places: &'a [u32],
    /// Of Gabor noise what makes up each pixel, \[3·9·H·W\] ([`Source::filters`]), as 32-bit numbers.
    pub filters: Option<&'a Tensor<1, Int>>,
    /// The true classes, K where there is no trial, \[N\].
    pub shown: &'a [i16],
    /// T.
    pub trials: usize,
    /// P.
    pub numbers: usize,
    /// The pool's images, \[images,P\]; `None` where there are none.
    pub images: Option<&'a Tensor<2, Int>>,
    /// For every number of an image the number of the noise's grid that it shows, as 32-bit numbers.
    pub cells: Option<&'a Tensor<1, Int>>,
    /// Whether images can be seen.
    pub blends: bool,
}

/// What kernels drew.
#[derive(Debug)]
pub struct Drawn {
    /// True classes, K where there is no trial, \[N\].
    pub truth: Tensor<1, Int>,
    /// The places of the images in the pool, \[N\].
    pub image: Tensor<1, Int>,
    /// Points less the middle of the grid, \[N,p\].
    pub noise: Tensor<2, Int>,
    /// Stimuli, \[N,P\].
    pub stimuli: Tensor<2>,
}

/// The source of the kernels.
pub const SOURCE: &str = concat!(include_str!("kernels.cu"), include_str!("kernels/gabor.cu"));

/// How the source is compiled: nothing is fused that the host rounds apart.
pub const OPTIONS: [&str; 2] = ["--std=c++17", "--fmad=false"];

/// Whether blocks of this source are drawn by kernels; the others are drawn by the processor.
///
/// PCA noise stays with the processor: it is a product of matrices, whose order of additions, and with it the last
/// bits, is that of the library that computes it.
pub fn draws(source: &Source) -> bool {
    use crate::session::config::Noise;
    match source.noise() {
        Noise::Uniform | Noise::Binary | Noise::Gaussian(_) | Noise::Patch | Noise::Gabor => true,
        Noise::Pca => false,
    }
}

/// A head for a place of a launch that no block has: some noise, which nobody counts.
pub fn nobody() -> [u32; super::HEAD] {
    let nothing = BlockSeed {
        session: 0,
        analysis: 0,
        gamma: 0,
        block: 0,
    };
    let mut head = [0; super::HEAD];
    head[..8].copy_from_slice(&nothing.key());
    head[super::HEAD - 2] = 1.0_f32.to_bits();
    head
}

#[cfg(feature = "libtorch")]
pub use cuda::{Kernels, compiled, upload};

/// Nothing is uploaded so without libtorch.
#[cfg(not(feature = "libtorch"))]
pub fn upload(_: &[i16], _: usize) -> Option<Tensor<1, Int>> {
    None
}

/// Without libtorch there are none.
#[cfg(not(feature = "libtorch"))]
#[derive(Debug)]
pub enum Kernels {}

#[cfg(not(feature = "libtorch"))]
impl Kernels {
    /// None.
    ///
    /// # Errors
    /// Always.
    pub fn of(_: usize, _: Option<&std::path::Path>) -> Result<&'static Self, String> {
        Err("this noisescope was built without libtorch".into())
    }

    /// Never called.
    pub fn draw(&self, _: &Launch<'_>) -> Drawn {
        match *self {}
    }

    /// Never called.
    pub fn check(&self) {
        match *self {}
    }
}

#[cfg(feature = "libtorch")]
mod cuda;
