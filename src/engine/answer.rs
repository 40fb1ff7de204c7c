//! What workers say.

use std::time::Duration;

use super::fault::Fault;
use crate::analysis::{Job, Sums};

/// What came back from a worker.
#[derive(Debug)]
pub enum Answer {
    /// Blocks, computed, and how long that took.
    Done(Job, Sums, Duration),
    /// Something that a person may want to know; the work goes on.
    Note(String),
    /// A device has not the memory for the launches that it was asked for: it goes on with fewer blocks.
    Fewer {
        /// The device.
        device: String,
        /// Blocks of a launch from now on.
        blocks: usize,
    },
    /// Nothing yet.
    NotYet,
    /// After [`super::workers::Workers::recall`]: nothing is being computed any more.
    AllBack,
    /// A block could not be computed.
    Failed(Fault),
}

/// What a worker says, of which answers are made.
pub(super) enum Word {
    Done(Job, Sums, Duration),
    Note(String),
    Fewer { device: String, blocks: usize },
    Failed(Fault),
}
