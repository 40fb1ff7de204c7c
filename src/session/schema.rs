//! The version of the session file format.

/// The version that this program writes, and the newest that it reads.
pub const VERSION: u32 = 9;
