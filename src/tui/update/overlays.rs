//! Actions on overlays: help, palette, prompts, and the text typed into them.

use super::{Effect, update};
use crate::ids::ClassId;
use crate::link::EngineCommand;
use crate::session::Session;
use crate::session::record::Note;
use crate::tui::action::Action;
use crate::tui::frame;
use crate::tui::overlay::{help, jump, note};
use crate::tui::possible;
use crate::tui::state::{DashboardState, Notice, Overlay, PickerState};
use crate::tui::theme::Theme;
use crate::tui::view::JumpKind;

/// Maximum characters typed into the palette or a jump prompt.
const MOST_TYPED: usize = 40;

/// Handles actions on overlays; `None`: another action.
pub(super) fn in_overlay(
    state: &mut DashboardState,
    action: Action,
    session: &Session,
    theme: &Theme,
) -> Option<Effect> {
    match action {
        Action::AskStop => state.overlay = Overlay::Stop,
        Action::Stay
        | Action::CloseHelp
        | Action::ClosePalette
        | Action::CloseJump
        | Action::CloseCopy
        | Action::CloseNote
        | Action::CloseExtend => {
            state.overlay = Overlay::None;
        }
        Action::Help => {
            state.overlay = Overlay::Help(0);
            state.key_search = PickerState::default();
        }
        Action::HelpUp => scroll(state, -1, (session, theme)),
        Action::HelpDown => scroll(state, 1, (session, theme)),
        Action::HelpFirst => scroll(state, isize::MIN, (session, theme)),
        Action::HelpLast => scroll(state, isize::MAX, (session, theme)),
        Action::FindKeys => {
            state.overlay = Overlay::FindKeys;
            state.key_search = PickerState::default();
        }
        Action::KeepFilter => state.overlay = Overlay::Help(0),
        Action::ClearFilter => {
            state.key_search = PickerState::default();
            state.overlay = Overlay::Help(0);
        }
        Action::OpenCopy => state.overlay = Overlay::Copy,
        Action::OpenNote => {
            let subject = note::subject(state, session);
            let existing = session.record.note_on(&subject);
            state.note.typed = existing
                .map(|existing| existing.text.clone())
                .unwrap_or_default();
            state.note_subject = subject;
            state.overlay = Overlay::Note;
        }
        Action::WriteNote => {
            let note = match session.fit_note(note::typed(state)) {
                Ok(note) => note,
                Err(problem) => {
                    state.notice = Some(Notice::failed(format!("note not saved: {problem}")));
                    return Some(Effect::Redraw);
                }
            };
            state.overlay = Overlay::None;
            let before = session
                .record
                .note_on(&note.on)
                .map(|note| note.text.as_str());
            if note.text == before.unwrap_or_default() {
                return Some(Effect::Redraw);
            }
            let outcome = if note.text.is_empty() {
                "note removed"
            } else {
                "note saved"
            };
            state.notice = Some(Notice::done(format!(
                "{outcome}: {}",
                note.on.in_words(&session.record)
            )));
            return Some(Effect::Send(EngineCommand::Note(note)));
        }
        Action::OpenPalette => {
            state.overlay = Overlay::Palette;
            state.palette = PickerState::default();
        }
        Action::PaletteUp => step_palette(state, session, -1),
        Action::PaletteDown => step_palette(state, session, 1),
        Action::PaletteFirst => state.palette.chosen = 0,
        Action::PaletteLast => step_palette(state, session, isize::MAX),
        Action::RunChosen => return Some(run_chosen(state, session, theme)),
        Action::OpenJump => open_jump(state, JumpKind::Class, session),
        Action::OpenUnit => open_jump(state, JumpKind::Unit, session),
        Action::OpenFind => {
            let kind = possible::found_in(state, session)?;
            open_jump(state, kind, session);
        }
        Action::OpenExtend => {
            state.overlay = Overlay::Extend;
            state.extend = PickerState::default();
        }
        Action::JumpBack | Action::JumpOn | Action::CompleteJump | Action::Jump => {
            return Some(jump(state, action, session));
        }
        Action::RubOut => {
            if let Some(typing) = typing(state) {
                typing.typed.pop();
                typing.chosen = 0;
            }
        }
        Action::RubOutAll => {
            if let Some(typing) = typing(state) {
                *typing = PickerState::default();
            }
        }
        _ => return None,
    }
    Some(Effect::Redraw)
}

