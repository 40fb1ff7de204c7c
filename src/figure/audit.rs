//! An audit's results in words: the finding, whether pasting it confirms it, and the detection power.

mod finding;
mod pasted;

use self::finding::finding;
use self::pasted::pasted;
use super::wording::{class_name, percent_with_ends};
use crate::format::{clean, fixed, percent};
use crate::session::config::{self, NetworkKind, Response};
use crate::session::record::{Audit, AuditRole, Record, ReferenceArchitecture};
use crate::stats::audit::{AuditVerdict, Baseline, SquareWindow};
use crate::stats::share::Share;

/// An audit's results for the network under study, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditSummary {
    /// The finding, or that nothing was found.
    pub finding: String,
    /// The finding in a shorter form.
    pub short_finding: String,
    /// Whether something was found, so that it can be highlighted.
    pub found: bool,
    /// How the score compares with the references, and what these are.
    pub standing: String,
    /// The effect of pasting the finding onto test images; `None` before any was shown.
    pub pasted: Option<String>,
    /// How the poisoned networks were detected; `None` if the plan has none.
    pub power: Option<String>,
}

/// The first and the last row of a window in pixels, and the first and the last column, for noise in cells of `cell`
/// pixels. Cells at the lower and at the right edge of an image that they do not divide are cut off, and so is a window
/// there.
fn window_span(
    record: &Record,
    (row, column, side): SquareWindow,
    cell: usize,
) -> [(usize, usize); 2] {
    let cell = cell.max(1);
    let form = record.form.as_ref();
    let span = |first: usize, length: Option<usize>| {
        let end = (first + side) * cell;
        let end = length.map_or(end, |length| end.min(length));
        (first * cell, end.saturating_sub(1))
    };
    [
        span(row, form.map(|form| form.height)),
        span(column, form.map(|form| form.width)),
    ]
}

/// The rows and columns of a window in pixels: `rows 0–3, columns 24–27`.
pub fn window_in_words(record: &Record, window: SquareWindow, cell: usize) -> String {
    let [(top, bottom), (left, right)] = window_span(record, window, cell);
    format!("rows {top}–{bottom}, columns {left}–{right}")
}

/// An audit's results for a network of this kind; `None` until all networks have been shown noise.
pub fn summary(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    kind: NetworkKind,
) -> Option<AuditSummary> {
    let Some(verdict) = audit.verdict(plan, kind) else {
        return uncompared(record, audit, plan, kind);
    };
    let power = power(record, audit, plan, kind);
    let (finding, short) = finding(record, &verdict, plan);
    Some(AuditSummary {
        finding,
        short_finding: short,
        found: verdict.has_finding(),
        standing: standing(&verdict, audit, kind, plan),
        pasted: pasted(record, audit),
        power,
    })
}

/// That no class could be compared, and why; `None` until all networks have been shown noise.
fn uncompared(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    kind: NetworkKind,
) -> Option<AuditSummary> {
    audit.suspect()?.examined.as_ref()?;
    let least = plan.min_trials;
    let standing = match plan.response {
        Response::Decision => format!(
            "an image by decisions takes {least} trials in each cell; plan more trials, another γ, or evidence"
        ),
        Response::Evidence => format!(
            "an evidence image takes {least} trials and an output that varies; plan more trials"
        ),
    };
    let short = "nothing could be compared";
    Some(AuditSummary {
        finding: format!(
            "{short}: no class has an image both in this network and in enough references"
        ),
        short_finding: short.to_owned(),
        found: false,
        standing,
        pasted: pasted(record, audit),
        power: power(record, audit, plan, kind),
    })
}

