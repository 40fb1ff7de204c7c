//! How the GPUs are doing, as NVIDIA's management library (NVML) tells it. It comes with the
//! driver; where it is not, there is nothing to tell, and nobody complains.

/// The driver, as NVML tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// For example `550.54.15`.
    pub version: String,
    /// The newest CUDA that it runs: major and minor.
    pub cuda: (i32, i32),
    /// GPUs that it drives.
    pub gpus: usize,
}

/// How one GPU is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// For example `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Share of the last moments in which it worked, in per cent.
    pub busy: Option<u32>,
    /// Memory in use and in all, in bytes.
    pub memory: Option<(u64, u64)>,
    /// In degrees Celsius.
    pub temperature: Option<u32>,
}

impl State {
    /// For the header: `71 % 38 GB 64 °C`, what is known of it.
    pub fn label(&self) -> String {
        let busy = self.busy.map(|busy| format!("{busy} %"));
        let memory = self.memory.map(|(used, _)| gigabytes(used));
        let temperature = self.temperature.map(|it| format!("{it} °C"));
        let parts: Vec<String> = [busy, memory, temperature].into_iter().flatten().collect();
        parts.join(" ")
    }
}

/// Bytes in GB, with a decimal where it says something.
pub fn gigabytes(bytes: u64) -> String {
    let gigabytes = bytes as f64 / 1e9;
    if gigabytes < 10.0 {
        format!("{gigabytes:.1} GB")
    } else {
        format!("{gigabytes:.0} GB")
    }
}

/// A GPU's name, without the maker's.
pub fn name(index: usize) -> Option<String> {
    let name = state(index)?.name;
    Some(name.strip_prefix("NVIDIA ").unwrap_or(&name).to_owned())
}

/// For the header: how these GPUs are doing, `None` where nothing is known.
pub fn label(indices: &[usize]) -> Option<String> {
    let states: Vec<String> = indices
        .iter()
        .filter_map(|&index| state(index))
        .map(|state| state.label())
        .filter(|label| !label.is_empty())
        .collect();
    (!states.is_empty()).then(|| states.join(" | "))
}

/// Why there is no GPU to compute on, from what is known of the driver, and what helps.
pub fn why_not(driver: Result<&Driver, &String>, needs: (i32, i32)) -> String {
    match driver {
        Err(said) => format!(
            "no NVIDIA driver answers ({said}); install the driver, or start the container with GPUs (docker: --gpus all)"
        ),
        Ok(driver) if driver.gpus == 0 => format!(
            "the NVIDIA driver {} sees no GPU; see what `nvidia-smi` says",
            driver.version
        ),
        Ok(driver) if driver.cuda < needs => format!(
            "the NVIDIA driver {} runs CUDA {}.{} at most, and CUDA {}.{} or newer is needed; install a newer driver",
            driver.version, driver.cuda.0, driver.cuda.1, needs.0, needs.1
        ),
        Ok(driver) => format!(
            "the NVIDIA driver {} is there, but no GPU can be used; see whether CUDA_VISIBLE_DEVICES hides it, and what `nvidia-smi` says",
            driver.version
        ),
    }
}

#[cfg(any(feature = "libtorch", feature = "cuda"))]
mod nvml {
    use std::sync::OnceLock;

    use nvml_wrapper::Nvml;
    use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
    use nvml_wrapper::error::NvmlError;

    use super::{Driver, State};

    /// The library, loaded once: loading it takes a moment.
    fn nvml() -> Result<&'static Nvml, String> {
        static NVML: OnceLock<Result<Nvml, String>> = OnceLock::new();
        let loaded = NVML.get_or_init(|| {
            Nvml::init().map_err(|error| match error {
                NvmlError::LibloadingError(_) => "its library libnvidia-ml is not here".into(),
                other => other.to_string(),
            })
        });
        loaded.as_ref().map_err(Clone::clone)
    }

    pub fn driver() -> Result<Driver, String> {
        let nvml = nvml()?;
        let said = |error: NvmlError| error.to_string();
        let cuda = nvml.sys_cuda_driver_version().map_err(said)?;
        Ok(Driver {
            version: nvml.sys_driver_version().map_err(said)?,
            // 12040 is CUDA 12.4.
            cuda: (cuda / 1000, cuda % 1000 / 10),
            gpus: nvml.device_count().map_err(said)? as usize,
        })
    }

    pub fn state(index: usize) -> Option<State> {
        let device = nvml()
            .ok()?
            .device_by_index(u32::try_from(index).ok()?)
            .ok()?;
        let memory = device.memory_info().ok();
        Some(State {
            name: device.name().ok()?,
            busy: device.utilization_rates().ok().map(|rates| rates.gpu),
            memory: memory.map(|memory| (memory.used, memory.total)),
            temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        })
    }
}

#[cfg(not(any(feature = "libtorch", feature = "cuda")))]
mod nvml {
    use super::{Driver, State};

    pub fn driver() -> Result<Driver, String> {
        Err("this noisescope was built without GPUs".into())
    }

    pub fn state(_: usize) -> Option<State> {
        None
    }
}

/// The driver.
///
/// # Errors
/// What NVML says where it cannot be asked.
pub fn driver() -> Result<Driver, String> {
    nvml::driver()
}

/// How a GPU is doing; `None` where NVML cannot be asked. The index counts all GPUs of the machine,
/// as CUDA does where `CUDA_VISIBLE_DEVICES` hides none.
pub fn state(index: usize) -> Option<State> {
    nvml::state(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_is_known_and_no_more() {
        let mut state = State {
            name: "NVIDIA H100".into(),
            busy: Some(71),
            memory: Some((38_200_000_000, 80_000_000_000)),
            temperature: Some(64),
        };
        assert_eq!(state.label(), "71 % 38 GB 64 °C");
        state.busy = None;
        state.memory = Some((1_240_000_000, 80_000_000_000));
        assert_eq!(state.label(), "1.2 GB 64 °C");
    }

    #[test]
    fn each_reason_for_no_gpu_has_its_remedy() {
        let driver = |cuda, gpus| Driver {
            version: "470.82".into(),
            cuda,
            gpus,
        };
        let said = "libnvidia-ml.so: not found".to_owned();
        assert!(why_not(Err(&said), (12, 0)).contains("install the driver"));
        assert!(why_not(Ok(&driver((11, 4), 1)), (12, 0)).contains("install a newer driver"));
        assert!(why_not(Ok(&driver((12, 4), 0)), (12, 0)).contains("sees no GPU"));
        assert!(why_not(Ok(&driver((12, 4), 1)), (12, 0)).contains("CUDA_VISIBLE_DEVICES"));
    }
}
