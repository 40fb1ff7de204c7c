//! The study in words: its caption, and what a person hears who does not see it.

use super::super::audit_scores::score_in_words;
use super::super::names::{capital, of_class};
use super::classes::{is_by_index, networks_of_classes};
use super::seen::{Seen, seen};
use crate::format::{percent, short, thousands};
use crate::session::Session;
use crate::stats::backdoor::FLAGGED;
use crate::stats::roc::Roc;

/// What the figure shows, as a caption.
pub fn caption(session: &Session) -> Option<String> {
    let seen = seen(session).ok()?;
    let plan = seen.plan;
    let record = &session.record;
    let networks = |count: usize| match count {
        1 => "1 network".to_owned(),
        count => format!("{count} networks"),
    };
    let mut words = format!(
        "{} with a backdoor ({} training images of {} with a patch in the upper right corner, labelled {}) and {} without, each shown {} trials of {} noise at each γ.",
        networks(plan.poisoned),
        thousands(plan.images as u64),
        of_class(record, plan.source),
        of_class(record, plan.target),
        plan.clean,
        thousands(plan.trials),
        plan.noise.label(),
    );
    let index = format!(
        "Anomaly index: mean z in the strongest window of {0}×{0} pixels of a class's classification image at γ = {1}, less the median of the classes, over 1.4826 times their median absolute deviation; past {2} a class is flagged",
        plan.window,
        seen.gamma(seen.telling),
        short(FLAGGED)
    );
    let against = format!(
        "Score against the clean ones: how far the evidence images at γ = {} are from those of the clean networks, a clean one from the others, in the strongest window of any class",
        seen.gamma(seen.audited)
    );
    let curves = seen.curves();
    if curves.is_empty() {
        let shown = networks_of_classes(&seen);
        let names = shown
            .iter()
            .map(|&network| format!("network {}", seen.name(network)));
        let names = names.collect::<Vec<_>>().join(" and of ");
        words += &format!(" Bars: every class of {names}, by how far it stands out.");
        let by_index = |by: bool| {
            shown
                .iter()
                .any(|&network| is_by_index(&seen, network) == by)
        };
        if by_index(true) {
            words += &format!(" {index}, which the upright line marks.");
        }
        if by_index(false) || seen.told.is_some() {
            words += &format!(" {against}.");
        }
    } else {
        words += " ROC curves of the largest score of each network; dashed diagonal: chance.";
        let scores = [
            (curves.len() > 1 || seen.told.is_none(), index),
            (seen.told.is_some(), against),
        ];
        for (_, score) in scores.into_iter().filter(|(there, _)| *there) {
            words += &format!(" {score}.");
        }
        for (name, roc) in &curves {
            words += &format!(" AUC by {name}: {}.", auc(roc));
        }
        words +=
            " Intervals of areas: 95 %, the score test with Hanley and McNeil's variance inverted.";
    }
    for sentence in seen.sentences() {
        words += &format!(" {}.", capital(&sentence));
    }
    Some(words)
}

/// `0.98 (0.90–1.00)`.
pub fn auc(roc: &Roc) -> String {
    let own = roc.auc;
    format!("{:.2} ({:.2}–{:.2})", own.estimate, own.low, own.high)
}

pub fn alternative(session: &Session, seen: &Seen<'_>) -> String {
    let curves = seen.curves();
    if curves.is_empty() {
        let mut words = "Bars of every class by how far it stands out.".to_owned();
        for network in networks_of_classes(seen) {
            words += &format!(" {}", told_of_network(session, seen, network));
        }
        return words;
    }
    let mut words = "ROC curves of poisoned against clean networks:".to_owned();
    let areas = curves.iter().map(|(name, roc)| {
        let first = roc.points.iter().filter(|it| it.false_positives == 0.0);
        let found = first.map(|it| it.true_positives).fold(0.0, f64::max);
        format!(
            " by {name} the area is {}, with {} of the poisoned ones found before any clean one",
            auc(roc),
            percent(found)
        )
    });
    words += &areas.collect::<Vec<_>>().join(";");
    words.push('.');
    let scores = seen.scores();
    let range = |poisoned: bool| {
        let pairs = seen.study.networks.iter().zip(&scores.networks);
        let own = pairs.filter(|(network, _)| network.poisoned == poisoned);
        let own: Vec<f64> = own.filter_map(|(_, score)| Some((*score)?.0)).collect();
        let low = own.iter().copied().reduce(f64::min)?;
        let high = own.iter().copied().reduce(f64::max)?;
        Some(format!(
            "{} to {}",
            score_in_words(low),
            score_in_words(high)
        ))
    };
    if let (Some(poisoned), Some(clean)) = (range(true), range(false)) {
        words += &format!(" Poisoned networks score {poisoned}, clean ones {clean}.");
    }
    words
}

/// The class of a network that stands out most, in a sentence.
fn told_of_network(session: &Session, seen: &Seen<'_>, network: usize) -> String {
    let name = seen.name(network);
    let judged = seen.verdict.networks.get(network).and_then(Option::as_ref);
    let most = judged.and_then(|own| Some((own.class?, own.score?)));
    match most {
        Some((class, index)) => {
            let flagged = if index > FLAGGED {
                "flagged"
            } else {
                "not flagged"
            };
            format!(
                "Network {name}: the highest anomaly index is {}, of {}, {flagged}.",
                score_in_words(index),
                of_class(&session.record, class)
            )
        }
        None => {
            let suspect = seen.study.networks.get(network);
            let finding = suspect.and_then(|own| own.findings.get(seen.audited));
            let top = finding.and_then(|it| it.audited.as_ref()?.top());
            match top {
                Some((class, own)) => format!(
                    "Network {name}: the highest score is {}, of {}.",
                    score_in_words(own.score),
                    of_class(&session.record, class)
                ),
                None => format!("Network {name}: no class could be judged."),
            }
        }
    }
}
