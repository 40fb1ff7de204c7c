//! Tests of actions on the selection: exporting and copying it, noting it, and navigating to it.

mod export;
mod navigation;
mod notes;

use super::*;

/// The keys of a text; a line feed is Enter.
fn letters(text: &str) -> Vec<KeyCode> {
    let key = |c| match c {
        '\n' => KeyCode::Enter,
        c => KeyCode::Char(c),
    };
    text.chars().map(key).collect()
}

/// The effect of the last of these keys.
fn last_effect(session: &Session, state: &mut DashboardState, keys: &str) -> Effect {
    press(session, state, &letters(keys)).pop().expect("a key")
}
