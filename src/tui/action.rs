//! The one table of actions: what it is, its keys, what it does, where it is there.
//!
//! Dispatch, footer, help and the README's list of keys all read this table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Overlay, State};
use super::theme::Theme;
use crate::session::Session;
use crate::session::run::Phase;

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table below says what each does")]
pub enum Action {
    SheetLeft,
    SheetRight,
    SheetUp,
    SheetDown,
    CursorLeft,
    CursorRight,
    CursorUp,
    CursorDown,
    PreviousClass,
    NextClass,
    WeakerGamma,
    StrongerGamma,
    NextKind,
    SwitchScale,
    SwitchPixels,
    Enlarge,
    Shrink,
    NextView,
    PreviousView,
    /// Counted from 0.
    View(usize),
    SwitchLog,
    Pause,
    AskStop,
    Resume,
    Leave,
    Help,
    Interrupt,
    Suspend,
    StopNow,
    Stay,
    HelpUp,
    HelpDown,
    CloseHelp,
    OpenPalette,
    PaletteUp,
    PaletteDown,
    RunChosen,
    ClosePalette,
    BestGamma,
    RowUp,
    RowDown,
    FirstRow,
    LastRow,
    OpenRow,
    NewSession,
    ResumeRow,
    AskDelete,
    DeleteNow,
    Keep,
    Filter,
    KeepFilter,
    ClearFilter,
    PresetUp,
    PresetDown,
    Make,
    Cancel,
    RubOut,
    RubOutAll,
}

/// Where an action is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In every view.
    Views,
    /// Where maps of all classes stand side by side.
    Sheet,
    /// Where one class fills the view.
    Enlarged,
    /// Where the kind of map can be chosen.
    Maps,
    /// In front of a question.
    Question,
    /// In the list of keys.
    Help,
    /// In the palette of commands.
    Palette,
    /// In the list of sessions.
    Sessions,
    /// While the list's filter is typed.
    Filter,
    /// In the form for a new session.
    Form,
    /// In front of the question whether to delete a session.
    Deleting,
    /// Really everywhere.
    Everywhere,
}

impl Place {
    /// Every place, in the order of the list of keys.
    pub const ALL: [Self; 12] = [
        Self::Views,
        Self::Sheet,
        Self::Maps,
        Self::Enlarged,
        Self::Question,
        Self::Help,
        Self::Palette,
        Self::Sessions,
        Self::Filter,
        Self::Form,
        Self::Deleting,
        Self::Everywhere,
    ];

    /// The place in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Views => "every view",
            Self::Sheet => "maps side by side",
            Self::Enlarged => "one map enlarged",
            Self::Maps => "maps",
            Self::Question => "stop?",
            Self::Help => "this list",
            Self::Palette => "commands",
            Self::Sessions => "list of sessions",
            Self::Filter => "filter of the list",
            Self::Form => "new session",
            Self::Deleting => "delete?",
            Self::Everywhere => "everywhere",
        }
    }
}

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

use Key::{Char, Control, Digit, Named};

const LEFT: Key = Named(KeyCode::Left, "←");
const RIGHT: Key = Named(KeyCode::Right, "→");
const UP: Key = Named(KeyCode::Up, "↑");
const DOWN: Key = Named(KeyCode::Down, "↓");
const ENTER: Key = Named(KeyCode::Enter, "Enter");
const ESCAPE: Key = Named(KeyCode::Esc, "Esc");
const TAB: Key = Named(KeyCode::Tab, "Tab");
const BACKSPACE: Key = Named(KeyCode::Backspace, "Backspace");
const HOME: Key = Named(KeyCode::Home, "Home");
const END: Key = Named(KeyCode::End, "End");
const BACK_TAB: Key = Named(KeyCode::BackTab, "Shift-Tab");

