//! [`ComparisonScene`], the input from which the comparison screen is drawn.

use super::content::{ComparisonContent, ComparisonState};
use crate::comparison::{ComparisonError, SharedTrialDecisions};
use crate::session::Session;
use crate::tui::action::{KeyBindings, KeyContext};

/// The complete input of the screen.
#[derive(Debug, Clone)]
pub struct ComparisonScene<'a> {
    /// The latest states of the sessions.
    pub sessions: [&'a Session; 2],
    /// The viewer's choices.
    pub state: &'a ComparisonState,
    /// The content to draw, or why the sessions cannot be compared.
    pub content: Result<&'a ComparisonContent, &'a ComparisonError>,
    /// The result of presenting the same trials to both networks.
    pub agreement: Option<Result<&'a SharedTrialDecisions, &'a str>>,
    /// The places of the table of actions that apply.
    pub contexts: Vec<KeyContext>,
    /// The key bindings.
    pub keys: KeyBindings,
}
