//! Diagnosing a failed device from its message: whether memory ran out or the device is lost, and why.
//!
//! The backends panic with a message instead of returning an error, so the message is all there is.

mod memory;

use std::fmt;

pub use memory::GpuMemoryUse;

use crate::nets::launch::{is_masked_out_of_memory, is_out_of_memory};

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The device has too little memory for the request; a smaller one may work.
    Memory,
    /// The device no longer responds.
    Lost,
    /// Something else: a bug in this program.
    Other,
}

/// The cause of a failure, as far as the message tells. Displays as a sentence with the next step, without
/// its full stop.
#[derive(Debug, Clone, PartialEq)]
pub enum FailureCause {
    /// Other processes fill the GPU's memory.
    MemoryOfOthers(GpuMemoryUse),
    /// libtorch ran out of memory, and then failed in NVML while reporting it.
    UnreportedMemory,
    /// There is no driver, or CUDA cannot be initialised.
    NoDriver,
    /// The driver is older than the libraries' CUDA.
    OldDriver,
    /// The driver cannot read the output of a newer compiler.
    OldForPtx,
    /// The driver's components have different versions.
    MixedDriver,
    /// The libraries contain no code for this card.
    OtherCards,
    /// The service that connects a server's GPUs is not running.
    NotReady,
    /// A hardware fault.
    Hardware,
    /// The card has fallen off the bus, or its driver has given up on it.
    Gone,
    /// The driver aborted a kernel that took too long.
    Timeout,
    /// A kernel crashed.
    Crash,
    /// An assertion in a kernel failed.
    Assertion,
    /// Another process has exclusive use of the card.
    Busy,
    /// CUDA shows no such GPU.
    NotVisible,
    /// The MPS server, through which processes share a GPU, failed.
    Mps,
}

/// Phrases in messages of libtorch, CUDA's runtime and its driver, in lower case. The first match counts.
const SIGNS: &[(FailureCause, &[&str])] = &[
    (
        FailureCause::Hardware,
        &[
            "uncorrectable ecc error",
            "ecc_uncorrectable",
            "uncorrectable nvlink error",
            "nvlink_uncorrectable",
            "hardware stack error",
            "peer gpu memory over nvlink or a hardware error",
        ],
    ),
    (
        FailureCause::NotReady,
        &["system not yet initialized", "system_not_ready"],
    ),
    (
        FailureCause::MixedDriver,
        &[
            "unsupported display driver / cuda driver combination",
            "system_driver_mismatch",
            "forward compatibility was attempted on non supported hw",
            "compat_not_supported_on_device",
            "driver/library version mismatch",
        ],
    ),
    (
        FailureCause::OldForPtx,
        &[
            "unsupported toolchain",
            "unsupported_ptx_version",
            "unsupportedptxversion",
            "unsupported .version",
        ],
    ),
    (
        FailureCause::OldDriver,
        &[
            "driver version is insufficient",
            "insufficient_driver",
            "nvidia driver on your system is too old",
        ],
    ),
    (
        FailureCause::OtherCards,
        &[
            "no kernel image is available",
            "no_binary_for_gpu",
            "invalid device function",
            "invalid value for --gpu-architecture",
        ],
    ),
    (
        FailureCause::NoDriver,
        &[
            "found no nvidia driver",
            "cuda driver initialization failed",
            "cuda error: initialization error",
        ],
    ),
    (
        FailureCause::Timeout,
        &["the launch timed out", "launch_timeout"],
    ),
    (
        FailureCause::Assertion,
        &["device-side assert", "error_assert"],
    ),
    (
        FailureCause::Busy,
        &[
            "device(s) is/are busy or unavailable",
            "devices are busy or unavailable",
            "error_device_unavailable",
            "deviceinuse",
        ],
    ),
    (
        FailureCause::Mps,
        &["mps client", "mps server", "error_mps_"],
    ),
    (
        FailureCause::NotVisible,
        &[
            "no cuda-capable device",
            "no cuda gpus are available",
            "error_no_device",
            "invalid device ordinal",
            "error_invalid_device",
        ],
    ),
    (
        FailureCause::Gone,
        &[
            "fallen off the bus",
            "gpu is lost",
            "cuda error: unknown error",
            "cuda unknown error",
            "cuda_error_unknown",
            "error 999: unknown error",
            "xid",
        ],
    ),
    (
        FailureCause::Crash,
        &[
            "unspecified launch failure",
            "launch_failed",
            "illegal memory access",
            "illegal_address",
            "illegal instruction",
            "misaligned address",
        ],
    ),
];

/// Phrases in messages of any failure on a GPU.
const GPU_PHRASES: [&str; 6] = [
    "cuda error",
    "cuda_error",
    "cudnn_status",
    "cublas_status",
    "nvrtc",
    "cudagetdevicecount",
];