impl Key {
    /// The key as help writes it.
    pub fn label(self) -> String {
        match self {
            Char(c) => c.to_string(),
            Control(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Named(_, label) => label.into(),
            Digit => format!("1–{}", super::view::VIEWS.len()),
        }
    }

    fn is(self, event: &KeyEvent) -> bool {
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

fn digit(c: char) -> Option<usize> {
    let digit = c.to_digit(10)? as usize;
    (1..=super::view::VIEWS.len())
        .contains(&digit)
        .then(|| digit - 1)
}

/// One row of the table.
#[derive(Debug)]
pub struct Binding {
    /// What it is.
    pub action: Action,
    /// Its keys, the one to show first.
    pub keys: &'static [Key],
    /// What it does, for help.
    pub help: &'static str,
    /// The same in a word, for the footer; rows that share the word share one entry there. Empty:
    /// not in the footer.
    pub short: &'static str,
    /// Where it is there.
    pub places: &'static [Place],
}

const fn row(
    action: Action,
    keys: &'static [Key],
    help: &'static str,
    short: &'static str,
    places: &'static [Place],
) -> Binding {
    Binding {
        action,
        keys,
        help,
        short,
        places,
    }
}

use Place::{
    Deleting, Enlarged, Everywhere, Form, Maps, Palette, Question, Sessions, Sheet, Views,
};

/// Every action, in the order of footer and help.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    row(Action::SheetLeft, &[LEFT, Char('h')], "the class on the left", "class", &[Sheet]),
    row(Action::SheetRight, &[RIGHT, Char('l')], "the class on the right", "class", &[Sheet]),
    row(Action::SheetUp, &[UP, Char('k')], "the class above", "class", &[Sheet]),
    row(Action::SheetDown, &[DOWN, Char('j')], "the class below", "class", &[Sheet]),
    row(Action::CursorLeft, &[LEFT, Char('h')], "cursor one pixel left", "cursor", &[Enlarged]),
    row(Action::CursorRight, &[RIGHT, Char('l')], "cursor one pixel right", "cursor", &[Enlarged]),
    row(Action::CursorUp, &[UP, Char('k')], "cursor one pixel up", "cursor", &[Enlarged]),
    row(Action::CursorDown, &[DOWN, Char('j')], "cursor one pixel down", "cursor", &[Enlarged]),
    row(Action::PreviousClass, &[Char(',')], "the class before", "class", &[Enlarged, Sheet]),
    row(Action::NextClass, &[Char('.')], "the class after", "class", &[Enlarged, Sheet]),
    row(Action::WeakerGamma, &[Char('[')], "a weaker signal γ", "γ", &[Sheet, Enlarged]),
    row(Action::StrongerGamma, &[Char(']')], "a stronger signal γ", "γ", &[Sheet, Enlarged]),
    row(Action::BestGamma, &[Char('b')], "each class at the γ that shows it best", "best", &[Sheet, Enlarged]),
    row(Action::Enlarge, &[ENTER], "look closer at the class", "look closer", &[Sheet]),
    row(Action::Shrink, &[ESCAPE, ENTER], "back to all classes", "all classes", &[Enlarged]),
    row(Action::NextKind, &[Char('m')], "the next kind of map", "map", &[Maps]),
    row(Action::Pause, &[Char('p')], "pause the run, or let it go on", "pause", &[Views]),
    row(Action::AskStop, &[Char('S')], "stop the run after a checkpoint", "stop", &[Views]),
    row(Action::SwitchScale, &[Char('s')], "one scale for all classes, or each its own", "scale", &[Maps]),
    row(Action::SwitchPixels, &[Char('x')], "all pixels, or the significant ones only", "significant", &[Maps]),
    row(Action::SwitchLog, &[Char('L')], "show or hide the log", "log", &[Views]),
    row(Action::NextView, &[TAB], "the next view", "", &[Views]),
    row(Action::PreviousView, &[BACK_TAB], "the view before", "", &[Views]),
    row(Action::View(0), &[Digit], "the view of that number", "", &[Views]),
    row(Action::Resume, &[Char('r')], "start an engine that goes on with it", "resume", &[Views]),
    row(Action::OpenPalette, &[Char(':')], "a command by its name", "commands", &[Views]),
    row(Action::RowUp, &[UP, Char('k')], "the session above", "session", &[Sessions]),
    row(Action::RowDown, &[DOWN, Char('j')], "the session below", "session", &[Sessions]),
    row(Action::FirstRow, &[HOME, Char('g')], "the first session", "", &[Sessions]),
    row(Action::LastRow, &[END, Char('G')], "the last session", "", &[Sessions]),
    row(Action::OpenRow, &[ENTER], "look at the session", "open", &[Sessions]),
    row(Action::NewSession, &[Char('n')], "make a session from a preset", "new", &[Sessions]),
    row(Action::ResumeRow, &[Char('r')], "start an engine that goes on with it", "resume", &[Sessions]),
    row(Action::AskDelete, &[Char('d')], "delete the session; asks first", "delete", &[Sessions]),
    row(Action::Filter, &[Char('/')], "only sessions whose name has a text", "filter", &[Sessions]),
    row(Action::KeepFilter, &[ENTER], "back to the list, filtered", "filter", &[Place::Filter]),
    row(Action::ClearFilter, &[ESCAPE], "all sessions again", "all", &[Place::Filter, Sessions]),
    row(Action::PresetUp, &[UP], "the preset above", "preset", &[Form]),
    row(Action::PresetDown, &[DOWN], "the preset below", "preset", &[Form]),
    row(Action::Make, &[ENTER], "make it and run it", "make and run", &[Form]),
    row(Action::Cancel, &[ESCAPE], "back to the list", "back", &[Form]),
    row(Action::DeleteNow, &[Char('y')], "delete it", "delete", &[Deleting]),
    row(Action::Keep, &[ESCAPE, Char('n')], "keep it", "keep", &[Deleting]),
    row(Action::PaletteUp, &[UP], "the command above", "command", &[Palette]),
    row(Action::PaletteDown, &[DOWN], "the command below", "command", &[Palette]),
    row(Action::RunChosen, &[ENTER], "do it", "do it", &[Palette]),
    row(Action::ClosePalette, &[ESCAPE], "back to the view", "back", &[Palette]),
    row(Action::RubOut, &[BACKSPACE], "the last character away", "", &[Palette, Place::Filter, Form]),
    row(Action::RubOutAll, &[Control('u')], "all that is typed away", "", &[Palette, Place::Filter, Form]),
    row(Action::Leave, &[Char('q')], "leave; runs go on", "leave", &[Views, Sessions]),
    row(Action::Help, &[Char('?')], "all keys", "help", &[Views, Sessions]),
    row(Action::StopNow, &[Char('s'), ENTER], "stop after a checkpoint; run it to go on", "stop after a checkpoint", &[Question]),
    row(Action::Stay, &[ESCAPE, Char('n')], "stay, and let the run go on", "stay", &[Question]),
    row(Action::HelpUp, &[UP, Char('k')], "lines above", "scroll", &[Place::Help]),
    row(Action::HelpDown, &[DOWN, Char('j')], "lines below", "scroll", &[Place::Help]),
    row(Action::CloseHelp, &[ESCAPE, Char('?'), Char('q'), ENTER], "back to the view", "back", &[Place::Help]),
    row(Action::Interrupt, &[Control('c')], "leave; runs go on", "", &[Everywhere]),
    row(Action::Suspend, &[Control('z')], "step aside to the shell; fg comes back", "", &[Everywhere]),
];

/// Where the viewer is now.
pub fn places(state: &State) -> Vec<Place> {
    let mut places = match state.overlay {
        Overlay::Help(_) => vec![Place::Help],
        Overlay::Stop => vec![Question],
        Overlay::Palette => vec![Palette],
        Overlay::None => {
            let mut own = (state.view().places)(state).to_vec();
            own.push(Views);
            own
        }
    };
    places.push(Everywhere);
    places
}

/// The rows that are there now, in the table's order.
pub fn available(state: &State) -> impl Iterator<Item = &'static Binding> {
    available_at(places(state))
}

/// The rows that are there in these places, in the table's order.
pub fn available_at(places: Vec<Place>) -> impl Iterator<Item = &'static Binding> {
    TABLE
        .iter()
        .filter(move |row| row.places.iter().any(|place| places.contains(place)))
}

