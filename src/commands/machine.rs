//! Command-line options for the hardware that an engine computes on.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::CommandError;
use crate::engine::device::DeviceChoice;
use crate::engine::device::records::Convolutions;
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
