//! What can be done where the viewer is now, read from the table of actions.

use crossterm::event::KeyEvent;

use super::action::{self, Action, Binding, Place};
use super::form;
use super::overlay::{extend, jump};
use super::picture;
use super::size::Size;
use super::state::{Copied, Overlay, State};
use super::takeaway::{figure_in, text};
use super::theme::Theme;
use super::view::{Entry, Wanted};
use crate::link::Connection;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::run::Phase;

/// Where the viewer is now.
pub fn places(state: &State) -> Vec<Place> {
    let own = match state.overlay {
        Overlay::Help(_) => vec![Place::Help],
        Overlay::Stop => vec![Place::Question],
        Overlay::Palette => vec![Place::Palette],
        Overlay::FindKeys => vec![Place::Filter],
        Overlay::Jump(_) => vec![Place::Jump],
        Overlay::Copy => vec![Place::Copying],
        Overlay::Note => vec![Place::Noting],
        Overlay::Extend => vec![Place::Extending],
        Overlay::None => return places_below(state),
    };
    [own, vec![Place::Everywhere]].concat()
}

/// Where the viewer would be if nothing lay over the view.
fn places_below(state: &State) -> Vec<Place> {
    let own = state.in_sight().places();
    [own, &[Place::Views, Place::Everywhere]].concat()
}

/// The rows of the table that are there now, in its order.
pub fn available(state: &State) -> impl Iterator<Item = &'static Binding> {
    action::available_at(state.shared.keys, places(state))
}

/// What this key does where the viewer is now.
pub fn of_key(event: &KeyEvent, state: &State) -> Option<Action> {
    action::of_key_at(event, state.shared.keys, places(state))
}

/// Whether an action can do anything now: pausing and stopping need an engine at work.
pub fn is_possible(action: Action, state: &State, session: &Session) -> bool {
    let shared = &state.shared;
    match action {
        Action::Pause => {
            let phase = session.run.as_ref().map(|run| &run.phase);
            let there = matches!(phase, Some(Phase::Working(_) | Phase::Paused(_)));
            there && shared.engine_runs(session)
        }
        Action::AskStop | Action::StopNow => shared.engine_runs(session),
        Action::Resume => shared.can_resume(session),
        // A running engine takes it; where none runs, a new one goes on. One that has finished and is
        // about to end does not listen any more.
        Action::OpenExtend | Action::Extend => {
            extend::is_possible(shared, session) && shared.can_extend(session)
        }
        Action::ExportFigure => figure_in(state, session).is_some(),
        Action::CopyCaption => text(state, Copied::Caption, session).is_some(),
        Action::CopyCommand => text(state, Copied::Command, session).is_some(),
        Action::CopyNumber => text(state, Copied::Number, session).is_some(),
        Action::OpenNote | Action::WriteNote => matches!(
            shared.connection,
            Connection::Live | Connection::Lost(_) | Connection::ReadOnly
        ),
        Action::OpenJump => jump::names(state, Wanted::Class, session).is_some(),
        Action::OpenUnit => jump::names(state, Wanted::Unit, session).is_some(),
        Action::OpenFind => found_in(state, session).is_some(),
        Action::SplitView => shared.size.width >= Size::OF_TWO,
        Action::OneView => state.beside.is_some(),
        Action::Freeze => shared.frozen.is_some() || shared.engine_runs(session),
        Action::ShowFigure => picture::AVAILABLE && figure_in(state, session).is_some(),
        Action::View(index) => index < state.views.len(),
        Action::Compare => session.trials().0 > 0,
        _ => shared.is_possible(action, session) && of_views(action, state, session),
    }
}

/// The list that is searched in the view in sight: its own, else the classes.
pub fn found_in(state: &State, session: &Session) -> Option<Wanted> {
    let mut lists = [Wanted::Listed, Wanted::Class].into_iter();
    lists.find(|&wanted| jump::names(state, wanted, session).is_some())
}

/// Whether the views let an action pass: the one in sight where it is one of its actions, else
/// all, for the list of keys.
fn of_views(action: Action, state: &State, session: &Session) -> bool {
    let places = action::places_of(action);
    let in_sight = state.in_sight();
    match in_sight.places().iter().any(|own| places.contains(own)) {
        true => in_sight.is_possible(action, session),
        false => {
            let mut views = state.views.iter();
            views.all(|open| open.view.is_possible(action, session))
        }
    }
}

/// More classes than this are seldom all in sight.
const MANY: usize = 12;

/// A footer's word as it is now, in what the terminal can write; none where it can do without.
pub fn word(short: &'static str, state: &State, session: &Session, theme: &Theme) -> &'static str {
    let phase = session.run.as_ref().map(|run| &run.phase);
    match (short, phase) {
        ("γ", _) => theme.glyphs.gamma,
        ("pause", Some(Phase::Paused(_))) => "go on",
        // With one class and one unit there is nothing to step through.
        ("class", _) if form::classes(session) < 2 => "",
        // Where all classes are in sight, nobody needs to be told of a jump.
        ("jump", _) if form::classes(session) <= MANY => "",
        ("evidence", _) => {
            let images = state.shared.images_in(session);
            match images.map(|images| state.shared.response_in(images)) {
                Some(Response::Evidence) => "decisions",
                _ => short,
            }
        }
        ("two views", _) if state.beside.is_some() => "the other view",
        ("hold", _) if state.shared.frozen.is_some() => "follow",
        // What matters less than where one is goes to the list of keys while a run is at work.
        ("hold" | "more trials", _) if state.shared.engine_runs(session) => "",
        ("leave", _) if state.shared.engine_runs(session) => "leave (the run goes on)",
        _ => short,
    }
}

/// One line of the palette of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What it is.
    pub action: Action,
    /// What it does.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
    /// Its shorter names, by which it is found too.
    short: String,
}

/// What the palette offers where the viewer is now: all that can do something and has every word
/// of `typed` in what it does.
pub fn fitting(typed: &str, state: &State, session: &Session) -> Vec<Command> {
    let rows = action::available_at(state.shared.keys, places_below(state))
        .filter(|row| is_possible(row.action, state, session));
    let entries: Vec<&Entry> = state.entries().collect();
    named(typed, rows, &entries)
}

/// Rows of the table as lines of a palette where there are these views: those that have every word of
/// `typed` in what they do, or in their short names.
pub fn named(
    typed: &str,
    rows: impl Iterator<Item = &'static Binding>,
    views: &[&Entry],
) -> Vec<Command> {
    let typed = typed.to_lowercase();
    let fits = |command: &Command| {
        let own = format!("{} {}", command.name, command.short).to_lowercase();
        typed.split_whitespace().all(|word| own.contains(word))
    };
    rows.filter(|row| !matches!(row.action, Action::OpenPalette | Action::Interrupt))
        .flat_map(|row| commands(row, views))
        .filter(fits)
        .collect()
}

/// A row of the table as lines of the palette: one, or one for each view.
fn commands(row: &'static Binding, views: &[&Entry]) -> Vec<Command> {
    if row.action == Action::View(0) {
        let view = |(index, entry): (usize, &&Entry)| Command {
            action: Action::View(index),
            name: format!("the view {}", entry.name),
            keys: ((index + 1) % 10).to_string(),
            short: String::new(),
        };
        return views.iter().enumerate().map(view).collect();
    }
    let keys = row.keys.iter().map(|key| key.label(views.len()));
    vec![Command {
        action: row.action,
        name: row.help.into(),
        keys: keys.collect::<Vec<String>>().join(" "),
        short: format!("{} {}", row.short, row.action.name()),
    }]
}
