//! The sentences on experiments that train networks of their own.

use super::super::words::{counted, gammas};
use crate::figure::wording;
use crate::format::thousands;
use crate::session::Session;
use crate::session::config::{Audit, Backdoor, Response};
use crate::session::record;

/// What a backdoor study does.
pub fn backdoor(session: &Session, plan: &Backdoor) -> String {
    let name = |class| wording::class_name(&session.record, class);
    format!(
        "Backdoor: a study that trains its own networks, {} on images some of which have a patch that leads from {} \
         to {}, and {} without; each is shown {} at each of {}, to see how well the two kinds can be told apart.",
        counted(plan.poisoned as u64, "network", "networks"),
        name(plan.source),
        name(plan.target),
        thousands(plan.clean as u64),
        counted(plan.trials, "trial", "trials"),
        gammas(&plan.gammas)
    )
}

/// What an audit does.
pub fn audit(session: &Session, index: usize, plan: &Audit) -> String {
    let suspect = session.config.network.kind;
    let kind = match session.record.analyses.get(index) {
        Some(record::Analysis::Audit(audit)) => audit.reference_label(plan, suspect),
        _ => plan.kind.resolve(suspect).label(),
    };
    let sessions = match plan.sessions.len() {
        0 => String::new(),
        count => format!(
            " and those of {}",
            counted(count as u64, "other session", "other sessions")
        ),
    };
    let power = match plan.power {
        0 => String::new(),
        count => format!(
            "; {} poisoned on purpose, to show what would have been found",
            counted(count as u64, "more network is", "more networks are")
        ),
    };
    format!(
        "Audit: is there a backdoor in the network? It is compared, by {}, with {}{sessions} that are clean \
         ({kind}), on {} each at {}{power}.",
        match plan.response {
            Response::Evidence => "its outputs",
            Response::Decision => "its decisions",
        },
        counted(plan.references as u64, "network", "networks"),
        counted(plan.trials, "trial", "trials"),
        gammas(&[plan.gamma])
    )
}
