//! Why something could not be computed, and what to do about it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::device::trouble::{self, Trouble};
use crate::analysis::AnalysisError;
use crate::nets::launch::words;

/// Why something could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It ended with words that name no trouble of the device.
    #[error("the computation broke down: {0}")]
    Died(String),
    /// Even the least that is asked of the device needs more memory than it has.
    #[error(
        "device `{device}` has too little memory left: {said}. What was measured is saved. Free some of it (what else runs there?), then `run` goes on; or go on elsewhere, for example with --device cpu"
    )]
    Memory {
        /// The device.
        device: String,
        /// What it said.
        said: String,
    },
    /// The device is gone.
    #[error(
        "device `{device}` does not answer any more: {said}. What was measured is saved, and `run` goes on from there once the device is back (`noisescope doctor` tells), or elsewhere, for example with --device cpu"
    )]
    Lost {
        /// The device.
        device: String,
        /// What it said.
        said: String,
    },
    /// The experiment cannot go on.
    #[error(transparent)]
    CannotGoOn(#[from] AnalysisError),
}

impl Fault {
    /// What it means that a computation at `device` ended with these words.
    pub fn of(device: &str, said: &str) -> Self {
        let device = device.to_owned();
        match trouble::judge(said) {
            Trouble::Memory => Self::Memory {
                device,
                said: trouble::told(said),
            },
            Trouble::Lost => Self::Lost {
                device,
                said: trouble::told(said),
            },
            Trouble::Other => Self::Died(said.to_owned()),
        }
    }
}

/// Computes, and turns a panic into what it said.
///
/// # Errors
/// The panic's words.
pub fn guarded<T>(compute: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| words(panic.as_ref()))
}
