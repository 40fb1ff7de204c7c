//! What can be exported or copied from the active view: its figure, and texts about it.

use super::state::{CopyTarget, DashboardState};
use crate::figure::caption::caption;
use crate::figure::{self, Figure};
use crate::format::with_ascii_minus;
use crate::session::Session;

/// The figure of the active view, if the session has it.
pub fn figure_in(state: &DashboardState, session: &Session) -> Option<Figure> {
    let figure = state.active_view().figure(&state.shared, session)?;
    figure::has(session, &figure).then_some(figure)
}

/// The text to copy; `None` if this view has none.
pub fn text(state: &DashboardState, target: CopyTarget, session: &Session) -> Option<String> {
    match target {
        CopyTarget::Caption => caption(session, &figure_in(state, session)?),
        CopyTarget::Command => Some(
            state
                .location(session)
                .command(state.shared.program, &session.name),
        ),
        CopyTarget::Number => {
            let number = state.active_view().number(&state.shared, session)?;
            Some(with_ascii_minus(&number))
        }
    }
}
