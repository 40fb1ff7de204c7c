//! How libtorch rounds on a GPU: in 32 bits, or with TF32.
//!
//! cuDNN multiplies in TF32, of 10 bits of mantissa, where PyTorch lets it, which by default it does for
//! convolutions. Decisions near a tie then depend on the card. NVIDIA's libraries read a variable of the environment
//! that forbids it, when exactly nobody says; so a process that computes begins anew with it set, before anything
//! of theirs is loaded.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};

/// What NVIDIA's libraries obey: 0 forbids TF32.
const VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

static TF32: AtomicBool = AtomicBool::new(false);

/// Chooses between 32 bits and TF32 for whatever this process computes on GPUs. Where its environment says otherwise it
/// begins anew, as the same process, and this does not return.
pub fn choose(tf32: bool) {
    TF32.store(tf32, Ordering::Relaxed);
    let there = std::env::var_os(VARIABLE);
    if is_set(there.as_deref()) != tf32 {
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let Ok(program) = std::env::current_exe() else {
            return;
        };
        let mut words = std::env::args_os();
        let mut again = std::process::Command::new(program);
        again.arg0(words.next().unwrap_or_default()).args(words);
        match tf32 {
            true => again.env_remove(VARIABLE),
            false => again.env(VARIABLE, "0"),
        };
        // What comes back is an error: it goes on as it is, and the log of a run says what it computes.
        let error = again.exec();
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

/// How a session records TF32.
const ROUNDED: &str = "TF32";

/// How a session records it.
pub fn label() -> &'static str {
    match is_tf32() {
        true => ROUNDED,
        false => "float32",
    }
}

/// Whether a record tells of TF32.
pub fn was_tf32(recorded: &str) -> bool {
    recorded.split(", ").any(|part| part == ROUNDED)
}
