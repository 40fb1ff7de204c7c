//! The dashboard: a live view of a session in the terminal, and the list of sessions.
//!
//! [`run`] shows what a [`Link`](crate::link::Link) gives until the run has ended or the person
//! leaves; [`browse`] lists the sessions until the person chooses. Keys become [`action::Action`]s
//! through one table, [`update::update`] applies them to [`state::State`], and [`view::draw`] is a
//! pure function of session, state, place and theme.

pub mod action;
mod aside;
pub mod browser;
mod dashboard;
pub mod frames;
mod ink;
mod input;
mod pen;
pub mod picture;
pub mod state;
mod steps;
mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod widget;

pub use action::key_table;
pub use browser::{Choice, List, Row, RowState, browse};
pub use dashboard::{Exit, Options, TuiError, run};
pub use state::State;
pub use terminal::install_panic_hook;
