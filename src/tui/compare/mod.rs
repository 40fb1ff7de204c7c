//! Two sessions side by side: the map of a class in A, in B, and their difference.
//!
//! A screen besides the dashboard and the list of sessions: [`compare`] shows it until the user goes back,
//! updating it while engines run.

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
