//! Keys as the user presses them and as the terminal reports them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use Key::{Char, Control, Digit, Named};

/// A key as the user presses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with Shift where that is how it is typed.
    Char(char),
    /// Control and a letter.
    Control(char),
    /// A key without a character.
    Named(KeyCode, &'static str),
    /// Any of the digits that select views.
    Digit,
}

impl Key {
    /// The key as lists of keys show it, when there are this many views.
    pub fn label(self, views: usize) -> String {
        match self {
            Char(c) => c.to_string(),
            Control(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Named(_, label) => label.into(),
            Digit => format!("1–{}", views.clamp(1, DIGITS)),
        }
    }

    /// The key as the preferences file writes it: `e`, `Ctrl-u`, `Left`, `Space`.
    pub fn name(self) -> String {
        match self {
            Named(KeyCode::Left, _) => "Left".into(),
            Named(KeyCode::Right, _) => "Right".into(),
            Named(KeyCode::Up, _) => "Up".into(),
            Named(KeyCode::Down, _) => "Down".into(),
            other => other.label(DIGITS),
        }
    }

    /// Parses such a name.
    ///
    /// # Errors
    /// How keys are written, where the name is not one, and of a key that terminals send as another one, which that is.
    pub fn parse(name: &str) -> Result<Self, String> {
        const NAMED: [(&str, KeyCode, &str); 15] = [
            ("Left", KeyCode::Left, "←"),
            ("Right", KeyCode::Right, "→"),
            ("Up", KeyCode::Up, "↑"),
            ("Down", KeyCode::Down, "↓"),
            ("Enter", KeyCode::Enter, "Enter"),
            ("Esc", KeyCode::Esc, "Esc"),
            ("Space", KeyCode::Char(' '), "Space"),
            ("Tab", KeyCode::Tab, "Tab"),
            ("Shift-Tab", KeyCode::BackTab, "Shift-Tab"),
            ("Backspace", KeyCode::Backspace, "Backspace"),
            ("Home", KeyCode::Home, "Home"),
            ("End", KeyCode::End, "End"),
            ("PgUp", KeyCode::PageUp, "PgUp"),
            ("PgDn", KeyCode::PageDown, "PgDn"),
            ("Delete", KeyCode::Delete, "Delete"),
        ];
        const FUNCTIONS: [&str; 12] = [
            "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
        ];
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        if let Some((_, code, label)) = NAMED.into_iter().find(|(known, ..)| same(known)) {
            return Ok(Named(code, label));
        }
        if let Some(index) = FUNCTIONS.into_iter().position(same) {
            return Ok(Named(KeyCode::F(index as u8 + 1), FUNCTIONS[index]));
        }
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => return Ok(Char(c)),
            _ => {}
        }
        let control = name
            .get(..5)
            .filter(|prefix| prefix.eq_ignore_ascii_case("ctrl-"));
        let mut letters = control.and(name.get(5..)).unwrap_or_default().chars();
        match (letters.next(), letters.next()) {
            (Some('i' | 'I'), None) => Err(same_as(name, "Tab")),
            (Some('m' | 'M'), None) => Err(same_as(name, "Enter")),
            (Some(c), None) if c.is_ascii_alphabetic() => Ok(Control(c.to_ascii_lowercase())),
            _ => Err(format!(
                "`{name}` is not a key; a key is one character, Ctrl- and a letter, F1 to F12, or {}",
                NAMED.map(|(known, ..)| known).join(", ")
            )),
        }
    }

    /// Whether it types a character.
    pub fn types(self) -> bool {
        matches!(self, Char(_) | Digit | Named(KeyCode::Char(_), _))
    }

    /// Whether this is the key that was pressed.
    pub(super) fn matches(self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let other = event
            .modifiers
            .intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META);
        if other {
            return false;
        }
        match (self, event.code) {
            (Char(expected), KeyCode::Char(c)) => expected == c && !control,
            (Control(expected), KeyCode::Char(c)) => expected == c.to_ascii_lowercase() && control,
            (Named(expected, _), code) => expected == code && !control,
            (Digit, KeyCode::Char(c)) => digit(c).is_some() && !control,
            _ => false,
        }
    }
}

/// That terminals send one key as another.
fn same_as(name: &str, other: &str) -> String {
    format!(
        "terminals send `{name}` as `{other}`, so it would never be recognised; write \"{other}\""
    )
}

/// The digits that are keys: 1 to 9.
const DIGITS: usize = 9;

/// The index of the view that a digit selects, counted from 0.
pub(super) fn digit(c: char) -> Option<usize> {
    let digit = c.to_digit(10)? as usize;
    // Zero comes after nine, as on the keyboard.
    let digit = if digit == 0 { DIGITS + 1 } else { digit };
    Some(digit - 1)
}

/// The character that this key types, where text is being typed.
pub fn typed(event: &KeyEvent) -> Option<char> {
    let other =
        KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META;
    match event.code {
        KeyCode::Char(c) if !event.modifiers.intersects(other) && !c.is_control() => Some(c),
        _ => None,
    }
}
