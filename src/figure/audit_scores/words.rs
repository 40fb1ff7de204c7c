//! The audit figure in words: its caption, its findings, and its alternative text.

use super::super::audit;
use super::super::wording::{capitalise, class_name};
use super::data::{AuditData, audit_data};
use super::scores::{MOST_CLASSES, score_text};
use crate::format::{clean, gamma, thousands};
use crate::session::Session;
use crate::stats::audit::{AuditVerdict, Baseline, OUTLIER_RATIO, window_sides};

/// The caption.
pub fn caption(session: &Session, nth: usize) -> Option<String> {
    let data = audit_data(session, nth).ok()?;
    let plan = data.plan;
    let kind = session.config.network.kind;
    let side = window_sides(plan.cell);
    let side = match side.start() == side.end() {
        true => side.start().to_string(),
        false => format!("{} to {}", side.start(), side.end()),
    };
    let unit = if plan.cell > 1 { "cells" } else { "pixels" };
    let cells = match plan.cell {
        0 | 1 => String::new(),
        cell => format!(" in cells of {cell}×{cell} pixels"),
    };
    let mut words = format!(
        "Audit of {} against {} {} references, by {}s at γ = {}, each from {} trials of {} noise{cells}. Score of a class: the largest mean deviation of its image from those of the references over square windows with sides of {side} {unit}, times the side; deviation: images at unit length, minus the references' mean, over √((sd² + mean sd²)/2).",
        clean(&session.config.network.label()),
        data.audit.references().count(),
        data.audit.reference_label(plan, kind),
        plan.response.image_label(),
        gamma(plan.gamma),
        thousands(plan.trials),
        plan.noise.label(),
    );
    words += &lines(
        &data.verdict,
        audit::unlike_in_words(data.audit, plan, kind),
    );
    if data.verdict.has_window() || data.found().is_none() {
        words += &format!(
            " Outlined: the window of {}, {}.",
            class_name(&session.record, data.class()),
            audit::window_in_words(&session.record, data.verdict.top.window, plan.cell)
        );
    }
    let channels = data.audit.shape().map_or(1, |[channels, ..]| channels);
    if channels > 1 {
        words += &format!(" Maps: the mean of {channels} channels.");
    }
    for sentence in sentences(&data) {
        words += &format!(" {}.", capitalise(&sentence));
    }
    if data
        .audit
        .pasted
        .iter()
        .any(|finding| finding.others().total > 0)
    {
        words += " Shares with their 95 % intervals (Wilson).";
    }
    if let Some(left) = left_out(&data) {
        words += &format!(" {}.", capitalise(&left));
    }
    Some(words)
}

/// What the vertical lines of the bars are; `unlike` says how the references differ if not all are of the suspect's
/// architecture.
fn lines(verdict: &AuditVerdict, unlike: &str) -> String {
    let ratio = verdict.ratio_bound;
    match (verdict.baseline, verdict.bound()) {
        (Baseline::References, Some(_)) if verdict.is_unlike_references() => format!(
            " Vertical lines: the largest score of a reference compared with the others, and the score beyond which a class stands out: {OUTLIER_RATIO} times that, and, since the other classes are farther from the references than any reference from the rest, too, {ratio:.1} times the median class's."
        ),
        (Baseline::References, Some(_)) => format!(
            " Vertical lines: the largest score of a reference compared with the others, and {OUTLIER_RATIO} times that, beyond which a class stands out."
        ),
        (Baseline::References, None) => {
            " Vertical line: the largest score of a reference compared with the others.".to_owned()
        }
        (Baseline::OwnClasses, Some(_)) => format!(
            " {unlike}; vertical line: {ratio:.1} times the median class's score, beyond which a class stands out."
        ),
        (Baseline::OwnClasses, None) => format!(" {unlike}."),
    }
}

/// The finding, how it compares with the references, the effect of pasting it, and the detection power.
pub fn sentences(data: &AuditData<'_>) -> Vec<String> {
    let summary = &data.summary;
    let all = [
        Some(summary.finding.clone()),
        Some(summary.standing.clone()),
        summary.pasted.clone(),
        summary.power.clone(),
    ];
    all.into_iter().flatten().collect()
}

/// Which classes have no bar, if any.
pub fn left_out(data: &AuditData<'_>) -> Option<String> {
    let classes = data.audit.suspect()?.examined.as_ref()?.classes.len();
    (classes > MOST_CLASSES)
        .then(|| format!("bars of the {MOST_CLASSES} highest of {classes} classes"))
}

pub fn alternative(session: &Session, data: &AuditData<'_>) -> String {
    let (scores, _) = audit::class_scores(data.audit).unwrap_or_default();
    let known: Vec<f64> = scores.iter().flatten().copied().collect();
    let top = data.verdict.top.score;
    let others = known.iter().copied().filter(|score| *score < top);
    let second = others.reduce(f64::max);
    let second = second.map_or_else(String::new, |score| {
        format!(", the next {}", score_text(score))
    });
    let mut words = format!(
        "Bars of the score of {} classes: the highest is {}, of {}{second}.",
        known.len(),
        score_text(top),
        class_name(&session.record, data.verdict.class)
    );
    for sentence in sentences(data).iter().take(3) {
        words += &format!(" {}.", capitalise(sentence));
    }
    words
}
