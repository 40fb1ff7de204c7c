//! Which actions are possible in the list of sessions now, read from the table of actions.

use super::form::PilotState;
use super::list::{Browser, Mode};
use super::row::SessionRow;
use crate::report::SessionStatus;
use crate::tui::action::{self, Action, Binding, KeyContext};
use crate::tui::possible::{self, PaletteCommand};

impl Browser {
    /// The places of the table of actions that apply now.
    pub fn places(&self) -> Vec<KeyContext> {
        let place = match self.mode {
            Mode::List => KeyContext::Sessions,
            Mode::Filter => KeyContext::Filter,
            Mode::Form(_) => KeyContext::Form,
            Mode::Deleting(ref question) if question.is_typed => KeyContext::DeletingByName,
            Mode::Deleting(_) => KeyContext::Deleting,
            Mode::Stopping(_) => KeyContext::Question,
            Mode::Palette(_) => KeyContext::Palette,
            Mode::Help(_) => KeyContext::Help,
        };
        vec![place, KeyContext::Everywhere]
    }

    /// Whether the chosen session's run is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.chosen()
            .is_some_and(|(_, row)| row.standing == SessionStatus::Paused)
    }

    /// The rows of the table whose action is possible now.
    pub(super) fn possible(&self) -> impl Iterator<Item = &'static Binding> {
        action::available_at(self.keys, self.places()).filter(|row| self.is_possible(row.action))
    }

    /// The palette's commands: what is possible in the list and whose description contains every word of
    /// `typed`.
    pub(super) fn commands(&self, typed: &str) -> Vec<PaletteCommand> {
        let places = vec![KeyContext::Sessions, KeyContext::Everywhere];
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
                if self.state.against.is_some() =>
            {
                false
            }
            Action::Compare => chosen.is_some_and(|row| row.done > 0),
            Action::ResumeRow => chosen.is_some_and(SessionRow::can_resume),
            Action::PauseRow => chosen.is_some_and(|row| {
                row.pid.is_some()
                    && matches!(row.standing, SessionStatus::Running | SessionStatus::Paused)
            }),
            Action::AskStopRow => chosen.is_some_and(|row| row.pid.is_some()),
            Action::ExtendRow => chosen.is_some_and(SessionRow::can_extend),
            Action::AgainRow => self.shown().len() > 1,
            // The list of keys is short enough here to need no search.
            Action::FindKeys => false,
            Action::ExportFigure => chosen.is_some_and(|row| row.done > 0),
            Action::OpenCopy => chosen.is_some(),
            Action::AskDelete => chosen.is_some_and(|row| !row.is_running()),
            Action::NewSession => !self.presets.is_empty() && self.rows.is_some(),
            Action::Filter => !self.all().is_empty(),
            Action::ClearFilter => self.mode == Mode::Filter || !self.state.filter.is_empty(),
            Action::DeleteNow | Action::DeleteNamed => match &self.mode {
                Mode::Deleting(question) => question.may_delete(),
                _ => false,
            },
            Action::Make => match &self.mode {
                Mode::Form(form) => {
                    form.problem(self.all()).is_none() && form.pilot != PilotState::Running
                }
                _ => false,
            },
            _ => true,
        }
    }
}
