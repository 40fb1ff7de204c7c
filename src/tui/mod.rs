//! The terminal interface: the dashboard, a live view of a session, and the list of sessions.
//!
//! [`run`] shows what a [`Link`](crate::link::Link) delivers until the run has ended or the user leaves;
//! [`browse`] lists the sessions until the user chooses. Keys become [`action::Action`]s through one table,
//! [`update::update`] applies them to [`state::State`], and [`frame::draw`] is a pure function of session,
//! state, area and theme.
//!
//! A view is a folder in [`view`]: it owns its state, its actions and its drawing. All views share
//! [`shared::Shared`] and draw a [`scene::Scene`]; [`views::VIEWS`] is the table of them, and nothing below
//! it knows a view by name.

pub mod action;
mod aside;
pub mod browser;
pub mod clipboard;
mod clock;
pub mod compare;
mod dashboard;
pub mod form;
pub mod frame;
pub mod frames;
mod going;
mod ink;
mod input;
pub mod look;
mod options;
mod overlay;
mod pen;
pub mod picture;
pub mod possible;
pub mod preferences;
pub mod scene;
pub mod shared;
pub mod size;
pub mod start;
pub mod state;
mod steps;
pub mod takeaway;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod update;
pub mod view;
pub mod views;
pub mod widget;

pub use browser::{Asks, Choice, List, Row, browse};
pub use dashboard::{Exit, run};
pub use options::{Options, TuiError};
pub use start::Start;
pub use state::State;
pub use terminal::install_panic_hook;
pub use views::key_table;
