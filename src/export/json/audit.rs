//! The section `audit`: what was found in the network under study, the references that it was held
//! against, the finding pasted, and what would have been found.

use serde_json::{Value, json};

use super::share;
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, Examinee, Pasted, Role};
use crate::stats::audit::{Examined, Null, Standing, Verdict, Window};

pub(super) fn section(plan: &config::Audit, it: &Audit, kind: NetworkKind) -> Value {
    let verdict = it.verdict(plan, kind);
    let power = it.power(plan);
    let suspect = it.suspect();
    json!({
        "response": plan.response.key(),
        "gamma": plan.gamma,
        "cell": plan.cell,
        "trials": plan.trials,
        "reference_kind": plan.kind.of(kind).label(),
        "found": verdict.as_ref().map(Verdict::is_found),
        "class": verdict.as_ref().map(|it| it.class),
        "score": verdict.as_ref().map(|it| it.top.score),
        "window": verdict.as_ref().map(|it| window(it.top.window, plan.cell)),
        "null": verdict.as_ref().map(|it| match it.null {
            Null::References => "references",
            Null::OwnClasses => "own_classes",
        }),
        "standing": verdict.as_ref().map(|it| standing(it.standing)),
        "ratio": verdict.as_ref().map(|it| it.ratio),
        "energy": verdict.as_ref().and_then(|it| it.energy).map(|(class, ratio, own)| json!({
            "class": class,
            "ratio": ratio,
            "standing": standing(own),
        })),
        "classes": suspect.and_then(|own| own.examined.as_ref()).map(|own| classes(own, plan.cell)),
        "pasted": it.pasted.iter().map(|own| pasted(own, plan.cell)).collect::<Vec<_>>(),
        "references": it.references().map(|own| network(own, plan.cell)).collect::<Vec<_>>(),
        "power": power
            .iter()
            .map(|(own, said, right)| poisoned(own, said.as_ref(), *right, plan.cell))
            .collect::<Vec<_>>(),
    })
}

/// A window in pixels.
fn window((row, column, side): Window, cell: usize) -> Value {
    json!({ "row": row * cell, "column": column * cell, "size": side * cell })
}

fn standing(it: Standing) -> Value {
    json!({ "rank": it.rank, "of": it.of, "largest": it.largest, "times": it.times })
}

fn classes(it: &Examined, cell: usize) -> Value {
    let classes = it.classes.iter().map(|own| {
        own.map(|own| {
            json!({ "score": own.score, "window": window(own.window, cell), "energy": own.energy })
        })
    });
    classes.collect()
}

fn network(it: &Examinee, cell: usize) -> Value {
    json!({
        "seed": it.seed,
        "accuracy": it.accuracy,
        "score": it.examined.as_ref().and_then(Examined::score),
        "energy_ratio": it.examined.as_ref().and_then(|own| own.energy()).map(|own| own.1),
        "classes": it.examined.as_ref().map(|own| classes(own, cell)),
    })
}

fn poisoned(it: &Examinee, said: Option<&Verdict>, right: bool, cell: usize) -> Value {
    let mut value = network(it, cell);
    if let (Some(own), Role::Poisoned { target, square }) = (value.as_object_mut(), it.role) {
        own.insert("target".into(), json!(target));
        own.insert("patch".into(), window(square, 1));
        own.insert("attack_success".into(), json!(it.attack_success));
        own.insert("attacked".into(), json!(it.attacked));
        own.insert("class".into(), json!(said.map(|it| it.class)));
        own.insert("found".into(), json!(right));
    }
    value
}

fn pasted(it: &Pasted, cell: usize) -> Value {
    let sources = 0..it.shown.len();
    json!({
        "class": it.class,
        "window": window(it.window, cell),
        "others": share(it.others()),
        "without": share(it.without()),
        "by_class": sources.map(|source| share(it.of(source))).collect::<Vec<_>>(),
    })
}
