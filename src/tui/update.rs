//! What an action does to what the viewer looks at, and what the dashboard must do about it.
//!
//! The frame and what lies over it are changed here; the rest is for the view in sight, and what
//! that does not know, for what all views share.

use crossterm::event::KeyEvent;

use super::action::{self, Action};
use super::frame;
use super::overlay::{extend, help, jump, note};
use super::possible;
use super::state::{Beside, Copied, News, Overlay, Palette, State, Verb, ViewId};
use super::steps;
use super::takeaway::{figure_in, text};
use super::theme::Theme;
use super::view::{Around, Reply, Wanted};
use crate::figure::Figure;
use crate::link::{Command, Connection};
use crate::session::Session;
use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::Phase;

/// What the dashboard must do after an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing: nothing changed.
    None,
    /// Draw again.
    Redraw,
    /// Ask this of the engine.
    Say(Command),
    /// End the dashboard: the person leaves.
    Leave,
    /// End the dashboard: a new engine shall go on with the session.
    Resume,
    /// End the dashboard: a new engine shall go on with more trials of these classification images.
    Extend(usize, Extension),
    /// Step aside to the shell.
    Suspend,
    /// Step aside and show the figure of the view at full resolution.
    Show,
    /// End the dashboard: the session shall be compared with another.
    Compare,
    /// Write this figure to a file, and tell where.
    Export(Figure),
    /// Put this text on the clipboard.
    Copy(String),
}

/// Most characters typed into the palette, or to jump.
const MOST_TYPED: usize = 40;

/// Applies a key: the action that it is bound to here, or the character that it types.
pub fn key(state: &mut State, event: &KeyEvent, session: &Session, theme: &Theme) -> Effect {
    let told = state.news.take().is_some();
    match (apply(state, event, session, theme), told) {
        // What was told until now goes.
        (Effect::None, true) => Effect::Redraw,
        (effect, _) => effect,
    }
}

fn apply(state: &mut State, event: &KeyEvent, session: &Session, theme: &Theme) -> Effect {
    match (possible::of_key(event, state), action::typed(event)) {
        (Some(action), _) => update(state, action, session, theme),
        (None, Some(c)) => typed(state, c),
        (None, None) => Effect::None,
    }
}

/// Applies an action.
pub fn update(state: &mut State, action: Action, session: &Session, theme: &Theme) -> Effect {
    if !possible::is_possible(action, state, session) {
        if action == Action::ExportFigure {
            state.news = Some(News::failed("this view has no figure to write yet"));
            return Effect::Redraw;
        }
        return Effect::None;
    }
    let again = state.again.take();
    on_run(state, action, session)
        .or_else(|| take_along(state, action, again, session, theme))
        .or_else(|| over_view(state, action, session, theme))
        .or_else(|| to_view(state, action, session, theme))
        .unwrap_or_else(|| in_view(state, action, session, theme))
}

/// What concerns the run or the dashboard as a whole; `None`: another action.
fn on_run(state: &mut State, action: Action, session: &Session) -> Option<Effect> {
    Some(match action {
        Action::Pause => match session.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Paused(_)) => Effect::Say(Command::Continue),
            _ => Effect::Say(Command::Pause),
        },
        Action::StopNow => {
            state.overlay = Overlay::None;
            Effect::Say(Command::Stop)
        }
        Action::Resume => Effect::Resume,
        Action::Extend => {
            let Some((images, more)) = extend::asked(state, session) else {
                return Some(Effect::None);
            };
            state.overlay = Overlay::None;
            match state.shared.engine_runs(session) {
                true => Effect::Say(Command::Extend { images, more }),
                false => Effect::Extend(images, more),
            }
        }
        Action::Leave | Action::Interrupt => Effect::Leave,
        Action::Suspend => Effect::Suspend,
        Action::ShowFigure => Effect::Show,
        Action::Compare => Effect::Compare,
        _ => return None,
    })
}

/// What takes something of the view along; `None`: another action. `again`: what was taken just before.
fn take_along(
    state: &mut State,
    action: Action,
    again: Option<Verb>,
    session: &Session,
    theme: &Theme,
) -> Option<Effect> {
    let verb = match action {
        Action::ExportFigure => Verb::Export,
        Action::CopyCaption => Verb::Copy(Copied::Caption),
        Action::CopyCommand => Verb::Copy(Copied::Command),
        Action::CopyNumber => Verb::Copy(Copied::Number),
        Action::Again => {
            // The class after, in any case.
            in_view(state, action, session, theme);
            match again {
                Some(verb) => verb,
                None => return Some(Effect::Redraw),
            }
        }
        _ => return None,
    };
    state.overlay = Overlay::None;
    state.again = Some(verb);
    // A figure of all classes is the same for the next one.
    let of_all = |figure: &Figure| action == Action::Again && !figure.is_of_a_class();
    if verb == Verb::Export && figure_in(state, session).as_ref().is_some_and(of_all) {
        state.again = None;
        return Some(Effect::Redraw);
    }
    let effect = match verb {
        Verb::Export => figure_in(state, session).map(Effect::Export),
        Verb::Copy(what) => text(state, what, session).map(Effect::Copy),
    };
    Some(effect.unwrap_or_else(|| {
        let class = state.shared.class;
        let name = session.record.class_name(class);
        state.news = Some(News::failed(format!("there is none of class {name}")));
        Effect::Redraw
    }))
}

