//! Python's pickles as data.
//!
//! A pickle is a program for a stack machine that may name and call whatever Python has. Here nothing is
//! called: a name becomes a [`Node::Global`], a call an inert [`Node::Object`] that remembers what it would have
//! called and with what. Memory is bounded by the length of the pickle, whatever lengths it declares.

mod cursor;
mod machine;
mod tree;

pub use tree::{Id, Node, Tree};

/// Longest pickle that is read, in bytes; tensors lie outside of it.
pub const MOST_BYTES: usize = 64 << 20;

/// A pickle that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// It ends in the middle.
    #[error("the pickle is cut off at byte {0}")]
    CutOff(usize),
    /// An instruction that no protocol has, or one that needs what is not in the file.
    #[error("the pickle has the unknown instruction 0x{code:02x} at byte {at}")]
    Unknown {
        /// The instruction.
        code: u8,
        /// Where.
        at: usize,
    },
    /// An instruction that finds something else than it needs.
    #[error("the pickle's instruction at byte {0} does not fit what stands before it")]
    Misfit(usize),
    /// More values than can be held.
    #[error("the pickle holds more than {} values", Tree::MOST)]
    TooMany,
}

/// Reads the pickle that `bytes` begin with, and says how many of them it took.
///
/// # Errors
/// Where it is cut off, damaged, or holds too much.
pub fn read(bytes: &[u8]) -> Result<(Tree, usize), PickleError> {
    machine::run(bytes)
}

#[cfg(test)]
mod tests;
