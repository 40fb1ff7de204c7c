//! Why a computation failed, and what to do about it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::device::trouble::{self, Trouble};
use crate::analysis::AnalysisError;
use crate::nets::launch::words;

/// Why a computation failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It panicked, and the message does not point to the device.
    #[error("the computation crashed: {0}")]
    Died(String),
    /// Even the smallest computation needs more memory than the device has.
    #[error(
        "device `{device}` has too little memory left: {message}. The results so far are saved. Free some memory (what else runs there?) and `run` again, or continue elsewhere, for example with --device cpu"
    )]
    Memory {
        /// The device.
        device: String,
        /// Its error message.
        message: String,
    },
    /// The device is gone.
    #[error(
        "device `{device}` no longer responds: {message}. The results so far are saved; `run` resumes from there once the device is back (check with `noisescope doctor`), or elsewhere, for example with --device cpu"
    )]
    Lost {
        /// The device.
        device: String,
        /// Its error message.
        message: String,
    },
    /// The experiment cannot continue.
    #[error(transparent)]
    CannotGoOn(#[from] AnalysisError),
}

impl Fault {
    /// The fault behind a panic with this message in a computation on `device`.
    pub fn of(device: &str, message: &str) -> Self {
        let device = device.to_owned();
        match trouble::judge(message) {
            Trouble::Memory => Self::Memory {
                device,
                message: trouble::told(message),
            },
            Trouble::Lost => Self::Lost {
                device,
                message: trouble::told(message),
            },
            Trouble::Other => Self::Died(message.to_owned()),
        }
    }
}

/// Runs a computation and turns a panic into its message.
///
/// # Errors
/// The panic's message.
pub fn guarded<T>(compute: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| words(panic.as_ref()))
}