/// The kind of failure, judged by its message.
pub fn failure_kind(message: &str) -> FailureKind {
    let lower = message.to_lowercase();
    if is_out_of_memory(message) {
        FailureKind::Memory
    } else if GPU_PHRASES.iter().any(|&words| lower.contains(words)) || cause(message).is_some() {
        FailureKind::Lost
    } else {
        FailureKind::Other
    }
}

/// The cause of a failure; `None` if the message does not tell.
pub fn cause(message: &str) -> Option<FailureCause> {
    let lower = message.to_lowercase();
    if is_masked_out_of_memory(message) {
        return Some(FailureCause::UnreportedMemory);
    }
    if is_out_of_memory(message) {
        let memory = GpuMemoryUse::parse(message)?;
        return memory
            .is_filled_by_others()
            .then_some(FailureCause::MemoryOfOthers(memory));
    }
    let mut signs = SIGNS.iter();
    let found = signs.find(|(_, phrases)| phrases.iter().any(|phrase| contains(&lower, phrase)));
    found.map(|(cause, _)| cause.clone())
}

/// Whether a text contains a phrase; `xid` only as a whole word, unlike in `oxide`.
fn contains(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(start, _)| {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
        let (before, after) = (&text[..start], &text[start + phrase.len()..]);
        phrase != "xid" || !letter(before.chars().next_back()) && !letter(after.chars().next())
    })
}

/// The message for the user: its first line, and if the cause is known, that with the next step.
/// Without the final full stop.
pub fn user_message(message: &str) -> String {
    let line = first_line(message);
    let before = |words| line.split(words).next().unwrap_or(&line);
    match cause(message) {
        // The rest is about memory, which the cause states more clearly.
        Some(cause @ FailureCause::MemoryOfOthers(_)) => format!("{}. {cause}", before(". GPU ")),
        Some(cause) => format!("{line}. {cause}"),
        // The rest is advice for Python programs.
        None => before(". If reserved but unallocated").to_owned(),
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MemoryOfOthers(memory) => return memory.fmt(f),
            Self::UnreportedMemory => {
                "Its memory ran out: on a MIG slice and in some containers libtorch cannot report that. Use a larger slice, or another device"
            }
            Self::NoDriver => {
                "CUDA cannot be initialised: check whether `nvidia-smi` works; install the driver, or start the container with GPUs (docker: --gpus all)"
            }
            Self::OldDriver => {
                "The driver is older than the CUDA that this libtorch was built with: install a newer driver, or build with a libtorch for an older CUDA (NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help)"
            }
            Self::OldForPtx => {
                "The driver is older than the compiler (NVRTC) of this libtorch and cannot read its output: install a newer driver, or build with a libtorch for the driver's CUDA, which `nvidia-smi` shows (NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help)"
            }
            Self::MixedDriver => {
                "The driver's components have different versions: restart the machine after a driver update, or the container if it has its own libcuda"
            }
            Self::OtherCards => {
                "This libtorch was built for other GPUs: build with one for this GPU's generation (another CUDA in NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help), or use another GPU"
            }
            Self::NotReady => {
                "The service that connects this server's GPUs is not running: start it (systemctl start nvidia-fabricmanager; its version must match the driver's), or ask the administrator"
            }
            Self::Hardware => {
                "The GPU's memory or links are faulty: use another GPU, and have this one reset or examined (`nvidia-smi -q -d ECC`; the kernel log contains an Xid)"
            }
            Self::Gone => {
                "The GPU has fallen off the bus, or its driver has given up on it: check whether `nvidia-smi` still lists it and what the kernel log says (Xid); the machine may need a restart"
            }
            Self::Timeout => {
                "The driver aborted a launch that took too long, as it does on a GPU that also drives a screen: use one without a screen"
            }
            Self::Crash => {
                "Try again; if it recurs on this GPU only, the card is faulty (the kernel log contains an Xid); if it recurs on every GPU, noisescope has a bug: please report it"
            }
            Self::Assertion => {
                "An assertion in a kernel failed, and this process can no longer use the GPU: start it again; if it recurs, please report it"
            }
            Self::Busy => {
                "Another process has exclusive use of the GPU (`nvidia-smi` shows the compute mode and the process): use another GPU, or wait"
            }
            Self::NotVisible => {
                "CUDA shows no such GPU: check CUDA_VISIBLE_DEVICES and `nvidia-smi -L`; of several MIG slices a process sees only one, as cuda:0"
            }
            Self::Mps => {
                "The GPU is shared through MPS, whose server does not serve this process: check whether nvidia-cuda-mps-control is running with this CUDA_MPS_PIPE_DIRECTORY, or unset the variable"
            }
        })
    }
}

/// The first line of a message, without libtorch's stack trace.
pub fn first_line(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or("no reason given").trim();
    // tch wraps the message in the debug form of its error.
    let line = line
        .rsplit_once("Torch(\"")
        .map_or(line, |(_, message)| message);
    let line = line.split("\\n").next().unwrap_or(line);
    line.trim_end_matches(['"', ')', '.']).to_owned()
}

#[cfg(test)]
mod tests;
