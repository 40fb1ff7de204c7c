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
    /// Whether the second session was shown such trials too when it ran: they are drawn as those of the
    /// first, from its beginning.
    pub trials: Trials,
}
