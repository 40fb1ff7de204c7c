//! Tests of the dashboard: every view at every size class and on every kind of terminal.
//!
//! Screens are drawn into ratatui's test backend and read back as text and as styles. The golden
//! screens are in `tests/screens/`; `UPDATE_SCREENS=1 cargo test --test screens` rewrites them.
//! Review the differences before committing them.

#[path = "screens/actions/mod.rs"]
mod actions;
#[path = "screens/attack.rs"]
mod attack;
#[path = "screens/audit.rs"]
mod audit;
#[path = "screens/bandwidth.rs"]
mod bandwidth;
#[path = "screens/browser/mod.rs"]
mod browser;
#[path = "screens/coarse.rs"]
mod coarse;
#[path = "screens/coloured.rs"]
mod coloured;
#[path = "screens/everything.rs"]
mod everything;
#[path = "screens/evidence.rs"]
mod evidence;
#[path = "screens/experiment_views.rs"]
mod experiment_views;
#[path = "screens/experiments.rs"]
mod experiments;
#[path = "screens/golden.rs"]
mod golden;
#[path = "screens/keys.rs"]
mod keys;
#[path = "screens/many_classes.rs"]
mod many_classes;
#[path = "screens/many_gammas.rs"]
mod many_gammas;
#[path = "screens/maps/mod.rs"]
mod maps;
#[path = "screens/matrix.rs"]
mod matrix;
#[path = "screens/missing_maps.rs"]
mod missing_maps;
#[path = "screens/predictions.rs"]
mod predictions;
#[path = "screens/run_control.rs"]
mod run_control;
#[path = "screens/several.rs"]
mod several;
#[path = "screens/shards.rs"]
mod shards;
#[path = "screens/synthetic.rs"]
#[allow(
    dead_code,
    reason = "shared with other tests that need a synthetic session"
)]
mod synthetic;
#[path = "screens/terminals.rs"]
mod terminals;
#[path = "screens/texts.rs"]
mod texts;
#[path = "screens/wide_names.rs"]
mod wide_names;

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use noisescope::ids::{ClassId, Gamma};
use noisescope::link::{Connection, EngineCommand};
use noisescope::session::run::{LogLine, Phase};
use noisescope::session::{self, Session};
use noisescope::tui::action::{self, Action, TABLE};
use noisescope::tui::frame;
use noisescope::tui::possible;
use noisescope::tui::scene::map_set::MapKind;
use noisescope::tui::shared::Scale;
use noisescope::tui::size::Size;
use noisescope::tui::state::{DashboardState, Overlay, ViewId};
use noisescope::tui::theme::{Background, Depth, Theme};
use noisescope::tui::update::{self, Effect};
use noisescope::tui::view::attack::AttackView;
use noisescope::tui::view::backdoor::BackdoorView;
use noisescope::tui::view::filters::{FiltersView, Stimuli};
use noisescope::tui::view::maps::MapsView;
use noisescope::tui::view::modulation::ModulationView;
use noisescope::tui::view::predictions::PredictionsView;
use noisescope::tui::view::{JumpKind, View};
use noisescope::tui::views::VIEWS;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 4] = [(60, 18), (80, 24), (120, 40), (200, 60)];
const NOW: i64 = 1_770_000_000;

fn theme() -> Theme {
    Theme::new(Depth::True, Background::Dark, true)
}

/// The dashboard at a size, before any key is pressed.
fn state(size: (u16, u16)) -> DashboardState {
    let mut state = DashboardState::new(Connection::Live, VIEWS);
    state.shared.now = NOW;
    state.shared.size = Size {
        width: size.0,
        height: size.1,
    };
    state
}

/// The dashboard at a size with the named view open.
fn showing(view: &str, size: (u16, u16)) -> DashboardState {
    let mut state = state(size);
    let index = VIEWS.iter().position(|entry| entry.name == view);
    state.view = ViewId(index.expect("the view exists"));
    state
}

/// The state of one view.
fn view_state<T: View>(state: &mut DashboardState) -> &mut T {
    state.view_of_mut().expect("the view is in the table")
}

/// Sets whether the selection is enlarged, in every view that can enlarge it.
fn enlarge(state: &mut DashboardState, enlarged: bool) {
    view_state::<MapsView>(state).enlarged = enlarged;
    view_state::<FiltersView>(state).enlarged = enlarged;
    view_state::<BackdoorView>(state).enlarged = enlarged;
}

fn draw(session: &Session, state: &DashboardState, theme: &Theme) -> Buffer {
    let size = state.shared.size;
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).expect("a backend");
    let frame = terminal.draw(|frame| {
        let area = frame.area();
        frame::draw(session, state, theme, area, frame.buffer_mut());
    });
    frame.expect("the test backend cannot fail").buffer.clone()
}

fn text(buf: &Buffer) -> String {
    let width = usize::from(buf.area.width).max(1);
    let mut text = String::new();
    for row in buf.content.chunks(width) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn screen(session: &Session, state: &DashboardState) -> String {
    text(&draw(session, state, &theme()))
}

/// Every run of cells of one style, as `row:from-to fg/bg` and modifiers, without default styles.
fn styles(buf: &Buffer) -> String {
    let mut dump = String::new();
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            let style = buf[(x, y)].style();
            let from = x;
            while x < buf.area.width && buf[(x, y)].style() == style {
                x += 1;
            }
            let cell = &buf[(from, y)];
            if (cell.fg, cell.bg, cell.modifier) != (Color::Reset, Color::Reset, Modifier::empty())
            {
                dump.push_str(&format!(
                    "{y}:{from}-{} {}/{}{:?}\n",
                    x - 1,
                    cell.fg,
                    cell.bg,
                    cell.modifier
                ));
            }
        }
    }
    dump
}

fn press(session: &Session, state: &mut DashboardState, keys: &[KeyCode]) -> Vec<Effect> {
    let press = |key: &KeyCode| {
        let event = KeyEvent::new(*key, KeyModifiers::NONE);
        update::key(state, &event, session, &theme())
    };
    keys.iter().map(press).collect()
}

/// A session with maps at every γ, still accumulating.
fn accumulated() -> Session {
    synthetic::accumulating([400_000, 400_000, 400_000, 120_000])
}
