//! What an audit says, in words: what was found, whether pasting it bears it out, and what would have
//! been found.

use super::names::of_class;
use crate::format::percent;
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Audit, Pasted, Record, Role};
use crate::stats::audit::{Null, Verdict, Window};
use crate::stats::interval::Interval;
use crate::stats::share::Share;

/// What is said of the network under study.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What was found, or that nothing was.
    pub finding: String,
    /// The same where there is little room.
    pub short: String,
    /// Whether something was found, which nobody must overlook.
    pub found: bool,
    /// How the score stands to the references, and what these are.
    pub standing: String,
    /// What pasting it on test images does; `None` before any was shown.
    pub pasted: Option<String>,
    /// What would have been found; `None` where the plan has no poisoned network.
    pub power: Option<String>,
}

/// Rows and columns of a window on noise of such cells, in pixels.
pub fn place((row, column, side): Window, cell: usize) -> String {
    let cell = cell.max(1);
    let last = |first: usize| (first + side) * cell - 1;
    format!(
        "rows {}–{}, columns {}–{}",
        row * cell,
        last(row),
        column * cell,
        last(column)
    )
}

/// `93.1 % (91.0–95.0)`.
fn with_ends(own: Interval) -> String {
    format!(
        "{} ({:.1}–{:.1})",
        percent(own.estimate),
        own.low * 100.0,
        own.high * 100.0
    )
}

/// What an audit of a network of this kind says; `None` before all networks have been shown noise, and
/// where nothing could be compared.
pub fn said(record: &Record, it: &Audit, plan: &config::Audit, kind: NetworkKind) -> Option<Said> {
    let verdict = it.verdict(plan, kind)?;
    let references = it.references().count();
    let name = of_class(record, verdict.class);
    let window = place(verdict.top.window, plan.cell);
    let score = verdict.top.score;
    let power = power(record, it, plan);
    let (finding, short) = match (verdict.has_window(), verdict.has_energy()) {
        (true, _) => (
            format!("{name} reacts to a patch at {window}: score {score:.1}"),
            format!("{name} reacts to a patch: score {score:.1}"),
        ),
        (false, Some(class)) => {
            let name = of_class(record, class);
            let energy = verdict.energy.map_or(0.0, |it| it.1);
            (
                format!(
                    "{name} deviates as a whole, through no small patch: energy {energy:.1} times the median class's"
                ),
                format!("{name} deviates: energy {energy:.1}"),
            )
        }
        (false, None) => (
            format!("nothing found: the highest score is {score:.1}, of {name}"),
            format!("nothing found: score {score:.1}"),
        ),
    };
    Some(Said {
        finding,
        short,
        found: verdict.is_found(),
        standing: standing(&verdict, references, kind, plan),
        pasted: pasted(record, it),
        power,
    })
}

/// How the score stands to the references.
fn standing(
    verdict: &Verdict,
    references: usize,
    kind: NetworkKind,
    plan: &config::Audit,
) -> String {
    let own = verdict.standing;
    let label = plan.kind.of(kind).label();
    match verdict.null {
        Null::References => format!(
            "rank {} of {} beside {references} {label} references, {:.2} times their largest, {:.1}",
            own.rank, own.of, own.times, own.largest
        ),
        Null::OwnClasses => {
            let ratio = verdict
                .ratio
                .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            format!(
                "{ratio} times its own median class; the {references} references are {label}, another kind, and reach {:.1} among themselves",
                own.largest
            )
        }
    }
}

/// What pasting the finding does, and what that of the other classes does.
fn pasted(record: &Record, it: &Audit) -> Option<String> {
    let first = it.pasted.first()?;
    let with = first.others().interval()?;
    let without = first.without().rate()?;
    let mut words = format!(
        "pasted on test images of other classes it makes {} {}, {} without",
        with_ends(with),
        record.class_name(first.class),
        percent(without)
    );
    if let Some((sources, rate)) = first.sources().filter(|most| most.0.len() <= 3) {
        let names: Vec<String> = sources.iter().map(|&at| of_class(record, at)).collect();
        words += &format!("; most of {}, {}", names.join(" and "), percent(rate));
    }
    let gain = |own: &Pasted| own.others().rate().zip(own.without().rate());
    let most = it.pasted[1..].iter().filter_map(gain);
    if let Some((most, _)) = most.reduce(|a, b| if b.0 > a.0 { b } else { a }) {
        words += &format!("; those of other classes {} at most", percent(most));
    }
    Some(words)
}

/// What the networks that are poisoned for the purpose say.
fn power(record: &Record, it: &Audit, plan: &config::Audit) -> Option<String> {
    let all = it.power(plan);
    let judged: Vec<_> = all.iter().filter(|(_, said, _)| said.is_some()).collect();
    if judged.is_empty() {
        return None;
    }
    let right = judged.iter().filter(|(_, _, right)| *right).count();
    let scores = judged
        .iter()
        .filter_map(|(_, said, _)| Some(said.as_ref()?.top.score));
    let scores: Vec<String> = scores.map(|score| format!("{score:.1}")).collect();
    let (first, ..) = judged[0];
    let side = match first.role {
        Role::Poisoned { square, .. } => square.2,
        Role::Reference | Role::Suspect => 0,
    };
    let success = first.attack_success.map(percent).unwrap_or_default();
    let scores = scores.join(", ");
    let square = format!("a square of {side}×{side}");
    Some(match (first.role, judged.len()) {
        (Role::Poisoned { target, .. }, 1) => format!(
            "with this power: a network poisoned with {square} that leads to {}, which works on {success}, is {}found at its place, score {scores}",
            of_class(record, target),
            if right == 1 { "" } else { "NOT " },
        ),
        (_, all) => format!(
            "with this power: of {all} networks poisoned with {square}, each in a corner and to a class of its own, {right} are found at their place, scores {scores}",
        ),
    })
}

/// The score of every class, with that of the references in the same class at most: what a view draws
/// as bars. `None` before all networks have been shown noise.
pub fn bars(it: &Audit) -> Option<(Vec<Option<f64>>, Vec<f64>)> {
    let own = it.suspect()?.examined.as_ref()?;
    let scores = own.classes.iter().map(|own| own.map(|own| own.score));
    let null = it.null();
    let null = null.iter().filter_map(|own| own.score());
    Some((scores.collect(), null.collect()))
}

/// How well the study of backdoors tells its networks by the score against the clean ones; `None`
/// before they have been compared.
pub fn told(it: &crate::session::record::Backdoor, plan: &config::Backdoor) -> Option<String> {
    let told = it.told(plan, it.audited_gamma(plan))?;
    let right = format!(
        "the right class in {} of {}, at its place in {}",
        told.class_right, told.poisoned, told.window_right
    );
    Some(match told.roc {
        Some(roc) if told.poisoned.min(told.clean) > 1 => format!(
            "score against the clean networks: area under the ROC curve {:.2} ({:.2}–{:.2}), {right}",
            roc.auc.estimate, roc.auc.low, roc.auc.high
        ),
        _ => format!("score against the clean networks: {right}"),
    })
}

/// The same in as few words as there are.
pub fn told_in_short(
    it: &crate::session::record::Backdoor,
    plan: &config::Backdoor,
) -> Option<String> {
    let told = it.told(plan, it.audited_gamma(plan))?;
    Some(format!(
        "right class in {} of {}, place in {}",
        told.class_right, told.poisoned, told.window_right
    ))
}

/// A share as it is written, with its ends; `none` of nothing.
pub fn share(own: Share) -> String {
    own.interval().map_or_else(|| "none".to_owned(), with_ends)
}
