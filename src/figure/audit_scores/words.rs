//! The audit in words: its caption, its findings, and what a person hears who does not see it.

use super::super::audit;
use super::super::names::{capital, of_class};
use super::scores::{MOST_CLASSES, score_in_words};
use super::seen::{Seen, seen};
use crate::format::{clean, gamma, thousands};
use crate::session::Session;
use crate::stats::audit::{Null, OTHER_KIND, STANDS_OUT, sides};

/// What the figure shows, as a caption.
pub fn caption(session: &Session) -> Option<String> {
    let seen = seen(session).ok()?;
    let plan = seen.plan;
    let kind = session.config.network.kind;
    let side = sides(plan.cell);
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
        "Audit of {} against {} {} references, by {}s at γ = {}, each from {} trials of {} noise{cells}. Score of a class: the largest mean deviation of its image from those of the references over square windows with sides of {side} {unit}, times the side; deviation: images at unit length, less the references' mean, over √((sd² + mean sd²)/2).",
        clean(&session.config.network.label()),
        seen.audit.references().count(),
        plan.kind.of(kind).label(),
        plan.response.image_label(),
        gamma(plan.gamma),
        thousands(plan.trials),
        plan.noise.label(),
    );
    words += &match seen.verdict.null {
        Null::References => format!(
            " Upright lines: the largest score of a reference held against the others, and {STANDS_OUT} times that, past which a class stands out."
        ),
        Null::OwnClasses => format!(
            " The references are of another kind; upright line: {OTHER_KIND:.0} times the median class's score, past which a class stands out."
        ),
    };
    if seen.verdict.has_window() || seen.found().is_none() {
        words += &format!(
            " Outlined: the window of {}, {}.",
            of_class(&session.record, seen.class()),
            audit::place(seen.verdict.top.window, plan.cell)
        );
    }
    for sentence in sentences(&seen) {
        words += &format!(" {}.", capital(&sentence));
    }
    if seen.audit.pasted.iter().any(|own| own.others().of > 0) {
        words += " Shares with their 95 % intervals (Wilson).";
    }
    if let Some(left) = left_out(&seen) {
        words += &format!(" {}.", capital(&left));
    }
    Some(words)
}

/// What was found, how it stands, what pasting it does, and what would have been found.
pub fn sentences(seen: &Seen<'_>) -> Vec<String> {
    let said = &seen.said;
    let all = [
        Some(said.finding.clone()),
        Some(said.standing.clone()),
        said.pasted.clone(),
        said.power.clone(),
    ];
    all.into_iter().flatten().collect()
}

/// Which classes have no bar.
pub fn left_out(seen: &Seen<'_>) -> Option<String> {
    let classes = seen.audit.suspect()?.examined.as_ref()?.classes.len();
    (classes > MOST_CLASSES)
        .then(|| format!("bars of the {MOST_CLASSES} highest of {classes} classes"))
}

pub fn alternative(session: &Session, seen: &Seen<'_>) -> String {
    let (scores, _) = audit::bars(seen.audit).unwrap_or_default();
    let known: Vec<f64> = scores.iter().flatten().copied().collect();
    let top = seen.verdict.top.score;
    let others = known.iter().copied().filter(|score| *score < top);
    let second = others.reduce(f64::max);
    let second = second.map_or_else(String::new, |score| {
        format!(", the next {}", score_in_words(score))
    });
    let mut words = format!(
        "Bars of the score of {} classes: the highest is {}, of {}{second}.",
        known.len(),
        score_in_words(top),
        of_class(&session.record, seen.verdict.class)
    );
    for sentence in sentences(seen).iter().take(3) {
        words += &format!(" {}.", capital(sentence));
    }
    words
}
