//! What an action does to what the viewer looks at, and what the dashboard must do about it.

use crossterm::event::KeyEvent;

use super::action::{self, Action, Place, is_possible};
use super::state::{Overlay, Palette, Pixels, Scale, State, Stimuli};
use super::steps;
use super::theme::Theme;
use super::view::{self, VIEWS};
use crate::link::{Command, Connection};
use crate::session::Session;
use crate::session::config::CLASSES;
use crate::session::run::Phase;

/// What the dashboard must do after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: nothing changed.
    None,
    /// Draw again.
    Redraw,
    /// Ask this of the engine.
    Say(Command),
    /// End the dashboard: the person leaves.
    Leave,
    /// End the dashboard: a new engine shall go on with the session.
    Resume,
    /// Step aside to the shell.
    Suspend,
    /// Step aside and show the figure of the view at full resolution.
    Show,
}

/// Most characters typed into the palette.
const MOST_TYPED: usize = 40;

/// Applies a key: the action that it is bound to here, or the character that it types.
pub fn key(state: &mut State, event: &KeyEvent, session: &Session, theme: &Theme) -> Effect {
    match (action::of_key(event, state), action::typed(event)) {
        (Some(action), _) => update(state, action, session, theme),
        (None, Some(c)) => typed(state, c),
        (None, None) => Effect::None,
    }
}

/// Applies an action.
pub fn update(state: &mut State, action: Action, session: &Session, theme: &Theme) -> Effect {
    if !is_possible(action, state, session) {
        return Effect::None;
    }
    match action {
        Action::SheetLeft | Action::PreviousClass => step_class(state, -1),
        Action::SheetRight | Action::NextClass => step_class(state, 1),
        Action::SheetUp | Action::SheetDown => {
            let columns = view::columns(session, state, theme) as isize;
            let down = action == Action::SheetDown;
            step_row(state, if down { columns } else { -columns })
        }
        Action::CursorLeft => step_cursor(state, session, 0, -1),
        Action::CursorRight => step_cursor(state, session, 0, 1),
        Action::CursorUp => step_cursor(state, session, -1, 0),
        Action::CursorDown => step_cursor(state, session, 1, 0),
        Action::WeakerGamma => step_gamma(state, session, -1),
        Action::StrongerGamma => step_gamma(state, session, 1),
        Action::PreviousUnit => steps::unit(state, session, -1),
        Action::NextUnit => steps::unit(state, session, 1),
        Action::UnitsAbove | Action::UnitsBelow => {
            let columns = view::columns(session, state, theme) as isize;
            let down = action == Action::UnitsBelow;
            steps::row_of_units(state, session, if down { columns } else { -columns });
        }
        Action::LayerAbove => steps::layer(state, session, -1),
        Action::LayerBelow => steps::layer(state, session, 1),
        Action::PatternAbove => steps::pattern(state, -1),
        Action::PatternBelow => steps::pattern(state, 1),
        Action::SuspectAbove => steps::suspect(state, session, -1),
        Action::SuspectBelow => steps::suspect(state, session, 1),
        Action::LessPattern => steps::weight(state, session, -1),
        Action::MorePattern => steps::weight(state, session, 1),
        Action::LessPush => steps::strength(state, session, -1),
        Action::MorePush => steps::strength(state, session, 1),
        Action::WeakerFinding => steps::finding(state, session, -1),
        Action::StrongerFinding => steps::finding(state, session, 1),
        Action::NextImages => steps::next_images(state, session),
        Action::SwitchTargets => state.target_mean = !state.target_mean,
        Action::SwitchSource => state.source = (state.source + 1) % steps::sources(session),
        Action::NextSplit => state.split = (state.split + 1) % steps::splits(session),
        Action::SwitchStimuli => {
            state.stimuli = match state.stimuli {
                Stimuli::Noise => Stimuli::Images,
                Stimuli::Images => Stimuli::Noise,
            };
        }
        Action::ShowFigure => return Effect::Show,
        Action::NextKind => state.kind = state.kind.next(),
        Action::SwitchScale => {
            state.scale = match state.scale {
                Scale::Common => Scale::Own,
                Scale::Own => Scale::Common,
            };
        }
        Action::SwitchPixels => {
            state.pixels = match state.pixels {
                Pixels::All => Pixels::Significant,
                Pixels::Significant => Pixels::All,
            };
        }
        Action::Enlarge => {
            if !action::places(state).contains(&Place::Figure) {
                // A class among others is looked at closer among the maps.
                state.view = view::index_of_maps();
            } else if let Some(images) = state.images_in(session)
                && state.view == view::index_of_maps()
            {
                // One of the maps in sight is enlarged, not that of another γ.
                state.gamma = Some(state.gamma_in(images));
            }
            state.enlarged = true;
        }
        Action::Shrink | Action::ShrinkFigure => state.enlarged = false,
        Action::NextView => state.view = (state.view + 1) % VIEWS.len(),
        Action::PreviousView => state.view = (state.view + VIEWS.len() - 1) % VIEWS.len(),
        Action::View(index) => state.view = index.min(VIEWS.len() - 1),
        Action::SwitchLog => {
            let shown = view::shows_log(session, state, theme);
            state.log = Some(!shown);
        }
        Action::Pause => {
            let run = session.run.as_ref().map(|run| &run.phase);
            return match run {
                Some(Phase::Paused(_)) => Effect::Say(Command::Continue),
                _ => Effect::Say(Command::Pause),
            };
        }
        Action::AskStop => state.overlay = Overlay::Stop,
        Action::Resume => return Effect::Resume,
        Action::Leave | Action::Interrupt => return Effect::Leave,
        Action::StopNow => {
            state.overlay = Overlay::None;
            return Effect::Say(Command::Stop);
        }
        Action::Stay | Action::CloseHelp => state.overlay = Overlay::None,
        Action::Help => state.overlay = Overlay::Help(0),
        Action::HelpUp => scroll(state, -1),
        Action::HelpDown => scroll(state, 1),
        Action::Suspend => return Effect::Suspend,
        Action::BestGamma => state.gamma = None,
        Action::OpenPalette => {
            state.overlay = Overlay::Palette;
            state.palette = Palette::default();
        }
        Action::ClosePalette => state.overlay = Overlay::None,
        Action::PaletteUp => step_palette(state, session, -1),
        Action::PaletteDown => step_palette(state, session, 1),
        Action::RunChosen => {
            let rows = action::fitting(&state.palette.typed, state, session);
            let last = rows.len().saturating_sub(1);
            let Some(row) = rows.get(state.palette.chosen.min(last)) else {
                return Effect::None;
            };
            let action = row.action;
            state.overlay = Overlay::None;
            return update(state, action, session, theme);
        }
        Action::RubOut => {
            state.palette.typed.pop();
            state.palette.chosen = 0;
        }
        Action::RubOutAll => state.palette = Palette::default(),
        // The list of sessions has a state of its own.
        Action::RowUp
        | Action::RowDown
        | Action::FirstRow
        | Action::LastRow
        | Action::OpenRow
        | Action::NewSession
        | Action::ResumeRow
        | Action::AskDelete
        | Action::DeleteNow
        | Action::Keep
        | Action::Filter
        | Action::KeepFilter
        | Action::ClearFilter
        | Action::PresetUp
        | Action::PresetDown
        | Action::Make
        | Action::Cancel => return Effect::None,
    }
    Effect::Redraw
}

