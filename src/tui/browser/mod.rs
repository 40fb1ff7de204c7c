//! The list of sessions: what there is, how far it is, and what to do with it.
//!
//! [`browse`] shows it until the person has chosen. What is chosen is done by the caller: nothing
//! here reads or writes a session.

mod draw;
mod form;
mod list;
mod possible;
mod question;
mod row;
mod screen;

pub use draw::draw;
pub use list::{Browser, Outcome};
pub use row::{About, Asked, Choice, Contents, Deed, Held, List, Preset, Row};
pub use screen::{Asks, Said, browse};
