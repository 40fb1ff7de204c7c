//! The wall clock, and waiting for an instant.

use std::future::pending;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

/// Seconds since the Unix epoch.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// Waits until then; forever if `None`.
pub async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
