//! The views. Each is a folder with its state, its actions and its drawing.
//!
//! A view keeps its own state, so returning to it shows it unchanged. It draws a [`Scene`], computes nothing
//! but its layout, and knows no other view. A new view is a folder here and a line in
//! [`super::views::VIEWS`].

pub mod attack;
pub mod audit;
pub mod backdoor;
pub mod filters;
pub mod maps;
pub mod modulation;
pub mod overview;
pub mod predictions;
pub mod shards;
pub mod training;

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::{Action, KeyContext};
use super::experiment::ExperimentChoice;
use super::location::{Location, LocationError};
use super::scene::Scene;
use super::shared::SharedState;
use super::theme::Theme;
use crate::figure::Figure;
use crate::session::Session;
use crate::session::record::NoteTarget;

/// A row of the table of views.
#[derive(Debug)]
pub struct ViewEntry {
    /// The name on its tab.
    pub name: &'static str,
    /// Minimum time between two frames that show newer states of the run.
    pub pace: Duration,
    /// Whether the log is shown below it if there is room, or only on request.
    pub log: Log,
    /// Creates the view in its initial state.
    pub new: fn() -> Box<dyn View>,
}

/// When a view has the log below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// If there is room.
    IfRoom,
    /// On request.
    OnRequest,
}

/// One view, with its own state.
pub trait View: Any + Debug + Send + Boxed {
    /// Draws the view: a pure function of its state, the scene and the area.
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer);

    /// The current places of the table of actions in this view.
    fn contexts(&self) -> &'static [KeyContext];

    /// Applies an action. Unknown actions are ignored and left to the state shared by all views.
    fn update(
        &mut self,
        action: Action,
        shared: &mut SharedState,
        around: &ViewContext<'_>,
    ) -> Reply {
        let _ = (action, shared, around);
        Reply::Ignored
    }

    /// Which experiment it shows, if it is a view of one kind of experiment.
    fn experiment(&self) -> Option<&dyn ExperimentChoice> {
        None
    }

    /// The same, to show another one.
    fn experiment_mut(&mut self) -> Option<&mut dyn ExperimentChoice> {
        None
    }

    /// Whether an action of its places is possible now; true for all other actions.
    fn is_possible(&self, action: Action, shared: &SharedState, session: &Session) -> bool {
        let _ = (action, shared, session);
        true
    }

    /// The figure that shows the same content at full resolution, if there is one.
    fn figure(&self, shared: &SharedState, session: &Session) -> Option<Figure> {
        let _ = (shared, session);
        None
    }

    /// The names of its jump targets, by number or from the view's own list.
    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let _ = (kind, session);
        None
    }

    /// Jumps to one of these names, by its index.
    fn choose(&mut self, kind: JumpKind, index: usize, session: &Session) {
        let _ = (kind, index, session);
    }

    /// The number under the cursor, formatted for copying.
    fn number(&self, shared: &SharedState, session: &Session) -> Option<String> {
        let _ = (shared, session);
        None
    }

    /// The subject of a note made in this view.
    fn note_subject(&self, shared: &SharedState, session: &Session) -> NoteTarget {
        let _ = (shared, session);
        NoteTarget::Session
    }

    /// Its location, as options of a command line that returns here.
    fn location(&self, shared: &SharedState, session: &Session) -> Location {
        let _ = session;
        Location {
            class: self.is_of_classes().then_some(shared.class),
            ..Location::default()
        }
    }

    /// Goes to such a location.
    ///
    /// # Errors
    /// If it does not exist, or not yet.
    fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        let _ = (start, session);
        Ok(())
    }

    /// Whether it shows one class, or all with one of them chosen.
    fn is_of_classes(&self) -> bool {
        let classes = [
            KeyContext::Classes,
            KeyContext::Sheet,
            KeyContext::Table,
            KeyContext::Enlarged,
        ];
        self.contexts().iter().any(|place| classes.contains(place))
    }

    /// Shows the chosen class alone, when coming from another view; returns whether it can.
    fn look_closer(&mut self) -> bool {
        false
    }
}

/// What kind of item to jump to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JumpKind {
    /// A class.
    Class,
    /// A unit of the layer shown.
    Unit,
    /// An item of the view's own list.
    Item,
}

/// Names to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpTargets {
    /// What each item is: `class`.
    pub noun: &'static str,
    /// The names.
    pub all: Vec<String>,
    /// Whether an item can be selected by its index, from 0, as well as by its name.
    pub numbered: bool,
    /// The index of the current item.
    pub chosen: usize,
}

/// A view's response to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The view does not handle it.
    Ignored,
    /// Done.
    Done,
    /// Show the chosen class alone, in the view that can.
    LookCloser,
}

/// The context of a view when a key is pressed.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    /// The session.
    pub session: &'a Session,
    /// What the terminal can show.
    pub theme: &'a Theme,
    /// The area that the view is drawn on.
    pub body: Rect,
}

impl<'a> ViewContext<'a> {
    /// The scene that the view draws.
    pub fn scene<'b>(&self, shared: &'b SharedState) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene {
            session: self.session,
            shared,
            theme: self.theme,
        }
    }
}

/// A view that can be cloned behind its trait: every view that is `Clone`.
pub trait Boxed {
    /// A clone.
    fn boxed(&self) -> Box<dyn View>;
}

impl<T: View + Clone> Boxed for T {
    fn boxed(&self) -> Box<dyn View> {
        Box::new(self.clone())
    }
}
