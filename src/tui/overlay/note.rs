//! The prompt for a note. The view stays visible above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::session::Session;
use crate::session::record::{Note, NoteTarget};
use crate::tui::scene::Scene;
use crate::tui::state::DashboardState;
use crate::tui::widget::text::{cut, left};

/// The subject of a note that is begun now.
pub fn subject(state: &DashboardState, session: &Session) -> NoteTarget {
    state.active_view().note_subject(&state.shared, session)
}

/// The note as typed so far.
pub fn typed(state: &DashboardState) -> Note {
    Note {
        written: state.shared.now,
        on: state.note_subject.clone(),
        text: Note::line(&state.note.typed),
    }
}

/// Draws the prompt over the last rows of `area`.
pub fn draw(scene: &Scene<'_>, state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let Scene { session, theme, .. } = *scene;
    let (panel, cursor) = super::line(theme, area, buf);
    let text = &state.note.typed;
    // The end of a long note is where the user types.
    let room = usize::from(panel.width).saturating_sub(7);
    let mut shown = text.as_str();
    while Span::raw(shown).width() > room {
        let mut letters = shown.chars();
        letters.next();
        shown = letters.as_str();
    }
    let line = Line::from(vec![
        Span::styled("note ", theme.accent()),
        Span::styled(shown.to_owned(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    left(buf, panel, 1, line);
    let about = state.note_subject.in_words(&session.record);
    let left_over = Note::MAX_CHARS.saturating_sub(text.chars().count());
    let hint = match left_over {
        ..40 => format!("on {about}; {left_over} characters left"),
        _ => format!("on {about}; kept in the session"),
    };
    let hint = cut(&hint, usize::from(panel.width));
    left(buf, panel, 2, Span::styled(hint, theme.dim()));
}
