//! The sentences on experiments that train networks of their own.

use super::super::words::{counted, gammas, list};
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
    let trained =
        (plan.references > 0).then(|| counted(plan.references as u64, "network", "networks"));
    let sessions = match (plan.sessions.len() as u64, plan.references) {
        (0, _) => None,
        (1, 0) => Some("the networks of another session".to_owned()),
        (count, 0) => Some(format!(
            "the networks of {} other sessions",
            thousands(count)
        )),
        (count, _) => Some(format!(
            "those of {}",
            counted(count, "other session", "other sessions")
        )),
    };
    let references: Vec<String> = trained.into_iter().chain(sessions).collect();
    let power = match plan.power {
        0 => String::new(),
        count => format!(
            "; {} poisoned on purpose, to show what would have been found",
            counted(count as u64, "more network is", "more networks are")
        ),
    };
    format!(
        "Audit: is there a backdoor in the network? It is compared, by {}, with {} that are clean \
         ({kind}), on {} each at {}{power}.",
        match plan.response {
            Response::Evidence => "its outputs",
            Response::Decision => "its decisions",
        },
        list(&references),
        counted(plan.trials, "trial", "trials"),
        gammas(&[plan.gamma])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_are_those_trained_here_and_those_of_sessions() {
        let session = Session::new("mine", crate::session::Config::default());
        let words = |references: usize, sessions: usize| {
            let plan = Audit {
                references,
                sessions: (0..sessions)
                    .map(|nth| format!("clean{nth}.ron").into())
                    .collect(),
                ..Audit::default()
            };
            audit(&session, 0, &plan)
        };
        for (references, sessions, expected) in [
            (1, 0, "with 1 network that"),
            (5, 0, "with 5 networks that"),
            (0, 1, "with the networks of another session that"),
            (0, 4, "with the networks of 4 other sessions that"),
            (2, 1, "with 2 networks and those of 1 other session that"),
            (2, 3, "with 2 networks and those of 3 other sessions that"),
        ] {
            let words = words(references, sessions);
            assert!(words.contains(expected), "{words}");
        }
    }
}
