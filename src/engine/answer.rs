//! Messages from workers.

use std::time::Duration;

use super::fault::ComputeFault;
use crate::analysis::{Job, Sums};

/// The result of polling the workers.
#[derive(Debug)]
pub enum WorkerAnswer {
    /// A job, its sums, and how long it took.
    Done(Job, Sums, Duration),
    /// A message for the user; the work continues.
    Note(String),
    /// A device lacks the memory for its launches and continues with fewer blocks.
    FewerBlocks {
        /// The device.
        device: String,
        /// Blocks per launch from now on.
        blocks: usize,
    },
    /// Nothing yet.
    NotYet,
    /// After [`super::workers::Workers::recall`]: no block is being computed any more.
    Idle,
    /// A block could not be computed.
    Failed(ComputeFault),
}

/// A message sent by a worker.
pub(super) enum WorkerMessage {
    Done(Job, Sums, Duration),
    Note(String),
    FewerBlocks { device: String, blocks: usize },
    Failed(ComputeFault),
}
