//! The state of GPUs, from NVIDIA's management library (NVML), which comes with the driver. Without it
//! nothing is shown, and that is no error.
//!
//! A GPU's index is always CUDA's, as in `--device cuda:N`; [`visible`] finds the corresponding card in
//! NVML.

use super::libtorch;
use super::visible::{self, NvmlPlace, VisibleDevices};

/// The driver, as reported by NVML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// For example `550.54.15`.
    pub version: String,
    /// The newest CUDA version that it supports: major and minor.
    pub cuda: (i32, i32),
    /// Number of GPUs.
    pub gpus: usize,
}

/// The state of one GPU.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuState {
    /// For example `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Recent utilisation in per cent.
    pub busy: Option<u32>,
    /// Memory in use and in total, in bytes.
    pub memory: Option<(u64, u64)>,
    /// Temperature in degrees Celsius.
    pub temperature: Option<u32>,
}

impl GpuState {
    /// Text for the header, with whatever is known: `71 % 38 GB 64 °C`.
    pub fn label(&self) -> String {
        let busy = self.busy.map(|busy| format!("{busy} %"));
        let memory = self.memory.map(|(used, _)| gigabytes(used));
        let temperature = self.temperature.map(|celsius| format!("{celsius} °C"));
        let parts: Vec<String> = [busy, memory, temperature].into_iter().flatten().collect();
        parts.join(" ")
    }
}

/// Bytes in GB, with one decimal below 10 GB.
pub fn gigabytes(bytes: u64) -> String {
    let gigabytes = bytes as f64 / 1e9;
    if gigabytes < 10.0 {
        format!("{gigabytes:.1} GB")
    } else {
        format!("{gigabytes:.0} GB")
    }
}

/// A GPU's name, without the manufacturer's.
pub fn name(index: usize) -> Option<String> {
    let name = state(index)?.name;
    Some(name.strip_prefix("NVIDIA ").unwrap_or(&name).to_owned())
}

/// Text for the header on the state of these GPUs; `None` if nothing is known.
pub fn label(indices: &[usize]) -> Option<String> {
    let states: Vec<String> = indices
        .iter()
        .filter_map(|&index| state(index))
        .map(|state| state.label())
        .filter(|label| !label.is_empty())
        .collect();
    (!states.is_empty()).then(|| states.join(" | "))
}

/// A remark on a GPU's state, if any: that it is a MIG slice, or why its card is unknown.
pub fn remark(index: usize) -> Option<String> {
    nvml::visible()?
        .place(index)?
        .remark()
        .map(ToOwned::to_owned)
}

/// Number of GPUs that libtorch can compute on.
///
/// # Errors
/// Why there is none, and what helps.
pub fn count_for_libtorch() -> Result<usize, String> {
    if !libtorch::BUILT {
        return Err("noisescope was built without libtorch".into());
    }
    if let Some(count) = libtorch::count_gpus().filter(|&count| count > 0) {
        return Ok(count);
    }
    if !libtorch::is_for_gpus() {
        return Err("this libtorch computes on the processor only; `scripts/with-libtorch --cuda cargo build --release --features libtorch` fetches one for GPUs".into());
    }
    // A driver for the same major version is enough.
    let major = libtorch::cuda().map_or(OLDEST_CUDA, |(major, _)| major);
    Err(why_not(driver().as_ref(), (major, 0)))
}

/// The oldest CUDA that a libtorch may be built with, assumed if its version is unknown.
const OLDEST_CUDA: i32 = 12;

/// Why there is no usable GPU, given the state of the driver, and what helps.
fn why_not(driver: Result<&Driver, &String>, needs: (i32, i32)) -> String {
    reason(driver, needs, nvml::visible())
}

