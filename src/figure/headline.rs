//! What came of a finished stage, in a few words.

use std::collections::BTreeMap;

use super::audit;
use super::choice;
use super::names::of_class;
use crate::format::{gamma, percent, reliability, short};
use crate::session::Session;
use crate::session::config::{self, Response};
use crate::session::record::{
    Analysis, Attack, Audit, Backdoor, ClassificationImages, GammaTemplates, Modulation,
    Predictions, Record, SpikeTriggered, Templates, Training,
};
use crate::stats::interval::{Interval, wilson};

/// The parts of it, the most important first; the first has a short form too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headline {
    /// The parts.
    pub parts: Vec<String>,
    /// The first of them where there is little room.
    pub short: Option<String>,
    /// Whether it is something that a person must not overlook.
    pub warns: bool,
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
            warns: false,
        }
    }

    /// As much of it as has room in `width` columns.
    pub fn within(&self, width: usize) -> String {
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

    /// The least columns that say something.
    pub fn least(&self) -> usize {
        let first = self.short.as_ref().or(self.parts.first());
        first.map_or(0, |text| text.chars().count())
    }
}

/// What came of the stage of this index, training being the first.
pub fn headline(session: &Session, stage: usize) -> Headline {
    let record = &session.record;
    let Some(at) = stage.checked_sub(1) else {
        return record.training.as_ref().map(training).unwrap_or_default();
    };
    match (record.analyses.get(at), session.config.analyses.get(at)) {
        (Some(Analysis::ClassificationImages(it)), _) => images(it),
        (Some(Analysis::Templates(it)), _) => templates(it),
        (Some(Analysis::Attack(it)), _) => attack(it),
        (Some(Analysis::SpikeTriggered(it)), _) => spikes(it),
        (Some(Analysis::Modulation(it)), _) => modulation(record, it),
        (Some(Analysis::Backdoor(it)), Some(config::Analysis::Backdoor(plan))) => {
            backdoor(record, it, plan)
        }
        (Some(Analysis::Audit(it)), Some(config::Analysis::Audit(plan))) => {
            audited(record, it, plan, session.config.network.kind)
        }
        (Some(Analysis::Predictions(it)), _) => predictions(it),
        _ => Headline::default(),
    }
}

/// What is said of a network that does not know its test images.
pub const NO_BETTER: &str = "NO BETTER THAN CHANCE";

/// What stands beside the accuracy of a network, wherever it stands: nothing, or that it is no better
/// than chance.
pub fn beside_accuracy(training: Option<&Training>) -> String {
    match training.is_some_and(|it| it.at_chance) {
        true => format!(", {NO_BETTER}"),
        false => String::new(),
    }
}

fn training(it: &Training) -> Headline {
    let accuracy = it.test_accuracy.map(|it| format!("test {}", percent(it)));
    let best = it.best_epoch.map(|it| format!("best epoch {it}"));
    let (words, brief) = (NO_BETTER, "at chance");
    match (it.at_chance, accuracy) {
        (true, Some(accuracy)) => Headline {
            parts: vec![format!("{accuracy}, {words}")],
            short: Some(format!("{accuracy}, {brief}")),
            warns: true,
        },
        (_, accuracy) => Headline::of(accuracy.into_iter().chain(best).collect()),
    }
}

