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

pub use draw::draw;
pub use list::{Browser, Outcome};
pub use row::{About, Asked, Choice, Contents, Deed, Held, List, Preset, Row};
pub use screen::{Asks, Said, browse};
