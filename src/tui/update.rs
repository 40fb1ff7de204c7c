//! Applies keys and actions to the dashboard's state, and tells the dashboard what else to do.
//!
//! Actions on the frame and its overlays are handled here; other actions go to the active view, and those it
//! does not know to the state shared by all views.

mod overlays;

use crossterm::event::KeyEvent;

use self::overlays::{in_overlay, typed};
use super::action::{self, Action};
use super::copying::{figure_in, text};
use super::frame;
use super::overlay::extend;
use super::possible;
use super::state::{
    CopyTarget, DashboardState, Notice, Overlay, RepeatableAction, SecondView, ViewId,
};
use super::steps;
use super::theme::Theme;
use super::view::{Reply, ViewContext};
use crate::figure::Figure;
use crate::link::{Connection, EngineCommand};
use crate::session::Session;
use crate::session::config::Extension;
use crate::session::run::Phase;

/// What the dashboard must do after an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing changed.
    None,
    /// Draw again.
    Redraw,
    /// Send this command to the engine.
    Send(EngineCommand),
    /// End the dashboard: the user leaves.
    Leave,
    /// End the dashboard, to resume the session with a new engine.
    Resume,
    /// End the dashboard, to run more trials of these classification images with a new engine.
    Extend(usize, Extension),
    /// Suspend to the shell.
    Suspend,
    /// Leave the screen and show the view's figure at full resolution.
    Show,
    /// End the dashboard, to compare the session with another.
    Compare,
    /// Write this figure to a file, and report where.
    Export(Figure),
    /// Put this text on the clipboard.
    Copy(String),
}

/// Applies a key: the action bound to it here, or the character it types.
pub fn key(
    state: &mut DashboardState,
    event: &KeyEvent,
    session: &Session,
    theme: &Theme,
) -> Effect {
    let had_news = state.notice.take().is_some();
    // The user goes elsewhere.
    state.awaited = None;
    match (apply(state, event, session, theme), had_news) {
        // Any key clears the last notice.
        (Effect::None, true) => Effect::Redraw,
        (effect, _) => effect,
    }
}

fn apply(state: &mut DashboardState, event: &KeyEvent, session: &Session, theme: &Theme) -> Effect {
    match (possible::action_for_key(event, state), action::typed(event)) {
        (Some(action), _) => update(state, action, session, theme),
        (None, Some(c)) => typed(state, c),
        (None, None) => Effect::None,
    }
}

/// Applies an action.
pub fn update(
    state: &mut DashboardState,
    action: Action,
    session: &Session,
    theme: &Theme,
) -> Effect {
    if !possible::is_possible(action, state, session) {
        if action == Action::ExportFigure {
            state.notice = Some(Notice::failed("this view has no figure to write yet"));
            return Effect::Redraw;
        }
        return Effect::None;
    }
    let again = state.again.take();
    on_run(state, action, session)
        .or_else(|| export_or_copy(state, action, again, session, theme))
        .or_else(|| in_overlay(state, action, session, theme))
        .or_else(|| switch_view(state, action, session, theme))
        .unwrap_or_else(|| in_view(state, action, session, theme))
}

