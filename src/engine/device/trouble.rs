//! What a device that failed has said: whether memory ran out, or the device is lost, and of what.
//!
//! The backends end the thread with a message instead of giving an error, so the words are all
//! there is.

mod memory;

use std::fmt;

pub use memory::Memory;

use crate::nets::launch::{is_out_of_memory, is_out_of_memory_untold};

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The device has no memory left for what was asked of it: less may do.
    Memory,
    /// The device does not answer any more.
    Lost,
    /// Something else: a mistake of this program.
    Other,
}

/// What it came of, as far as the words tell. Displayed, it is a sentence with the next step, without
/// its full stop.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// Others fill the memory of the GPU.
    Crowded(Memory),
    /// libtorch ran out of memory, and stumbled over NVML when it was about to say so.
    Untold,
    /// There is no driver, or CUDA does not start.
    NoDriver,
    /// The driver is older than the CUDA of the libraries.
    OldDriver,
    /// The driver cannot read what a newer compiler made.
    OldForPtx,
    /// The parts of the driver do not belong together.
    MixedDriver,
    /// The libraries hold no code for this card.
    OtherCards,
    /// The service that joins the GPUs of a server does not run.
    NotReady,
    /// A fault of the hardware.
    Hardware,
    /// The card has gone from the bus, or its driver has given up on it.
    Gone,
    /// The driver ended a kernel that took too long.
    Timeout,
    /// A kernel did what it must not.
    Crash,
    /// A kernel found a number that cannot be, and stopped.
    Assertion,
    /// Another process has the card for itself.
    Busy,
    /// CUDA shows no such GPU.
    Hidden,
    /// The server through which processes share a GPU.
    Mps,
}

/// Words of libtorch, CUDA's runtime and its driver, in lower case. The first that fits counts.
const SIGNS: &[(Cause, &[&str])] = &[
    (
        Cause::Hardware,
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
        Cause::NotReady,
        &["system not yet initialized", "system_not_ready"],
    ),
    (
        Cause::MixedDriver,
        &[
            "unsupported display driver / cuda driver combination",
            "system_driver_mismatch",
            "forward compatibility was attempted on non supported hw",
            "compat_not_supported_on_device",
            "driver/library version mismatch",
        ],
    ),
    (
        Cause::OldForPtx,
        &[
            "unsupported toolchain",
            "unsupported_ptx_version",
            "unsupportedptxversion",
            "unsupported .version",
        ],
    ),
    (
        Cause::OldDriver,
        &[
            "driver version is insufficient",
            "insufficient_driver",
            "nvidia driver on your system is too old",
        ],
    ),
    (
        Cause::OtherCards,
        &[
            "no kernel image is available",
            "no_binary_for_gpu",
            "invalid device function",
            "invalid value for --gpu-architecture",
        ],
    ),
    (
        Cause::NoDriver,
        &[
            "found no nvidia driver",
            "cuda driver initialization failed",
            "cuda error: initialization error",
        ],
    ),
    (Cause::Timeout, &["the launch timed out", "launch_timeout"]),
    (Cause::Assertion, &["device-side assert", "error_assert"]),
    (
        Cause::Busy,
        &[
            "device(s) is/are busy or unavailable",
            "devices are busy or unavailable",
            "error_device_unavailable",
            "deviceinuse",
        ],
    ),
    (Cause::Mps, &["mps client", "mps server", "error_mps_"]),
    (
        Cause::Hidden,
        &[
            "no cuda-capable device",
            "no cuda gpus are available",
            "error_no_device",
            "invalid device ordinal",
            "error_invalid_device",
        ],
    ),
    (
        Cause::Gone,
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
        Cause::Crash,
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

/// Words of anything that went wrong on a GPU.
const OF_A_GPU: [&str; 6] = [
    "cuda error",
    "cuda_error",
    "cudnn_status",
    "cublas_status",
    "nvrtc",
    "cudagetdevicecount",
];

/// Judges by what was said.
pub fn judge(said: &str) -> Trouble {
    let lower = said.to_lowercase();
    if is_out_of_memory(said) {
        Trouble::Memory
    } else if OF_A_GPU.iter().any(|&words| lower.contains(words)) || cause(said).is_some() {
        Trouble::Lost
    } else {
        Trouble::Other
    }
}

/// What it came of; `None` where the words do not tell.
pub fn cause(said: &str) -> Option<Cause> {
    let lower = said.to_lowercase();
    if is_out_of_memory_untold(said) {
        return Some(Cause::Untold);
    }
    if is_out_of_memory(said) {
        let memory = Memory::read(said)?;
        return memory.is_of_others().then_some(Cause::Crowded(memory));
    }
    let mut signs = SIGNS.iter();
    let found = signs.find(|(_, words)| words.iter().any(|it| contains(&lower, it)));
    found.map(|(cause, _)| cause.clone())
}

/// Whether words are there, and no letter goes on before or after: `xid` is not in `oxide`.
fn contains(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let letter = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphabetic());
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        words != "xid" || !letter(before.chars().next_back()) && !letter(after.chars().next())
    })
}

