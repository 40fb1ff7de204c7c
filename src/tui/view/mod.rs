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
use super::theme::Theme;
use crate::figure::Figure;
use crate::session::Session;

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

    /// Shows the chosen class alone, for somebody who comes from another view; says whether it
    /// does so.
    fn look_closer(&mut self) -> bool {
        false
    }
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
