//! What keys do to the list of sessions.

use crossterm::event::KeyEvent;

use super::form::{Form, PilotState};
use super::list::{Browser, BrowserEffect, Mode};
use super::question::DeleteQuestion;
use super::row::{BrowserChoice, SessionTask};
use crate::tui::action::{self, Action};
use crate::tui::location::Location;
use crate::tui::overlay::help;
use crate::tui::state::PickerState;
use crate::tui::steps;

/// Sessions that a page of the list moves by.
const PAGE: isize = 10;

/// Maximum characters of a filter.
const MOST_TYPED: usize = 60;

impl Browser {
    /// Applies a key: the action bound to it here, or the character it types.
    pub fn key(&mut self, event: &KeyEvent) -> BrowserEffect {
        let action = action::action_for_key(event, self.keys, self.places());
        let typed = action::typed(event);
        match (action, typed) {
            (Some(action), _) if self.is_possible(action) => {
                self.state.problem = None;
                self.state.notice = None;
                self.act(action)
            }
            (None, Some(c)) => self.typed(c),
            _ => BrowserEffect::None,
        }
    }

    /// Applies an action and remembers it if it can be repeated.
    fn act(&mut self, action: Action) -> BrowserEffect {
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

    /// Pasted text: inserted where text is typed, ignored elsewhere.
    pub fn paste(&mut self, text: &str) -> BrowserEffect {
        let letters = text.chars().filter(|c| !c.is_control());
        let all: Vec<BrowserEffect> = letters.map(|c| self.typed(c)).collect();
        match all.contains(&BrowserEffect::Redraw) {
            true => BrowserEffect::Redraw,
            false => BrowserEffect::None,
        }
    }

    /// Moves to the session below and repeats the last action there.
    fn again_below(&mut self, again: Option<Action>) -> BrowserEffect {
        let before = self.state.index;
        self.update(Action::RowDown);
        if self.state.index == before {
            return BrowserEffect::Redraw;
        }
        match again.filter(|action| self.is_possible(*action)) {
            Some(action) => {
                self.again = Some(action);
                self.update(action)
            }
            None => BrowserEffect::Redraw,
        }
    }

    fn typed(&mut self, c: char) -> BrowserEffect {
        match &mut self.mode {
            Mode::Form(form) => form.typed(c),
            Mode::Deleting(question) if question.is_typed => question.typed.push(c),
            Mode::Palette(palette) if palette.typed.chars().count() < MOST_TYPED => {
                palette.typed.push(c);
                palette.chosen = 0;
            }
            Mode::Filter if self.state.filter.chars().count() < MOST_TYPED => {
                self.state.filter.push(c);
                self.keep_place();
            }
            _ => return BrowserEffect::None,
        }
        BrowserEffect::Redraw
    }

    fn update(&mut self, action: Action) -> BrowserEffect {
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
            Action::ExtendRow => return BrowserEffect::Chosen(BrowserChoice::Extend(name)),
            Action::PauseRow => {
                return BrowserEffect::Do(match self.is_paused() {
                    true => SessionTask::Continue(name),
                    false => SessionTask::Pause(name),
                });
            }
            Action::Freeze => self.held = !self.held,
            Action::AskStopRow => self.mode = Mode::Stopping(name),
            Action::ExportFigure => {
                self.state.notice = Some(format!("writing the figures of {name}"));
                return BrowserEffect::Do(SessionTask::Export(name));
            }
            Action::OpenCopy => {
                let command = Location::default().command(self.program, &name);
                self.state.notice = Some(format!("copied: {command}"));
                return BrowserEffect::Copy(command);
            }
            Action::OpenPalette => self.mode = Mode::Palette(PickerState::default()),
            Action::OpenRow => return BrowserEffect::Chosen(BrowserChoice::Open(name)),
            Action::ResumeRow => return BrowserEffect::Chosen(BrowserChoice::Resume(name)),
            Action::Compare => return BrowserEffect::Chosen(BrowserChoice::Compare(name)),
            Action::AskDelete => {
                let unread = self
                    .chosen()
                    .is_some_and(|(_, row)| row.standing.is_unread());
                self.mode = Mode::Deleting(DeleteQuestion::new(name.clone(), unread));
                return BrowserEffect::Weigh(name);
            }
            Action::NewSession => {
                self.mode = Mode::Form(Form::new(&self.presets, self.all()));
            }
            Action::Filter => self.mode = Mode::Filter,
            Action::Help => self.mode = Mode::Help(0),
            Action::Cancel => {
                self.mode = Mode::List;
                return BrowserEffect::NoPilot;
            }
            Action::KeepFilter | Action::Keep | Action::KeepNamed | Action::CloseHelp => {
                self.mode = Mode::List
            }
            Action::ClearFilter => {
                self.state.filter.clear();
                self.mode = Mode::List;
                self.keep_place();
            }
            Action::Leave | Action::Interrupt => {
                return BrowserEffect::Chosen(BrowserChoice::Leave);
            }
            Action::Suspend => return BrowserEffect::Suspend,
            _ => return self.in_mode(action),
        }
        BrowserEffect::Redraw
    }

