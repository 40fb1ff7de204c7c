//! What the audit of the network says, and what the study of backdoors does.

use super::Said;
use crate::figure::audit;
use crate::report::page::words::{counted, sentence};
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, Backdoor, Record};
use crate::stats::share::Share;

/// What an audit found; what is found may begin with the name of a class, which stays as it is.
pub(super) fn audit(
    record: &Record,
    it: &Audit,
    plan: &config::Audit,
    kind: NetworkKind,
) -> Option<Said> {
    let said = audit::said(record, it, plan, kind)?;
    let lead = match said.found {
        true => format!("Found: {}.", said.finding),
        false => format!(
            "{} This does not say that the network is clean.",
            sentence(&said.finding)
        ),
    };
    // Nothing found is worth what would have been found.
    let (first, second) = match said.found {
        true => (said.pasted, said.power),
        false => (said.power, said.pasted),
    };
    let standing = format!("The score: {}.", said.standing);
    let others = first
        .into_iter()
        .chain(second)
        .map(|words| sentence(&words));
    Some(Said {
        lead,
        facts: std::iter::once(standing).chain(others).collect(),
    })
}

/// How well the study tells its networks apart.
pub(super) fn backdoor(it: &Backdoor, plan: &config::Backdoor, parts: &[String]) -> Option<Said> {
    let (first, others) = parts.split_first()?;
    let mut facts: Vec<String> = others.iter().map(|part| sentence(part)).collect();
    let (with, without) = (reached(it, true), reached(it, false));
    if with.of > 0 {
        facts.push(format!(
            "Of the images of its source with the patch on, {} are called the target by networks with a backdoor, and \
             {} by those without.",
            audit::share(with),
            audit::share(without)
        ));
    }
    facts.push(format!(
        "This is a study of {} of its own; the network of the plan is not among them.",
        counted(plan.networks() as u64, "network", "networks")
    ));
    Some(Said {
        lead: format!("In the study: {first}."),
        facts,
    })
}

/// Images with the patch that networks with a backdoor, or those without, call the target, of all networks together.
fn reached(it: &Backdoor, poisoned: bool) -> Share {
    let networks = it.networks.iter().filter(|own| own.poisoned == poisoned);
    let shares = networks.filter_map(|own| {
        Some(Share {
            hits: (own.attack_success? * own.attacked as f64).round() as u64,
            of: own.attacked,
        })
    });
    shares.sum()
}
