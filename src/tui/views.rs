//! The table of views. A new view is a folder in [`super::view`] and a line here.

use super::action;
use super::view::{
    Entry, attack, audit, backdoor, filters, maps, modulation, overview, predictions, shards,
    training,
};
use crate::session::Session;

/// Every view, in the order of its number.
pub const VIEWS: &[Entry] = &[
    overview::VIEW,
    training::VIEW,
    maps::VIEW,
    attack::VIEW,
    filters::VIEW,
    modulation::VIEW,
    backdoor::VIEW,
    audit::VIEW,
    predictions::VIEW,
];

/// The same, and the shards of a session that is divided.
pub const VIEWS_OF_SHARDS: &[Entry] = &[
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

/// The views of a session.
pub fn of(session: &Session) -> &'static [Entry] {
    match &session.record.sharding {
        Some(_) => VIEWS_OF_SHARDS,
        None => VIEWS,
    }
}

/// The list of keys for the README, a table in Markdown.
pub fn key_table() -> String {
    action::key_table(VIEWS.len())
}