    /// Handles the actions that depend on the mode.
    fn in_mode(&mut self, action: Action) -> BrowserEffect {
        let rows = self.rows.as_deref().unwrap_or_default();
        match (&mut self.mode, action) {
            (Mode::Form(form), Action::PresetUp) => form.step(false, &self.presets, rows),
            (Mode::Form(form), Action::PresetDown) => form.step(true, &self.presets, rows),
            (Mode::Form(form), Action::NextLine) => form.go(true),
            (Mode::Form(form), Action::LineBefore) => form.go(false),
            (Mode::Form(form), Action::RubOut) => form.rub_out(false),
            (Mode::Form(form), Action::RubOutAll) => form.rub_out(true),
            (Mode::Form(form), Action::Make) => {
                let request = form.request(&self.presets);
                if form.needs_pilot() {
                    form.pilot = PilotState::Running;
                    return BrowserEffect::Pilot(request);
                }
                self.state.chosen = Some(request.name.clone());
                self.state.form = Some(form.clone());
                return BrowserEffect::Chosen(BrowserChoice::New(request));
            }
            (Mode::Filter, Action::RubOut) => {
                self.state.filter.pop();
                self.keep_place();
            }
            (Mode::Filter, Action::RubOutAll) => {
                self.state.filter.clear();
                self.keep_place();
            }
            (Mode::Deleting(question), Action::RubOut) => drop(question.typed.pop()),
            (Mode::Deleting(question), Action::RubOutAll) => question.typed.clear(),
            (Mode::Deleting(question), Action::DeleteNow | Action::DeleteNamed) => {
                let name = std::mem::take(&mut question.name);
                return BrowserEffect::Chosen(BrowserChoice::Delete(name));
            }
            (Mode::Stopping(name), Action::StopNow) => {
                let name = std::mem::take(name);
                self.mode = Mode::List;
                return BrowserEffect::Do(SessionTask::Stop(name));
            }
            (Mode::Stopping(_), Action::Stay) => self.mode = Mode::List,
            (Mode::Palette(_), Action::ClosePalette) => self.mode = Mode::List,
            (Mode::Palette(palette), Action::RubOut) => {
                palette.typed.pop();
                palette.chosen = 0;
            }
            (Mode::Palette(palette), Action::RubOutAll) => *palette = PickerState::default(),
            (Mode::Palette(_), _) => return self.in_palette(action),
            (Mode::Help(first), action) => {
                // The screen may have another size than when the list was opened.
                let last = help::furthest_of_list(self.keys, self.size);
                let now = (*first).min(last);
                *first = match action {
                    Action::HelpFirst => 0,
                    Action::HelpLast => last,
                    Action::HelpUp => now.saturating_sub(1),
                    Action::HelpDown => (now + 1).min(last),
                    _ => return BrowserEffect::None,
                };
            }
            _ => return BrowserEffect::None,
        }
        BrowserEffect::Redraw
    }

    /// Moves in the palette, or runs the command chosen in it.
    fn in_palette(&mut self, action: Action) -> BrowserEffect {
        let Mode::Palette(palette) = self.mode.clone() else {
            return BrowserEffect::None;
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
                    return BrowserEffect::None;
                };
                self.mode = Mode::List;
                return self.act(command.action);
            }
            _ => return BrowserEffect::None,
        };
        self.mode = Mode::Palette(PickerState {
            chosen: steps::along(at, step, commands.len()),
            ..palette
        });
        BrowserEffect::Redraw
    }
}
