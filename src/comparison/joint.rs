//! Decisions of two networks that were shown the same trials.

use super::TrialOverlap;
use crate::ids::Gamma;
use crate::stats::agreement::JointDecisions;

/// Decisions of two networks on the same trials, shown to both for this comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedTrialDecisions {
    /// The signal strength.
    pub gamma: Gamma,
    /// Their decisions.
    pub joint: JointDecisions,
    /// Whether the second session was shown the same trials when it ran: the trials here are the first ones of the
    /// first session.
    pub overlap: TrialOverlap,
}