/// What concerns what lies over the view; `None`: another action.
fn over_view(
    state: &mut State,
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
            state.keys_found = Palette::default();
        }
        Action::HelpUp => scroll(state, -1, (session, theme)),
        Action::HelpDown => scroll(state, 1, (session, theme)),
        Action::HelpFirst => scroll(state, isize::MIN, (session, theme)),
        Action::HelpLast => scroll(state, isize::MAX, (session, theme)),
        Action::FindKeys => {
            state.overlay = Overlay::FindKeys;
            state.keys_found = Palette::default();
        }
        Action::KeepFilter => state.overlay = Overlay::Help(0),
        Action::ClearFilter => {
            state.keys_found = Palette::default();
            state.overlay = Overlay::Help(0);
        }
        Action::OpenCopy => state.overlay = Overlay::Copy,
        Action::OpenNote => {
            let on = note::on(state, session);
            let own = session.record.note_on(&on);
            state.note.typed = own.map(|own| own.text.clone()).unwrap_or_default();
            state.noted = on;
            state.overlay = Overlay::Note;
        }
        Action::WriteNote => {
            let note = match session.fit_note(note::typed(state)) {
                Ok(note) => note,
                Err(problem) => {
                    state.news = Some(News::failed(format!("not noted: {problem}")));
                    return Some(Effect::Redraw);
                }
            };
            state.overlay = Overlay::None;
            let before = session
                .record
                .note_on(&note.on)
                .map(|own| own.text.as_str());
            if note.text == before.unwrap_or_default() {
                return Some(Effect::Redraw);
            }
            let what = if note.text.is_empty() {
                "note removed"
            } else {
                "noted"
            };
            state.news = Some(News::done(format!(
                "{what}: {}",
                note.on.in_words(&session.record)
            )));
            return Some(Effect::Say(Command::Note(note)));
        }
        Action::OpenPalette => {
            state.overlay = Overlay::Palette;
            state.palette = Palette::default();
        }
        Action::PaletteUp => step_palette(state, session, -1),
        Action::PaletteDown => step_palette(state, session, 1),
        Action::PaletteFirst => state.palette.chosen = 0,
        Action::PaletteLast => step_palette(state, session, isize::MAX),
        Action::RunChosen => return Some(run_chosen(state, session, theme)),
        Action::OpenJump => open_jump(state, Wanted::Class, session),
        Action::OpenUnit => open_jump(state, Wanted::Unit, session),
        Action::OpenFind => {
            let wanted = possible::found_in(state, session)?;
            open_jump(state, wanted, session);
        }
        Action::OpenExtend => {
            state.overlay = Overlay::Extend;
            state.extend = Palette::default();
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
                *typing = Palette::default();
            }
        }
        _ => return None,
    }
    Some(Effect::Redraw)
}

/// Which view is in sight, and what the frame has around it; `None`: another action.
fn to_view(state: &mut State, action: Action, session: &Session, theme: &Theme) -> Option<Effect> {
    let (now, views) = (state.view.0, state.entries().len());
    match action {
        Action::SplitView => match state.beside {
            None => {
                state.beside = Some(Beside {
                    view: ViewId(steps::around(now, 1, views)),
                    left: false,
                });
            }
            // Keys are for the other one from now on; both stay where they stand.
            Some(Beside { view, left }) => {
                let own = state.view;
                state.beside = Some(Beside {
                    view: own,
                    left: !left,
                });
                state.view = view;
            }
        },
        Action::OneView => state.beside = None,
        Action::NextView => state.view = ViewId(steps::around(now, 1, views)),
        Action::PreviousView => state.view = ViewId(steps::around(now, -1, views)),
        Action::View(index) => state.view = ViewId(index),
        Action::SwitchLog => state.log = Some(!frame::shows_log(session, state, theme)),
        _ => return None,
    }
    Some(Effect::Redraw)
}