/// A character typed where something is typed.
fn typed(state: &mut State, c: char) -> Effect {
    if state.overlay != Overlay::Palette || state.palette.typed.chars().count() >= MOST_TYPED {
        return Effect::None;
    }
    state.palette.typed.push(c);
    state.palette.chosen = 0;
    Effect::Redraw
}

fn step_palette(state: &mut State, session: &Session, step: isize) {
    let rows = action::fitting(&state.palette.typed, state, session).len() as isize;
    let next = state.palette.chosen as isize + step;
    state.palette.chosen = next.clamp(0, (rows - 1).max(0)) as usize;
}

fn step_class(state: &mut State, step: isize) {
    state.class = (state.class as isize + step).rem_euclid(CLASSES as isize) as usize;
}

/// To the row above or below, where there is one.
fn step_row(state: &mut State, step: isize) {
    let class = state.class as isize + step;
    if (0..CLASSES as isize).contains(&class) {
        state.class = class as usize;
    }
}

fn step_gamma(state: &mut State, session: &Session, step: isize) {
    let Some(images) = state.images_in(session) else {
        return;
    };
    // By strength, whatever their order in the plan.
    let mut order: Vec<usize> = (0..images.gammas.len()).collect();
    order.sort_by(|&a, &b| images.gammas[a].gamma.total_cmp(&images.gammas[b].gamma));
    let now = state.gamma_in(images);
    let Some(at) = order.iter().position(|&place| place == now) else {
        return;
    };
    let next = (at as isize + step).clamp(0, order.len() as isize - 1);
    state.gamma = Some(order[next as usize]);
}

fn step_cursor(state: &mut State, session: &Session, down: isize, across: isize) {
    let images = state.images_in(session);
    let Some(gamma) = images.and_then(|images| images.gammas.first()) else {
        return;
    };
    let (height, width) = gamma.size();
    let step = |at: usize, by: isize, length: usize| {
        (at as isize + by).clamp(0, length as isize - 1).max(0) as usize
    };
    state.cursor = (
        step(state.cursor.0, down, height),
        step(state.cursor.1, across, width),
    );
}

fn scroll(state: &mut State, step: isize) {
    if let Overlay::Help(first) = state.overlay {
        let last = view::help_length() as isize;
        state.overlay = Overlay::Help((first as isize + step).clamp(0, last) as usize);
    }
}

/// Takes note of whether the engine can be reached now. A question that only an engine could have
/// answered goes away with it.
pub fn connection(state: &mut State, now: Connection) {
    state.connection = now;
    if state.connection != Connection::Live && state.overlay == Overlay::Stop {
        state.overlay = Overlay::None;
    }
}
