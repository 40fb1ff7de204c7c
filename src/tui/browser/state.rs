//! The list's state.

use super::form::Form;

/// The list's state, kept from one [`browse`](super::browse) to the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListState {
    /// What went wrong with the last choice, shown above the list until the next key.
    pub problem: Option<String>,
    /// The result of the last choice, shown in the same place.
    pub notice: Option<String>,
    /// The session to compare with, when the list is used to choose the other one.
    pub(super) against: Option<String>,
    /// The chosen session.
    pub(super) chosen: Option<String>,
    /// Its index among those shown, used if it is gone.
    pub(super) index: usize,
    /// Only sessions whose name contains this are shown.
    pub(super) filter: String,
    /// The form as it was when a session was to be created: shown again if there was a problem.
    pub(super) form: Option<Form>,
}

impl ListState {
    /// A list for choosing the session to compare `name` with.
    pub fn against(name: &str) -> Self {
        Self {
            against: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Shows the list rather than the form again, whatever the problem: the session was created.
    pub fn close_form(&mut self) {
        self.form = None;
    }
}
