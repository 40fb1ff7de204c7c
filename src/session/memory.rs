//! Memory limits for reading session files.

use std::path::Path;

use super::error::StoreError;
use crate::format::bytes as in_words;
use crate::host;

/// Maximum size of a session file.
const MOST: u64 = 16 << 30;
/// Smaller amounts are allocated without checking free memory.
const SMALL: u64 = 64 << 20;

/// Rejects an allocation larger than the free memory.
pub fn check_free_memory(path: &Path, what: &str, bytes: u64) -> Result<(), StoreError> {
    if bytes <= SMALL {
        return Ok(());
    }
    let free = host::available_memory();
    let limit = free.map_or(MOST, |free| free.min(MOST));
    if bytes <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge {
        path: path.to_owned(),
        what: format!("{what} {}", in_words(bytes)),
        limit,
        free: limit < MOST,
    })
}

/// The error for memory that the system would not allocate.
pub fn out_of_memory(path: &Path, what: &str, bytes: u64) -> StoreError {
    StoreError::TooLarge {
        path: path.to_owned(),
        what: format!(
            "{what} {}, which the system cannot allocate",
            in_words(bytes)
        ),
        limit: host::available_memory().unwrap_or(MOST),
        free: true,
    }
}
