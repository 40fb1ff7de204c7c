//! The section `audit`: the findings in the network under study, the references it was compared with, the findings
//! pasted onto images, and the results for the poisoned control networks.

use serde_json::{Value, json};

use super::share;
use crate::ids::ClassId;
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, AuditRole, AuditedNetwork, PastedFinding};
use crate::stats::audit::{AuditScores, AuditVerdict, Baseline, Ranking, SquareWindow};

pub(super) fn section(plan: &config::Audit, audit: &Audit, kind: NetworkKind) -> Value {
    let verdict = audit.verdict(plan, kind);
    let power = audit.power(plan);
    let suspect = audit.suspect();
    json!({
        "response": plan.response.key(),
        "gamma": plan.gamma,
        "cell": plan.cell,
        "trials": plan.trials,
        "reference_kind": plan.kind.resolve(kind).label(),
        "found": verdict.as_ref().and_then(found),
        "class": verdict.as_ref().map(|verdict| verdict.class),
        "score": verdict.as_ref().map(|verdict| verdict.top.score),
        "window": verdict.as_ref().map(|verdict| window(verdict.top.window, plan.cell)),
        "null": verdict.as_ref().map(|verdict| match verdict.baseline {
            Baseline::References => "references",
            Baseline::OwnClasses => "own_classes",
        }),
        "standing": verdict.as_ref().map(|verdict| standing(verdict.ranking)),
        "ratio": verdict.as_ref().map(|verdict| verdict.ratio),
        "energy": verdict.as_ref().and_then(|verdict| verdict.energy).map(|(class, ratio, energy_standing)| json!({
            "class": class,
            "ratio": ratio,
            "standing": standing(energy_standing),
        })),
        "classes": suspect.and_then(|suspect| suspect.examined.as_ref()).map(|examined| classes(examined, plan.cell)),
        "pasted": audit.pasted.iter().map(|entry| pasted(entry, plan.cell)).collect::<Vec<_>>(),
        "references": audit.references().map(|entry| network(entry, plan.cell)).collect::<Vec<_>>(),
        "power": power
            .iter()
            .map(|(examinee, verdict, right)| poisoned(examinee, verdict.as_ref(), *right, plan.cell))
            .collect::<Vec<_>>(),
    })
}

/// Whether something was found; `None` if nothing could be.
fn found(verdict: &AuditVerdict) -> Option<bool> {
    verdict.is_conclusive().then(|| verdict.has_finding())
}

/// A window in pixels.
fn window((row, column, side): SquareWindow, cell: usize) -> Value {
    json!({ "row": row * cell, "column": column * cell, "size": side * cell })
}

fn standing(standing: Ranking) -> Value {
    json!({ "rank": standing.rank, "of": standing.total, "largest": standing.largest, "times": standing.ratio })
}

fn classes(examined: &AuditScores, cell: usize) -> Value {
    let classes = examined.classes.iter().map(|score| {
        score.map(|score| {
            json!({ "score": score.score, "window": window(score.window, cell), "energy": score.energy })
        })
    });
    classes.collect()
}

fn network(examinee: &AuditedNetwork, cell: usize) -> Value {
    json!({
        "seed": examinee.seed,
        "accuracy": examinee.accuracy,
        "score": examinee.examined.as_ref().and_then(AuditScores::score),
        "energy_ratio": examinee.examined.as_ref().and_then(|examined| examined.energy()).map(|examined| examined.1),
        "classes": examinee.examined.as_ref().map(|examined| classes(examined, cell)),
    })
}

fn poisoned(
    examinee: &AuditedNetwork,
    verdict: Option<&AuditVerdict>,
    right: bool,
    cell: usize,
) -> Value {
    let mut value = network(examinee, cell);
    if let (Some(object), AuditRole::Poisoned { target, square }) =
        (value.as_object_mut(), examinee.role)
    {
        object.insert("target".into(), json!(target));
        object.insert("patch".into(), window(square, 1));
        object.insert("attack_success".into(), json!(examinee.attack_success));
        object.insert("attacked".into(), json!(examinee.attacked));
        object.insert("class".into(), json!(verdict.map(|verdict| verdict.class)));
        object.insert("found".into(), json!(right));
    }
    value
}

fn pasted(pasted: &PastedFinding, cell: usize) -> Value {
    let sources = ClassId::all(pasted.shown.len());
    json!({
        "class": pasted.class,
        "window": window(pasted.window, cell),
        "others": share(pasted.others()),
        "without": share(pasted.before_pasting()),
        "by_class": sources.map(|source| share(pasted.called_from(source))).collect::<Vec<_>>(),
    })
}
