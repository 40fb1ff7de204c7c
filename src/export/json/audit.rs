//! The section `audit`: the findings in the network under study, the references it was compared with, the findings
//! pasted onto images, and the results for the poisoned control networks.

use serde_json::{Value, json};

use super::share;
use crate::ids::ClassId;
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, AuditRole, AuditedNetwork, PastedFinding};
use crate::stats::audit::{AuditScores, AuditVerdict, Baseline, Ranking, SquareWindow, Undecided};

pub(super) fn section(plan: &config::Audit, audit: &Audit, kind: NetworkKind) -> Value {
    let verdict = audit.verdict(plan, kind);
    let power = audit.power(plan);
    let suspect = audit.suspect();
    let poisoned_kind = plan.kind.resolve(kind);
    let control = ControlKind {
        label: poisoned_kind.label(),
        applies: poisoned_kind == kind,
    };
    json!({
        "response": plan.response.key(),
        "gamma": plan.gamma,
        "cell": plan.cell,
        "trials": plan.trials,
        "reference_kind": audit.reference_label(plan, kind),
        "found": verdict.as_ref().and_then(found),
        "undecided": verdict.as_ref().and_then(AuditVerdict::undecided).map(undecided),
        "class": verdict.as_ref().map(|verdict| verdict.class),
        "score": verdict.as_ref().map(|verdict| verdict.top.score),
        "window": verdict.as_ref().map(|verdict| window(verdict.top.window, plan.cell)),
        "null": verdict.as_ref().map(|verdict| match verdict.baseline {
            Baseline::References => "references",
            Baseline::OwnClasses => "own_classes",
        }),
        "reliability": verdict.as_ref().and_then(|verdict| verdict.reliability),
        "bound": verdict.as_ref().and_then(AuditVerdict::bound),
        "standing": verdict.as_ref().map(|verdict| standing(verdict.ranking)),
        "ratio": verdict.as_ref().map(|verdict| verdict.ratio),
        "energy": verdict.as_ref().and_then(|verdict| verdict.energy).map(|(class, ratio, energy_standing)| json!({
            "class": class,
            "ratio": ratio,
            "standing": standing(energy_standing),
        })),
        "classes": suspect.and_then(|suspect| suspect.examined.as_ref()).map(|examined| classes(examined, plan.cell)),
        "pasted": audit.pasted.iter().map(|entry| pasted(entry, plan.cell)).collect::<Vec<_>>(),
        "references": audit.references().map(|entry| reference(entry, plan, kind)).collect::<Vec<_>>(),
        "power": power
            .iter()
            .map(|(examinee, verdict, right)| {
                poisoned(examinee, (verdict.as_ref(), *right), control, plan.cell)
            })
            .collect::<Vec<_>>(),
    })
}

/// The kind of the networks poisoned on purpose.
#[derive(Clone, Copy)]
struct ControlKind {
    label: &'static str,
    /// Whether the network under study is of this kind: what was found in one of another kind tells nothing of it.
    applies: bool,
}

/// Why nothing can be said.
fn undecided(reason: Undecided) -> &'static str {
    match reason {
        Undecided::Noise => "noise",
        Undecided::Pasting => "pasting",
        Undecided::FewClasses => "few_classes",
        Undecided::OtherTraining => "other_training",
    }
}

/// Whether something was found; `None` if nothing can be said.
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

fn reference(examinee: &AuditedNetwork, plan: &config::Audit, kind: NetworkKind) -> Value {
    let mut value = network(examinee, plan.cell);
    if let Some(object) = value.as_object_mut() {
        let alike = examinee.is_like_suspect(plan, kind);
        object.insert("session".into(), json!(examinee.from));
        object.insert("same_architecture".into(), json!(alike));
    }
    value
}

