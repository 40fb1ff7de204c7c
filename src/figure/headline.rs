//! Headlines: the result of a finished stage in a few words.

mod attack;

use std::collections::BTreeMap;

use self::attack::attack;
use super::audit;
use super::choice;
use super::wording::{class_name, percent_with_ends};
use crate::format::{self, fixed, gamma, percent, reliability};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::{self, Response};
use crate::session::record::{
    Analysis, Audit, Backdoor, ClassificationImages, GammaTemplates, Modulation, Predictions,
    Record, SpikeTriggered, Templates, TrainingRecord,
};
use crate::stats::anomaly::median;
use crate::stats::interval::wilson;

/// The parts of a headline, the most important first; the first also has a short form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headline {
    /// The parts.
    pub parts: Vec<String>,
    /// A short form of the first part.
    pub short: Option<String>,
    /// Whether it is a warning that must be highlighted.
    pub is_warning: bool,
}

impl Headline {
    fn of(parts: Vec<String>) -> Self {
        Self {
            parts,
            ..Self::default()
        }
    }

    fn with_short(parts: Vec<String>, short: String) -> Self {
        Self {
            parts,
            short: Some(short),
            is_warning: false,
        }
    }

    /// As many parts as fit into `width` columns.
    pub fn fit(&self, width: usize) -> String {
        let length = |text: &str| text.chars().count();
        let mut parts = self.parts.clone();
        while length(&parts.join("   ")) > width && parts.len() > 1 {
            parts.pop();
        }
        match (parts.first(), &self.short) {
            (Some(first), Some(short)) if length(first) > width => short.clone(),
            _ => parts.join("   "),
        }
    }

    /// The minimum number of columns that shows anything.
    pub fn min_width(&self) -> usize {
        let first = self.short.as_ref().or(self.parts.first());
        first.map_or(0, |text| text.chars().count())
    }
}

/// The result of the stage with this index; training is stage 0.
pub fn headline(session: &Session, stage: usize) -> Headline {
    let record = &session.record;
    let Some(index) = stage.checked_sub(1) else {
        return record.training.as_ref().map(training).unwrap_or_default();
    };
    match (
        record.analyses.get(index),
        session.config.analyses.get(index),
    ) {
        (Some(Analysis::ClassificationImages(data)), _) => images(data),
        (Some(Analysis::Templates(data)), _) => templates(data),
        (Some(Analysis::Attack(data)), _) => attack(data),
        (Some(Analysis::SpikeTriggered(data)), _) => spikes(data),
        (Some(Analysis::Modulation(data)), _) => modulation(record, data),
        (Some(Analysis::Backdoor(study)), Some(config::Analysis::Backdoor(plan))) => {
            backdoor(record, study, plan)
        }
        (Some(Analysis::Audit(data)), Some(config::Analysis::Audit(plan))) => {
            audited(record, data, plan, session.config.network.kind)
        }
        (Some(Analysis::Predictions(data)), _) => predictions(data),
        _ => Headline::default(),
    }
}

/// The warning for a network that performs at chance level on its test images.
pub const CHANCE_WARNING: &str = "NO BETTER THAN CHANCE";

/// The suffix to a network's accuracy, wherever it is shown: empty, or a warning that it is no better than chance.
pub fn accuracy_suffix(training: Option<&TrainingRecord>) -> String {
    match training.is_some_and(|training| training.at_chance) {
        true => format!(", {CHANCE_WARNING}"),
        false => String::new(),
    }
}

fn training(training: &TrainingRecord) -> Headline {
    let accuracy = training
        .test_accuracy
        .map(|share| format!("test {}", percent(share)));
    let best = training
        .best_epoch
        .map(|epoch| format!("best epoch {epoch}"));
    let (words, brief) = (CHANCE_WARNING, "at chance");
    match (training.at_chance, accuracy) {
        (true, Some(accuracy)) => Headline {
            parts: vec![format!("{accuracy}, {words}")],
            short: Some(format!("{accuracy}, {brief}")),
            is_warning: true,
        },
        (_, accuracy) => Headline::of(accuracy.into_iter().chain(best).collect()),
    }
}

