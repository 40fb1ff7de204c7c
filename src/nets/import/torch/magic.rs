//! The magic number of the format from before PyTorch 1.6, and the object in such a file.

use super::super::pickle::{self, PickleTree};

/// The magic number 0x1950a86a20f9469cfc6c, as a pickle.
pub const MAGIC: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// Whether a file that begins with `start` has this format.
pub fn is_legacy(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// The object in a file of this format.
pub fn root(bytes: &[u8]) -> Option<PickleTree> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    // The version and the machine come first.
    for _ in 0..2 {
        let (_, taken) = pickle::read(rest).ok()?;
        rest = rest.get(taken..)?;
    }
    Some(pickle::read(rest).ok()?.0)
}
