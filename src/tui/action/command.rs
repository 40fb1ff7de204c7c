//! What the palette of commands offers, read from the table.

use super::{Action, Binding, available, is_possible};
use crate::session::Session;
use crate::tui::state::{Overlay, State};
use crate::tui::view::{VIEWS, View};

/// One line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What it is.
    pub action: Action,
    /// What it does.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
}

/// What the palette offers where the viewer is now: all that can do something and has every word
/// of `text` in what it does.
pub fn fitting(text: &str, state: &State, session: &Session) -> Vec<Command> {
    let mut below = state.clone();
    below.overlay = Overlay::None;
    let text = text.to_lowercase();
    let fits = |command: &Command| {
        let own = command.name.to_lowercase();
        text.split_whitespace().all(|word| own.contains(word))
    };
    available(&below)
        .filter(|row| !matches!(row.action, Action::OpenPalette | Action::Interrupt))
        .filter(|row| is_possible(row.action, state, session))
        .flat_map(commands)
        .filter(fits)
        .collect()
}

/// A row of the table as lines of the palette: one, or one for each view.
fn commands(row: &'static Binding) -> Vec<Command> {
    if row.action == Action::View(0) {
        let view = |(index, view): (usize, &View)| Command {
            action: Action::View(index),
            name: format!("the view {}", view.name),
            keys: (index + 1).to_string(),
        };
        return VIEWS.iter().enumerate().map(view).collect();
    }
    let keys: Vec<String> = row.keys.iter().map(|key| key.label()).collect();
    vec![Command {
        action: row.action,
        name: row.help.into(),
        keys: keys.join(" "),
    }]
}
