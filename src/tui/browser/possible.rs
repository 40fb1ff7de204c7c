//! Which actions are possible in the list of sessions now, read from the table of actions.

use super::form::Pilot;
use super::list::{Browser, Mode};
use super::row::Row;
use crate::report::Standing;
use crate::tui::action::{self, Action, Binding, Place};
use crate::tui::possible::{self, Command};

impl Browser {
    /// The places of the table of actions that apply now.
    pub fn places(&self) -> Vec<Place> {
        let place = match self.mode {
            Mode::List => Place::Sessions,
            Mode::Filter => Place::Filter,
            Mode::Form(_) => Place::Form,
            Mode::Deleting(ref question) if question.is_typed => Place::DeletingByName,
            Mode::Deleting(_) => Place::Deleting,
            Mode::Stopping(_) => Place::Question,
            Mode::Palette(_) => Place::Palette,
            Mode::Help(_) => Place::Help,
        };
        vec![place, Place::Everywhere]
    }

    /// Whether the chosen session's run is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.chosen()
            .is_some_and(|(_, row)| row.standing == Standing::Paused)
    }

    /// The rows of the table whose action is possible now.
    pub(super) fn possible(&self) -> impl Iterator<Item = &'static Binding> {
        action::available_at(self.keys, self.places()).filter(|row| self.is_possible(row.action))
    }

    /// The palette's commands: what is possible in the list and whose description contains every word of
    /// `typed`.
    pub(super) fn commands(&self, typed: &str) -> Vec<Command> {
        let places = vec![Place::Sessions, Place::Everywhere];
        let rows = action::available_at(self.keys, places);
        let rows = rows.filter(|row| self.is_possible(row.action));
        possible::named(typed, rows, &[])
    }

    pub(super) fn is_possible(&self, action: Action) -> bool {
        let chosen = self.chosen().map(|(_, row)| row);
        match action {
            Action::OpenRow => chosen.is_some(),
            Action::RowUp
            | Action::RowDown
            | Action::FirstRow
            | Action::LastRow
            | Action::RowsAbove
            | Action::RowsBelow => self.shown().len() > 1,
            // While choosing a session to compare with, nothing else is possible.
            Action::ResumeRow
            | Action::AskDelete
            | Action::NewSession
            | Action::Compare
            | Action::PauseRow
            | Action::AskStopRow
            | Action::ExtendRow
            | Action::ExportFigure
            | Action::OpenCopy
                if self.list.against.is_some() =>
            {
                false
            }
            Action::Compare => chosen.is_some_and(|row| row.done > 0),
            Action::ResumeRow => chosen.is_some_and(Row::can_resume),
            Action::PauseRow => chosen.is_some_and(|row| {
                row.pid.is_some() && matches!(row.standing, Standing::Running | Standing::Paused)
            }),
            Action::AskStopRow => chosen.is_some_and(|row| row.pid.is_some()),
            Action::ExtendRow => chosen.is_some_and(Row::can_extend),
            Action::AgainRow => self.shown().len() > 1,
            // The list of keys is short enough here to need no search.
            Action::FindKeys => false,
            Action::ExportFigure => chosen.is_some_and(|row| row.done > 0),
            Action::OpenCopy => chosen.is_some(),
            Action::AskDelete => chosen.is_some_and(|row| !row.is_running()),
            Action::NewSession => !self.presets.is_empty() && self.rows.is_some(),
            Action::Filter => !self.all().is_empty(),
            Action::ClearFilter => self.mode == Mode::Filter || !self.list.filter.is_empty(),
            Action::DeleteNow | Action::DeleteNamed => match &self.mode {
                Mode::Deleting(question) => question.may_delete(),
                _ => false,
            },
            Action::Make => match &self.mode {
                Mode::Form(form) => {
                    form.problem(self.all()).is_none() && form.pilot != Pilot::Running
                }
                _ => false,
            },
            _ => true,
        }
    }
}
