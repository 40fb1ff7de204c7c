//! What the list shows, and what keys do to it.

use std::collections::HashMap;

use crossterm::event::KeyEvent;

use super::form::{Form, Pilot};
use super::question::Question;
use super::row::{Asked, Choice, Contents, Deed, List, Preset, Row};
use crate::stats::grain::Foretold;
use crate::tui::action::{self, Action, Keys, TABLE};
use crate::tui::overlay::help;
use crate::tui::size::Size;
use crate::tui::start::Start;
use crate::tui::state::Palette;
use crate::tui::steps;

/// Sessions that a page of the list moves by.
const PAGE: isize = 10;

/// Most characters of a filter.
const MOST_TYPED: usize = 60;

/// The list of sessions and what the person is doing with it.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Where the person is.
    pub list: List,
    /// Every session; `None` until they have been read once.
    pub(super) rows: Option<Vec<Row>>,
    pub(super) presets: Vec<Preset>,
    pub(super) mode: Mode,
    /// The terminal.
    pub size: Size,
    /// The furthest line of the list of keys on it.
    last_help: usize,
    /// Whether the list stands still.
    pub(super) held: bool,
    /// What was just done to the chosen session, for the one below.
    again: Option<Action>,
    /// What keys do.
    pub keys: Keys,
    /// How a shell calls this program for these sessions.
    pub program: &'static str,
    /// Trials a second of the networks of presets, or why they are not known; `None` while one is measured.
    pub(super) paces: HashMap<String, Option<Result<f64, String>>>,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
}

/// What the person is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mode {
    /// Looking at the list.
    List,
    /// Typing its filter.
    Filter,
    /// Filling in the form.
    Form(Form),
    /// Asked whether to delete a session.
    Deleting(Question),
    /// Asked whether to stop the run of this session.
    Stopping(String),
    /// Choosing a command by its name.
    Palette(Palette),
    /// Reading the keys, from this line on.
    Help(usize),
}

/// What the screen must do after a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing: nothing changed.
    None,
    /// Draw again.
    Redraw,
    /// The person has chosen.
    Chosen(Choice),
    /// Show the network of this plan some noise, and tell [`Browser::foretold`] what it says.
    Pilot(Asked),
    /// What the network says is not wanted any more.
    NoPilot,
    /// Look what is in the files of this session, and tell [`Browser::weighed`].
    Weigh(String),
    /// Do this, and tell [`Browser::done`] what came of it.
    Do(Deed),
    /// Put this text on the clipboard.
    Copy(String),
    /// Step aside to the shell.
    Suspend,
}

impl Browser {
    /// The list before any session has been read.
    pub fn new(presets: &[Preset], list: List) -> Self {
        Self {
            list,
            rows: None,
            presets: presets.to_vec(),
            mode: Mode::List,
            size: Size {
                width: 80,
                height: 24,
            },
            last_help: 0,
            held: false,
            again: None,
            keys: TABLE,
            program: "noisescope",
            paces: HashMap::new(),
            now: 0,
        }
    }

    /// Takes what came of something that was done.
    pub fn done(&mut self, said: Result<String, String>) {
        (self.list.news, self.list.problem) = match said {
            Ok(news) => (Some(news), None),
            Err(problem) => (None, Some(problem)),
        };
    }

