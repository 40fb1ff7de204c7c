//! Which layout of session files this is.

/// The schema that this program writes, and the newest that it reads.
pub const VERSION: u32 = 7;