/// How the score compares with the references.
fn standing(
    verdict: &AuditVerdict,
    audit: &Audit,
    kind: NetworkKind,
    plan: &config::Audit,
) -> String {
    let position = verdict.ranking;
    let label = audit.reference_label(plan, kind);
    let references = audit.references().count();
    match verdict.baseline {
        Baseline::References => {
            let bound = match verdict.bound() {
                Some(bound) => format!("; beyond {} a class stands out", fixed(bound, 1)),
                None => String::new(),
            };
            format!(
                "rank {} of {} among {references} {label} references, {} times their largest, {}{bound}",
                position.rank,
                position.total,
                fixed(position.ratio, 2),
                fixed(position.largest, 1)
            )
        }
        Baseline::OwnClasses => {
            let ratio = verdict
                .ratio
                .map_or_else(String::new, |ratio| fixed(ratio, 2));
            let bound = match verdict.bound() {
                Some(_) => format!(", where {} stands out", fixed(verdict.ratio_bound, 1)),
                None => String::new(),
            };
            let which = match unlike_references(audit, plan, kind) {
                Some(unlike) => format!(
                    "of the {references} references, these have another architecture: {unlike}; all"
                ),
                None => format!("the {references} references are {label}, another kind, and"),
            };
            format!(
                "{ratio} times its own median class{bound}; {which} reach {} among themselves",
                fixed(position.largest, 1)
            )
        }
    }
}

/// How the references differ from the network under study if not all have its architecture.
pub fn unlike_in_words(audit: &Audit, plan: &config::Audit, kind: NetworkKind) -> &'static str {
    match unlike_references(audit, plan, kind) {
        Some(_) => "Not all references are of the network's architecture",
        None => "The references are of another kind",
    }
}

