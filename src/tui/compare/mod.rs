//! Two sessions side by side: the map of a class in A, in B, and their difference.
//!
//! A screen of its own, beside the dashboard and the list of sessions: [`compare`] shows it until the
//! person goes back, live where engines are at work.

mod classes;
mod draw;
mod drawn;
mod layout;
mod said;
mod screen;
mod sight;

pub use draw::draw;
pub use drawn::Drawn;
pub use screen::{Alike, End, compare};
pub use sight::{Look, Sight};