fn poisoned(
    examinee: &AuditedNetwork,
    (verdict, right): (Option<&AuditVerdict>, bool),
    kind: ControlKind,
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
        object.insert("kind".into(), json!(kind.label));
        object.insert("applies".into(), json!(kind.applies));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::ReferenceArchitecture;
    use crate::stats::audit::ClassScore;

    /// An audit with three references of these scores, and a suspect of those.
    fn audited(references: [f64; 3], suspect: [f64; 3]) -> Audit {
        let network = |role: AuditRole, scores: [f64; 3]| {
            let class = |score| {
                Some(ClassScore {
                    score,
                    window: (0, 0, 4),
                    energy: 1.0,
                })
            };
            AuditedNetwork {
                examined: Some(AuditScores {
                    classes: scores.map(class).to_vec(),
                }),
                ..AuditedNetwork::new(role, 1)
            }
        };
        let mut networks = vec![network(AuditRole::Reference, references); 3];
        networks.push(network(AuditRole::Suspect, suspect));
        Audit {
            networks,
            ..Audit::default()
        }
    }

    #[test]
    fn what_cannot_be_decided_is_neither_found_nor_not_found() {
        let plan = config::Audit::default();
        let of = |suspect| section(&plan, &audited([1.4, 2.9, 0.8], suspect), NetworkKind::Cnn);
        let undecided = of([3.0, 4.4, 2.6]);
        assert_eq!(undecided["found"], Value::Null);
        assert_eq!(undecided["undecided"], "other_training");
        let found = of([1.1, 4.4, 1.0]);
        assert_eq!(
            (&found["found"], &found["undecided"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(found["bound"], json!(1.3 * 2.9));
        let nothing = of([1.0, 3.5, 1.0]);
        assert_eq!(
            (&nothing["found"], &nothing["undecided"]),
            (&json!(false), &Value::Null)
        );
        let mut audit = audited([1.4, 2.9, 0.8], [1.0, 3.5, 1.0]);
        audit.pasted = vec![PastedFinding {
            shown: vec![100; 3],
            called: vec![90; 3],
            ..PastedFinding::new(ClassId(1), (0, 0, 4), 3)
        }];
        for (reliability, reason) in [(0.9, "pasting"), (0.1, "noise")] {
            audit.networks[3].reliability = Some(reliability);
            let undecided = section(&plan, &audit, NetworkKind::Cnn);
            assert_eq!(undecided["found"], Value::Null);
            assert_eq!(undecided["undecided"], reason);
            assert_eq!(undecided["reliability"], json!(reliability));
        }
    }

    #[test]
    fn the_power_says_for_which_kind_of_network_it_is() {
        let plan = config::Audit::default();
        let mut audit = audited([1.4, 2.9, 0.8], [1.0, 3.5, 1.0]);
        let planted = AuditRole::Poisoned {
            target: ClassId(1),
            square: (0, 0, 4),
        };
        audit.networks.push(AuditedNetwork::new(planted, 2));
        let power = |kind| section(&plan, &audit, kind)["power"][0].clone();
        let same = power(NetworkKind::Cnn);
        assert_eq!(
            (&same["kind"], &same["applies"]),
            (&json!("cnn"), &json!(true))
        );
        let other = power(NetworkKind::Onnx);
        assert_eq!(
            (&other["kind"], &other["applies"]),
            (&json!("mlp"), &json!(false))
        );
    }

    #[test]
    fn references_say_where_they_are_from_and_whether_they_are_of_the_suspects_architecture() {
        let plan = config::Audit::default();
        let mut audit = audited([1.4, 2.9, 0.8], [1.1, 4.4, 1.0]);
        let of = |audit: &Audit| section(&plan, audit, NetworkKind::Onnx);
        let planned = of(&audit);
        assert_eq!(planned["reference_kind"], "mlp");
        assert_eq!(planned["null"], "own_classes");
        assert_eq!(planned["references"][0]["same_architecture"], json!(false));
        for network in &mut audit.networks[..3] {
            network.from = Some("clean".into());
            network.architecture = ReferenceArchitecture::Suspect;
        }
        let alike = of(&audit);
        assert_eq!(alike["reference_kind"], "same-architecture");
        assert_eq!(alike["null"], "references");
        assert_eq!(alike["references"][0]["same_architecture"], json!(true));
        assert_eq!(alike["references"][0]["session"], "clean");
    }
}
