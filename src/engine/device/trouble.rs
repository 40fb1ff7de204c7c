//! What a device that failed has said: whether memory ran out, or the device is lost.
//!
//! The backends end the thread with a message instead of giving an error, so the words are all
//! there is.

use crate::nets::launch::is_out_of_memory;

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

/// Judges by what was said.
pub fn judge(said: &str) -> Trouble {
    let lower = said.to_lowercase();
    let lost = [
        "cuda error",
        "cuda_error",
        "cudnn_status",
        "cublas_status",
        "nvrtc",
    ];
    if is_out_of_memory(said) {
        Trouble::Memory
    } else if lost.iter().any(|&words| lower.contains(words)) {
        Trouble::Lost
    } else {
        Trouble::Other
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
mod tests {
    use super::*;

    #[test]
    fn memory_and_loss_are_told_apart() {
        let libtorch = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity\\nException raised from malloc\")";
        assert_eq!(judge(libtorch), Trouble::Memory);
        assert_eq!(
            judge(
                "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"
            ),
            Trouble::Memory
        );
        assert_eq!(
            judge("CUDA error: unspecified launch failure"),
            Trouble::Lost
        );
        assert_eq!(judge("index out of bounds"), Trouble::Other);
    }

    #[test]
    fn what_is_repeated_to_a_person_is_one_line() {
        let said = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA error: device-side assert triggered\\nCUDA kernel errors might be\")";
        assert_eq!(first_line(said), "CUDA error: device-side assert triggered");
        assert_eq!(first_line(""), "it did not say why");
    }
}