fn images(images: &ClassificationImages) -> Headline {
    // Each class at its best γ: a map that one can look at and trust.
    let response = choice::best_response(images);
    let mut reliable = BTreeMap::new();
    for trials in images.gammas.iter().filter(|trials| trials.trials > 0) {
        for (class, class_estimate) in trials.estimate().classes.iter().enumerate() {
            let good = choice::is_reliable(class_estimate.image(response));
            if class_estimate.listed {
                *reliable.entry(ClassId(class)).or_insert(false) |= good;
            }
        }
    }
    let good = reliable.values().filter(|good| **good).count();
    Headline::of(vec![format!(
        "{good} of {} classes have a reliable map, by {}",
        reliable.len(),
        response.label()
    )])
}

fn templates(templates: &Templates) -> Headline {
    // Prefer the evidence images, which show more.
    let by = [Response::Evidence, Response::Decision].into_iter();
    let mut all = by.filter_map(|response| templates.headline(response));
    let Some(gamma_templates) = all.find(|candidate| candidate.is_meaningful()) else {
        return Headline::of(vec!["fewer than two classes have a template".into()]);
    };
    // Each score is one of four ways to compare, all of which are exported; the headline shows the best.
    let scores = (0..gamma_templates.correct.len()).filter_map(|score| {
        let share = gamma_templates.accuracy(score);
        Some((wilson(share.hits, share.total)?, score))
    });
    // Of equal scores, the first.
    let scores: Vec<_> = scores.collect();
    let scores = scores.into_iter().rev();
    let Some((best, score)) = scores.max_by(|a, b| a.0.estimate.total_cmp(&b.0.estimate)) else {
        return Headline::default();
    };
    let right = percent_with_ends(best);
    let name = GammaTemplates::SCORES[score];
    let response_note = match gamma_templates.response {
        Response::Evidence => " of evidence images",
        Response::Decision => "",
    };
    Headline::with_short(
        vec![
            format!("accuracy {right}"),
            format!(
                "{name}{response_note} at γ {}",
                gamma(gamma_templates.gamma)
            ),
        ],
        right,
    )
}

fn spikes(spikes: &SpikeTriggered) -> Headline {
    let (mut stein, mut kernel, mut silent, mut units) = (Vec::new(), Vec::new(), 0, 0);
    for layer in &spikes.layers {
        let estimate = layer.estimate();
        stein.extend(estimate.stein_correlation.iter().flatten());
        kernel.extend(estimate.kernel_correlation.iter().flatten());
        silent += estimate.silent.len();
        units += layer.units;
    }
    let stein = median(stein).map(|r| format!("median Stein r {}", reliability(r)));
    let kernel = median(kernel).map(|r| format!("kernel r {}", reliability(r)));
    let silent = format!("{silent} of {units} units silent");
    Headline::of(stein.into_iter().chain(kernel).chain([silent]).collect())
}

/// The class whose accuracy on images changes most under any push.
fn modulation(record: &Record, modulation: &Modulation) -> Headline {
    let Some(images) = modulation.gammas.len().checked_sub(1) else {
        return Headline::default();
    };
    let Some(rest) = modulation
        .strengths
        .iter()
        .position(|&strength| strength == 0)
    else {
        return Headline::default();
    };
    let rate = |pair: Option<(u64, u64)>| pair.map(|(hits, of)| hits as f64 / of as f64);
    let mut most: Option<(f64, [String; 2])> = None;
    for layer in &modulation.layers {
        for (place, strength) in modulation.strengths.iter().enumerate() {
            for class in ClassId::all(layer.classes()) {
                let before = rate(layer.accuracy(class, rest, images, class));
                let after = rate(layer.accuracy(class, place, images, class));
                let (Some(before), Some(after)) = (before, after) else {
                    continue;
                };
                let change = (after - before).abs();
                if most.as_ref().is_none_or(|(most, _)| change > *most) {
                    let push = signed(*strength);
                    let (from, to) = (100.0 * before, 100.0 * after);
                    let (name, layer) = (class_name(record, class), format::layer(&layer.name));
                    let words = [
                        format!("{layer} at {push}: {name} from {from:.1} % to {to:.1} %"),
                        format!("{layer} {push}: {name} {from:.0} → {to:.0} %"),
                    ];
                    most = Some((change, words));
                }
            }
        }
    }
    match most {
        Some((_, [words, short])) => Headline::with_short(vec![words], short),
        None => Headline::default(),
    }
}

