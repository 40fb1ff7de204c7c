//! The one table of actions: what it is, its keys, what it does, where it is there.
//!
//! Dispatch, footer, help and the README's list of keys all read this table.

mod command;
mod table;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::picture;
use super::state::{Overlay, State};
use super::steps;
use super::theme::Theme;
use crate::figure::{self, Figure};
use crate::session::Session;
use crate::session::run::Phase;

pub use command::{Command, fitting};
pub use table::TABLE;

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
    PreviousUnit,
    NextUnit,
    UnitsAbove,
    UnitsBelow,
    LayerAbove,
    LayerBelow,
    PatternAbove,
    PatternBelow,
    SuspectAbove,
    SuspectBelow,
    WeakerGamma,
    StrongerGamma,
    LessPattern,
    MorePattern,
    LessPush,
    MorePush,
    WeakerFinding,
    StrongerFinding,
    NextImages,
    SwitchTargets,
    SwitchSource,
    NextSplit,
    SwitchStimuli,
    ShowFigure,
    NextKind,
    SwitchScale,
    SwitchPixels,
    Enlarge,
    Shrink,
    ShrinkFigure,
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
    /// Where one class is chosen.
    Classes,
    /// Where a pattern is blended into images.
    Attack,
    /// Where one layer is chosen.
    Layers,
    /// Where one unit of a layer is chosen.
    Units,
    /// Where a layer is pushed.
    Strengths,
    /// Where one of several networks is chosen, and a γ of it.
    Suspects,
    /// Where a part of the data set is chosen.
    Splits,
    /// Where a figure can fill the view.
    Figure,
    /// Where a figure fills the view.
    OneFigure,
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
    pub const ALL: [Self; 21] = [
        Self::Views,
        Self::Sheet,
        Self::Maps,
        Self::Enlarged,
        Self::Classes,
        Self::Attack,
        Self::Layers,
        Self::Units,
        Self::Strengths,
        Self::Suspects,
        Self::Splits,
        Self::Figure,
        Self::OneFigure,
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
            Self::Classes => "views of one class",
            Self::Attack => "attack",
            Self::Layers => "views of one layer",
            Self::Units => "filters",
            Self::Strengths => "modulation",
            Self::Suspects => "backdoor",
            Self::Splits => "predictions",
            Self::Figure => "figures",
            Self::OneFigure => "one figure enlarged",
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

/// Where the viewer is now.
pub fn places(state: &State) -> Vec<Place> {
    let mut places = match state.overlay {
        Overlay::Help(_) => vec![Place::Help],
        Overlay::Stop => vec![Place::Question],
        Overlay::Palette => vec![Place::Palette],
        Overlay::None => {
            let mut own = (state.view().places)(state).to_vec();
            own.push(Place::Views);
            own
        }
    };
    places.push(Place::Everywhere);
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
        Action::ShowFigure => picture::AVAILABLE && figure_in(state, session).is_some(),
        Action::BestGamma => state.gamma.is_some(),
        Action::NextImages => steps::images(session) > 1,
        Action::SwitchSource => steps::sources(session) > 1,
        Action::NextSplit => steps::splits(session) > 1,
        _ => true,
    }
}

/// The figure of the view in sight, where the session has it.
pub fn figure_in(state: &State, session: &Session) -> Option<Figure> {
    let own = (state.view().figure)(state, session)?;
    figure::all(session).contains(&own).then_some(own)
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
