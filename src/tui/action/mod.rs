//! The table of actions: each action with its keys, what it does and where it is available.
//!
//! Dispatch, footer, help, command palette and the README's list of keys all read this table. It knows no
//! view: a view says which places of the table it covers.

mod binding;
mod context;
mod key;
mod overrides;
mod table;

use crossterm::event::{KeyCode, KeyEvent};

pub use binding::{Action, Binding, KeyBindings};
pub use context::KeyContext;
pub use key::{Key, typed};
pub use overrides::{conflict, with_overrides};
pub use table::TABLE;

/// The rows available in these places, in the table's order.
pub fn available_at(
    keys: KeyBindings,
    places: Vec<KeyContext>,
) -> impl Iterator<Item = &'static Binding> {
    keys.iter()
        .filter(move |row| row.contexts.iter().any(|place| places.contains(place)))
}

/// The action of this key in these places.
pub fn action_for_key(
    event: &KeyEvent,
    keys: KeyBindings,
    places: Vec<KeyContext>,
) -> Option<Action> {
    let row =
        available_at(keys, places).find(|row| row.keys.iter().any(|key| key.matches(event)))?;
    match (row.action, event.code) {
        (Action::View(_), KeyCode::Char(c)) => key::digit(c).map(Action::View),
        (action, _) => Some(action),
    }
}

/// The first key of an action, as the user presses it.
pub fn first_key_of(keys: KeyBindings, action: Action) -> String {
    let row = keys.iter().find(|row| row.action == action);
    let key = row.and_then(|row| row.keys.first());
    key.map_or_else(String::new, |key| key.label(0))
}

/// The places of an action.
pub fn contexts_of(action: Action) -> &'static [KeyContext] {
    let row = TABLE.iter().find(|row| row.action == action);
    row.map_or(&[], |row| row.contexts)
}

/// The list of keys as a Markdown table, for this many views.
pub fn key_table(views: usize) -> String {
    let mut text = String::from("| key | does | where |\n|---|---|---|\n");
    for row in TABLE {
        let keys: Vec<String> = row
            .keys
            .iter()
            .map(|key| format!("`{}`", key.label(views)))
            .collect();
        let places: Vec<&str> = row.contexts.iter().map(|place| place.label()).collect();
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            keys.join(" "),
            row.help,
            places.join(", ")
        ));
    }
    text
}
