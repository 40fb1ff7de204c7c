//! The terminal interface: the dashboard, a live view of a session, and the list of sessions.
//!
//! [`run`] shows what a [`Link`](crate::link::Link) delivers until the run has ended or the user leaves;
//! [`browse`] lists the sessions until the user chooses. Keys become [`action::Action`]s through one table,
//! [`update::update`] applies them to [`state::DashboardState`], and [`frame::draw`] is a pure function of session,
//! state, area and theme.
//!
//! A view is a folder in [`view`]: it owns its state, its actions and its drawing. All views share
//! [`shared::SharedState`] and draw a [`scene::Scene`]; [`views::VIEWS`] is the table of them, and nothing below
//! it knows a view by name.

pub mod action;
pub mod browser;
mod cell_encoder;
pub mod clipboard;
mod clock;
pub mod compare;
pub mod component;
pub mod copying;
mod dashboard;
pub mod experiment;
mod figure_screen;
pub mod form;
pub mod frame;
mod frame_writer;
pub mod frames;
mod input;
pub mod location;
mod navigation;
mod open_screen;
mod options;
mod overlay;
pub mod picture;
pub mod possible;
pub mod preferences;
pub mod scene;
pub mod shared;
pub mod size;
pub mod state;
mod steps;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod update;
pub mod view;
pub mod views;
pub mod widget;

pub use browser::{BrowserCallbacks, BrowserChoice, ListState, SessionRow, browse};
pub use dashboard::{Exit, run};
pub use location::{Location, LocationError};
pub use options::{DisplayOptions, TuiError};
pub use state::DashboardState;
pub use terminal::install_panic_hook;
pub use views::key_table;
