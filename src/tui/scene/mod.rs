//! [`Scene`], the input from which views are drawn, and the components they share. None of them knows a view.

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

/// The input of a view's drawing: the session, the shared state of the views, and what the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The session.
    pub session: &'a Session,
    /// The state that all views share.
    pub shared: &'a Shared,
    /// What the terminal can show.
    pub theme: &'a Theme,
}
