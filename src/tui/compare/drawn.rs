//! [`Drawn`], the input from which the comparison screen is drawn.

use super::sight::{Look, Sight};
use crate::comparison::{Misfit, Shown};
use crate::session::Session;
use crate::tui::action::{Keys, Place};

/// The complete input of the screen.
#[derive(Debug, Clone)]
pub struct Drawn<'a> {
    /// The latest states of the sessions.
    pub sessions: [&'a Session; 2],
    /// The viewer's choices.
    pub look: &'a Look,
    /// The content to draw, or why the sessions cannot be compared.
    pub sight: Result<&'a Sight, &'a Misfit>,
    /// The result of presenting the same trials to both networks.
    pub alike: Option<Result<&'a Shown, &'a str>>,
    /// The places of the table of actions that apply.
    pub places: Vec<Place>,
    /// The key bindings.
    pub keys: Keys,
}
