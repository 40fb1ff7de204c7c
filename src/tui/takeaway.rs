//! What can be exported or copied from the active view: its figure, and texts about it.

use super::state::{Copied, State};
use crate::figure::caption::caption;
use crate::figure::{self, Figure};
use crate::session::Session;

/// The figure of the active view, if the session has it.
pub fn figure_in(state: &State, session: &Session) -> Option<Figure> {
    let figure = state.in_sight().figure(&state.shared, session)?;
    figure::has(session, &figure).then_some(figure)
}

/// The text to copy; `None` if this view has none.
pub fn text(state: &State, target: Copied, session: &Session) -> Option<String> {
    match target {
        Copied::Caption => caption(session, &figure_in(state, session)?),
        Copied::Command => Some(state.place(session).command(state.program, &session.name)),
        Copied::Number => state.in_sight().number(&state.shared, session),
    }
}
