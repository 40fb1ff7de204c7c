//! What a view draws, and the pieces that several views draw with. None of them knows a view.

pub mod awaited;
pub mod epochs;
pub mod image;
pub mod lens;
pub mod outline;
pub mod progress;
pub mod sheet;

use super::shared::Shared;
use super::theme::Theme;
use crate::session::Session;

/// What a view draws: the run, what all views look at, and what the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The run.
    pub session: &'a Session,
    /// What all views look at.
    pub shared: &'a Shared,
    /// What the terminal can show.
    pub theme: &'a Theme,
}