fn images(it: &ClassificationImages) -> Headline {
    // Each class at its best: a map that a person can look at and trust.
    let response = choice::response(it);
    let mut reliable = BTreeMap::new();
    for trials in it.gammas.iter().filter(|trials| trials.trials > 0) {
        for (class, own) in trials.estimate().classes.iter().enumerate() {
            let good = choice::is_reliable(own.image(response));
            if own.listed {
                *reliable.entry(class).or_insert(false) |= good;
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

/// `27.8 % (26.9–28.7)`.
fn with_ends(own: Interval) -> String {
    format!(
        "{} ({:.1}–{:.1})",
        percent(own.estimate),
        own.low * 100.0,
        own.high * 100.0
    )
}

fn templates(it: &Templates) -> Headline {
    // The images that say more, where there are both.
    let by = [Response::Evidence, Response::Decision].into_iter();
    let mut all = by.filter_map(|response| it.headline(response));
    let Some(own) = all.find(|own| own.is_meaningful()) else {
        return Headline::of(vec!["fewer than two classes have a template".into()]);
    };
    // Each score is one of four ways to compare, all reported; the best stands for them here.
    let scores = (0..own.correct.len()).filter_map(|score| {
        let share = own.accuracy(score);
        Some((wilson(share.hits, share.of)?, score))
    });
    // Of several equal ones the first.
    let scores: Vec<_> = scores.collect();
    let scores = scores.into_iter().rev();
    let Some((best, score)) = scores.max_by(|a, b| a.0.estimate.total_cmp(&b.0.estimate)) else {
        return Headline::default();
    };
    let right = with_ends(best);
    let name = GammaTemplates::SCORES[score];
    let of = match own.response {
        Response::Evidence => " of evidence images",
        Response::Decision => "",
    };
    Headline::with_short(
        vec![
            format!("accuracy {right}"),
            format!("{name}{of} at γ {}", gamma(own.gamma)),
        ],
        right,
    )
}

/// The weight at which a pattern takes half of the images, between the two weights around it.
fn half(it: &Attack, pattern: usize) -> Option<f64> {
    let mut curve: Vec<(f64, f64)> = (0..it.weights.len())
        .filter_map(|place| Some((it.weights[place], it.mean_targeted(0, pattern, place)?.0)))
        .collect();
    curve.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = curve.iter().position(|(_, rate)| *rate >= 0.5)?;
    let (to, above) = curve[first];
    match first.checked_sub(1).map(|before| curve[before]) {
        Some((from, below)) => Some(from + (0.5 - below) / (above - below) * (to - from)),
        None => Some(to),
    }
}

/// The share of images that are called the target without an attack from which on it is told.
const WORTH_SAYING: f64 = 0.02;

fn attack(it: &Attack) -> Headline {
    let weight = |w: f64| format!("w {w:.2}");
    // All but the control, which is the last.
    let patterns = 0..it.kinds.len().saturating_sub(1);
    let own = patterns.filter_map(|pattern| {
        let name = it.kinds[pattern].label();
        let at = |place: usize| it.mean_targeted(0, pattern, place);
        let (place, (most, share)) = (0..it.weights.len())
            .filter_map(|place| Some((place, at(place)?)))
            .max_by(|a, b| {
                let weights = it.weights[b.0].total_cmp(&it.weights[a.0]);
                a.1.0.total_cmp(&b.1.0).then(weights)
            })?;
        // What the network calls the target without any attack is none of the pattern's doing.
        let nothing = it.weights.iter().position(|&weight| weight == 0.0);
        let nothing = nothing.and_then(at);
        if let Some((rate, without)) = nothing
            && share.interval()?.low <= without.interval()?.high
        {
            let rate = percent(rate);
            let words = format!("{name} flips no more than is called so without it, {rate}");
            return Some((words, None));
        }
        let without = match nothing {
            Some((rate, _)) if rate >= WORTH_SAYING => format!(" ({} without)", percent(rate)),
            _ => String::new(),
        };
        let half = half(it, pattern).map(weight);
        let words = match &half {
            Some(w) => format!("{name} flips half the images at {w}{without}"),
            None => {
                let at = short(it.weights[place]);
                format!("{name} flips {} at most, at w {at}{without}", percent(most))
            }
        };
        Some((words, half))
    });
    let (parts, halves): (Vec<String>, Vec<Option<String>>) = own.unzip();
    let brief: Vec<String> = halves.into_iter().flatten().collect();
    match brief.is_empty() {
        true => Headline::of(parts),
        false => Headline::with_short(parts, format!("half flip at {}", brief.join(", "))),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(values[middle - 1].midpoint(values[middle])),
    }
}

fn spikes(it: &SpikeTriggered) -> Headline {
    let (mut stein, mut kernel, mut silent, mut units) = (Vec::new(), Vec::new(), 0, 0);
    for layer in &it.layers {
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
fn modulation(record: &Record, it: &Modulation) -> Headline {
    let Some(images) = it.gammas.len().checked_sub(1) else {
        return Headline::default();
    };
    let Some(rest) = it.strengths.iter().position(|&strength| strength == 0) else {
        return Headline::default();
    };
    let rate = |pair: Option<(u64, u64)>| pair.map(|(hits, of)| hits as f64 / of as f64);
    let mut most: Option<(f64, [String; 2])> = None;
    for layer in &it.layers {
        for (place, strength) in it.strengths.iter().enumerate() {
            for class in 0..layer.classes() {
                let before = rate(layer.accuracy(class, rest, images, class));
                let after = rate(layer.accuracy(class, place, images, class));
                let (Some(before), Some(after)) = (before, after) else {
                    continue;
                };
                let change = (after - before).abs();
                if most.as_ref().is_none_or(|(most, _)| change > *most) {
                    let push = signed(*strength);
                    let (from, to) = (100.0 * before, 100.0 * after);
                    let (name, layer) = (of_class(record, class), &layer.name);
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

fn backdoor(record: &Record, it: &Backdoor, plan: &config::Backdoor) -> Headline {
    // At the γ that stands for all, as in exports: the more of them one looks at, the more clean
    // networks stand out somewhere.
    let gamma = it.telling_gamma(plan);
    let verdict = it.verdict(plan, gamma);
    let clean = verdict.flagged_in_words(false, plan.clean);
    // What stands out of the only poisoned network: the class, its window, its index.
    let only = || {
        let own = it.networks.first()?;
        let judged = verdict.networks.first()?.as_ref()?;
        let class = judged.class.filter(|_| judged.is_flagged())?;
        let window = (*own.findings.get(gamma)?.windows.get(class)?)?;
        Some((class, window, window.index?))
    };
    let told = audit::told(it, plan);
    let Some((class, window, index)) = only().filter(|_| plan.poisoned == 1) else {
        let poisoned = verdict.flagged_in_words(true, plan.poisoned);
        // The score against the clean networks tells more than the index, which stands by itself.
        let by_index = |words: String| match told {
            Some(_) => format!("by index: {words}"),
            None => words,
        };
        let index = [by_index(poisoned), clean];
        let parts = told.iter().cloned().chain(index).collect();
        return match audit::told_in_short(it, plan) {
            Some(short) => Headline::with_short(parts, short),
            None => Headline::of(parts),
        };
    };
    let name = of_class(record, class);
    let size = window.size.saturating_sub(1);
    let (bottom, end) = (window.row + size, window.column + size);
    Headline::with_short(
        vec![
            format!(
                "{name} reacts to a patch at rows {}–{bottom}, columns {}–{end}: index {index:.1}",
                window.row, window.column
            ),
            clean,
        ]
        .into_iter()
        .chain(told)
        .collect(),
        format!("{name} stands out: index {index:.1}"),
    )
}

/// What an audit found, what pasting it does, and what would have been found.
fn audited(
    record: &Record,
    it: &Audit,
    plan: &config::Audit,
    kind: config::NetworkKind,
) -> Headline {
    let Some(said) = audit::said(record, it, plan, kind) else {
        return Headline::default();
    };
    // Nothing found is worth what would have been found.
    let (first, second) = match said.found {
        true => (said.pasted, said.power),
        false => (said.power, said.pasted),
    };
    let parts = [said.finding, said.standing];
    Headline {
        parts: parts.into_iter().chain(first).chain(second).collect(),
        short: Some(said.short),
        warns: said.found,
    }
}

fn predictions(it: &Predictions) -> Headline {
    let of_split = |own: &crate::session::record::SplitCounts| {
        let right = wilson(own.correct(), own.total())?;
        Some(format!("{} {}", own.split.label(), with_ends(right)))
    };
    Headline::of(it.splits.iter().filter_map(of_split).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Array;

    #[test]
    fn a_headline_gives_up_its_last_parts_first() {
        let own = Headline::with_short(
            vec!["a long first part".into(), "rest".into()],
            "brief".into(),
        );
        assert_eq!(own.within(40), "a long first part   rest");
        assert_eq!(own.within(20), "a long first part");
        assert_eq!(own.within(10), "brief");
        assert_eq!(own.least(), 5);
    }

    /// An attack on images of two classes: of every thousand of the other class so many were called
    /// the target, by weight.
    fn attacked(weights: &[f64], hits: &[i64]) -> Attack {
        let mut counts = Vec::new();
        for source in 0..2 {
            for _ in 0..3 * 2 {
                for &hits in hits {
                    let hits = if source == 0 { hits } else { 0 };
                    counts.extend([1000, hits, 2000, 1000]);
                }
            }
        }
        Attack {
            gamma: Some(0.0),
            weights: weights.to_vec(),
            counts: Array::new(&[2, 3, 2, weights.len(), 4], counts),
            there: vec![true; 6],
            patterns: Array::new(&[3, 2, 1, 2, 2], vec![0.0; 24]),
            ..Attack::default()
        }
    }

    #[test]
    fn an_attack_is_told_against_what_is_called_so_without_it() {
        let first = |hits: &[i64]| attack(&attacked(&[0.0, 0.5, 1.0], hits)).parts[0].clone();
        // A network that says one class to a tenth of everything.
        assert!(
            first(&[100, 101, 99]).ends_with("flips no more than is called so without it, 10.0 %"),
            "{}",
            first(&[100, 101, 99])
        );
        // Half of everything is the target already: nothing flips, in the short form neither.
        let always = attack(&attacked(&[0.0, 0.5, 1.0], &[500, 505, 500]));
        assert!(always.parts[0].contains("no more than"), "{always:?}");
        assert_eq!(always.short, None);
        assert!(first(&[100, 150, 300]).ends_with("flips 30.0 % at most, at w 1 (10.0 % without)"));
        assert!(first(&[2, 100, 900]).ends_with("flips half the images at w 0.75"));
        // Where nothing without an attack was planned, nothing can be told against it.
        let planned = attack(&attacked(&[0.5, 1.0], &[100, 300]));
        assert!(planned.parts[0].ends_with("flips 30.0 % at most, at w 1"));
    }

    #[test]
    fn a_median_lies_between_the_middle_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