/// What was said, for a person: its first line, and where its cause is known, that with the next step.
/// Without the last full stop.
pub fn told(said: &str) -> String {
    let line = first_line(said);
    let before = |words| line.split(words).next().unwrap_or(&line);
    match cause(said) {
        // The rest counts memory, which the sentence does better.
        Some(cause @ Cause::Crowded(_)) => format!("{}. {cause}", before(". GPU ")),
        Some(cause) => format!("{line}. {cause}"),
        // What follows is advice for programs in Python.
        None => before(". If reserved but unallocated").to_owned(),
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crowded(memory) => return memory.fmt(f),
            Self::Untold => {
                "Its memory ran out: on a MIG slice and in some containers libtorch cannot say so. Take a larger slice, or another device"
            }
            Self::NoDriver => {
                "CUDA does not start: see whether `nvidia-smi` answers; install the driver, or start the container with GPUs (docker: --gpus all)"
            }
            Self::OldDriver => {
                "The driver is older than the CUDA that this libtorch was built with: install a newer driver, or build with a libtorch for an older CUDA (NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help)"
            }
            Self::OldForPtx => {
                "The driver is older than the compiler (NVRTC) of this libtorch and cannot read what it makes: install a newer driver, or build with a libtorch for the driver's CUDA, which `nvidia-smi` tells (NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help)"
            }
            Self::MixedDriver => {
                "The parts of the driver are of different versions: restart the machine after an update of the driver, or the container where it brings a libcuda of its own"
            }
            Self::OtherCards => {
                "This libtorch was built for other cards: build with one for this card's generation (another CUDA in NOISESCOPE_TORCH_INDEX, see scripts/with-libtorch --help), or use another GPU"
            }
            Self::NotReady => {
                "The service that joins the GPUs of this server does not run: start it (systemctl start nvidia-fabricmanager; its version must be the driver's), or ask who runs the machine"
            }
            Self::Hardware => {
                "The GPU's memory or its links are at fault: use another GPU, and have this one reset or looked at (`nvidia-smi -q -d ECC`; the kernel's log names an Xid)"
            }
            Self::Gone => {
                "The GPU has gone from the bus, or its driver has given up on it: see whether `nvidia-smi` still lists it and what the kernel's log says (Xid); the machine may need a restart"
            }
            Self::Timeout => {
                "The driver ended a launch that took too long, as it does on a GPU that also drives a screen: use one that drives none"
            }
            Self::Crash => {
                "Start it again; where it comes back on this GPU alone, the card is at fault (the kernel's log names an Xid), and where it does on every GPU, noisescope is: please report it"
            }
            Self::Assertion => {
                "A kernel found a number that cannot be, and this process cannot use the GPU any more: start it again; where it comes back, please report it"
            }
            Self::Busy => {
                "Another process has the GPU for itself (`nvidia-smi` shows the compute mode and who it is): use another one, or wait"
            }
            Self::Hidden => {
                "CUDA shows no such GPU: see what CUDA_VISIBLE_DEVICES names and `nvidia-smi -L` lists; of MIG slices a process is shown one, as cuda:0"
            }
            Self::Mps => {
                "The GPU is shared through MPS, whose server does not serve this process: see whether nvidia-cuda-mps-control runs and CUDA_MPS_PIPE_DIRECTORY is its own, or unset it"
            }
        })
    }
}

/// The first line of what was said, without libtorch's list of its own functions.
pub fn first_line(said: &str) -> String {
    let line = said.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or("it did not say why").trim();
    // tch wraps the message in the debug form of its error.
    let line = line
        .rsplit_once("Torch(\"")
        .map_or(line, |(_, message)| message);
    let line = line.split("\\n").next().unwrap_or(line);
    line.trim_end_matches(['"', ')', '.']).to_owned()
}

#[cfg(test)]
mod tests;
