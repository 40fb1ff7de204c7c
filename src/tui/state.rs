//! [`DashboardState`], the viewer's state: the views, each with its own state, the state they share, and the overlay.
//! The caller supplies the views.

use std::any::Any;
use std::path::{Path, PathBuf};

use super::location::Location;
use super::shared::SharedState;
use super::view::{JumpKind, View, ViewEntry};
use crate::link::Connection;
use crate::session::Session;
use crate::session::record::NoteTarget;

/// The viewer's state.
#[derive(Debug, Clone)]
pub struct DashboardState {
    /// The state that all views share.
    pub shared: SharedState,
    /// The active view; of two, the one that receives keys.
    pub view: ViewId,
    /// The view beside it.
    pub beside: Option<SecondView>,
    /// Every view, in the table's order.
    pub(super) views: Vec<OpenView>,
    /// Whether the log is shown; `None`: if there is room.
    pub log: Option<bool>,
    /// The overlay above the view.
    pub overlay: Overlay,
    /// The input of the command palette.
    pub palette: PickerState,
    /// The input of the jump prompt.
    pub jump: PickerState,
    /// The input of the prompt for a number of trials.
    pub extend: PickerState,
    /// The input of the note prompt.
    pub note: PickerState,
    /// The subject of that note, fixed when it was begun.
    pub note_subject: NoteTarget,
    /// The search text in the list of keys.
    pub key_search: PickerState,
    /// The result of the last action, until the next key.
    pub notice: Option<Notice>,
    /// The last repeatable action, for the next class.
    pub again: Option<RepeatableAction>,
    /// Where to go as soon as the run has got that far.
    pub awaited: Option<Location>,
}

/// The view beside the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondView {
    /// The view.
    pub view: ViewId,
    /// Whether it is on the left.
    pub left: bool,
}

/// What has become of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionOutcome {
    /// It was done.
    Done,
    /// It is done as soon as it can be.
    Awaited,
    /// It failed.
    Failed,
}

/// What has become of an action, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The line.
    pub words: String,
    /// The outcome.
    pub outcome: ActionOutcome,
}

impl Notice {
    /// A success.
    pub fn done(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            outcome: ActionOutcome::Done,
        }
    }

    /// Something that is done as soon as it can be.
    pub fn awaited(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            outcome: ActionOutcome::Awaited,
        }
    }

    /// A figure is being written.
    pub fn writing() -> Self {
        Self::awaited("writing the figure")
    }

    /// A failure.
    pub fn failed(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            outcome: ActionOutcome::Failed,
        }
    }

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
pub enum RepeatableAction {
    /// Write the figure.
    Export,
    /// Copy something of it.
    Copy(CopyTarget),
}

/// What is copied from a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyTarget {
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
pub(super) struct OpenView {
    /// Its row of the table.
    pub entry: &'static ViewEntry,
    /// The view.
    pub view: Box<dyn View>,
}

impl Clone for OpenView {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry,
            view: self.view.boxed(),
        }
    }
}

/// A typed text and the selection among its matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PickerState {
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
    Jump(JumpKind),
    /// The texts that can be copied.
    Copy,
    /// The prompt for a note.
    Note,
    /// The question whether to stop the run.
    Stop,
    /// The prompt for a number of trials.
    Extend,
}

impl DashboardState {
    /// The initial state for a session, with the first of these views active.
    ///
    /// # Panics
    /// If `views` is empty.
    pub fn new(connection: Connection, views: &'static [ViewEntry]) -> Self {
        assert!(!views.is_empty(), "there must be at least one view");
        let open = |entry: &'static ViewEntry| OpenView {
            entry,
            view: (entry.new)(),
        };
        Self {
            shared: SharedState::new(connection),
            view: ViewId(0),
            beside: None,
            views: views.iter().map(open).collect(),
            log: None,
            overlay: Overlay::None,
            palette: PickerState::default(),
            jump: PickerState::default(),
            extend: PickerState::default(),
            note: PickerState::default(),
            note_subject: NoteTarget::Session,
            key_search: PickerState::default(),
            notice: None,
            again: None,
            awaited: None,
        }
    }

    /// The active view's row of the table.
    pub fn view(&self) -> &'static ViewEntry {
        self.views[self.index()].entry
    }

    /// The rows of the table, in its order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &'static ViewEntry> {
        self.views.iter().map(|open| open.entry)
    }

    /// The active view.
    pub(super) fn active_view(&self) -> &dyn View {
        &*self.views[self.index()].view
    }

    /// The view beside the active one.
    pub(super) fn second_view(&self) -> Option<(&'static ViewEntry, &dyn View)> {
        let last = self.views.len() - 1;
        let open = &self.views[self.beside?.view.0.min(last)];
        Some((open.entry, &*open.view))
    }

    /// Makes a view active. If it is beside the active one, both keep their positions: a view is never shown
    /// twice.
    pub(super) fn activate(&mut self, view: ViewId) {
        let active = std::mem::replace(&mut self.view, view);
        if let Some(second) = &mut self.beside
            && second.view == view
            && active != view
        {
            *second = SecondView {
                view: active,
                left: !second.left,
            };
        }
    }

    /// Shows a newer state of the session: the shared state and the views follow the run.
    pub fn settle(&mut self, session: &Session) {
        self.shared.settle(session);
        for open in &mut self.views {
            if let Some(shown) = open.view.experiment_mut() {
                shown.follow(session);
            }
        }
    }

    /// The active view, and the shared state.
    pub(super) fn active_view_mut(&mut self) -> (&mut dyn View, &mut SharedState) {
        let index = self.index();
        (&mut *self.views[index].view, &mut self.shared)
    }

    fn index(&self) -> usize {
        self.view.0.min(self.views.len() - 1)
    }

    /// The view of this type, if the table has it.
    pub fn view_of<T: View>(&self) -> Option<&T> {
        let views = self.views.iter();
        let mut views = views.map(|open| &*open.view as &dyn Any);
        views.find_map(<dyn Any>::downcast_ref)
    }

    /// The same, mutably.
    pub fn view_of_mut<T: View>(&mut self) -> Option<&mut T> {
        let views = self.views.iter_mut();
        let mut views = views.map(|open| &mut *open.view as &mut dyn Any);
        views.find_map(<dyn Any>::downcast_mut)
    }
}
