//! libtorch: its GPUs, threads and version, and the CUDA it was built with.
//!
//! burn-tch is deprecated in Burn 0.22, but this program must run on libtorch, which many servers have
//! and which is the faster one on a processor. So its two constructors are used, only here.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use burn::tensor::Device;

/// Whether this program was built with it.
pub const BUILT: bool = cfg!(feature = "libtorch");

/// The version of the libraries that this program was built against, from their headers.
pub const VERSION: &str = match option_env!("NOISESCOPE_LIBTORCH_VERSION") {
    Some(version) => version,
    None => "of an unknown version",
};

/// The version that this program was written for, if it was built with another one.
pub fn written_against() -> Option<&'static str> {
    option_env!("NOISESCOPE_LIBTORCH_WRITTEN_AGAINST").filter(|version| *version != VERSION)
}

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

/// Confines operators called on this thread to it from now on.
pub fn one_thread() {
    #[cfg(feature = "libtorch")]
    tch::set_num_threads(1);
}

/// Makes cuDNN choose algorithms by rules, not by benchmarks, whose outcome may vary.
pub fn choose_algorithms_by_rules() {
    #[cfg(feature = "libtorch")]
    tch::Cuda::cudnn_set_benchmark(false);
}

/// Number of GPUs visible to libtorch through CUDA; `None` if this libtorch has no CUDA.
pub fn count_gpus() -> Option<usize> {
    #[cfg(feature = "libtorch")]
    {
        tch::utils::has_cuda()
            .then(|| usize::try_from(tch::Cuda::device_count()).ok())
            .flatten()
    }
    #[cfg(not(feature = "libtorch"))]
    None
}

/// The folder of the libraries: the one named by the wheel's launcher, else the one this program was built against.
pub fn folder() -> Option<&'static str> {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    let named = NAMED.get_or_init(|| std::env::var("NOISESCOPE_LIBTORCH").ok());
    named.as_deref().or(option_env!("NOISESCOPE_LIBTORCH"))
}

/// Whether the libraries support NVIDIA GPUs.
pub fn is_for_gpus() -> bool {
    folder().is_some_and(|folder| Path::new(folder).join("libtorch_cuda.so").exists())
}

/// The CUDA version that the libraries were built with, major and minor; the minor is 0 if only the
/// major is known. `None` if they are for processors only, or the version is unknown.
pub fn cuda() -> Option<(i32, i32)> {
    let folder = Path::new(folder()?);
    let read = |name| fs::read_to_string(folder.join("..").join(name)).ok();
    let python = read("version.py").and_then(|text| cuda_of_python(&text));
    let archive = || read("build-version").and_then(|text| cuda_of_label(&text));
    python.or_else(archive).or_else(|| {
        let files = fs::read_dir(folder).ok()?;
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        cuda_of_libraries(names)
    })
}

/// The version in `version.py` of a torch from pip: `cuda: Optional[str] = '12.8'`.
fn cuda_of_python(text: &str) -> Option<(i32, i32)> {
    let line = text.lines().find(|line| line.starts_with("cuda"))?;
    let (_, value) = line.split_once('=')?;
    let (major, minor) = value.trim().trim_matches(['\'', '"']).split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The version in `build-version` of an archive: `2.9.0+cu128`.
fn cuda_of_label(text: &str) -> Option<(i32, i32)> {
    let (_, digits) = text.trim().split_once("+cu")?;
    let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The version of the runtime beside the libraries: `libcudart.so.12`, or `libcudart-9335f6a2.so.12`.
fn cuda_of_libraries(mut names: impl Iterator<Item = String>) -> Option<(i32, i32)> {
    names.find_map(|name| {
        let (_, version) = name.strip_prefix("libcudart")?.split_once(".so.")?;
        Some((version.split('.').next()?.parse().ok()?, 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cuda_version_is_read_from_each_kind_of_libtorch() {
        let pip = "__version__ = '2.9.0+cu128'\ndebug = False\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n";
        assert_eq!(cuda_of_python(pip), Some((12, 8)));
        assert_eq!(cuda_of_python("cuda = '13.0'"), Some((13, 0)));
        assert_eq!(cuda_of_python("cuda: Optional[str] = None"), None);
        assert_eq!(cuda_of_python(""), None);
        assert_eq!(cuda_of_label("2.9.0+cu128\n"), Some((12, 8)));
        assert_eq!(cuda_of_label("2.11.0+cu130"), Some((13, 0)));
        assert_eq!(cuda_of_label("2.9.0+cpu"), None);
        assert_eq!(cuda_of_label("2.9.0+cu"), None);
        let names = |all: &[&str]| cuda_of_libraries(all.iter().map(|&name| name.to_owned()));
        assert_eq!(names(&["libtorch.so", "libcudart.so.13"]), Some((13, 0)));
        assert_eq!(names(&["libcudart-9335f6a2.so.12"]), Some((12, 0)));
        assert_eq!(names(&["libtorch.so"]), None);
    }

    #[test]
    fn the_version_built_against_is_known_only_in_a_build_with_libtorch() {
        assert_eq!(VERSION == "of an unknown version", !BUILT);
        assert!(BUILT || written_against().is_none());
    }
}
