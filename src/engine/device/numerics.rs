//! How libtorch rounds on a GPU: in 32 bits, or with TF32.
//!
//! cuDNN and cuBLAS may multiply in TF32, of 10 bits of mantissa, where PyTorch lets them, which by default it does
//! for convolutions. Decisions near a tie then depend on the card. The libraries read a variable of the
//! environment when they are loaded, so that it is set where the program begins.

use std::sync::atomic::{AtomicBool, Ordering};

/// What NVIDIA's libraries obey: 0 forbids TF32, 1 takes it wherever 32 bits are asked for.
const VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

static TF32: AtomicBool = AtomicBool::new(false);

/// Chooses between 32 bits and TF32 for whatever is computed on GPUs from now on.
///
/// # Safety
/// Only while the process has one thread: it writes to the environment.
pub unsafe fn choose(tf32: bool) {
    TF32.store(tf32, Ordering::Relaxed);
    // SAFETY: the caller's.
    unsafe { std::env::set_var(VARIABLE, if tf32 { "1" } else { "0" }) };
}

/// Whether TF32 was chosen.
pub fn is_tf32() -> bool {
    TF32.load(Ordering::Relaxed)
}

/// How a session records it.
pub fn label() -> &'static str {
    match is_tf32() {
        true => "TF32",
        false => "float32",
    }
}
