//! Parsing `--device`, and the errors of devices that are not available.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use super::{gpu, libtorch};

/// The requested devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The fastest one that this program was built with and that works here.
    Auto,
    /// These: one, or several GPUs.
    Named(Vec<DeviceKind>),
}

/// One device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor, by a plan of the network; a network that cannot be compiled is computed as by `flex`.
    Cpu,
    /// The processor, by Burn's backend in pure Rust: the reference.
    Flex,
    /// libtorch on the processor.
    Libtorch,
    /// libtorch on the GPU of this index.
    Cuda(usize),
}

/// Why a `--device` is not available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No such name.
    #[error(
        "there is no device `{0}`; devices are auto, cpu, flex, libtorch and cuda:N (N counts GPUs from 0; several with commas: cuda:0,cuda:1)"
    )]
    Unknown(String),
    /// A device that this program was not built for.
    #[error(
        "device `{0}` needs libtorch, and noisescope was built without it; build it with `scripts/with-libtorch cargo build --release --features libtorch`, or use `--device cpu`"
    )]
    NotBuilt(DeviceKind),
    /// Several devices that cannot be combined.
    #[error(
        "devices `{0}` cannot be combined: several devices must be different GPUs, for example cuda:0,cuda:1"
    )]
    Incompatible(String),
    /// A GPU whose index is too high.
    #[error("there is no device `{kind}`: {}", gpus_here(*.here))]
    NoSuchGpu {
        /// The device.
        kind: DeviceKind,
        /// Number of GPUs.
        here: usize,
    },
    /// No GPU can be used.
    #[error("device `{kind}` cannot be used: {why}; `--device cpu` computes on the processor")]
    NoGpu {
        /// The device.
        kind: DeviceKind,
        /// The reason, and what helps.
        why: String,
    },
    /// A device that is there but fails.
    #[error(
        "device `{kind}` does not work: {message}. Check with `noisescope doctor`, or use `--device cpu`"
    )]
    Failed {
        /// The device.
        kind: DeviceKind,
        /// Its error message.
        message: String,
    },
}

fn gpus_here(here: usize) -> String {
    let names: Vec<String> = (0..here).map(|i| format!("cuda:{i}")).collect();
    match here {
        1 => format!("this machine has one GPU; use `--device {}`", names[0]),
        _ => format!("this machine has {here} GPUs: {}", names.join(", ")),
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Flex => f.write_str("flex"),
            Self::Libtorch => f.write_str("libtorch"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl DeviceKind {
    /// Whether it computes on a GPU.
    pub fn is_gpu(self) -> bool {
        self.gpu().is_some()
    }

    /// The GPU's index.
    pub fn gpu(self) -> Option<usize> {
        match self {
            Self::Cuda(index) => Some(index),
            Self::Cpu | Self::Flex | Self::Libtorch => None,
        }
    }

    /// Burn's handle. If the program was built without the backend, `flex`; [`DeviceKind::check`]
    /// refuses such devices earlier.
    pub fn handle(self) -> Device {
        match self {
            Self::Cpu | Self::Flex => None,
            Self::Libtorch => libtorch::processor(),
            Self::Cuda(index) => libtorch::gpu(index),
        }
        .unwrap_or_else(Device::flex)
    }

    /// Checks that the device is available.
    ///
    /// # Errors
    /// Which devices are available instead, or why none is.
    pub fn check(self) -> Result<(), DeviceError> {
        self.is_built()?;
        let gpus = match self {
            Self::Cpu | Self::Flex | Self::Libtorch => return Ok(()),
            Self::Cuda(_) => gpu::count_for_libtorch(),
        };
        let here = gpus.map_err(|why| DeviceError::NoGpu { kind: self, why })?;
        if self.gpu().is_some_and(|index| index >= here) {
            return Err(DeviceError::NoSuchGpu { kind: self, here });
        }
        Ok(())
    }

    fn is_built(self) -> Result<(), DeviceError> {
        match self {
            Self::Libtorch | Self::Cuda(_) if !libtorch::BUILT => Err(DeviceError::NotBuilt(self)),
            _ => Ok(()),
        }
    }
}

impl FromStr for DeviceKind {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(name.to_owned());
        let kind = match name.split_once(':') {
            None => match name {
                "cpu" => Self::Cpu,
                "flex" => Self::Flex,
                "libtorch" => Self::Libtorch,
                // The first one, as in PyTorch.
                "cuda" => Self::Cuda(0),
                _ => return Err(unknown()),
            },
            // Handles store the index in 16 bits.
            Some(("cuda", index)) => match index.parse::<u16>() {
                Ok(index) => Self::Cuda(usize::from(index)),
                Err(_) => return Err(unknown()),
            },
            Some(_) => return Err(unknown()),
        };
        kind.is_built()?;
        Ok(kind)
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(names: &str) -> Result<Self, DeviceError> {
        if names == "auto" {
            return Ok(Self::Auto);
        }
        let kinds = names
            .split(',')
            .map(|name| name.trim().parse())
            .collect::<Result<Vec<DeviceKind>, _>>()?;
        let compatible = kinds.iter().all(|&kind| {
            kind.is_gpu() && kinds.iter().filter(|&&other| other == kind).count() == 1
        });
        if kinds.len() > 1 && !compatible {
            return Err(DeviceError::Incompatible(names.to_owned()));
        }
        Ok(Self::Named(kinds))
    }
}

impl DeviceChoice {
    /// Checks that the named devices are available, without computing on them.
    ///
    /// # Errors
    /// Which devices are available instead, or why none is.
    pub fn check(&self) -> Result<(), DeviceError> {
        match self {
            Self::Auto => Ok(()),
            Self::Named(kinds) => kinds.iter().try_for_each(|kind| kind.check()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(names: &str) -> String {
        names.parse::<DeviceChoice>().unwrap_err().to_string()
    }

    #[test]
    fn invalid_names_are_refused_with_the_valid_ones() {
        for name in [
            "gpu",
            "cuda:x",
            "cuda:-1",
            "cuda:",
            "cuda:99999",
            "flex:0",
            "cpu:0",
            "cubecl:0",
            "",
            "flex,",
        ] {
            let words = refused(name);
            assert!(words.contains("cuda:N"), "{name}: {words}");
        }
    }

    #[test]
    fn several_devices_must_be_different_gpus() {
        assert!(refused("flex,flex").contains("cannot be combined"));
        if libtorch::BUILT {
            assert!(refused("cuda:0,cuda:0").contains("cannot be combined"));
            assert!(refused("cuda:0,flex").contains("cannot be combined"));
            let both = DeviceChoice::Named(vec![DeviceKind::Cuda(0), DeviceKind::Cuda(1)]);
            assert_eq!("cuda:0,cuda:1".parse(), Ok(both));
        }
    }

    #[test]
    fn a_device_missing_from_the_build_says_how_to_build_it() {
        if !libtorch::BUILT {
            for name in ["libtorch", "cuda:0"] {
                let words = refused(name);
                assert!(words.contains("scripts/with-libtorch"), "{words}");
                assert!(words.contains("--device cpu"), "{words}");
            }
        }
    }

    #[test]
    fn a_nonexistent_index_is_refused_with_the_existing_ones() {
        let words = |here| {
            let kind = DeviceKind::Cuda(7);
            DeviceError::NoSuchGpu { kind, here }.to_string()
        };
        assert!(words(1).contains("use `--device cuda:0`"), "{}", words(1));
        assert!(words(2).contains("2 GPUs: cuda:0, cuda:1"), "{}", words(2));
    }
}
