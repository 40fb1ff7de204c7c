//! The table of views. A new view is a folder in [`super::view`] and a row here.

use super::action;
use super::view::{
    ViewEntry, attack, audit, backdoor, filters, maps, modulation, overview, predictions, shards,
    training,
};
use crate::session::Session;

/// Every view, in the order of their numbers; the last one is only for divided sessions.
pub const VIEWS_OF_SHARDS: &[ViewEntry] = &[
    overview::VIEW,
    training::VIEW,
    maps::VIEW,
    attack::VIEW,
    filters::VIEW,
    modulation::VIEW,
    backdoor::VIEW,
    audit::VIEW,
    predictions::VIEW,
    shards::VIEW,
];

/// The views of all other sessions.
pub const VIEWS: &[ViewEntry] = VIEWS_OF_SHARDS.split_at(VIEWS_OF_SHARDS.len() - 1).0;

/// The views of a session.
pub fn of(session: &Session) -> &'static [ViewEntry] {
    match &session.record.sharding {
        Some(_) => VIEWS_OF_SHARDS,
        None => VIEWS,
    }
}

/// The README's list of keys, as a Markdown table.
pub fn key_table() -> String {
    action::key_table(VIEWS.len())
}
