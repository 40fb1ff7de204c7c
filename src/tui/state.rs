//! What the viewer looks at: the views with what belongs to each, what they share, and what lies
//! over them. Which views there are is told from outside.

use std::any::Any;
use std::path::{Path, PathBuf};

use super::shared::Shared;
use super::view::{Entry, View, Wanted};
use crate::link::Connection;
use crate::session::record::NoteOn;

/// What the viewer looks at.
#[derive(Debug, Clone)]
pub struct State {
    /// What all views look at.
    pub shared: Shared,
    /// The view in sight; of two, the one that keys are for.
    pub view: ViewId,
    /// The view beside it.
    pub beside: Option<Beside>,
    /// Every view, in the order of the table.
    pub(super) views: Vec<Open>,
    /// How a shell calls this program for these sessions.
    pub program: &'static str,
    /// Whether the log is shown; `None`: where there is room.
    pub log: Option<bool>,
    /// What lies over the view.
    pub overlay: Overlay,
    /// What is typed into the palette of commands.
    pub palette: Palette,
    /// What is typed to jump to one of a list.
    pub jump: Palette,
    /// What is typed as a number of trials.
    pub extend: Palette,
    /// What is typed as a note.
    pub note: Palette,
    /// What that note is about, from when it was begun.
    pub noted: NoteOn,
    /// What is typed to find a key in the list of keys.
    pub keys_found: Palette,
    /// What came of the last thing that was done, until the next key.
    pub news: Option<News>,
    /// What was done last, for the class after.
    pub again: Option<Verb>,
}

/// The view beside the one that keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Which.
    pub view: ViewId,
    /// Whether it stands on the left.
    pub left: bool,
}

/// What came of something that was done, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The line.
    pub words: String,
    /// Whether it failed.
    pub failed: bool,
}

impl News {
    /// It was done.
    pub fn done(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            failed: false,
        }
    }

    /// It was not.
    pub fn failed(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            failed: true,
        }
    }
}

impl News {
    /// What came of writing a file: its name first, since a line may have no room for all of its path.
    pub fn of_file(written: Result<PathBuf, impl std::fmt::Display>) -> Self {
        match written {
            Ok(path) => {
                let whole = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let folder = whole.parent().unwrap_or(Path::new("/")).display();
                Self::done(format!("wrote {name} in {folder}"))
            }
            Err(error) => Self::failed(error.to_string()),
        }
    }
}

/// What can be done again on the class after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write the figure.
    Export,
    /// Copy something of it.
    Copy(Copied),
}

/// What of a figure is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Its caption.
    Caption,
    /// The command line that shows it again.
    Command,
    /// The number under the cursor.
    Number,
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
    /// The line where a text is typed that keys are found by.
    FindKeys,
    /// The palette of commands.
    Palette,
    /// The line where one of a list is typed to jump to.
    Jump(Wanted),
    /// What can be copied.
    Copy,
    /// The line where a note is typed.
    Note,
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
            beside: None,
            views: views.iter().map(open).collect(),
            program: "noisescope",
            log: None,
            overlay: Overlay::None,
            palette: Palette::default(),
            jump: Palette::default(),
            extend: Palette::default(),
            note: Palette::default(),
            noted: NoteOn::Session,
            keys_found: Palette::default(),
            news: None,
            again: None,
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

    /// The view beside the one that keys are for.
    pub(super) fn other(&self) -> Option<(&'static Entry, &dyn View)> {
        let last = self.views.len() - 1;
        let open = &self.views[self.beside?.view.0.min(last)];
        Some((open.entry, &*open.view))
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
