//! The magic number of the format from before PyTorch 1.6, and the object in such a file.

use super::super::pickle::{self, PickleTree};

/// The magic number 0x1950a86a20f9469cfc6c, as a pickle after its protocol and frame.
const MAGIC: &[u8] = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// The length of the magic number at the start of a file of this format, as a pickle of any protocol from 2 on; `None`
/// for other files.
pub fn length(start: &[u8]) -> Option<usize> {
    let [0x80, 2..=5, rest @ ..] = start else {
        return None;
    };
    // From protocol 4 on, the length of a frame comes first.
    let rest = match rest {
        [0x95, _, _, _, _, _, _, _, _, frame @ ..] => frame,
        rest => rest,
    };
    Some(start.len() - rest.strip_prefix(MAGIC)?.len())
}

/// The object in a file of this format.
pub fn root(bytes: &[u8]) -> Option<PickleTree> {
    let mut rest = bytes.get(length(bytes)?..)?;
    // The version and the machine come first.
    for _ in 0..2 {
        let (_, taken) = pickle::read(rest).ok()?;
        rest = rest.get(taken..)?;
    }
    Some(pickle::read(rest).ok()?.0)
}