fn reason(
    driver: Result<&Driver, &String>,
    needs: (i32, i32),
    visible: Option<&VisibleDevices>,
) -> String {
    let driver = match driver {
        Err(message) => {
            return format!(
                "no NVIDIA driver responds ({message}); install the driver, or start the container with GPUs (docker: --gpus all)"
            );
        }
        Ok(driver) => driver,
    };
    let version = &driver.version;
    if driver.gpus == 0 {
        return format!(
            "the NVIDIA driver {version} sees no GPU; check with `nvidia-smi`, and in a Slurm job request one with --gres=gpu:1"
        );
    }
    if driver.cuda < needs {
        let (major, minor) = driver.cuda;
        return format!(
            "the NVIDIA driver {version} supports CUDA {major}.{minor} at most, and CUDA {}.{} or newer is needed; install a newer driver{}, or build with a libtorch for CUDA {major} if there is one (NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help)",
            needs.0,
            needs.1,
            oldest_driver(needs.0)
        );
    }
    let places = visible.map_or(&[][..], |visible| &visible.places);
    match visible.and_then(|visible| visible.ended_because.as_ref()) {
        Some(hidden) if places.is_empty() => hidden.clone(),
        _ if places
            .iter()
            .any(|place| matches!(place, NvmlPlace::Slice { .. })) =>
        {
            format!(
                "the NVIDIA driver {version} is installed, but the GPU is a MIG slice that CUDA does not show; set CUDA_VISIBLE_DEVICES to its UUID (`nvidia-smi -L`), and in a container pass it in; it then works as one device, cuda:0"
            )
        }
        _ => format!(
            "the NVIDIA driver {version} is installed, but no GPU can be used; check whether CUDA_VISIBLE_DEVICES hides it, what `nvidia-smi` reports, and on a machine with NVSwitch whether nvidia-fabricmanager is running"
        ),
    }
}

/// The oldest Linux driver that supports a major version of CUDA, in parentheses to follow "newer driver".
fn oldest_driver(cuda: i32) -> &'static str {
    match cuda {
        11 => " (450 or newer)",
        12 => " (525 or newer)",
        13 => " (580 or newer)",
        _ => "",
    }
}

#[cfg(feature = "libtorch")]
mod nvml {
    use std::sync::OnceLock;

    use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
    use nvml_wrapper::error::NvmlError;
    use nvml_wrapper::{Device, Nvml};

    use super::visible::{Card, CudaEnvironment, NvmlPlace, Slice, VisibleDevices};
    use super::{Driver, GpuState};
    use crate::engine::device::libtorch;

    /// The library, loaded once: loading it takes a moment.
    fn nvml() -> Result<&'static Nvml, String> {
        static NVML: OnceLock<Result<Nvml, String>> = OnceLock::new();
        let loaded = NVML.get_or_init(|| {
            Nvml::init().map_err(|error| match error {
                NvmlError::LibloadingError(_) => "its library libnvidia-ml is not installed".into(),
                other => other.to_string(),
            })
        });
        loaded.as_ref().map_err(Clone::clone)
    }

    pub fn driver() -> Result<Driver, String> {
        let nvml = nvml()?;
        let message = |error: NvmlError| error.to_string();
        let cuda = nvml.sys_cuda_driver_version().map_err(message)?;
        Ok(Driver {
            version: nvml.sys_driver_version().map_err(message)?,
            // 12040 is CUDA 12.4.
            cuda: (cuda / 1000, cuda % 1000 / 10),
            gpus: nvml.device_count().map_err(message)? as usize,
        })
    }

    /// The cards visible to CUDA, looked up once, since later changes of the variables have no effect.
    pub fn visible() -> Option<&'static VisibleDevices> {
        static VISIBLE: OnceLock<Option<VisibleDevices>> = OnceLock::new();
        let visible = VISIBLE.get_or_init(|| {
            let visible =
                VisibleDevices::new(&CudaEnvironment::of_environment(), &cards(nvml().ok()?)?);
            Some(match libtorch::count_gpus() {
                Some(count) if count > 0 => visible.check_count(count),
                _ => visible,
            })
        });
        visible.as_ref()
    }

    /// The machine's cards, in bus order.
    fn cards(nvml: &Nvml) -> Option<Vec<Card>> {
        let mut cards: Vec<(Option<String>, Card)> = (0..nvml.device_count().ok()?)
            .map(|index| {
                let unknown = Card {
                    index,
                    ..Card::default()
                };
                match nvml.device_by_index(index) {
                    Ok(device) => {
                        let bus = device.pci_info().ok().map(|info| info.bus_id);
                        (bus, card(&device, unknown))
                    }
                    // A card that does not respond still counts.
                    Err(_) => (None, unknown),
                }
            })
            .collect();
        if cards.iter().all(|(bus, _)| bus.is_some()) {
            cards.sort_by(|one, other| one.0.cmp(&other.0));
        }
        Some(cards.into_iter().map(|(_, card)| card).collect())
    }

    fn card(device: &Device<'_>, mut card: Card) -> Card {
        card.uuid = device.uuid().unwrap_or_default();
        card.name = device.name().unwrap_or_default();
        card.divided = device.mig_mode().is_ok_and(|mode| mode.current != 0);
        if card.divided {
            // Unused numbers give an error.
            let numbers = 0..device.mig_device_count().unwrap_or(0);
            let slices = numbers.filter_map(|index| {
                let uuid = device.mig_device_by_index(index).ok()?.uuid().ok()?;
                Some(Slice { index, uuid })
            });
            card.slices = slices.collect();
        }
        card
    }

    pub fn state(place: &NvmlPlace) -> Option<GpuState> {
        let card = nvml().ok()?.device_by_index(place.card()?).ok()?;
        // A slice has its own name and memory; its load is not available.
        let slice = match place {
            NvmlPlace::Slice { slice, .. } => {
                slice.and_then(|index| card.mig_device_by_index(index).ok())
            }
            NvmlPlace::Card(_) | NvmlPlace::Unknown(_) => None,
        };
        let whole = matches!(place, NvmlPlace::Card(_));
        let one = slice.as_ref().or(whole.then_some(&card));
        let name = one.and_then(|device| device.name().ok());
        let memory = one.and_then(|device| device.memory_info().ok());
        Some(GpuState {
            name: name.or_else(|| card.name().ok())?,
            busy: whole
                .then(|| card.utilization_rates().ok())
                .flatten()
                .map(|rates| rates.gpu),
            memory: memory.map(|memory| (memory.used, memory.total)),
            temperature: card.temperature(TemperatureSensor::Gpu).ok(),
        })
    }
}

