//! The section `backdoor`.
//!
//! Its top-level keys describe the first poisoned network, at the γ with the most evidence; `networks` describes all
//! networks, and `study` how well they are told apart.

use serde_json::{Map, Value, json};

use crate::session::config;
use crate::session::record::{Backdoor, Finding, ScoredWindow, Suspect};
use crate::stats::roc::Roc;

pub(super) fn section(plan: &config::Backdoor, study: &Backdoor) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.into(), value);
    put("source", json!(plan.source));
    put("target", json!(plan.target));
    put("gammas", json!(plan.gammas));
    let gamma_index = study.representative_gamma_index(plan);
    let verdict = study.verdict(plan, gamma_index);
    let first = study.networks.iter().position(|network| network.poisoned);
    if let Some(network) = first.and_then(|i| study.networks.get(i)) {
        put("clean_accuracy", json!(network.clean_accuracy));
        put("attack_success", json!(network.attack_success));
        let judged = first.and_then(|i| verdict.networks[i].as_ref());
        let finding = network.findings.get(gamma_index);
        put("gamma", json!(finding.map(|finding| finding.gamma)));
        put("index", json!(finding.map(indices)));
        put("flagged", json!(judged.map(|judged| &judged.flagged)));
        let found = judged.and_then(|judged| judged.class);
        let found = found.and_then(|class| *finding?.windows.get(class.0)?);
        put("window", json!(found.as_ref().map(window)));
        put("overlap", json!(judged.and_then(|judged| judged.overlap)));
    }
    let networks = study.networks.iter().enumerate();
    put(
        "networks",
        networks
            .map(|(i, suspect)| network(plan, study, i, suspect))
            .collect(),
    );
    put(
        "study",
        (0..plan.gammas.len())
            .map(|gamma_index| study_at(plan, study, gamma_index))
            .collect(),
    );
    all.into()
}

fn indices(finding: &Finding) -> Vec<Option<f64>> {
    let windows = finding.windows.iter();
    windows
        .map(|window| window.and_then(|window| window.index))
        .collect()
}

fn window(window: &ScoredWindow) -> Value {
    json!({ "row": window.row, "column": window.column, "size": window.size, "mean_z": window.score })
}

fn network(plan: &config::Backdoor, study: &Backdoor, index: usize, suspect: &Suspect) -> Value {
    let findings = suspect.findings.iter().enumerate().map(|(gamma_index, finding)| {
        let verdict = study.verdict(plan, gamma_index);
        let judged = verdict.networks[index].as_ref();
        json!({
            "gamma": finding.gamma,
            "trials": finding.trials,
            "called": finding.called,
            "index": indices(finding),
            "windows": finding.windows.iter().map(|found| found.as_ref().map(window)).collect::<Vec<_>>(),
            "flagged": judged.map(|judged| &judged.flagged),
            "overlap": judged.and_then(|judged| judged.overlap),
            "audit": finding.audited.as_ref().and_then(|audited| audited.top()).map(|(class, score)| {
                let (row, column, size) = score.window;
                json!({
                    "score": score.score,
                    "class": class,
                    "window": { "row": row, "column": column, "size": size },
                })
            }),
        })
    });
    json!({
        "poisoned": suspect.poisoned,
        "seed": suspect.seed,
        "clean_accuracy": suspect.clean_accuracy,
        "attack_success": suspect.attack_success,
        "attacked": suspect.attacked,
        "findings": findings.collect::<Value>(),
    })
}

/// How well the networks are told apart at one γ.
fn study_at(plan: &config::Backdoor, study: &Backdoor, gamma_index: usize) -> Value {
    let verdict = study.verdict(plan, gamma_index);
    let auc = |roc: &Option<Roc>| {
        let auc = roc.as_ref().map(|roc| roc.auc);
        auc.map(|auc| json!({ "estimate": auc.estimate, "low": auc.low, "high": auc.high }))
    };
    let points = verdict.roc.as_ref().map(|roc| {
        let points = roc.points.iter();
        points
            .map(|point| [point.false_positives, point.true_positives])
            .collect::<Vec<_>>()
    });
    json!({
        "gamma": plan.gammas[gamma_index],
        "poisoned": verdict.poisoned,
        "clean": verdict.clean,
        "caught": verdict.poisoned_flagged,
        "accused": verdict.clean_flagged,
        "target_named": verdict.target_identified,
        "without_score": verdict.without_score,
        "auc": auc(&verdict.roc),
        "auc_of_strength": auc(&verdict.roc_of_strength),
        "roc": points,
        "audit": study.separation(plan, gamma_index).map(|separation| json!({
            "auc": auc(&separation.roc),
            "auc_of_energy": auc(&separation.roc_of_energy),
            "class_right": separation.class_correct,
            "window_right": separation.window_correct,
        })),
    })
}
