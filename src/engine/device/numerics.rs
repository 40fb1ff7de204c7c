//! Choosing libtorch's rounding on a GPU: float32 or TF32.
//!
//! cuDNN multiplies in TF32, with 10 bits of mantissa, if PyTorch allows it, as it does by default for
//! convolutions. Decisions near a tie then depend on the card. NVIDIA's libraries read an environment variable
//! that forbids it, but do not document when; so a process that computes restarts itself with the variable set,
//! before any of these libraries is loaded.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};

/// The variable that NVIDIA's libraries obey: 0 forbids TF32.
const VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

static TF32: AtomicBool = AtomicBool::new(false);

/// Chooses between float32 and TF32 for this process's computations on GPUs. If its environment says otherwise, the
/// program restarts in the same process, and this function does not return.
pub fn choose(tf32: bool) {
    TF32.store(tf32, Ordering::Relaxed);
    let value = std::env::var_os(VARIABLE);
    if is_set(value.as_deref()) != tf32 {
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let Ok(program) = std::env::current_exe() else {
            return;
        };
        let mut arguments = std::env::args_os();
        let mut restart = std::process::Command::new(program);
        restart
            .arg0(arguments.next().unwrap_or_default())
            .args(arguments);
        match tf32 {
            true => restart.env_remove(VARIABLE),
            false => restart.env(VARIABLE, "0"),
        };
        // It returns only on failure: the program then continues, and a run's log states its rounding.
        let error = restart.exec();
        tracing::warn!("{VARIABLE} could not be set: {error}");
    }
}

/// Whether the variable forbids TF32.
fn is_set(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| value == "0")
}

/// Whether TF32 was chosen.
pub fn is_tf32() -> bool {
    TF32.load(Ordering::Relaxed)
}

/// TF32 in a session's record.
const ROUNDED: &str = "TF32";

/// Full precision in a session's record.
const FULL: &str = "float32";

/// The chosen rounding in a session's record.
pub fn label() -> &'static str {
    name(is_tf32())
}

/// The name of a rounding: TF32 or not.
pub fn name(tf32: bool) -> &'static str {
    match tf32 {
        true => ROUNDED,
        false => FULL,
    }
}

/// Whether a session's last run on a GPU was in TF32, by its records of devices; `None` if none was on a GPU.
pub fn recorded(devices: &[String]) -> Option<bool> {
    let rounding = |device: &String| {
        device.split(", ").find_map(|part| match part {
            ROUNDED => Some(true),
            FULL => Some(false),
            _ => None,
        })
    };
    devices.iter().rev().find_map(rounding)
}

/// Whether a record states TF32.
pub fn is_recorded_tf32(recorded: &str) -> bool {
    recorded.split(", ").any(|part| part == ROUNDED)
}
