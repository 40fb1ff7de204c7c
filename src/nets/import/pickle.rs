//! Reads Python pickles as data, without running any code.
//!
//! A pickle is a program for a stack machine that may refer to and call anything in Python. Here nothing is
//! called: a name becomes a [`PickleNode::Global`], a call an inert [`PickleNode::Object`] that records the callee and the
//! arguments. Memory is bounded by the length of the pickle, whatever lengths it declares.

mod cursor;
mod machine;
mod tree;

pub use tree::{PickleId, PickleNode, PickleTree};

/// The largest pickle that is read, in bytes; tensors are stored outside it.
pub const MAX_BYTES: usize = 64 << 20;

/// Why a pickle cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// It is cut off.
    #[error("the pickle is cut off at byte {0}")]
    CutOff(usize),
    /// An unknown instruction, or one that needs data from outside the file.
    #[error("the pickle has the unknown instruction 0x{code:02x} at byte {at}")]
    Unknown {
        /// The instruction.
        code: u8,
        /// Its offset in bytes.
        at: usize,
    },
    /// An instruction whose operands are missing or of the wrong kind.
    #[error("the pickle's instruction at byte {0} does not fit its operands")]
    BadOperands(usize),
    /// Too many values.
    #[error("the pickle holds more than {} values", PickleTree::MAX_VALUES)]
    TooMany,
}

/// Reads the pickle at the start of `bytes`; returns its tree and its length in bytes.
///
/// # Errors
/// If it is cut off, damaged, or holds too many values.
pub fn read(bytes: &[u8]) -> Result<(PickleTree, usize), PickleError> {
    machine::run(bytes)
}

#[cfg(test)]
mod tests;
