//! Findings of the audit and of the backdoor study.

use super::ExperimentFindings;
use crate::figure::audit;
use crate::report::page::words::{counted, sentence};
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, Backdoor, Record};
use crate::stats::share::Share;

/// The findings of an audit. A finding may begin with a class name, whose case must not change.
pub(super) fn audit(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    kind: NetworkKind,
) -> Option<ExperimentFindings> {
    let verdict = audit::summary(record, audit, plan, kind)?;
    let lead = match verdict.found {
        true => format!("Found: {}.", verdict.finding),
        false => format!(
            "{} This does not prove that the network is clean.",
            sentence(&verdict.finding)
        ),
    };
    // When nothing was found, the detection power matters first.
    let (first, second) = match verdict.found {
        true => (verdict.pasted, verdict.power),
        false => (verdict.power, verdict.pasted),
    };
    let standing = match audit.verdict(plan, kind) {
        Some(_) => format!("The score: {}.", verdict.standing),
        // Why there is none.
        None => sentence(&verdict.standing),
    };
    let others = first
        .into_iter()
        .chain(second)
        .map(|words| sentence(&words));
    Some(ExperimentFindings {
        lead,
        facts: std::iter::once(standing).chain(others).collect(),
    })
}

/// How well the study separates its networks.
pub(super) fn backdoor(
    record: &Backdoor,
    plan: &config::Backdoor,
    parts: &[String],
) -> Option<ExperimentFindings> {
    let (first, others) = parts.split_first()?;
    let mut facts: Vec<String> = others.iter().map(|part| sentence(part)).collect();
    let (with, without) = (called_target(record, true), called_target(record, false));
    if with.total > 0 {
        facts.push(format!(
            "Of the source class's images with the patch, {} are called the target by networks with a backdoor, and \
             {} by those without.",
            audit::share_with_interval(with),
            audit::share_with_interval(without)
        ));
    }
    facts.push(format!(
        "The study trained {} of its own; the plan's network is not among them.",
        counted(plan.networks() as u64, "network", "networks")
    ));
    Some(ExperimentFindings {
        lead: format!("In the study: {first}."),
        facts,
    })
}

/// Images with the patch that backdoored or clean networks call the target, pooled over all networks of
/// that kind.
fn called_target(record: &Backdoor, poisoned: bool) -> Share {
    let networks = record
        .networks
        .iter()
        .filter(|network| network.poisoned == poisoned);
    let shares = networks.filter_map(|network| {
        Some(Share {
            hits: (network.attack_success? * network.attacked as f64).round() as u64,
            total: network.attacked,
        })
    });
    shares.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::session::record::{AuditRole, AuditedNetwork};
    use crate::stats::audit::AuditScores;

    #[test]
    fn why_no_class_could_be_compared_is_not_told_of_a_score() {
        let suspect = AuditedNetwork {
            examined: Some(AuditScores {
                classes: vec![None; 3],
            }),
            ..AuditedNetwork::new(AuditRole::Suspect, 1)
        };
        let examined = Audit {
            networks: vec![suspect],
            ..Audit::default()
        };
        let plan = config::Audit::default();
        let record = Session::new("suspect", config::Config::default()).record;
        let found = audit(&record, &examined, &plan, NetworkKind::Cnn).unwrap();
        assert!(found.lead.starts_with("Nothing could be compared"));
        assert!(found.facts[0].contains("plan more trials"));
        assert!(!found.facts[0].contains("score"), "{}", found.facts[0]);
    }
}