#[cfg(not(feature = "libtorch"))]
mod nvml {
    use super::visible::{NvmlPlace, VisibleDevices};
    use super::{Driver, GpuState};

    pub fn driver() -> Result<Driver, String> {
        Err("noisescope was built without GPU support".into())
    }

    pub fn visible() -> Option<&'static VisibleDevices> {
        None
    }

    pub fn state(_: &NvmlPlace) -> Option<GpuState> {
        None
    }
}

/// The installed driver.
///
/// # Errors
/// NVML's message if it is not available.
pub fn driver() -> Result<Driver, String> {
    nvml::driver()
}

/// The state of a GPU; `None` if NVML is not available or its card is unknown
/// ([`remark`] gives the reason). The index is CUDA's.
pub fn state(index: usize) -> Option<GpuState> {
    nvml::state(nvml::visible()?.place(index)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_shows_only_what_is_known() {
        let mut state = GpuState {
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
        let message = "libnvidia-ml.so: not found".to_owned();
        let why = |driver: Result<&Driver, &String>, visible| reason(driver, (12, 0), visible);
        assert!(why(Err(&message), None).contains("install the driver"));
        let old = why(Ok(&driver((11, 4), 1)), None);
        assert!(old.contains("install a newer driver (525"), "{old}");
        let old = reason(Ok(&driver((12, 8), 1)), (13, 0), None);
        assert!(old.contains("580 or newer"), "{old}");
        assert!(why(Ok(&driver((12, 4), 0)), None).contains("sees no GPU"));
        assert!(why(Ok(&driver((12, 4), 1)), None).contains("CUDA_VISIBLE_DEVICES"));
    }

    #[test]
    fn if_no_gpu_is_visible_the_variables_that_hide_it_are_the_reason() {
        let driver = Driver {
            version: "570.86".into(),
            cuda: (12, 8),
            gpus: 1,
        };
        let why = |visible: &VisibleDevices| reason(Ok(&driver), (12, 0), Some(visible));
        let hidden = VisibleDevices {
            ended_because: Some("CUDA_VISIBLE_DEVICES=9 names GPU 9".into()),
            ..VisibleDevices::default()
        };
        assert_eq!(why(&hidden), "CUDA_VISIBLE_DEVICES=9 names GPU 9");
        // A list that ended early but shows a GPU is not the reason.
        let early = VisibleDevices {
            places: vec![NvmlPlace::Card(0)],
            ..hidden
        };
        assert!(why(&early).contains("no GPU can be used"));
        let slice = VisibleDevices {
            places: vec![NvmlPlace::Slice {
                parent: 0,
                slice: None,
            }],
            ended_because: None,
        };
        assert!(why(&slice).contains("MIG slice"), "{}", why(&slice));
    }
}