/// What this key does where the viewer is now.
pub fn of_key(event: &KeyEvent, state: &State) -> Option<Action> {
    of_key_at(event, places(state))
}

/// What this key does in these places.
pub fn of_key_at(event: &KeyEvent, places: Vec<Place>) -> Option<Action> {
    let row = available_at(places).find(|row| row.keys.iter().any(|key| key.is(event)))?;
    match (row.action, event.code) {
        (Action::View(_), KeyCode::Char(c)) => digit(c).map(Action::View),
        (action, _) => Some(action),
    }
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

/// The rows that the palette offers where the viewer is now: those that can do something and have
/// every word of `text` in what they do.
pub fn fitting(text: &str, state: &State, session: &Session) -> Vec<&'static Binding> {
    let mut below = state.clone();
    below.overlay = Overlay::None;
    let text = text.to_lowercase();
    let fits = |row: &&Binding| {
        let own = format!("{} {} {:?}", row.help, row.short, row.action).to_lowercase();
        text.split_whitespace().all(|word| own.contains(word))
    };
    available(&below)
        .filter(|row| !matches!(row.action, Action::View(_) | Action::OpenPalette))
        .filter(|row| row.action != Action::Interrupt)
        .filter(|row| is_possible(row.action, state, session))
        .filter(fits)
        .collect()
}

/// Whether an action can do anything now: pausing and stopping need an engine at work.
pub fn is_possible(action: Action, state: &State, session: &Session) -> bool {
    match action {
        Action::Pause => {
            let phase = session.run.as_ref().map(|run| &run.phase);
            let there = matches!(phase, Some(Phase::Working(_) | Phase::Paused(_)));
            there && state.engine_runs(session)
        }
        Action::AskStop | Action::StopNow => state.engine_runs(session),
        Action::Resume => state.can_resume(session),
        Action::BestGamma => state.gamma.is_some(),
        _ => true,
    }
}

/// A footer's word as it is now, in what the terminal can write.
pub fn word(short: &'static str, state: &State, session: &Session, theme: &Theme) -> &'static str {
    let phase = session.run.as_ref().map(|run| &run.phase);
    match (short, phase) {
        ("γ", _) => theme.glyphs.gamma,
        ("pause", Some(Phase::Paused(_))) => "go on",
        ("leave", _) if state.engine_runs(session) => "leave (the run goes on)",
        _ => short,
    }
}

/// The list of keys for the README, a table in Markdown.
pub fn key_table() -> String {
    let mut text = String::from("| key | does | where |\n|---|---|---|\n");
    for row in TABLE {
        let keys: Vec<String> = row
            .keys
            .iter()
            .map(|key| format!("`{}`", key.label()))
            .collect();
        let places: Vec<&str> = row.places.iter().map(|place| place.label()).collect();
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            keys.join(" "),
            row.help,
            places.join(", ")
        ));
    }
    text
}
