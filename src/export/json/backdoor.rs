//! The section `backdoor`.
//!
//! The keys of its own tell of the first poisoned network, at the γ of most evidence; `networks`
//! tells of all, and `study` how well they are told apart.

use serde_json::{Map, Value, json};

use crate::session::config;
use crate::session::record::{Backdoor, Finding, Suspect, Window};
use crate::stats::roc::Roc;

pub(super) fn section(plan: &config::Backdoor, it: &Backdoor) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.into(), value);
    put("source", json!(plan.source));
    put("target", json!(plan.target));
    put("gammas", json!(plan.gammas));
    let gamma = it.telling_gamma(plan);
    let verdict = it.verdict(plan, gamma);
    let first = it.networks.iter().position(|it| it.poisoned);
    if let Some(network) = first.and_then(|i| it.networks.get(i)) {
        put("clean_accuracy", json!(network.clean_accuracy));
        put("attack_success", json!(network.attack_success));
        let judged = first.and_then(|i| verdict.networks[i].as_ref());
        let finding = network.findings.get(gamma);
        put("gamma", json!(finding.map(|it| it.gamma)));
        put("index", json!(finding.map(indices)));
        put("flagged", json!(judged.map(|it| &it.flagged)));
        let found = judged.and_then(|it| it.class);
        let found = found.and_then(|class| *finding?.windows.get(class)?);
        put("window", json!(found.as_ref().map(window)));
        put("overlap", json!(judged.and_then(|it| it.overlap)));
    }
    let networks = it.networks.iter().enumerate();
    put(
        "networks",
        networks.map(|(i, own)| network(plan, it, i, own)).collect(),
    );
    put(
        "study",
        (0..plan.gammas.len()).map(|g| study(plan, it, g)).collect(),
    );
    all.into()
}

fn indices(finding: &Finding) -> Vec<Option<f64>> {
    let windows = finding.windows.iter();
    windows
        .map(|window| window.and_then(|it| it.index))
        .collect()
}

fn window(it: &Window) -> Value {
    json!({ "row": it.row, "column": it.column, "size": it.size, "mean_z": it.score })
}

fn network(plan: &config::Backdoor, all: &Backdoor, place: usize, it: &Suspect) -> Value {
    let findings = it.findings.iter().enumerate().map(|(gamma, finding)| {
        let verdict = all.verdict(plan, gamma);
        let judged = verdict.networks[place].as_ref();
        json!({
            "gamma": finding.gamma,
            "trials": finding.trials,
            "called": finding.called,
            "index": indices(finding),
            "windows": finding.windows.iter().map(|it| it.as_ref().map(window)).collect::<Vec<_>>(),
            "flagged": judged.map(|it| &it.flagged),
            "overlap": judged.and_then(|it| it.overlap),
            "audit": finding.audited.as_ref().and_then(|it| it.top()).map(|(class, own)| {
                let (row, column, size) = own.window;
                json!({
                    "score": own.score,
                    "class": class,
                    "window": { "row": row, "column": column, "size": size },
                })
            }),
        })
    });
    json!({
        "poisoned": it.poisoned,
        "seed": it.seed,
        "clean_accuracy": it.clean_accuracy,
        "attack_success": it.attack_success,
        "attacked": it.attacked,
        "findings": findings.collect::<Value>(),
    })
}

/// How well the networks are told apart at one γ.
fn study(plan: &config::Backdoor, it: &Backdoor, gamma: usize) -> Value {
    let verdict = it.verdict(plan, gamma);
    let auc = |roc: &Option<Roc>| {
        let auc = roc.as_ref().map(|roc| roc.auc);
        auc.map(|it| json!({ "estimate": it.estimate, "low": it.low, "high": it.high }))
    };
    let points = verdict.roc.as_ref().map(|roc| {
        let points = roc.points.iter();
        points
            .map(|it| [it.false_positives, it.true_positives])
            .collect::<Vec<_>>()
    });
    json!({
        "gamma": plan.gammas[gamma],
        "poisoned": verdict.poisoned,
        "clean": verdict.clean,
        "caught": verdict.caught,
        "accused": verdict.accused,
        "target_named": verdict.target_named,
        "without_score": verdict.without_score,
        "auc": auc(&verdict.roc),
        "auc_of_strength": auc(&verdict.roc_of_strength),
        "roc": points,
        "audit": it.told(plan, gamma).map(|told| json!({
            "auc": auc(&told.roc),
            "auc_of_energy": auc(&told.roc_of_energy),
            "class_right": told.class_right,
            "window_right": told.window_right,
        })),
    })
}
