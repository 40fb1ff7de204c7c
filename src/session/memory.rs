//! Memory limits for reading session files.

use std::path::Path;

use super::error::StoreError;
use crate::format::bytes as in_words;
use crate::host;

/// Maximum size of a session file.
const MOST: u64 = 16 << 30;
/// Smaller amounts are allocated without checking free memory.
const SMALL: u64 = 64 << 20;

/// Whether a session's file whose arrays need so much is read on a machine that has the memory.
pub fn is_readable(bytes: u64) -> bool {
    bytes <= MOST
}

/// Rejects an allocation larger than the free memory.
pub fn check_free_memory(path: &Path, what: &str, bytes: u64) -> Result<(), StoreError> {
    check_memory(path, what, bytes, host::available_memory)
}

/// The same on a machine with this free memory; `None` if it does not say.
fn check_memory(
    path: &Path,
    what: &str,
    bytes: u64,
    free: impl FnOnce() -> Option<u64>,
) -> Result<(), StoreError> {
    if bytes <= SMALL {
        return Ok(());
    }
    let limit = free().map_or(MOST, |free| free.min(MOST));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The message about an allocation with this free memory; empty if it is allowed.
    fn refusal(bytes: u64, free: Option<u64>) -> String {
        let checked = check_memory(Path::new("it.ron"), "its arrays need", bytes, || free);
        checked.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn an_allocation_may_take_what_is_free_and_a_small_one_is_always_tried() {
        assert_eq!(refusal(SMALL, Some(0)), "");
        assert_ne!(refusal(SMALL + 1, Some(SMALL)), "");
        assert_eq!(refusal(1 << 30, Some(1 << 30)), "");
        assert_eq!(
            refusal(3 << 30, Some(1 << 30)),
            "it.ron: its arrays need 3.2 GB; the limit is 1.1 GB, which is what is free on this machine"
        );
    }

    #[test]
    fn no_machine_allocates_more_than_the_limit_of_a_file() {
        let words = "it.ron: its arrays need 42.9 GB; the limit is 17.2 GB";
        for free in [None, Some(MOST), Some(64 << 30)] {
            assert_eq!(refusal(MOST, free), "");
            assert_eq!(refusal(40 << 30, free), words);
        }
        assert!(check_free_memory(Path::new("it.ron"), "its arrays need", u64::MAX).is_err());
    }
}