fn run_chosen(state: &mut DashboardState, session: &Session, theme: &Theme) -> Effect {
    let rows = possible::fitting(&state.palette.typed, state, session);
    let last = rows.len().saturating_sub(1);
    let Some(row) = rows.get(state.palette.chosen.min(last)) else {
        return Effect::None;
    };
    state.overlay = Overlay::None;
    update(state, row.action, session, theme)
}

/// The text being typed, if any.
fn typing(state: &mut DashboardState) -> Option<&mut PickerState> {
    match state.overlay {
        Overlay::Palette => Some(&mut state.palette),
        Overlay::Jump(_) => Some(&mut state.jump),
        Overlay::Extend => Some(&mut state.extend),
        Overlay::Note => Some(&mut state.note),
        Overlay::FindKeys => Some(&mut state.key_search),
        _ => None,
    }
}

/// Appends a typed character to the text being typed.
pub(super) fn typed(state: &mut DashboardState, c: char) -> Effect {
    let limit = match state.overlay {
        Overlay::Note => Note::MAX_CHARS,
        _ => MOST_TYPED,
    };
    let Some(typing) = typing(state) else {
        return Effect::None;
    };
    if typing.typed.chars().count() >= limit {
        return Effect::None;
    }
    typing.typed.push(c);
    typing.chosen = 0;
    Effect::Redraw
}

fn step_palette(state: &mut DashboardState, session: &Session, step: isize) {
    let rows = possible::fitting(&state.palette.typed, state, session).len() as isize;
    let next = (state.palette.chosen as isize).saturating_add(step);
    state.palette.chosen = next.clamp(0, (rows - 1).max(0)) as usize;
}

fn scroll(state: &mut DashboardState, step: isize, (session, theme): (&Session, &Theme)) {
    if let Overlay::Help(first) = state.overlay {
        let body = frame::whole(session, state, theme);
        let last = help::furthest(state, session, theme, body);
        let first = first.min(last).saturating_add_signed(step).min(last);
        state.overlay = Overlay::Help(first);
    }
}

fn open_jump(state: &mut DashboardState, kind: JumpKind, session: &Session) {
    let Some(names) = jump::names(state, kind, session) else {
        return;
    };
    state.overlay = Overlay::Jump(kind);
    // Before anything is typed all items match, and the current one is chosen.
    state.jump = PickerState {
        typed: String::new(),
        chosen: names.chosen,
    };
}

/// Handles keys in the jump prompt.
fn jump(state: &mut DashboardState, action: Action, session: &Session) -> Effect {
    let Overlay::Jump(kind) = state.overlay else {
        return Effect::None;
    };
    let Some(names) = jump::names(state, kind, session) else {
        state.overlay = Overlay::None;
        return Effect::Redraw;
    };
    match action {
        Action::JumpBack => jump::step(&mut state.jump, &names, -1),
        Action::JumpOn => jump::step(&mut state.jump, &names, 1),
        Action::CompleteJump => jump::complete(&mut state.jump, &names),
        _ => {
            let Some(index) = jump::chosen(&state.jump, &names) else {
                return Effect::None;
            };
            match kind {
                JumpKind::Class => state.shared.class = ClassId(index),
                _ => {
                    let (view, _) = state.active_view_mut();
                    view.choose(kind, index, session);
                    if let Some(shown) = view.experiment_mut() {
                        shown.hold(session);
                    }
                }
            }
            state.overlay = Overlay::None;
        }
    }
    Effect::Redraw
}