    /// The network whose pace is to be measured for the preset in sight, once; one at a time.
    pub fn wants_pace(&mut self) -> Option<String> {
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

    /// Takes a pace that was measured.
    pub fn paced(&mut self, network: String, said: Result<f64, String>) {
        self.paces.insert(network, Some(said));
    }

    /// Takes the sessions as they are now. The chosen one stays chosen; where it is gone, the one
    /// in its place is.
    pub fn renew(&mut self, rows: Vec<Row>) {
        if self.held && self.rows.is_some() {
            return;
        }
        self.rows = Some(rows);
        if let Mode::Deleting(question) = &self.mode {
            let own = |row: &&Row| row.name == question.name && !row.is_running();
            if !self.all().iter().any(|row| own(&row)) {
                self.mode = Mode::List;
            }
        }
        self.keep_place();
    }

    /// Takes what a network of one's own said to some noise, while the form waits for it.
    pub fn foretold(&mut self, said: Result<(Vec<Foretold>, usize), String>) {
        if let Mode::Form(form) = &mut self.mode {
            form.foretold(said);
        }
    }

    /// Takes what is in the files of a session, while the question waits for it.
    pub fn weighed(&mut self, name: &str, contents: Contents) {
        if let Mode::Deleting(question) = &mut self.mode
            && question.name == name
        {
            question.contents = Some(contents);
        }
    }

    /// Every session.
    pub(super) fn all(&self) -> &[Row] {
        self.rows.as_deref().unwrap_or_default()
    }

    /// The sessions that the filter lets through.
    pub(super) fn shown(&self) -> Vec<&Row> {
        let filter = self.list.filter.to_lowercase();
        let fits = |row: &&Row| row.name.to_lowercase().contains(&filter);
        self.all().iter().filter(fits).collect()
    }

    /// The chosen session and its place among those shown.
    pub(super) fn chosen(&self) -> Option<(usize, &Row)> {
        let shown = self.shown();
        let at = self.list.at.min(shown.len().checked_sub(1)?);
        Some((at, shown[at]))
    }

    fn keep_place(&mut self) {
        let shown = self.shown();
        let by_name = self.list.chosen.as_ref().and_then(|name| {
            let own = |row: &&Row| row.name == *name;
            shown.iter().position(own)
        });
        let at = by_name
            .unwrap_or(self.list.at)
            .min(shown.len().saturating_sub(1));
        self.go(at);
    }

    fn go(&mut self, at: usize) {
        let shown = self.shown();
        let at = at.min(shown.len().saturating_sub(1));
        let name = shown.get(at).map(|row| row.name.clone());
        // While nothing is shown the place is remembered.
        if let Some(name) = name {
            self.list.at = at;
            self.list.chosen = Some(name);
        }
    }

    /// Applies a key: the action that it is bound to here, or the character that it types.
    pub fn key(&mut self, event: &KeyEvent) -> Outcome {
        let action = action::of_key_at(event, self.keys, self.places());
        let typed = action::typed(event);
        match (action, typed) {
            (Some(action), _) if self.is_possible(action) => {
                self.list.problem = None;
                self.list.news = None;
                self.act(action)
            }
            (None, Some(c)) => self.typed(c),
            _ => Outcome::None,
        }
    }

    /// Applies an action, and keeps in mind what can be done again.
    fn act(&mut self, action: Action) -> Outcome {
        let again = self.again.take();
        match action {
            Action::AgainRow => self.again_below(again),
            action => {
                let repeats = [Action::ExportFigure, Action::OpenCopy];
                self.again = repeats.contains(&action).then_some(action);
                self.update(action)
            }
        }
    }

    /// Text that was pasted: typed where something is typed, else nothing.
    pub fn paste(&mut self, text: &str) -> Outcome {
        let letters = text.chars().filter(|c| !c.is_control());
        let all: Vec<Outcome> = letters.map(|c| self.typed(c)).collect();
        match all.contains(&Outcome::Redraw) {
            true => Outcome::Redraw,
            false => Outcome::None,
        }
    }

    /// To the session below, and what was just done to this one to that one too.
    fn again_below(&mut self, again: Option<Action>) -> Outcome {
        let before = self.list.at;
        self.update(Action::RowDown);
        if self.list.at == before {
            return Outcome::Redraw;
        }
        match again.filter(|action| self.is_possible(*action)) {
            Some(action) => {
                self.again = Some(action);
                self.update(action)
            }
            None => Outcome::Redraw,
        }
    }

    fn typed(&mut self, c: char) -> Outcome {
        match &mut self.mode {
            Mode::Form(form) => form.typed(c),
            Mode::Deleting(question) if question.is_typed => question.typed.push(c),
            Mode::Palette(palette) if palette.typed.chars().count() < MOST_TYPED => {
                palette.typed.push(c);
                palette.chosen = 0;
            }
            Mode::Filter if self.list.filter.chars().count() < MOST_TYPED => {
                self.list.filter.push(c);
                self.keep_place();
            }
            _ => return Outcome::None,
        }
        Outcome::Redraw
    }

    fn update(&mut self, action: Action) -> Outcome {
        let chosen = self.chosen().map(|(at, row)| (at, row.name.clone()));
        let at = chosen.as_ref().map_or(0, |(at, _)| *at);
        let name = chosen.map(|(_, name)| name).unwrap_or_default();
        match action {
            Action::RowUp => self.go(at.saturating_sub(1)),
            Action::RowDown => self.go(at + 1),
            Action::FirstRow => self.go(0),
            Action::LastRow => self.go(usize::MAX),
            Action::RowsAbove => self.go(steps::along(at, -PAGE, self.shown().len())),
            Action::RowsBelow => self.go(steps::along(at, PAGE, self.shown().len())),
            Action::ExtendRow => return Outcome::Chosen(Choice::Extend(name)),
            Action::PauseRow => {
                return Outcome::Do(match self.is_paused() {
                    true => Deed::Continue(name),
                    false => Deed::Pause(name),
                });
            }
            Action::Freeze => self.held = !self.held,
            Action::AskStopRow => self.mode = Mode::Stopping(name),
            Action::ExportFigure => {
                self.list.news = Some(format!("writing the figures of {name}"));
                return Outcome::Do(Deed::Export(name));
            }
            Action::OpenCopy => {
                let words = Start::default().command(self.program, &name);
                self.list.news = Some(format!("copied: {words}"));
                return Outcome::Copy(words);
            }
            Action::OpenPalette => self.mode = Mode::Palette(Palette::default()),
            Action::OpenRow => return Outcome::Chosen(Choice::Open(name)),
            Action::ResumeRow => return Outcome::Chosen(Choice::Resume(name)),
            Action::Compare => return Outcome::Chosen(Choice::Compare(name)),
            Action::AskDelete => {
                let unread = self
                    .chosen()
                    .is_some_and(|(_, row)| row.standing.is_unread());
                self.mode = Mode::Deleting(Question::new(name.clone(), unread));
                return Outcome::Weigh(name);
            }
            Action::NewSession => {
                self.mode = Mode::Form(Form::new(&self.presets, self.all()));
            }
            Action::Filter => self.mode = Mode::Filter,
            Action::Help => {
                self.last_help = help::furthest_of_list(self.keys, self.size);
                self.mode = Mode::Help(0);
            }
            Action::Cancel => {
                self.mode = Mode::List;
                return Outcome::NoPilot;
            }
            Action::KeepFilter | Action::Keep | Action::KeepNamed | Action::CloseHelp => {
                self.mode = Mode::List
            }
            Action::ClearFilter => {
                self.list.filter.clear();
                self.mode = Mode::List;
                self.keep_place();
            }
            Action::Leave | Action::Interrupt => return Outcome::Chosen(Choice::Leave),
            Action::Suspend => return Outcome::Suspend,
            _ => return self.in_mode(action),
        }
        Outcome::Redraw
    }

    /// What only the mode in force knows.
    fn in_mode(&mut self, action: Action) -> Outcome {
        let rows = self.rows.as_deref().unwrap_or_default();
        match (&mut self.mode, action) {
            (Mode::Form(form), Action::PresetUp) => form.step(false, &self.presets, rows),
            (Mode::Form(form), Action::PresetDown) => form.step(true, &self.presets, rows),
            (Mode::Form(form), Action::NextLine) => form.go(true),
            (Mode::Form(form), Action::LineBefore) => form.go(false),
            (Mode::Form(form), Action::RubOut) => form.rub_out(false),
            (Mode::Form(form), Action::RubOutAll) => form.rub_out(true),
            (Mode::Form(form), Action::Make) => {
                let asked = form.asked(&self.presets);
                if form.wants_pilot() {
                    form.pilot = Pilot::Running;
                    return Outcome::Pilot(asked);
                }
                self.list.chosen = Some(asked.name.clone());
                return Outcome::Chosen(Choice::New(asked));
            }
            (Mode::Filter, Action::RubOut) => {
                self.list.filter.pop();
                self.keep_place();
            }
            (Mode::Filter, Action::RubOutAll) => {
                self.list.filter.clear();
                self.keep_place();
            }
            (Mode::Deleting(question), Action::RubOut) => drop(question.typed.pop()),
            (Mode::Deleting(question), Action::RubOutAll) => question.typed.clear(),
            (Mode::Deleting(question), Action::DeleteNow | Action::DeleteNamed) => {
                let name = std::mem::take(&mut question.name);
                return Outcome::Chosen(Choice::Delete(name));
            }
            (Mode::Stopping(name), Action::StopNow) => {
                let name = std::mem::take(name);
                self.mode = Mode::List;
                return Outcome::Do(Deed::Stop(name));
            }
            (Mode::Stopping(_), Action::Stay) => self.mode = Mode::List,
            (Mode::Palette(_), Action::ClosePalette) => self.mode = Mode::List,
            (Mode::Palette(palette), Action::RubOut) => {
                palette.typed.pop();
                palette.chosen = 0;
            }
            (Mode::Palette(palette), Action::RubOutAll) => *palette = Palette::default(),
            (Mode::Palette(_), _) => return self.in_palette(action),
            (Mode::Help(first), Action::HelpFirst) => *first = 0,
            (Mode::Help(first), Action::HelpLast) => *first = self.last_help,
            (Mode::Help(first), Action::HelpUp) => *first = first.saturating_sub(1),
            (Mode::Help(first), Action::HelpDown) => *first = (*first + 1).min(self.last_help),
            _ => return Outcome::None,
        }
        Outcome::Redraw
    }

    /// What moves in the palette, and what is chosen in it.
    fn in_palette(&mut self, action: Action) -> Outcome {
        let Mode::Palette(palette) = self.mode.clone() else {
            return Outcome::None;
        };
        let commands = self.commands(&palette.typed);
        let at = palette.chosen.min(commands.len().saturating_sub(1));
        let step = match action {
            Action::PaletteUp => -1,
            Action::PaletteDown => 1,
            Action::PaletteFirst => isize::MIN,
            Action::PaletteLast => isize::MAX,
            Action::RunChosen => {
                let Some(command) = commands.get(at) else {
                    return Outcome::None;
                };
                self.mode = Mode::List;
                return self.act(command.action);
            }
            _ => return Outcome::None,
        };
        self.mode = Mode::Palette(Palette {
            chosen: steps::along(at, step, commands.len()),
            ..palette
        });
        Outcome::Redraw
    }
}
