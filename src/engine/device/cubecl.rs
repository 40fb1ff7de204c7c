//! What only CubeCL can say: CUDA without libtorch, compiled on the machine when first used.

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

/// How many GPUs it can compute on. The driver is asked (through NVML): CubeCL itself ends the
/// thread where there is none.
///
/// # Errors
/// Where there is none: why, and what helps.
pub fn gpus() -> Result<usize, String> {
    #[cfg(feature = "cuda")]
    {
        match super::gpu::shown() {
            Some(count) if count > 0 => Ok(count),
            _ => Err(super::gpu::why_not(super::gpu::driver().as_ref(), (12, 0))),
        }
    }
    #[cfg(not(feature = "cuda"))]
    Err("this noisescope was built without CubeCL".into())
}
