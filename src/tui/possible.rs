//! What is possible in the viewer's current place, read from the table of actions.

use crossterm::event::KeyEvent;

use super::action::{self, Action, Binding, KeyContext};
use super::copying::{figure_in, text};
use super::form;
use super::overlay::{extend, jump};
use super::picture;
use super::shared::SharedState;
use super::size::Size;
use super::state::{CopyTarget, DashboardState, Overlay};
use super::theme::Theme;
use super::view::{JumpKind, View, ViewEntry};
use crate::link::Connection;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::run::Phase;

/// The viewer's current places.
pub fn contexts(state: &DashboardState) -> Vec<KeyContext> {
    let places = match state.overlay {
        Overlay::Help(_) => vec![KeyContext::Help],
        Overlay::Stop => vec![KeyContext::Question],
        Overlay::Palette => vec![KeyContext::Palette],
        Overlay::FindKeys => vec![KeyContext::Filter],
        Overlay::Jump(_) => vec![KeyContext::Jump],
        Overlay::Copy => vec![KeyContext::Copying],
        Overlay::Note => vec![KeyContext::Noting],
        Overlay::Extend => vec![KeyContext::Extending],
        Overlay::None => return places_below(state),
    };
    [places, vec![KeyContext::Everywhere]].concat()
}

/// The places that would apply without an overlay.
fn places_below(state: &DashboardState) -> Vec<KeyContext> {
    let places = state.active_view().contexts();
    [places, &[KeyContext::Views, KeyContext::Everywhere]].concat()
}

/// The rows of the table that apply now, in its order.
pub fn available(state: &DashboardState) -> impl Iterator<Item = &'static Binding> {
    action::available_at(state.shared.keys, contexts(state))
}

/// The action of this key in the current places.
pub fn action_for_key(event: &KeyEvent, state: &DashboardState) -> Option<Action> {
    action::action_for_key(event, state.shared.keys, contexts(state))
}

/// Whether an action is possible now: pausing and stopping need a running engine.
pub fn is_possible(action: Action, state: &DashboardState, session: &Session) -> bool {
    let shared = &state.shared;
    match action {
        Action::Pause => {
            let phase = session.run.as_ref().map(|run| &run.phase);
            let can_pause = matches!(phase, Some(Phase::Working(_) | Phase::Paused(_)));
            can_pause && shared.engine_runs(session)
        }
        Action::AskStop | Action::StopNow => shared.engine_runs(session),
        Action::Resume => shared.can_resume(session),
        // A running engine takes the request; otherwise a new one does. An engine that has finished and is
        // about to exit no longer listens.
        Action::OpenExtend | Action::Extend => {
            extend::is_possible(shared, session) && shared.can_extend(session)
        }
        Action::ExportFigure => figure_in(state, session).is_some(),
        Action::CopyCaption => text(state, CopyTarget::Caption, session).is_some(),
        Action::CopyCommand => text(state, CopyTarget::Command, session).is_some(),
        Action::CopyNumber => text(state, CopyTarget::Number, session).is_some(),
        Action::OpenNote | Action::WriteNote => matches!(
            shared.connection,
            Connection::Live | Connection::Lost(_) | Connection::ReadOnly
        ),
        Action::OpenJump => jump::names(state, JumpKind::Class, session).is_some(),
        Action::OpenUnit => jump::names(state, JumpKind::Unit, session).is_some(),
        Action::OpenFind => found_in(state, session).is_some(),
        Action::SplitView => shared.size.width >= Size::OF_TWO,
        Action::OneView => state.beside.is_some(),
        Action::Freeze => shared.frozen.is_some() || shared.engine_runs(session),
        Action::ShowFigure => picture::AVAILABLE && figure_in(state, session).is_some(),
        Action::NextExperiment => has_several(state, session),
        // Those shown may have no maps yet where the next ones do.
        Action::NextImages => shared.is_possible(action, session),
        Action::View(index) => index < state.views.len(),
        Action::Compare => session.trials().0 > 0,
        _ => shared.is_possible(action, session) && of_views(action, state, session),
    }
}

/// The list to search in the active view: its own, else the classes.
pub fn found_in(state: &DashboardState, session: &Session) -> Option<JumpKind> {
    let mut lists = [JumpKind::Item, JumpKind::Class].into_iter();
    lists.find(|&kind| jump::names(state, kind, session).is_some())
}

/// Whether there are several experiments of the active view's kind or, in a view of no kind, of any, for the list of
/// keys.
fn has_several(state: &DashboardState, session: &Session) -> bool {
    let several = |view: &dyn View| {
        let shown = view.experiment();
        shown.is_some_and(|shown| shown.position(session).1 > 1)
    };
    let in_sight = state.active_view();
    match is_of(Action::NextExperiment, in_sight) {
        true => several(in_sight),
        false => state.views.iter().any(|open| several(&*open.view)),
    }
}

