//! What of two sessions compared is written.

use crate::comparison::{Pair, Shown};
use crate::session::config::Response;

/// What of a pair is written.
#[derive(Debug, Clone)]
pub struct What<'a> {
    /// The sessions.
    pub pair: &'a Pair<'a>,
    /// Places among their common γ.
    pub places: Vec<usize>,
    /// By which responses.
    pub responses: Vec<Response>,
    /// The classes that have figures; `None`: all that have a map in either session.
    pub classes: Option<Vec<usize>>,
    /// What was found when both networks were shown the same trials, or why they were not; `None`
    /// where nobody asked.
    pub alike: Option<Result<&'a Shown, &'a str>>,
}
