//! Two networks shown the same trials.

use super::Trials;
use crate::stats::agreement::Joint;

/// What two networks decided on the same trials, shown to both for this purpose.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The signal strength.
    pub gamma: f64,
    /// Their decisions.
    pub joint: Joint,
    /// Whether the second session was shown these trials too when it ran; they are the first ones of
    /// the first session.
    pub trials: Trials,
}
