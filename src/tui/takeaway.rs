//! What of the view in sight can be taken along: its figure, and texts about it.

use super::state::{Copied, State};
use crate::figure::caption::caption;
use crate::figure::{self, Figure};
use crate::session::Session;

/// The figure of the view in sight, where the session has it.
pub fn figure_in(state: &State, session: &Session) -> Option<Figure> {
    let own = state.in_sight().figure(&state.shared, session)?;
    figure::has(session, &own).then_some(own)
}

/// The text of what is copied; `None` where there is none in this view.
pub fn text(state: &State, what: Copied, session: &Session) -> Option<String> {
    match what {
        Copied::Caption => caption(session, &figure_in(state, session)?),
        Copied::Command => Some(state.place(session).command(state.program, &session.name)),
        Copied::Number => state.in_sight().number(&state.shared, session),
    }
}
