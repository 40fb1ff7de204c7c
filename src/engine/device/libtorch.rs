//! What only libtorch can say: its GPUs, its threads, its version.
//!
//! burn-tch is deprecated in Burn 0.22 in favour of CubeCL. This program is asked to run on libtorch,
//! which many servers have and which is the faster one on a processor, so its two constructors are
//! used here and nowhere else, and CubeCL ([`super::cubecl`]) is offered beside it.

use burn::tensor::Device;

/// Whether this program was built with it.
pub const BUILT: bool = cfg!(feature = "libtorch");

/// The version that this program is built for.
pub const VERSION: &str = "2.9.0";

/// Burn's handle of the processor.
pub fn processor() -> Option<Device> {
    #[cfg(feature = "libtorch")]
    {
        #[allow(deprecated, reason = "see the head of this file")]
        Some(Device::libtorch())
    }
    #[cfg(not(feature = "libtorch"))]
    None
}

/// Burn's handle of a GPU.
pub fn gpu(index: usize) -> Option<Device> {
    #[cfg(feature = "libtorch")]
    {
        #[allow(deprecated, reason = "see the head of this file")]
        Some(Device::libtorch_cuda(index))
    }
    #[cfg(not(feature = "libtorch"))]
    {
        let _ = index;
        None
    }
}

/// Operators called on this thread keep to it from now on.
pub fn one_thread() {
    #[cfg(feature = "libtorch")]
    tch::set_num_threads(1);
}

/// How many GPUs libtorch can compute on.
///
/// # Errors
/// Where there is none: why, and what helps.
pub fn gpus() -> Result<usize, String> {
    #[cfg(feature = "libtorch")]
    {
        if !tch::utils::has_cuda() {
            return Err(without_cuda(super::gpu::driver().as_ref()));
        }
        match usize::try_from(tch::Cuda::device_count()) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(without_cuda(super::gpu::driver().as_ref())),
        }
    }
    #[cfg(not(feature = "libtorch"))]
    Err("this noisescope was built without libtorch".into())
}

/// The folder of the libraries that this program was built against.
pub fn folder() -> Option<&'static str> {
    option_env!("NOISESCOPE_LIBTORCH")
}

/// Whether the libraries can compute on NVIDIA's GPUs at all.
pub fn is_for_gpus() -> bool {
    folder().is_some_and(|folder| {
        std::path::Path::new(folder)
            .join("libtorch_cuda.so")
            .exists()
    })
}

/// Why libtorch has no GPU, from what is known of the driver.
#[cfg(feature = "libtorch")]
fn without_cuda(driver: Result<&super::gpu::Driver, &String>) -> String {
    if !is_for_gpus() {
        return "this libtorch computes on the processor only; `scripts/with-libtorch --cuda cargo build --release --features libtorch` fetches one for GPUs".into();
    }
    super::gpu::why_not(driver, OLDEST_CUDA)
}

/// The CUDA version that the libraries of [`VERSION`] for GPUs were built with: a driver for the
/// same major version is enough.
#[cfg(feature = "libtorch")]
const OLDEST_CUDA: (i32, i32) = (12, 0);
