//! The list of sessions: which there are, how far they are, and what can be done with them.
//!
//! [`browse`] shows it until the user has chosen. The caller carries out the choice: nothing here reads or
//! writes a session.

mod draw;
mod form;
mod keys;
mod list;
mod possible;
mod question;
mod row;
mod screen;
mod state;

pub use draw::draw;
pub use list::{Browser, BrowserEffect};
pub use row::{
    BrowserChoice, FileContents, Preset, PresetInfo, SessionContents, SessionRequest, SessionRow,
    SessionTask,
};
pub use screen::{BrowserCallbacks, PilotResult, browse};
pub use state::ListState;
