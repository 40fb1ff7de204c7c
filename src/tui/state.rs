//! [`State`], the viewer's state: the views, each with its own state, the state they share, and the overlay.
//! The caller supplies the views.

use std::any::Any;
use std::path::{Path, PathBuf};

use super::shared::Shared;
use super::view::{Entry, View, Wanted};
use crate::link::Connection;
use crate::session::record::NoteOn;

/// The viewer's state.
#[derive(Debug, Clone)]
pub struct State {
    /// The state that all views share.
    pub shared: Shared,
    /// The active view; of two, the one that receives keys.
    pub view: ViewId,
    /// The view beside it.
    pub beside: Option<Beside>,
    /// Every view, in the table's order.
    pub(super) views: Vec<Open>,
    /// The command with which a shell calls this program for these sessions.
    pub program: &'static str,
    /// Whether the log is shown; `None`: if there is room.
    pub log: Option<bool>,
    /// The overlay above the view.
    pub overlay: Overlay,
    /// The input of the command palette.
    pub palette: Palette,
    /// The input of the jump prompt.
    pub jump: Palette,
    /// The input of the prompt for a number of trials.
    pub extend: Palette,
    /// The input of the note prompt.
    pub note: Palette,
    /// The subject of that note, fixed when it was begun.
    pub noted: NoteOn,
    /// The search text in the list of keys.
    pub keys_found: Palette,
    /// The result of the last action, until the next key.
    pub news: Option<News>,
    /// The last repeatable action, for the next class.
    pub again: Option<Verb>,
}

/// The view beside the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The view.
    pub view: ViewId,
    /// Whether it is on the left.
    pub left: bool,
}

/// The result of an action, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The line.
    pub words: String,
    /// Whether it failed.
    pub failed: bool,
}

impl News {
    /// A success.
    pub fn done(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            failed: false,
        }
    }

    /// A failure.
    pub fn failed(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            failed: true,
        }
    }
}

impl News {
    /// The result of writing a file: its name first, since the line may be too short for the whole path.
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

/// An action that can be repeated for the next class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write the figure.
    Export,
    /// Copy something of it.
    Copy(Copied),
}

/// What is copied from a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Its caption.
    Caption,
    /// The command line that shows it again.
    Command,
    /// The number under the cursor.
    Number,
}

/// A view, by its index in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(pub usize);

/// A view with its state.
#[derive(Debug)]
pub(super) struct Open {
    /// Its row of the table.
    pub entry: &'static Entry,
    /// The view.
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

/// A typed text and the selection among its matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// The text.
    pub typed: String,
    /// Index of the selected match.
    pub chosen: usize,
}

/// The overlay above the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    None,
    /// The keys, from this line on.
    Help(usize),
    /// The prompt for searching the keys.
    FindKeys,
    /// The palette of commands.
    Palette,
    /// The prompt for jumping to an item of a list.
    Jump(Wanted),
    /// The texts that can be copied.
    Copy,
    /// The prompt for a note.
    Note,
    /// The question whether to stop the run.
    Stop,
    /// The prompt for a number of trials.
    Extend,
}

impl State {
    /// The initial state for a session, with the first of these views active.
    ///
    /// # Panics
    /// If `views` is empty.
    pub fn new(connection: Connection, views: &'static [Entry]) -> Self {
        assert!(!views.is_empty(), "there must be at least one view");
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

    /// The active view's row of the table.
    pub fn view(&self) -> &'static Entry {
        self.views[self.index()].entry
    }

    /// The rows of the table, in its order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &'static Entry> {
        self.views.iter().map(|open| open.entry)
    }

    /// The active view.
    pub(super) fn in_sight(&self) -> &dyn View {
        &*self.views[self.index()].view
    }

    /// The view beside the active one.
    pub(super) fn other(&self) -> Option<(&'static Entry, &dyn View)> {
        let last = self.views.len() - 1;
        let open = &self.views[self.beside?.view.0.min(last)];
        Some((open.entry, &*open.view))
    }

    /// The active view, and the shared state.
    pub(super) fn in_sight_mut(&mut self) -> (&mut dyn View, &mut Shared) {
        let index = self.index();
        (&mut *self.views[index].view, &mut self.shared)
    }

    fn index(&self) -> usize {
        self.view.0.min(self.views.len() - 1)
    }

    /// The view of this type, if the table has it.
    pub fn of<T: View>(&self) -> Option<&T> {
        let views = self.views.iter();
        let mut views = views.map(|open| &*open.view as &dyn Any);
        views.find_map(<dyn Any>::downcast_ref)
    }

    /// The same, mutably.
    pub fn of_mut<T: View>(&mut self) -> Option<&mut T> {
        let views = self.views.iter_mut();
        let mut views = views.map(|open| &mut *open.view as &mut dyn Any);
        views.find_map(<dyn Any>::downcast_mut)
    }
}
