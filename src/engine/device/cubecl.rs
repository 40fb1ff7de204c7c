//! CubeCL, the backend for CUDA without libtorch, which compiles its kernels when first used.

use burn::tensor::Device;

/// Whether this program was built with it.
pub const BUILT: bool = cfg!(feature = "cuda");

/// Burn's handle of a GPU.
pub fn gpu(index: usize) -> Option<Device> {
    #[cfg(feature = "cuda")]
    {
        Some(Device::cuda(index))
    }
    #[cfg(not(feature = "cuda"))]
    {
        let _ = index;
        None
    }
}

/// Number of GPUs it can compute on. This asks the driver (through NVML), since CubeCL itself panics
/// if there is none.
///
/// # Errors
/// Why there is none, and what helps.
pub fn count_gpus() -> Result<usize, String> {
    #[cfg(feature = "cuda")]
    {
        match super::gpu::count_visible() {
            Some(count) if count > 0 => Ok(count),
            _ => Err(super::gpu::why_not(super::gpu::driver().as_ref(), (12, 0))),
        }
    }
    #[cfg(not(feature = "cuda"))]
    Err("this noisescope was built without CubeCL".into())
}
