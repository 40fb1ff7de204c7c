//! Devices: what `--device` names, and how many workers serve it. All choice of a backend is here.

use std::thread::available_parallelism;

use burn::tensor::Device;

/// A device that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The fastest that this program was built with and that works here.
    Auto,
    /// Pure Rust on the processor.
    Flex,
}

/// A `--device` that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No such name.
    #[error("there is no device `{0}`; this noisescope knows: auto, flex")]
    Unknown(String),
    /// A device that this program was not built for.
    #[error(
        "device `{0}` needs libtorch, and this noisescope was built without it; use `--device flex`"
    )]
    NotBuilt(String),
}

impl std::str::FromStr for Choice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        match name {
            "auto" => Ok(Self::Auto),
            "flex" => Ok(Self::Flex),
            _ if name == "libtorch" || name.starts_with("cuda") => {
                Err(DeviceError::NotBuilt(name.to_owned()))
            }
            _ => Err(DeviceError::Unknown(name.to_owned())),
        }
    }
}

/// A device in use.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Burn's handle.
    pub device: Device,
    /// The name that the session records, for example `flex`.
    pub name: String,
    /// Blocks computed at the same time.
    pub workers: usize,
}

impl Opened {
    /// For the header: the name, and how many workers.
    pub fn label(&self) -> String {
        let plural = if self.workers == 1 { "" } else { "s" };
        format!("{} · {} worker{plural}", self.name, self.workers)
    }
}

/// Opens a device. `workers` overrides one worker a core; results do not depend on it.
pub fn open(choice: &Choice, workers: Option<usize>) -> Opened {
    let cores = available_parallelism().map_or(1, usize::from);
    match choice {
        // Flex is the only backend of this build, so it is also the fastest.
        Choice::Auto | Choice::Flex => Opened {
            device: Device::flex(),
            name: "flex".into(),
            workers: workers.unwrap_or(cores).max(1),
        },
    }
}
