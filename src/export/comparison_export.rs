//! The contents of a comparison's export.

use crate::comparison::{SessionPair, SharedTrialDecisions};
use crate::ids::ClassId;
use crate::session::config::Response;

/// The contents of a comparison's export.
#[derive(Debug, Clone)]
pub struct ComparisonExport<'a> {
    /// The two sessions.
    pub pair: &'a SessionPair<'a>,
    /// Indices into their common γ.
    pub places: Vec<usize>,
    /// The responses.
    pub responses: Vec<Response>,
    /// The only class to draw figures of; `None`: all that have a map in either session.
    pub class: Option<ClassId>,
    /// The agreement of the two networks on the same trials, or why it is unknown; `None` if not requested.
    pub agreement: Option<Result<&'a SharedTrialDecisions, &'a str>>,
}
