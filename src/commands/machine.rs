//! Command-line options for the hardware that an engine computes on.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::CommandError;
use super::output::complain;
use crate::engine::device::records::Convolutions;
use crate::engine::device::{DeviceChoice, DeviceKind, libtorch};
use crate::engine::inputs::OnChangedInputs;

/// Device, workers and numerics of an engine.
#[derive(Debug, Clone, Args)]
pub struct MachineArgs {
    /// auto, cpu, flex, libtorch or cuda:N; several GPUs with commas
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Blocks computed at the same time (default: one per core); does not change results
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// On cpu: compute every convolution directly instead of with Winograd's algorithm, whose logits differ in
    /// their last digits; recorded, and kept when the session resumes, until --exact off
    #[arg(long, value_name = "HOW")]
    pub exact: Option<ConvolutionArg>,
    /// Blocks per launch on a GPU, even (default: as the session had, or chosen by a short test); recorded, since a
    /// GPU's libraries may compute differently for other batch sizes
    #[arg(long, value_name = "N")]
    pub launch: Option<usize>,
    /// On cuda:N: multiply in TF32, faster but with a 10-bit mantissa; recorded, and kept when the session resumes,
    /// until --tf32=off
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on"
    )]
    pub tf32: Option<RoundingArg>,
    /// Continue even if the images or weights have changed since the session began; recorded
    #[arg(long)]
    pub accept_inputs: bool,
}

/// How a compiled network computes its convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConvolutionArg {
    /// Every convolution directly
    Direct,
    /// With Winograd's algorithm where that is faster, as by default
    Off,
}

impl ConvolutionArg {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Off => "off",
        }
    }
}

impl From<ConvolutionArg> for Convolutions {
    fn from(exact: ConvolutionArg) -> Self {
        match exact {
            ConvolutionArg::Direct => Self::Direct,
            ConvolutionArg::Off => Self::Fastest,
        }
    }
}

/// Whether a GPU multiplies in TF32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoundingArg {
    /// In TF32
    On,
    /// In float32, as by default
    Off,
}

impl RoundingArg {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl Default for MachineArgs {
    fn default() -> Self {
        Self {
            device: "auto".into(),
            workers: None,
            exact: None,
            launch: None,
            tf32: None,
            accept_inputs: false,
        }
    }
}

impl MachineArgs {
    /// How to handle images or weights that have changed since the session began.
    pub fn inputs(&self) -> OnChangedInputs {
        match self.accept_inputs {
            true => OnChangedInputs::Accept,
            false => OnChangedInputs::Refuse,
        }
    }

    /// Checks the options before anything is started.
    ///
    /// # Errors
    /// If the device is absent, there are 0 workers, or the launch size is invalid.
    pub fn check(&self) -> Result<(), CommandError> {
        DeviceChoice::from_str(&self.device)?.check()?;
        check_workers(self.workers)?;
        check_launch(self.launch)
    }

    /// Tells which options change nothing on the named devices.
    ///
    /// # Errors
    /// If there is no device of that name.
    pub fn tell_unused(&self) -> Result<(), CommandError> {
        let given = DeviceOptions {
            exact: matches!(self.exact, Some(ConvolutionArg::Direct)),
            launch: self.launch.is_some(),
            tf32: self.tf32 == Some(RoundingArg::On),
        };
        given.tell_unused(&DeviceChoice::from_str(&self.device)?);
        Ok(())
    }

    /// The first option that was given, if any.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            (self.device != Self::default().device, "--device"),
            (self.workers.is_some(), "--workers"),
            (self.exact.is_some(), "--exact"),
            (self.launch.is_some(), "--launch"),
            (self.tf32.is_some(), "--tf32"),
            (self.accept_inputs, "--accept-inputs"),
        ];
        let mut given = all.into_iter().filter(|(given, _)| *given);
        given.next().map(|(_, name)| name)
    }
}

/// Options that are for some devices only: whether each was given, and asks for something.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceOptions {
    /// `--exact direct`.
    pub exact: bool,
    /// `--launch N`.
    pub launch: bool,
    /// `--tf32`.
    pub tf32: bool,
}