fn signed(strength: i64) -> String {
    match strength {
        ..0 => format!("−{}", strength.unsigned_abs()),
        _ => format!("+{strength}"),
    }
}

fn backdoor(record: &Record, study: &Backdoor, plan: &config::Backdoor) -> Headline {
    // At the γ chosen for the whole study, as in exports: the more γ one looks at, the more clean networks stand out
    // somewhere by chance.
    let gamma_index = study.representative_gamma_index(plan);
    let verdict = study.verdict(plan, gamma_index);
    let clean = verdict.flagged_text(false, plan.clean);
    // What stands out in the only poisoned network: the class, its window and its index.
    let only = || {
        let network = study.networks.first()?;
        let judged = verdict.networks.first()?.as_ref()?;
        let class = judged.class.filter(|_| judged.is_flagged())?;
        let window = (*network.findings.get(gamma_index)?.windows.get(class.0)?)?;
        Some((class, window, window.index?))
    };
    let summary = audit::backdoor_summary(study, plan);
    let Some((class, window, index)) = only().filter(|_| plan.poisoned == 1) else {
        let poisoned = verdict.flagged_text(true, plan.poisoned);
        // The score against the clean networks is more informative than the index, so the index needs a label.
        let by_index = |words: String| match summary {
            Some(_) => format!("by index: {words}"),
            None => words,
        };
        let index = [by_index(poisoned), clean];
        let parts = summary.iter().cloned().chain(index).collect();
        return match audit::short_backdoor_summary(study, plan) {
            Some(short) => Headline::with_short(parts, short),
            None => Headline::of(parts),
        };
    };
    let name = class_name(record, class);
    let size = window.size.saturating_sub(1);
    let (bottom, end) = (window.row + size, window.column + size);
    let index = fixed(index, 1);
    Headline::with_short(
        vec![
            format!(
                "{name} reacts to a patch at rows {}–{bottom}, columns {}–{end}: index {index}",
                window.row, window.column
            ),
            clean,
        ]
        .into_iter()
        .chain(summary)
        .collect(),
        format!("{name} stands out: index {index}"),
    )
}

/// The finding of an audit, the effect of pasting it, and the detection power.
fn audited(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    kind: config::NetworkKind,
) -> Headline {
    let Some(summary) = audit::summary(record, audit, plan, kind) else {
        return Headline::default();
    };
    // If nothing was found, the detection power matters more.
    let (first, second) = match summary.found {
        true => (summary.pasted, summary.power),
        false => (summary.power, summary.pasted),
    };
    let parts = [summary.finding, summary.standing];
    Headline {
        parts: parts.into_iter().chain(first).chain(second).collect(),
        short: Some(summary.short_finding),
        is_warning: summary.found,
    }
}

fn predictions(predictions: &Predictions) -> Headline {
    let of_split = |split: &crate::session::record::SplitCounts| {
        let right = wilson(split.correct(), split.total())?;
        Some(format!(
            "{} {}",
            split.split.label(),
            percent_with_ends(right)
        ))
    };
    Headline::of(predictions.splits.iter().filter_map(of_split).collect())
}

#[cfg(test)]
mod tests;
