//! [`Scene`], the input from which views are drawn, and the components they share. None of them knows a view.

pub mod contact_sheet;
pub mod epochs;
pub mod image;
pub mod map_set;
pub mod outline;
pub mod pending;
pub mod progress;

use super::shared::SharedState;
use super::theme::Theme;
use crate::session::Session;

/// The input of a view's drawing: the session, the shared state of the views, and what the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The session.
    pub session: &'a Session,
    /// The state that all views share.
    pub shared: &'a SharedState,
    /// What the terminal can show.
    pub theme: &'a Theme,
}
