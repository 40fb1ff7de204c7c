//! Extends the plan in the file of a session that no engine is running.

use super::output::print_line;
use super::{CommandError, division_check};
use crate::format::{gamma, thousands};
use crate::session::Session;
use crate::session::config::{self, Extension};
use crate::session::store::Store;

/// Extends the plan in the file of a session that no engine is running.
pub fn extend_in_file(
    store: &Store,
    name: &str,
    images: usize,
    more: Extension,
) -> Result<(), CommandError> {
    let mut lock = store.lock(name)?;
    let mut session = lock.load()?;
    division_check::refuse_divided(&session)?;
    let message = announcement(name, &session, &more);
    let forgotten = session
        .extend(images, more)
        .map_err(|error| CommandError::Usage(format!("{name}: {error}")))?;
    lock.save(&session)?;
    match forgotten.is_empty() {
        true => print_line(format_args!("{message}")),
        false => print_line(format_args!(
            "{message}; to be rerun with the new maps: {}",
            forgotten.join(", ")
        )),
    }
    Ok(())
}

/// The message that announces an extension.
pub fn announcement(name: &str, session: &Session, more: &Extension) -> String {
    let plans = session.config.analyses.iter();
    let images = plans.filter_map(|plan| match plan {
        config::Analysis::ClassificationImages(images) => Some(images),
        _ => None,
    });
    let before = images
        .flat_map(|plan| plan.gammas.iter().map(|&g| (g, plan.trials_at(g))))
        .filter(|(g, _)| more.applies_to(*g));
    let before = before.map(|(_, trials)| trials).max().unwrap_or(0);
    let at = more
        .gamma
        .map_or_else(String::new, |g| format!(" at γ {}", gamma(g)));
    format!(
        "{name} is extended to {} trials{at}, from {}",
        thousands(more.trials),
        thousands(before)
    )
}
