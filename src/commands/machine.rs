//! The words for what an engine computes on.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::Refusal;
use crate::engine::device::Choice;
use crate::engine::inputs::Changed;
use crate::nets::launch;

/// What the engine computes on.
#[derive(Debug, Clone, Args)]
pub struct Machine {
    /// auto, cpu, flex, libtorch, cuda:N or cubecl:N; several GPUs with commas
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Blocks computed at the same time (default: one a core); results do not depend on it
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// On cpu: compute every convolution directly, without minimal filtering (Winograd), whose logits differ
    /// in their last digits
    #[arg(long, value_name = "HOW")]
    pub exact: Option<Exact>,
    /// Blocks of a launch on a GPU, even (default: what the session had, or by a short trial); recorded, since a
    /// GPU's libraries may compute otherwise for another number of images
    #[arg(long, value_name = "N")]
    pub launch: Option<usize>,
    /// On cuda:N: multiply in TF32, faster and with 10 bits of mantissa; recorded
    #[arg(long)]
    pub tf32: bool,
    /// Go on although the images or the weights are others than those that the session began on; it is recorded
    #[arg(long)]
    pub accept_inputs: bool,
}

/// How exactly the plan of a network computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Exact {
    /// Every convolution directly.
    Direct,
}

impl Exact {
    /// Lets plans that are made from now on be so, where it is asked for.
    pub fn set(own: Option<Self>) {
        if own == Some(Self::Direct) {
            launch::compute_directly();
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            device: "auto".into(),
            workers: None,
            exact: None,
            launch: None,
            tf32: false,
            accept_inputs: false,
        }
    }
}

impl Machine {
    /// What is done about inputs that are others than those the session began on.
    pub fn inputs(&self) -> Changed {
        match self.accept_inputs {
            true => Changed::Accept,
            false => Changed::Refuse,
        }
    }

    /// Checks the words before anything is started.
    ///
    /// # Errors
    /// A device that is not here, and no workers at all.
    pub fn check(&self) -> Result<(), Refusal> {
        Choice::from_str(&self.device)?.check()?;
        if self.workers == Some(0) {
            return Err(Refusal::Usage("--workers 0: give at least 1".into()));
        }
        check_launch(self.launch)
    }
}

/// Checks the blocks of a launch.
///
/// # Errors
/// A number that halves of the trials cannot share.
pub fn check_launch(launch: Option<usize>) -> Result<(), Refusal> {
    match launch {
        Some(blocks) if blocks < 2 || !blocks.is_multiple_of(2) || blocks > MOST_BLOCKS => {
            Err(Refusal::Usage(format!(
                "--launch {blocks}: give an even number from 2 to {MOST_BLOCKS}"
            )))
        }
        _ => Ok(()),
    }
}

/// Most blocks of a launch: what is dealt to a device at a time.
const MOST_BLOCKS: usize = 1024;
