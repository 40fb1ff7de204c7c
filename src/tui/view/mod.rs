//! The views. Each is a folder: what it looks at, what an action does there, and how it is drawn.
//!
//! A view keeps what belongs to it alone, so it is as one left it when one comes back. It draws a
//! [`Scene`], computes nothing but its layout, and knows no other view. A new view is a folder
//! here and a line in [`super::views::VIEWS`].

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

use super::action::{Action, Place};
use super::scene::Scene;
use super::shared::Shared;
use super::start::Start;
use super::theme::Theme;
use crate::figure::Figure;
use crate::session::Session;
use crate::session::record::NoteOn;

/// A line of the table of views.
#[derive(Debug)]
pub struct Entry {
    /// The name on its tab.
    pub name: &'static str,
    /// Least time between two frames that show newer states of the run.
    pub pace: Duration,
    /// Whether the log stands below it where there is room, or only when asked for.
    pub log: Log,
    /// The view as it is at first.
    pub new: fn() -> Box<dyn View>,
}

/// Whether a view has the log below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Where there is room.
    WhereRoom,
    /// When asked for.
    WhenAsked,
}

/// One view: what it looks at is its own.
pub trait View: Any + Debug + Send + Boxed {
    /// Draws it: a pure function of what it looks at, the scene and the place.
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer);

    /// What can be done in it now, as places of the table of actions.
    fn places(&self) -> &'static [Place];

    /// Applies an action. What it does not know, it ignores: then that is for all views to do.
    fn update(&mut self, action: Action, shared: &mut Shared, around: &Around<'_>) -> Reply {
        let _ = (action, shared, around);
        Reply::Ignored
    }

    /// Whether an action of its places can do anything now. It lets others' actions pass.
    fn is_possible(&self, action: Action, session: &Session) -> bool {
        let _ = (action, session);
        true
    }

    /// The figure that shows the same at full resolution, if there is one.
    fn figure(&self, shared: &Shared, session: &Session) -> Option<Figure> {
        let _ = (shared, session);
        None
    }

    /// The names of what can be jumped to in it, by a number or from a list of its own.
    fn names(&self, wanted: Wanted, session: &Session) -> Option<Names> {
        let _ = (wanted, session);
        None
    }

    /// Jumps to one of these names, by its place.
    fn choose(&mut self, wanted: Wanted, at: usize, session: &Session) {
        let _ = (wanted, at, session);
    }

    /// The number that is pointed at, as one would write it down.
    fn number(&self, shared: &Shared, session: &Session) -> Option<String> {
        let _ = (shared, session);
        None
    }

    /// What of a session a note of this view is about.
    fn noted(&self, shared: &Shared, session: &Session) -> NoteOn {
        let _ = (shared, session);
        NoteOn::Session
    }

    /// Where it is, as options of a command line that comes back here.
    fn place(&self, shared: &Shared, session: &Session) -> Start {
        let _ = session;
        Start {
            class: self.is_of_classes().then_some(shared.class),
            ..Start::default()
        }
    }

    /// Goes to such a place.
    ///
    /// # Errors
    /// Why there is none, and which there are.
    fn go_to(&mut self, start: &Start, session: &Session) -> Result<(), String> {
        let _ = (start, session);
        Ok(())
    }

    /// Whether it shows one class, or all with one of them chosen.
    fn is_of_classes(&self) -> bool {
        let classes = [Place::Classes, Place::Sheet, Place::Table, Place::Enlarged];
        self.places().iter().any(|own| classes.contains(own))
    }

    /// Shows the chosen class alone, for somebody who comes from another view; says whether it
    /// does so.
    fn look_closer(&mut self) -> bool {
        false
    }
}

/// What is jumped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A class.
    Class,
    /// A unit of the layer in sight.
    Unit,
    /// One of the list that the view has.
    Listed,
}

/// Names to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// What each of them is: `class`.
    pub what: &'static str,
    /// The names.
    pub all: Vec<String>,
    /// Whether the place of a name, from 0, is its number and stands for it too.
    pub numbered: bool,
    /// The one in sight, by its place.
    pub chosen: usize,
}

/// What a view made of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It does not know it.
    Ignored,
    /// It is done.
    Done,
    /// The chosen class is to be seen alone, in the view that can.
    LookCloser,
}

/// What there is around a view when a key is pressed.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The run.
    pub session: &'a Session,
    /// What the terminal can show.
    pub theme: &'a Theme,
    /// The place that the view is drawn on.
    pub body: Rect,
}

impl<'a> Around<'a> {
    /// What the view draws now.
    pub fn scene<'b>(&self, shared: &'b Shared) -> Scene<'b>
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

/// A view that can be copied behind its trait: every view that can be cloned.
pub trait Boxed {
    /// A copy.
    fn boxed(&self) -> Box<dyn View>;
}

impl<T: View + Clone> Boxed for T {
    fn boxed(&self) -> Box<dyn View> {
        Box::new(self.clone())
    }
}
