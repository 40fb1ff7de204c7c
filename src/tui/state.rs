//! What the viewer looks at: the views with what belongs to each, what they share, and what lies
//! over them. Which views there are is told from outside.

use std::any::Any;

use super::shared::Shared;
use super::view::{Entry, View};
use crate::link::Connection;

/// What the viewer looks at.
#[derive(Debug, Clone)]
pub struct State {
    /// What all views look at.
    pub shared: Shared,
    /// The view in sight.
    pub view: ViewId,
    /// Every view, in the order of the table.
    pub(super) views: Vec<Open>,
    /// Whether the log is shown; `None`: where there is room.
    pub log: Option<bool>,
    /// What lies over the view.
    pub overlay: Overlay,
    /// What is typed into the palette of commands.
    pub palette: Palette,
    /// What is typed to jump to a class.
    pub jump: Palette,
    /// What is typed as a number of trials.
    pub extend: Palette,
}

/// A view by its place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(pub usize);

/// A view with what it looks at.
#[derive(Debug)]
pub(super) struct Open {
    /// Its line of the table.
    pub entry: &'static Entry,
    /// Itself.
    pub view: Box<dyn View>,
}

impl Clone for Open {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry,
            view: self.view.boxed(),
        }
    }
}

/// What is typed, and what is chosen among that which fits it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// The text.
    pub typed: String,
    /// Which of the entries that fit it is chosen, from 0.
    pub chosen: usize,
}

/// What lies over the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    None,
    /// The keys, from this line on.
    Help(usize),
    /// The palette of commands.
    Palette,
    /// The line where a class is typed to jump to.
    Jump,
    /// Whether to stop the run.
    Stop,
    /// The line where a number of trials is typed.
    Extend,
}

impl State {
    /// The first look at a session, at the first of these views.
    ///
    /// # Panics
    /// Without a view.
    pub fn new(connection: Connection, views: &'static [Entry]) -> Self {
        assert!(!views.is_empty(), "there is a view to look at");
        let open = |entry: &'static Entry| Open {
            entry,
            view: (entry.new)(),
        };
        Self {
            shared: Shared::new(connection),
            view: ViewId(0),
            views: views.iter().map(open).collect(),
            log: None,
            overlay: Overlay::None,
            palette: Palette::default(),
            jump: Palette::default(),
            extend: Palette::default(),
        }
    }

    /// The line of the table of the view in sight.
    pub fn view(&self) -> &'static Entry {
        self.views[self.at()].entry
    }

    /// The lines of the table, in its order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &'static Entry> {
        self.views.iter().map(|open| open.entry)
    }

    /// The view in sight.
    pub(super) fn in_sight(&self) -> &dyn View {
        &*self.views[self.at()].view
    }

    /// The view in sight, and what it shares with the others.
    pub(super) fn in_sight_mut(&mut self) -> (&mut dyn View, &mut Shared) {
        let at = self.at();
        (&mut *self.views[at].view, &mut self.shared)
    }

    fn at(&self) -> usize {
        self.view.0.min(self.views.len() - 1)
    }

    /// The view of this kind with what it looks at, if it is one of the table.
    pub fn of<T: View>(&self) -> Option<&T> {
        let views = self.views.iter();
        let mut views = views.map(|open| &*open.view as &dyn Any);
        views.find_map(<dyn Any>::downcast_ref)
    }

    /// The same, to change it.
    pub fn of_mut<T: View>(&mut self) -> Option<&mut T> {
        let views = self.views.iter_mut();
        let mut views = views.map(|open| &mut *open.view as &mut dyn Any);
        views.find_map(<dyn Any>::downcast_mut)
    }
}
