//! Two sessions side by side: the map of a class in A, in B, and their difference.
//!
//! A screen besides the dashboard and the list of sessions: [`compare`] shows it until the user goes back,
//! updating it while engines run.

mod classes;
mod content;
mod draw;
mod labels;
mod layout;
mod scene;
mod screen;

pub use content::{ComparisonContent, ComparisonState};
pub use draw::draw;
pub use scene::ComparisonScene;
pub use screen::{ComparisonExit, PendingAgreement, compare};