impl DeviceOptions {
    /// Tells which of them change nothing on the chosen devices.
    pub fn tell_unused(self, choice: &DeviceChoice) {
        for words in self.unused(choice) {
            complain(words);
        }
    }

    fn unused(self, choice: &DeviceChoice) -> Vec<String> {
        let kinds: &[DeviceKind] = match choice {
            DeviceChoice::Named(kinds) => kinds.as_slice(),
            // Nothing else is chosen without libtorch.
            DeviceChoice::Auto if !libtorch::BUILT => &[DeviceKind::Cpu],
            DeviceChoice::Auto => return Vec::new(),
        };
        let has = |is_for: fn(DeviceKind) -> bool| kinds.iter().any(|&kind| is_for(kind));
        let is_cpu = |kind: DeviceKind| kind == DeviceKind::Cpu;
        let is_launched = |kind: DeviceKind| kind == DeviceKind::Libtorch || kind.is_gpu();
        let all = [
            (self.exact && !has(is_cpu), "--exact", "cpu"),
            (self.launch && !has(is_launched), "--launch", "GPUs"),
            (self.tf32 && !has(DeviceKind::is_gpu), "--tf32", "GPUs"),
        ];
        let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        let unused = all.into_iter().filter(|(is_unused, ..)| *is_unused);
        unused
            .map(|(_, option, devices)| {
                format!(
                    "{option} is for {devices} and changes nothing on {}",
                    names.join(",")
                )
            })
            .collect()
    }
}

/// Checks the number of workers.
///
/// # Errors
/// If it is 0.
pub fn check_workers(workers: Option<usize>) -> Result<(), CommandError> {
    match workers {
        Some(0) => Err(CommandError::Usage(
            "--workers 0: must be at least 1".into(),
        )),
        _ => Ok(()),
    }
}

/// Checks the number of blocks per launch.
///
/// # Errors
/// If it is out of range, or odd: the two halves of the trials share a launch.
pub fn check_launch(launch: Option<usize>) -> Result<(), CommandError> {
    match launch {
        Some(blocks) if blocks < 2 || !blocks.is_multiple_of(2) || blocks > MOST_BLOCKS => {
            Err(CommandError::Usage(format!(
                "--launch {blocks}: must be an even number from 2 to {MOST_BLOCKS}"
            )))
        }
        _ => Ok(()),
    }
}

/// Most blocks per launch: what is dealt to a device at a time.
const MOST_BLOCKS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_for_other_devices_are_told_and_no_others() {
        let all = DeviceOptions {
            exact: true,
            launch: true,
            tf32: true,
        };
        let unused = |device: &str| {
            let words = all.unused(&device.parse().unwrap());
            let options = words.iter().map(|line| line.split(' ').next().unwrap());
            options.map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(unused("cpu"), "--launch --tf32");
        assert_eq!(unused("flex"), "--exact --launch --tf32");
        let choice = DeviceChoice::Named(vec![DeviceKind::Libtorch]);
        assert_eq!(all.unused(&choice).len(), 2);
        let choice = DeviceChoice::Named(vec![DeviceKind::Cuda(0), DeviceKind::Cuda(1)]);
        assert_eq!(
            all.unused(&choice),
            ["--exact is for cpu and changes nothing on cuda:0,cuda:1"]
        );
        // The fastest device is only known once it is chosen.
        let automatic = all.unused(&DeviceChoice::Auto).len();
        assert_eq!(automatic, if libtorch::BUILT { 0 } else { 2 });
        assert!(DeviceOptions::default().unused(&choice).is_empty());
    }

    #[test]
    fn turning_an_option_off_asks_for_nothing() {
        let machine = MachineArgs {
            device: "flex".into(),
            exact: Some(ConvolutionArg::Off),
            tf32: Some(RoundingArg::Off),
            ..MachineArgs::default()
        };
        machine.tell_unused().unwrap();
        let none = MachineArgs {
            device: "abacus".into(),
            ..MachineArgs::default()
        };
        assert!(none.tell_unused().is_err());
    }
}
