//! More to do in the file of a session that no engine runs.

use super::say::say;
use super::{Refusal, divided};
use crate::format::{gamma, thousands};
use crate::session::Session;
use crate::session::config::{self, Extension};
use crate::session::store::Store;

/// Raises what there is to do in the file of a session that no engine runs.
pub fn in_file(store: &Store, name: &str, images: usize, more: Extension) -> Result<(), Refusal> {
    let mut lock = store.lock(name)?;
    let mut session = lock.load()?;
    divided::refuse_divided(&session)?;
    let told = told(name, &session, &more);
    let forgotten = session
        .extend(images, more)
        .map_err(|error| Refusal::Usage(format!("{name}: {error}")))?;
    lock.save(&session)?;
    match forgotten.is_empty() {
        true => say(format_args!("{told}")),
        false => say(format_args!(
            "{told}; measured anew on the new maps: {}",
            forgotten.join(", ")
        )),
    }
    Ok(())
}

/// What is told of it beforehand.
pub fn told(name: &str, session: &Session, more: &Extension) -> String {
    let plans = session.config.analyses.iter();
    let done = plans.filter_map(|it| match it {
        config::Analysis::ClassificationImages(it) => Some(it),
        _ => None,
    });
    let before = done
        .flat_map(|it| it.gammas.iter().map(|&own| (own, it.trials_at(own))))
        .filter(|(own, _)| more.is_of(*own));
    let before = before.map(|(_, trials)| trials).max().unwrap_or(0);
    let at = more
        .gamma
        .map_or_else(String::new, |own| format!(" at γ {}", gamma(own)));
    format!(
        "{name} goes on to {} trials{at}, from {}",
        thousands(more.trials),
        thousands(before)
    )
}
