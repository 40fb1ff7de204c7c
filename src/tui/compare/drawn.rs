//! What the screen of a comparison is drawn from.

use super::sight::{Look, Sight};
use crate::comparison::{Misfit, Shown};
use crate::session::Session;
use crate::tui::action::{Keys, Place};

/// Everything that is drawn.
#[derive(Debug, Clone)]
pub struct Drawn<'a> {
    /// The sessions as they are now.
    pub sessions: [&'a Session; 2],
    /// What the viewer looks at.
    pub look: &'a Look,
    /// What there is to see, or why there is nothing.
    pub sight: Result<&'a Sight, &'a Misfit>,
    /// What came of showing both networks the same trials.
    pub alike: Option<Result<&'a Shown, &'a str>>,
    /// The places of the table of actions where the viewer is.
    pub places: Vec<Place>,
    /// What keys do.
    pub keys: Keys,
}