/// Handles actions on the run or the whole dashboard; `None`: another action.
fn on_run(state: &mut DashboardState, action: Action, session: &Session) -> Option<Effect> {
    Some(match action {
        Action::Pause => match session.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Paused(_)) => Effect::Send(EngineCommand::Continue),
            _ => Effect::Send(EngineCommand::Pause),
        },
        Action::StopNow => {
            state.overlay = Overlay::None;
            Effect::Send(EngineCommand::Stop)
        }
        Action::Resume => Effect::Resume,
        Action::Extend => {
            let Some((images, more)) = extend::requested_extension(state, session) else {
                return Some(Effect::None);
            };
            state.overlay = Overlay::None;
            match state.shared.engine_runs(session) {
                true => Effect::Send(EngineCommand::Extend { images, more }),
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

/// Exports or copies from the view; `None`: another action. `again`: the previous export or copy.
fn export_or_copy(
    state: &mut DashboardState,
    action: Action,
    again: Option<RepeatableAction>,
    session: &Session,
    theme: &Theme,
) -> Option<Effect> {
    let verb = match action {
        Action::ExportFigure => RepeatableAction::Export,
        Action::CopyCaption => RepeatableAction::Copy(CopyTarget::Caption),
        Action::CopyCommand => RepeatableAction::Copy(CopyTarget::Command),
        Action::CopyNumber => RepeatableAction::Copy(CopyTarget::Number),
        Action::Again => {
            // Moves to the next class in any case.
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
    // A figure of all classes is the same for the next class.
    let of_all = |figure: &Figure| action == Action::Again && !figure.is_of_a_class();
    if verb == RepeatableAction::Export && figure_in(state, session).as_ref().is_some_and(of_all) {
        state.again = None;
        return Some(Effect::Redraw);
    }
    let effect = match verb {
        RepeatableAction::Export => figure_in(state, session).map(Effect::Export),
        RepeatableAction::Copy(target) => text(state, target, session).map(Effect::Copy),
    };
    Some(effect.unwrap_or_else(|| {
        let class = state.shared.class;
        let name = session.record.class_name(class);
        state.notice = Some(Notice::failed(format!("there is none for class {name}")));
        Effect::Redraw
    }))
}

/// Handles switching and splitting views, and the log; `None`: another action.
fn switch_view(
    state: &mut DashboardState,
    action: Action,
    session: &Session,
    theme: &Theme,
) -> Option<Effect> {
    let (now, views) = (state.view.0, state.entries().len());
    match action {
        Action::SplitView => match state.beside {
            None => {
                state.beside = Some(SecondView {
                    view: ViewId(steps::around(now, 1, views)),
                    left: false,
                });
            }
            Some(second) => state.activate(second.view),
        },
        Action::OneView => state.beside = None,
        Action::NextView => state.activate(ViewId(steps::around(now, 1, views))),
        Action::PreviousView => state.activate(ViewId(steps::around(now, -1, views))),
        Action::View(index) => state.activate(ViewId(index)),
        Action::SwitchLog => state.log = Some(!frame::shows_log(session, state, theme)),
        _ => return None,
    }
    Some(Effect::Redraw)
}

/// Passes an action to the active view or, if it ignores it, to the shared state.
fn in_view(state: &mut DashboardState, action: Action, session: &Session, theme: &Theme) -> Effect {
    let around = ViewContext {
        session,
        theme,
        body: frame::body(session, state, theme),
    };
    let (view, shared) = state.active_view_mut();
    if let (Action::NextExperiment, Some(shown)) = (action, view.experiment_mut()) {
        shown.step(session);
        return Effect::Redraw;
    }
    match view.update(action, shared, &around) {
        Reply::Done => {
            if let Some(shown) = view.experiment_mut() {
                shown.hold(session);
            }
            Effect::Redraw
        }
        Reply::LookCloser => look_closer(state),
        Reply::Ignored => match shared.update(action, session) {
            true => Effect::Redraw,
            false => Effect::None,
        },
    }
}

/// Switches to the first view that can show the chosen class alone.
fn look_closer(state: &mut DashboardState) -> Effect {
    let mut views = state.views.iter_mut();
    let Some(home) = views.position(|open| open.view.look_closer()) else {
        return Effect::None;
    };
    state.activate(ViewId(home));
    Effect::Redraw
}

/// Pasted text: inserted where text is typed, ignored elsewhere. Returns whether it was inserted.
pub fn paste(state: &mut DashboardState, text: &str) -> bool {
    let letters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut typed_any = false;
    for c in letters {
        typed_any |= typed(state, c) == Effect::Redraw;
    }
    typed_any
}

/// Records whether the engine can be reached. A question that only an engine could act on is dismissed.
pub fn connection(state: &mut DashboardState, connection: Connection) {
    let away = connection != Connection::Live;
    state.shared.connection = connection;
    if away && state.overlay == Overlay::Stop {
        state.overlay = Overlay::None;
    }
}

/// A newer state of the session is shown. A question about a run that is over is dismissed: its keys would do
/// nothing.
pub fn renewed(state: &mut DashboardState, session: &Session) {
    state.settle(session);
    state.go_to_awaited(session);
    if state.overlay == Overlay::Stop && !state.shared.engine_runs(session) {
        state.overlay = Overlay::None;
    }
}
