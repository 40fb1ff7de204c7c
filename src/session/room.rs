//! How much memory what a file claims to hold may take.

use std::path::Path;

use super::error::StoreError;
use crate::format::bytes as in_words;
use crate::host;

/// Most bytes of a session's file.
const MOST: u64 = 16 << 30;
/// What is smaller is taken without asking what is free.
const SMALL: u64 = 64 << 20;

/// Refuses to take more memory than there is.
pub fn check_room(path: &Path, what: &str, bytes: u64) -> Result<(), StoreError> {
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

/// The memory was not given.
pub fn no_room(path: &Path, what: &str, bytes: u64) -> StoreError {
    StoreError::TooLarge {
        path: path.to_owned(),
        what: format!("{what} {}, which the system does not give", in_words(bytes)),
        limit: host::available_memory().unwrap_or(MOST),
        free: true,
    }
}
