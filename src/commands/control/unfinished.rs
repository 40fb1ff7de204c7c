//! Messages about a command that has not been carried out.

use std::time::Duration;

use super::sent;
use crate::format::{counted, thousands};
use crate::link::EngineCommand;
use crate::session::Session;
use crate::session::run::Phase;
use crate::session::store::{Store, timestamp};

/// A sentence on a command that has not been carried out within `patience`, by an engine that was last seen in this phase.
pub(super) fn overdue(
    name: &str,
    command: &EngineCommand,
    seen: Option<&Phase>,
    patience: Duration,
) -> String {
    let patience = patience.as_secs();
    let what = match (command, seen) {
        (EngineCommand::Stop, Some(Phase::Stopping)) => format!(
            "{name} is stopping, but what it is computing takes longer than {patience} s; it is saved and ends after that"
        ),
        (EngineCommand::Pause, Some(Phase::Starting)) => {
            format!("{name} is still starting after {patience} s; it pauses when its work begins")
        }
        _ if sent::adds(command) => {
            format!("the engine of {name} has not saved it within {patience} s")
        }
        _ => format!("the engine of {name} has not responded within {patience} s"),
    };
    format!("{what}; `noisescope attach {name}` shows what it is doing")
}

/// A sentence on a note or an extension that an engine has, but cannot save.
pub(super) fn unsaved(name: &str, problem: &str) -> String {
    format!(
        "{name}: not saved yet: {problem}. What was added is lost if the engine ends before that"
    )
}

/// A sentence on a pause of an engine that has no more to compute and waits until it can save.
pub(super) fn only_saving(name: &str, problem: &str) -> String {
    format!(
        "{name} computes nothing any more and ends as soon as it can be saved: {problem}. To discard what is not saved: noisescope stop {name} --discard"
    )
}

/// What an engine that ended without saving has left: its last checkpoint, if it wrote one.
pub(super) fn left_behind(store: &Store, name: &str) -> &'static str {
    match store.load(name) {
        Ok(saved) if saved.record.updated == 0 => "there is no checkpoint yet",
        _ => "its file has the last checkpoint",
    }
}

/// A sentence on what would be lost if an engine that cannot save ended now.
pub(super) fn describe_loss(store: &Store, name: &str, now: &Session, problem: &str) -> String {
    let (done, saved) = (now.trials().0, store.load(name).ok());
    let (since, lost) = match &saved {
        Some(saved) if saved.record.updated > 0 => (
            format!(
                "since the checkpoint of {}",
                timestamp(saved.record.updated)
            ),
            done.saturating_sub(saved.trials().0),
        ),
        _ => ("so far, since there is no checkpoint".to_owned(), done),
    };
    let epochs = |session: &Session| {
        let training = session.record.training.as_ref();
        training.map_or(0, |training| training.epochs.len())
    };
    let trained = epochs(now).saturating_sub(saved.as_ref().map_or(0, epochs));
    let work = match (lost, trained) {
        (0, 0) => "All progress".to_owned(),
        (0, epochs) => format!("{} of training", counted(epochs as u64, "epoch", "epochs")),
        (trials, _) => format!("{} trials", thousands(trials)),
    };
    format!("{name} cannot be saved ({problem}). {work} {since} would be lost.")
}
