//! Keys as a person presses them, and as a terminal tells them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use Key::{Char, Control, Digit, Named};

/// A key as a person presses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with Shift where that is how one types it.
    Char(char),
    /// Control and a letter.
    Control(char),
    /// A key without a character.
    Named(KeyCode, &'static str),
    /// Any of the digits of the views.
    Digit,
}

impl Key {
    /// The key as a list of keys writes it where there are this many views.
    pub fn label(self, views: usize) -> String {
        match self {
            Char(c) => c.to_string(),
            Control(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Named(_, label) => label.into(),
            Digit => format!("1–{}", views.clamp(1, DIGITS)),
        }
    }

    /// Whether this is the key that was pressed.
    pub(super) fn is(self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let other = event
            .modifiers
            .intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META);
        if other {
            return false;
        }
        match (self, event.code) {
            (Char(own), KeyCode::Char(c)) => own == c && !control,
            (Control(own), KeyCode::Char(c)) => own == c.to_ascii_lowercase() && control,
            (Named(own, _), code) => own == code && !control,
            (Digit, KeyCode::Char(c)) => digit(c).is_some() && !control,
            _ => false,
        }
    }
}

/// The digits that are keys: 1 to 9.
const DIGITS: usize = 9;

/// The view that a digit stands for, counted from 0.
pub(super) fn digit(c: char) -> Option<usize> {
    let digit = c.to_digit(10)? as usize;
    // Zero comes after nine, as on the keyboard.
    let digit = if digit == 0 { DIGITS + 1 } else { digit };
    Some(digit - 1)
}

/// The character that this key types, where something is typed.
pub fn typed(event: &KeyEvent) -> Option<char> {
    let other =
        KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META;
    match event.code {
        KeyCode::Char(c) if !event.modifiers.intersects(other) && !c.is_control() => Some(c),
        _ => None,
    }
}
