//! The backdoor study's figure in words: its caption and its alternative text.

use super::super::audit_scores::score_text;
use super::super::wording::{capitalise, class_name};
use super::classes::{is_by_index, networks_of_classes};
use super::data::{StudyData, study_data};
use crate::format::{percent, short, thousands};
use crate::session::Session;
use crate::stats::backdoor::FLAG_THRESHOLD;
use crate::stats::roc::Roc;

/// The caption.
pub fn caption(session: &Session, nth: usize) -> Option<String> {
    let data = study_data(session, nth).ok()?;
    let plan = data.plan;
    let record = &session.record;
    let networks = |count: usize| match count {
        1 => "1 network".to_owned(),
        count => format!("{count} networks"),
    };
    let mut words = format!(
        "{} with a backdoor ({} training images of {} with a patch in the upper right corner, labelled {}) and {} without, each shown {} trials of {} noise at each γ.",
        networks(plan.poisoned),
        thousands(plan.images as u64),
        class_name(record, plan.source),
        class_name(record, plan.target),
        plan.clean,
        thousands(plan.trials),
        plan.noise.label(),
    );
    let index = format!(
        "Anomaly index: mean z in the strongest window of {0}×{0} pixels of a class's classification image at γ = {1}, minus the median of the classes, over 1.4826 times their median absolute deviation; past {2} a class is flagged",
        plan.window,
        data.gamma(data.telling_gamma_index),
        short(FLAG_THRESHOLD)
    );
    let against = format!(
        "Score against the clean networks: how far the evidence images at γ = {} deviate from those of the other clean networks, in the strongest window of any class",
        data.gamma(data.evidence_gamma_index)
    );
    let curves = data.curves();
    if curves.is_empty() {
        let shown = networks_of_classes(&data);
        let names = shown
            .iter()
            .map(|&network| format!("network {}", data.name(network)));
        let names = names.collect::<Vec<_>>().join(" and of ");
        words += &format!(" Bars: every class of {names}, by how far it stands out.");
        let mut findings = data.study.networks.iter().flat_map(|it| &it.findings);
        let channels = findings.next().map_or(1, |finding| finding.shape()[0]);
        if channels > 1 {
            words += &format!(" Map: the mean of {channels} channels.");
        }
        let by_index = |by: bool| {
            shown
                .iter()
                .any(|&network| is_by_index(&data, network) == by)
        };
        if by_index(true) {
            words += &format!(" {index}, marked by the vertical line.");
        }
        if by_index(false) || data.separation.is_some() {
            words += &format!(" {against}.");
        }
    } else {
        words += " ROC curves of the largest score of each network; dashed diagonal: chance.";
        let scores = [
            (curves.len() > 1 || data.separation.is_none(), index),
            (data.separation.is_some(), against),
        ];
        for (_, score) in scores.into_iter().filter(|(is_used, _)| *is_used) {
            words += &format!(" {score}.");
        }
        for (name, roc) in &curves {
            words += &format!(" AUC by {name}: {}.", auc(roc));
        }
        words += " Intervals of the areas: 95 %, by inverting the score test with Hanley and McNeil's variance.";
    }
    for sentence in data.sentences() {
        words += &format!(" {}.", capitalise(&sentence));
    }
    Some(words)
}

/// `0.98 (0.90–1.00)`.
pub fn auc(roc: &Roc) -> String {
    let interval = roc.auc;
    format!(
        "{:.2} ({:.2}–{:.2})",
        interval.estimate, interval.low, interval.high
    )
}

pub fn alternative(session: &Session, data: &StudyData<'_>) -> String {
    let curves = data.curves();
    if curves.is_empty() {
        let mut words = "Bars of every class by how far it stands out.".to_owned();
        for network in networks_of_classes(data) {
            words += &format!(" {}", network_sentence(session, data, network));
        }
        return words;
    }
    let mut words = "ROC curves of poisoned against clean networks:".to_owned();
    let areas = curves.iter().map(|(name, roc)| {
        let first = roc
            .points
            .iter()
            .filter(|point| point.false_positives == 0.0);
        let found = first.map(|point| point.true_positives).fold(0.0, f64::max);
        format!(
            " by {name} the area is {}, with {} of the poisoned ones found before any clean one",
            auc(roc),
            percent(found)
        )
    });
    words += &areas.collect::<Vec<_>>().join(";");
    words.push('.');
    let scores = data.scores();
    let range = |poisoned: bool| {
        let pairs = data.study.networks.iter().zip(&scores.networks);
        let scores_of_kind = pairs.filter(|(network, _)| network.poisoned == poisoned);
        let scores_of_kind: Vec<f64> = scores_of_kind
            .filter_map(|(_, score)| Some((*score)?.0))
            .collect();
        let low = scores_of_kind.iter().copied().reduce(f64::min)?;
        let high = scores_of_kind.iter().copied().reduce(f64::max)?;
        Some(format!("{} to {}", score_text(low), score_text(high)))
    };
    if let (Some(poisoned), Some(clean)) = (range(true), range(false)) {
        words += &format!(" Poisoned networks score {poisoned}, clean ones {clean}.");
    }
    words
}

/// A sentence on the class of a network that stands out most.
fn network_sentence(session: &Session, data: &StudyData<'_>, network: usize) -> String {
    let name = data.name(network);
    let judged = data.verdict.networks.get(network).and_then(Option::as_ref);
    let most = judged.and_then(|verdict| Some((verdict.class?, verdict.score?)));
    match most {
        Some((class, index)) => {
            let flagged = if index > FLAG_THRESHOLD {
                "flagged"
            } else {
                "not flagged"
            };
            format!(
                "Network {name}: the highest anomaly index is {}, of {}, {flagged}.",
                score_text(index),
                class_name(&session.record, class)
            )
        }
        None => {
            let suspect = data.study.networks.get(network);
            let finding =
                suspect.and_then(|suspect| suspect.findings.get(data.evidence_gamma_index));
            let top = finding.and_then(|finding| finding.audited.as_ref()?.top());
            match top {
                Some((class, score)) => format!(
                    "Network {name}: the highest score is {}, of {}.",
                    score_text(score.score),
                    class_name(&session.record, class)
                ),
                None => format!("Network {name}: no class could be judged."),
            }
        }
    }
}
