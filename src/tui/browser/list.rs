//! [`Browser`], the state of the list of sessions.

use std::collections::HashMap;

use super::form::Form;
use super::question::DeleteQuestion;
use super::row::{BrowserChoice, Preset, SessionContents, SessionRequest, SessionRow, SessionTask};
use super::state::ListState;
use crate::stats::grain::GrainForecast;
use crate::tui::action::{Action, KeyBindings, TABLE};
use crate::tui::size::Size;
use crate::tui::state::PickerState;

/// The list of sessions and what the user is doing with it.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Where the user is.
    pub state: ListState,
    /// Every session; `None` until they have been read once.
    pub(super) rows: Option<Vec<SessionRow>>,
    pub(super) presets: Vec<Preset>,
    pub(super) mode: Mode,
    /// The size of the terminal.
    pub size: Size,
    /// Whether the list is frozen.
    pub(super) held: bool,
    /// The last action on the chosen session, to repeat for the one below.
    pub(super) again: Option<Action>,
    /// The key bindings.
    pub keys: KeyBindings,
    /// The command with which a shell calls this program for these sessions.
    pub program: &'static str,
    /// Trials per second of the presets' networks, or why they are unknown; `None` while one is being
    /// measured.
    pub(super) paces: HashMap<String, Option<Result<f64, String>>>,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
}

/// What the user is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mode {
    /// Looking at the list.
    List,
    /// Typing its filter.
    Filter,
    /// Filling in the form.
    Form(Form),
    /// Confirming the deletion of a session.
    Deleting(DeleteQuestion),
    /// Confirming that this session's run is to stop.
    Stopping(String),
    /// Choosing a command by its name.
    Palette(PickerState),
    /// Reading the keys, from this line on.
    Help(usize),
}

/// What the screen must do after a key.
#[derive(Debug, Clone, PartialEq)]
pub enum BrowserEffect {
    /// Nothing changed.
    None,
    /// Draw again.
    Redraw,
    /// The user has chosen.
    Chosen(BrowserChoice),
    /// Run a pilot of this request's network, and pass the result to [`Browser::set_pilot_result`].
    Pilot(SessionRequest),
    /// Cancel the pilot.
    NoPilot,
    /// Read this session's files, and pass their contents to [`Browser::set_contents`].
    Weigh(String),
    /// Do this, and pass the result to [`Browser::set_result`].
    Do(SessionTask),
    /// Put this text on the clipboard.
    Copy(String),
    /// Suspend to the shell.
    Suspend,
}

impl Browser {
    /// The list before any session has been read; the form if what it requested could not be created.
    pub fn new(presets: &[Preset], mut list: ListState) -> Self {
        let form = list.form.take().filter(|_| list.problem.is_some());
        Self {
            state: list,
            rows: None,
            presets: presets.to_vec(),
            mode: form.map_or(Mode::List, Mode::Form),
            size: Size {
                width: 80,
                height: 24,
            },
            held: false,
            again: None,
            keys: TABLE,
            program: "noisescope",
            paces: HashMap::new(),
            now: 0,
        }
    }

    /// Takes the result of something that was done.
    pub fn set_result(&mut self, result: Result<String, String>) {
        (self.state.notice, self.state.problem) = match result {
            Ok(news) => (Some(news), None),
            Err(problem) => (None, Some(problem)),
        };
    }

    /// The network whose pace is to be measured for the preset shown: each once, one at a time.
    pub fn next_pace_to_measure(&mut self) -> Option<String> {
        let Mode::Form(form) = &self.mode else {
            return None;
        };
        let about = self.presets.get(form.preset)?.about.as_ref()?;
        let network = about.work.and(Some(&about.network))?;
        let busy = self.paces.values().any(Option::is_none);
        if busy || self.paces.contains_key(network) {
            return None;
        }
        self.paces.insert(network.clone(), None);
        Some(network.clone())
    }

    /// Takes a measured pace.
    pub fn set_pace(&mut self, network: String, rate: Result<f64, String>) {
        self.paces.insert(network, Some(rate));
    }

    /// Takes the sessions as they are now. The chosen one stays chosen; if it is gone, the one now in its
    /// position is.
    pub fn set_rows(&mut self, rows: Vec<SessionRow>) {
        if self.held && self.rows.is_some() {
            return;
        }
        self.rows = Some(rows);
        if let Mode::Deleting(question) = &self.mode {
            let is_asked = |row: &&SessionRow| row.name == question.name && !row.is_running();
            if !self.all().iter().any(|row| is_asked(&row)) {
                self.mode = Mode::List;
            }
        }
        self.keep_place();
    }

    /// Takes the result of a pilot run, while the form waits for it.
    pub fn set_pilot_result(&mut self, result: Result<(Vec<GrainForecast>, usize), String>) {
        if let Mode::Form(form) = &mut self.mode {
            form.set_pilot_result(result);
        }
    }

    /// Takes the contents of a session's files, while the question waits for them. The list has read only the beginning
    /// of a file, so only now may it turn out to be unreadable; then the name must be typed.
    pub fn set_contents(&mut self, name: &str, contents: SessionContents) {
        if let Mode::Deleting(question) = &mut self.mode
            && question.name == name
        {
            question.is_typed |= contents.file.is_err();
            question.contents = Some(contents);
        }
    }

    /// Every session.
    pub(super) fn all(&self) -> &[SessionRow] {
        self.rows.as_deref().unwrap_or_default()
    }

    /// The sessions that match the filter.
    pub(super) fn shown(&self) -> Vec<&SessionRow> {
        let filter = self.state.filter.to_lowercase();
        let fits = |row: &&SessionRow| row.name.to_lowercase().contains(&filter);
        self.all().iter().filter(fits).collect()
    }

    /// The chosen session and its index among those shown.
    pub(super) fn chosen(&self) -> Option<(usize, &SessionRow)> {
        let shown = self.shown();
        let at = self.state.index.min(shown.len().checked_sub(1)?);
        Some((at, shown[at]))
    }

    pub(super) fn keep_place(&mut self) {
        let shown = self.shown();
        let by_name = self.state.chosen.as_ref().and_then(|name| {
            let is_chosen = |row: &&SessionRow| row.name == *name;
            shown.iter().position(is_chosen)
        });
        let at = by_name
            .unwrap_or(self.state.index)
            .min(shown.len().saturating_sub(1));
        self.go(at);
    }

    pub(super) fn go(&mut self, at: usize) {
        let shown = self.shown();
        let at = at.min(shown.len().saturating_sub(1));
        let name = shown.get(at).map(|row| row.name.clone());
        // While nothing is shown the position is kept.
        if let Some(name) = name {
            self.state.index = at;
            self.state.chosen = Some(name);
        }
    }
}
