//! The views: what each is called, what it is drawn with, what can be done in it.
//!
//! A new view is one file here and one line in [`VIEWS`]. A view draws a [`Scene`] and computes
//! nothing but its layout.

mod attack;
mod awaited;
mod backdoor;
mod filters;
pub(super) mod footer;
mod frame;
mod header;
pub(super) mod help;
pub mod lens;
mod maps;
mod modulation;
mod overview;
mod palette;
mod pictured;
mod predictions;
pub mod progress;
mod question;
mod sheet;
mod training;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::Place;
use super::state::State;
use super::theme::Theme;
use crate::figure::Figure;
use crate::session::Session;

pub use frame::{columns, draw, shows_log};
pub use help::length as help_length;

/// Every view, in the order of its number.
pub const VIEWS: &[View] = &[
    overview::VIEW,
    training::VIEW,
    maps::VIEW,
    attack::VIEW,
    filters::VIEW,
    modulation::VIEW,
    backdoor::VIEW,
    predictions::VIEW,
];

/// Where an enlarged map is at home.
pub fn index_of_maps() -> usize {
    let home = |view: &View| view.name == maps::VIEW.name;
    VIEWS.iter().position(home).unwrap_or(0)
}

/// One view.
#[derive(Debug)]
pub struct View {
    /// The name on its tab.
    pub name: &'static str,
    /// Draws it.
    pub draw: fn(&Scene<'_>, Rect, &mut Buffer),
    /// What can be done in it, as places of the table of actions.
    pub places: fn(&State) -> &'static [Place],
    /// How many maps stand side by side in it.
    pub columns: fn(&Scene<'_>, Rect) -> usize,
    /// The figure that shows the same at full resolution, if there is one.
    pub figure: fn(&State, &Session) -> Option<Figure>,
    /// Least time between two frames that show newer states of the run.
    pub pace: Duration,
    /// Whether the log stands below it where there is room, or only when asked for.
    pub log: Log,
}

/// Whether a view has the log below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Where there is room.
    WhereRoom,
    /// When asked for.
    WhenAsked,
}

/// What a view draws: the run, what the viewer looks at, and what the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The run.
    pub session: &'a Session,
    /// What the viewer looks at.
    pub state: &'a State,
    /// What the terminal can show.
    pub theme: &'a Theme,
}

/// A terminal's columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// The least on which anything is drawn.
    pub const LEAST: Self = Self {
        width: 60,
        height: 18,
    };

    /// Whether it is enough to draw on.
    pub fn is_enough(self) -> bool {
        self.width >= Self::LEAST.width && self.height >= Self::LEAST.height
    }
}