/// What is for the view in sight, or for what all views share.
fn in_view(state: &mut State, action: Action, session: &Session, theme: &Theme) -> Effect {
    let around = Around {
        session,
        theme,
        body: frame::body(session, state, theme),
    };
    let (view, shared) = state.in_sight_mut();
    match view.update(action, shared, &around) {
        Reply::Done => Effect::Redraw,
        Reply::LookCloser => look_closer(state),
        Reply::Ignored => match shared.update(action, session) {
            true => Effect::Redraw,
            false => Effect::None,
        },
    }
}

/// To the first view that can show the chosen class alone.
fn look_closer(state: &mut State) -> Effect {
    let mut views = state.views.iter_mut();
    let Some(home) = views.position(|open| open.view.look_closer()) else {
        return Effect::None;
    };
    state.view = ViewId(home);
    Effect::Redraw
}

fn run_chosen(state: &mut State, session: &Session, theme: &Theme) -> Effect {
    let rows = possible::fitting(&state.palette.typed, state, session);
    let last = rows.len().saturating_sub(1);
    let Some(row) = rows.get(state.palette.chosen.min(last)) else {
        return Effect::None;
    };
    state.overlay = Overlay::None;
    update(state, row.action, session, theme)
}

/// What is being typed, where something is.
fn typing(state: &mut State) -> Option<&mut Palette> {
    match state.overlay {
        Overlay::Palette => Some(&mut state.palette),
        Overlay::Jump(_) => Some(&mut state.jump),
        Overlay::Extend => Some(&mut state.extend),
        Overlay::Note => Some(&mut state.note),
        Overlay::FindKeys => Some(&mut state.keys_found),
        _ => None,
    }
}

/// A character typed where something is typed.
fn typed(state: &mut State, c: char) -> Effect {
    let most = match state.overlay {
        Overlay::Note => Note::MOST,
        _ => MOST_TYPED,
    };
    let Some(typing) = typing(state) else {
        return Effect::None;
    };
    if typing.typed.chars().count() >= most {
        return Effect::None;
    }
    typing.typed.push(c);
    typing.chosen = 0;
    Effect::Redraw
}

/// Text that was pasted: typed where something is typed, else nothing. Says whether it was.
pub fn paste(state: &mut State, text: &str) -> bool {
    let letters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut typed_any = false;
    for c in letters {
        typed_any |= typed(state, c) == Effect::Redraw;
    }
    typed_any
}

fn step_palette(state: &mut State, session: &Session, step: isize) {
    let rows = possible::fitting(&state.palette.typed, state, session).len() as isize;
    let next = (state.palette.chosen as isize).saturating_add(step);
    state.palette.chosen = next.clamp(0, (rows - 1).max(0)) as usize;
}

fn scroll(state: &mut State, step: isize, (session, theme): (&Session, &Theme)) {
    if let Overlay::Help(first) = state.overlay {
        let body = frame::whole(session, state, theme);
        let last = help::furthest(state, session, theme, body);
        let first = first.min(last).saturating_add_signed(step).min(last);
        state.overlay = Overlay::Help(first);
    }
}

fn open_jump(state: &mut State, wanted: Wanted, session: &Session) {
    let Some(names) = jump::names(state, wanted, session) else {
        return;
    };
    state.overlay = Overlay::Jump(wanted);
    // Before anything is typed all fit, and the one in sight is chosen.
    state.jump = Palette {
        typed: String::new(),
        chosen: names.chosen,
    };
}

/// What is done in the line where one of a list is typed.
fn jump(state: &mut State, action: Action, session: &Session) -> Effect {
    let Overlay::Jump(wanted) = state.overlay else {
        return Effect::None;
    };
    let Some(names) = jump::names(state, wanted, session) else {
        state.overlay = Overlay::None;
        return Effect::Redraw;
    };
    match action {
        Action::JumpBack => jump::step(&mut state.jump, &names, -1),
        Action::JumpOn => jump::step(&mut state.jump, &names, 1),
        Action::CompleteJump => jump::complete(&mut state.jump, &names),
        _ => {
            let Some(at) = jump::chosen(&state.jump, &names) else {
                return Effect::None;
            };
            match wanted {
                Wanted::Class => state.shared.class = at,
                _ => state.in_sight_mut().0.choose(wanted, at, session),
            }
            state.overlay = Overlay::None;
        }
    }
    Effect::Redraw
}

/// Takes note of whether the engine can be reached now. A question that only an engine could have
/// answered goes away with it.
pub fn connection(state: &mut State, now: Connection) {
    let away = now != Connection::Live;
    state.shared.connection = now;
    if away && state.overlay == Overlay::Stop {
        state.overlay = Overlay::None;
    }
}
