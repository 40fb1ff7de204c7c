//! Why a computation failed, and what to do about it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::device::diagnosis::{self, FailureKind};
use crate::analysis::AnalysisError;
use crate::nets::launch::panic_message;

/// Why a computation failed.
#[derive(Debug, thiserror::Error)]
pub enum ComputeFault {
    /// It panicked, and the message does not point to the device.
    #[error("the computation crashed: {0}")]
    Crashed(String),
    /// Even the smallest computation needs more memory than the device has.
    #[error(
        "device `{device}` has too little memory left: {message}. The results so far are saved. Free some memory (what else runs there?) and `run` again, or resume elsewhere, for example with --device cpu"
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
    Analysis(#[from] AnalysisError),
}

impl ComputeFault {
    /// The fault behind a panic with this message in a computation on `device`.
    pub fn from_panic(device: &str, message: &str) -> Self {
        let device = device.to_owned();
        match diagnosis::failure_kind(message) {
            FailureKind::Memory => Self::Memory {
                device,
                message: diagnosis::user_message(message),
            },
            FailureKind::Lost => Self::Lost {
                device,
                message: diagnosis::user_message(message),
            },
            FailureKind::Other => Self::Crashed(message.to_owned()),
        }
    }
}

/// Runs a computation and turns a panic into its message.
///
/// # Errors
/// The panic's message.
pub fn catch_panic<T>(compute: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| panic_message(panic.as_ref()))
}