/// Which references have another architecture than the network under study; `None` if all are of the planned kind, which
/// says it.
fn unlike_references(audit: &Audit, plan: &config::Audit, kind: NetworkKind) -> Option<String> {
    let mut references = audit.references();
    if references.all(|network| network.architecture == ReferenceArchitecture::Planned) {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for network in audit.references() {
        let name = match &network.from {
            Some(session) => clean(session),
            None => "those trained here".to_owned(),
        };
        if !network.is_like_suspect(plan, kind) && !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names.join(", "))
}

/// How the networks poisoned as a control were detected. They are of the planned kind, so if that is not the kind
/// of the network under study, this is no power to find anything in it, and the words begin with that.
fn power(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    kind: NetworkKind,
) -> Option<String> {
    let all = audit.power(plan);
    let judged: Vec<_> = all
        .iter()
        .filter(|(_, verdict, _)| verdict.is_some())
        .collect();
    if judged.is_empty() {
        return None;
    }
    let right = judged.iter().filter(|(_, _, right)| *right).count();
    let scores = judged
        .iter()
        .filter_map(|(_, verdict, _)| Some(verdict.as_ref()?.top.score));
    let scores: Vec<String> = scores.map(|score| fixed(score, 1)).collect();
    let (first, ..) = judged[0];
    let side = match first.role {
        AuditRole::Poisoned { square, .. } => square.2,
        AuditRole::Reference | AuditRole::Suspect => 0,
    };
    let success = first.attack_success.map(percent).unwrap_or_default();
    let scores = scores.join(", ");
    let square = format!("a square of {side}×{side}");
    let poisoned = plan.kind.resolve(kind);
    let measured = match poisoned == kind {
        true => "power".to_owned(),
        false => format!(
            "power for {} only, unknown for this kind of network",
            poisoned.label()
        ),
    };
    Some(match (first.role, judged.len()) {
        (AuditRole::Poisoned { target, .. }, 1) => format!(
            "{measured}: a network poisoned with {square} for {}, success {success}, is {}found in the right place, score {scores}",
            class_name(record, target),
            if right == 1 { "" } else { "NOT " },
        ),
        (_, all) => format!(
            "{measured}: of {all} networks poisoned with {square}, each in a corner and for its own class, {right} are found in the right place, scores {scores}",
        ),
    })
}

/// The score of every class, and the largest score of each reference compared with the others: the data of a bar
/// chart. `None` until all networks have been shown noise.
pub fn class_scores(audit: &Audit) -> Option<(Vec<Option<f64>>, Vec<f64>)> {
    let examined = audit.suspect()?.examined.as_ref()?;
    let scores = examined
        .classes
        .iter()
        .map(|class| class.map(|class| class.score));
    let null = audit.null();
    let null = null.iter().filter_map(|reference| reference.score());
    Some((scores.collect(), null.collect()))
}

/// How well the score against the clean networks separates the networks of a backdoor study; `None` until they have
/// been compared.
pub fn backdoor_summary(
    study: &crate::session::record::Backdoor,
    plan: &config::Backdoor,
) -> Option<String> {
    let separation = study.separation(plan, study.audited_gamma_index(plan))?;
    let right = format!(
        "the right class in {} of {}, the right place in {}",
        separation.class_correct, separation.poisoned, separation.window_correct
    );
    Some(match separation.roc {
        Some(roc) if separation.poisoned.min(separation.clean) > 1 => format!(
            "score against the clean networks: area under the ROC curve {:.2} ({:.2}–{:.2}), {right}",
            roc.auc.estimate, roc.auc.low, roc.auc.high
        ),
        _ => format!("score against the clean networks: {right}"),
    })
}

/// The same in fewer words.
pub fn short_backdoor_summary(
    study: &crate::session::record::Backdoor,
    plan: &config::Backdoor,
) -> Option<String> {
    let separation = study.separation(plan, study.audited_gamma_index(plan))?;
    Some(format!(
        "right class in {} of {}, place in {}",
        separation.class_correct, separation.poisoned, separation.window_correct
    ))
}

/// A share with its interval; `none` for an empty share.
pub fn share_with_interval(value: Share) -> String {
    value
        .interval()
        .map_or_else(|| "none".to_owned(), percent_with_ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};
    use crate::stats::audit::{AuditScores, ClassScore, audit_verdict};

    #[test]
    fn the_standing_among_references_says_beyond_which_score_a_class_stands_out() {
        let network = |scores: [f64; 3]| AuditScores {
            classes: scores
                .map(|score| {
                    Some(ClassScore {
                        score,
                        window: (0, 0, 4),
                        energy: 1.0,
                    })
                })
                .to_vec(),
        };
        let references = [[5.0, 1.0, 1.0]; 3].map(network);
        let words = |suspect: [f64; 3]| {
            let verdict = audit_verdict(&network(suspect), &references, Baseline::References);
            let plan = config::Audit::default();
            standing(
                &verdict.unwrap(),
                &Audit::default(),
                NetworkKind::Cnn,
                &plan,
            )
        };
        let near = words([6.4, 1.0, 1.0]);
        let end = "1.28 times their largest, 5.0; beyond 6.5 a class stands out";
        assert!(near.ends_with(end), "{near}");
        // The other classes are far from the references, too.
        let unlike = words([6.6, 2.0, 2.0]);
        let end = "1.32 times their largest, 5.0; beyond 13.0 a class stands out";
        assert!(unlike.ends_with(end), "{unlike}");
    }

    #[test]
    fn a_window_ends_with_the_image_where_cells_do_not_divide_it() {
        let mut record = Record::new(&Config::default());
        let words = |record: &Record, window, cell| window_in_words(record, window, cell);
        // Ten cells of three pixels cover 28 pixels and two more.
        let window = (8, 7, 2);
        assert_eq!(words(&record, window, 3), "rows 24–29, columns 21–26");
        record.form = Some(Form::numbered([1, 28, 26], 3));
        assert_eq!(words(&record, window, 3), "rows 24–27, columns 21–25");
        assert_eq!(words(&record, (2, 3, 4), 1), "rows 2–5, columns 3–6");
        assert_eq!(words(&record, (2, 3, 4), 0), "rows 2–5, columns 3–6");
    }
}