/// Whether an action is one of a view's.
fn is_of(action: Action, view: &dyn View) -> bool {
    let places = action::contexts_of(action);
    view.contexts().iter().any(|place| places.contains(place))
}

/// Whether there is anything of what a view shows. A view of an experiment that is not in the plan or has not begun has
/// nothing that its keys could change.
fn has_subject(view: &dyn View, shared: &SharedState, session: &Session) -> bool {
    let of_maps = [KeyContext::Sheet, KeyContext::Table, KeyContext::Enlarged];
    match view.experiment() {
        Some(shown) => shown.has_begun(session),
        None if view.contexts().iter().any(|place| of_maps.contains(place)) => {
            shared.has_maps(session)
        }
        None => true,
    }
}

/// Whether a view has something that this action of its places could change.
fn allows(action: Action, view: &dyn View, shared: &SharedState, session: &Session) -> bool {
    has_subject(view, shared, session) && view.is_possible(action, shared, session)
}

/// Whether the views allow an action: the active one if it is one of its actions, else any other that has it, for the
/// list of keys.
fn of_views(action: Action, state: &DashboardState, session: &Session) -> bool {
    let (in_sight, shared) = (state.active_view(), &state.shared);
    if is_of(action, in_sight) {
        return allows(action, in_sight, shared, session);
    }
    let views = state.views.iter().map(|open| &*open.view);
    let mut others = views.filter(|view| is_of(action, *view)).peekable();
    others.peek().is_none() || others.any(|view| allows(action, view, shared, session))
}

/// Above this number, classes are seldom all visible.
const MANY: usize = 12;

/// A footer word adapted to the current state, in characters the terminal can show; empty: omit it.
pub fn word(
    short: &'static str,
    state: &DashboardState,
    session: &Session,
    theme: &Theme,
) -> &'static str {
    let phase = session.run.as_ref().map(|run| &run.phase);
    match (short, phase) {
        ("γ", _) => theme.glyphs.gamma,
        ("pause", Some(Phase::Paused(_))) => "resume",
        // With one class and one unit there is nothing to step through.
        ("class", _) if form::classes(session) < 2 => "",
        // Where all classes are visible, jumping need not be offered.
        ("jump", _) if form::classes(session) <= MANY => "",
        ("evidence", _) => {
            let images = state.shared.current_images(session);
            match images.map(|images| state.shared.current_response(images)) {
                Some(Response::Evidence) => "decisions",
                _ => short,
            }
        }
        ("two views", _) if state.beside.is_some() => "the other view",
        ("hold", _) if state.shared.frozen.is_some() => "follow",
        // While a run is active, only the list of keys shows what matters less than navigation.
        ("hold" | "more trials", _) if state.shared.engine_runs(session) => "",
        ("leave", _) if state.shared.engine_runs(session) => "leave (run continues)",
        _ => short,
    }
}

/// One line of the command palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteCommand {
    /// The action.
    pub action: Action,
    /// What it does.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
    /// Its shorter names, by which it can be found too.
    short: String,
}

/// The palette's commands in the current place: all possible actions whose description contains every word of
/// `typed`.
pub fn fitting(typed: &str, state: &DashboardState, session: &Session) -> Vec<PaletteCommand> {
    let rows = action::available_at(state.shared.keys, places_below(state))
        .filter(|row| is_possible(row.action, state, session));
    let entries: Vec<&ViewEntry> = state.entries().collect();
    named(typed, rows, &entries)
}

/// Rows of the table as palette lines, with these views: those whose descriptions or short names contain
/// every word of `typed`.
pub fn named(
    typed: &str,
    rows: impl Iterator<Item = &'static Binding>,
    views: &[&ViewEntry],
) -> Vec<PaletteCommand> {
    let typed = typed.to_lowercase();
    let fits = |command: &PaletteCommand| {
        let names = format!("{} {}", command.name, command.short).to_lowercase();
        typed.split_whitespace().all(|word| names.contains(word))
    };
    rows.filter(|row| !matches!(row.action, Action::OpenPalette | Action::Interrupt))
        .flat_map(|row| commands(row, views))
        .filter(fits)
        .collect()
}

/// A row of the table as palette lines: one, or one for each view.
fn commands(row: &'static Binding, views: &[&ViewEntry]) -> Vec<PaletteCommand> {
    if row.action == Action::View(0) {
        let view = |(index, entry): (usize, &&ViewEntry)| PaletteCommand {
            action: Action::View(index),
            name: format!("the view {}", entry.name),
            keys: ((index + 1) % 10).to_string(),
            short: String::new(),
        };
        return views.iter().enumerate().map(view).collect();
    }
    let keys = row.keys.iter().map(|key| key.label(views.len()));
    vec![PaletteCommand {
        action: row.action,
        name: row.help.into(),
        keys: keys.collect::<Vec<String>>().join(" "),
        short: format!("{} {}", row.short, row.action.name()),
    }]
}
