//! Words for figures, reports and screens: names of classes and of an attack's patterns, and shares with their intervals.

use std::collections::HashMap;

use crate::format;
use crate::ids::ClassId;
use crate::session::Record;
use crate::session::record::{Attack, GammaTrials};
use crate::stats::interval::Interval;
use crate::stats::sums::total;

/// How many responses do not count as the network gave them: `36 of 3,000 responses are clipped or without a value`.
/// `None` if there are none.
pub fn clipped(trials: &GammaTrials) -> Option<String> {
    let clipped = trials.evidence.as_ref()?.clipped;
    let all = trials.trials.saturating_mul(trials.listed.len() as u64);
    (clipped > 0).then(|| {
        format!(
            "{} of {} are clipped or without a value",
            format::thousands(clipped),
            format::counted(all, "response", "responses")
        )
    })
}

/// For how many classes the evidence is rounded to steps larger than it varies, so that maps are too weak or missing: the
/// step suits the largest output, also of a class that is masked by a huge constant. `None` if for none.
pub fn too_coarse(trials: &GammaTrials) -> Option<String> {
    let evidence = trials.evidence.as_ref()?;
    let shown = total(evidence.shown.iter().copied());
    if shown < trials.min_trials || trials.lacks_trials_for_evidence() {
        return None;
    }
    let estimate = trials.estimate();
    let classes = || estimate.classes.iter();
    let deviations = || {
        classes()
            .filter_map(|class| class.response)
            .map(|[_, sd]| sd)
    };
    let varies_less = deviations().filter(|&sd| sd < evidence.step).count();
    // Outputs that lead to different decisions are not constant.
    let all_lost =
        deviations().next().is_none() && classes().filter(|class| class.called > 0).count() > 1;
    let affected = match all_lost {
        true => trials.listed.len(),
        false => varies_less,
    };
    (affected > 0).then(|| {
        format!(
            "the evidence for {} varies by less than {}, to which it is rounded because some outputs are far larger: choose outputs without them or another measure of evidence",
            format::counted(affected as u64, "class", "classes"),
            format::short(evidence.step)
        )
    })
}

/// A class in a sentence or a title: `Dress`; `class 3` if its name is a number.
pub fn class_name(record: &Record, class: ClassId) -> String {
    record.class_in_words(class)
}

/// A class where it is clear that a class is meant: `Dress`; `3` if its name is a number.
pub fn bare_class_name(record: &Record, class: ClassId) -> String {
    record.bare_class(class)
}

/// Capitalises the first letter of a sentence.
pub fn capitalise(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Truncates a text to a number of characters, ending it with an ellipsis if something is cut.
pub fn truncate(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The names of classes, each shortened; classes whose shortened names would read the same have their numbers instead.
pub fn short_and_distinct(
    names: &[(ClassId, String)],
    shorten: impl Fn(&str) -> String,
) -> Vec<String> {
    let short: Vec<String> = names.iter().map(|(_, name)| shorten(name)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for label in &short {
        *times.entry(label.as_str()).or_default() += 1;
    }
    let labels = names.iter().zip(&short).map(|((class, name), label)| {
        match label != name && times[label.as_str()] > 1 {
            true => class.to_string(),
            false => label.clone(),
        }
    });
    labels.collect()
}

/// What the numbers among the labels that [`short_and_distinct`] made of these names mean; `None` if there are none.
pub fn numbers_in_words(names: &[(ClassId, String)], labels: &[String]) -> Option<&'static str> {
    let mut all = names.iter().zip(labels);
    let has_number = all.any(|((class, name), label)| label != name && *label == class.to_string());
    has_number.then_some("numbers: classes, from 0, whose shortened names would be alike")
}

/// The ends of a share's interval in percent, without the sign: `91.0–95.0`.
pub fn ends_in_percent(interval: Interval) -> String {
    format!("{:.1}–{:.1}", interval.low * 100.0, interval.high * 100.0)
}

/// A share and the ends of its interval: `93.1 % (91.0–95.0)`.
pub fn percent_with_ends(interval: Interval) -> String {
    let share = format::percent(interval.estimate);
    format!("{share} ({})", ends_in_percent(interval))
}

/// The γ that the patterns were taken from, written after `sign`; `None` if there are no patterns. Evidence images may
/// be from another γ than the others.
pub fn pattern_origin(attack: &Attack, sign: &str) -> Option<String> {
    let decision_gamma = attack.gamma.map(format::gamma);
    let evidence_gamma = attack.evidence_gamma.map(format::gamma);
    Some(match (decision_gamma, evidence_gamma) {
        (Some(decision_gamma), Some(evidence_gamma)) if decision_gamma != evidence_gamma => {
            format!("patterns of {sign} {decision_gamma}, evidence of {sign} {evidence_gamma}")
        }
        (Some(decision_gamma), _) => format!("patterns of {sign} {decision_gamma}"),
        (None, Some(evidence_gamma)) => format!("evidence of {sign} {evidence_gamma}"),
        (None, None) => return None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ids::{BlockIndex, Gamma};
    use crate::session::record::{BlockEvidence, BlockSums, TrialKind};
    use crate::session::{Config, Form};

    /// Two classes with 50 trials of class 0 in each of two blocks. The evidence for class 0 is `base` steps, and `more`
    /// beyond that in five of them, that for class 1 is ±`other`.
    pub(crate) fn with_evidence(step: f64, base: i64, more: i64, other: i64) -> GammaTrials {
        let kind = TrialKind::plain(2, [1, 1, 2]);
        let mut trials = GammaTrials::new(Gamma(0.0), 30, &kind);
        trials.record_evidence(step, &kind);
        for block in BlockIndex::first(2) {
            let noise = |sum: i64| vec![sum; 2];
            let square = 45 * base * base + 5 * (base + more) * (base + more);
            trials.add(&BlockSums {
                block,
                trials: 50,
                counts: vec![25, 25, 0, 0],
                noise: vec![
                    (0, noise(800_000)),
                    (1, noise(900_000)),
                    (2, noise(1_700_000)),
                    (4, noise(800_000)),
                ],
                evidence: Some(BlockEvidence {
                    shown: vec![50, 0],
                    sums: vec![50 * base + 5 * more, 0, 0, 0],
                    squares: vec![square, 0, 0, 50 * other * other],
                    products: vec![0; 4],
                    ..BlockEvidence::default()
                }),
                ..BlockSums::default()
            });
        }
        trials
    }

    #[test]
    fn evidence_that_is_rounded_to_more_than_it_varies_is_told() {
        assert_eq!(too_coarse(&with_evidence(4.0, 100, 40, 10)), None);
        let starts = |trials: &GammaTrials, begin: &str| {
            let words = too_coarse(trials).unwrap();
            assert!(words.starts_with(begin), "{words}");
        };
        let one = "the evidence for 1 class varies by less than 4, to which it is rounded";
        starts(&with_evidence(4.0, 100, 1, 10), one);
        // Decisions differ, and no output does.
        let both = "the evidence for 2 classes varies by less than 4";
        starts(&with_evidence(4.0, 100, 0, 0), both);
        let mut huge = with_evidence(4.0, 100, 0, 0);
        huge.evidence.as_mut().unwrap().step = 2.0_f64.powi(116);
        starts(
            &huge,
            "the evidence for 2 classes varies by less than 8.31e34, to",
        );
        // One class without a map may have a constant output.
        assert_eq!(too_coarse(&with_evidence(4.0, 100, 0, 10)), None);
    }

    fn record(classes: &[&str]) -> Record {
        let mut record = Record::new(&Config::default());
        record.form = Some(Form {
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            ..Form::numbered([1, 2, 2], 0)
        });
        record
    }

    #[test]
    fn a_named_class_is_called_by_its_name() {
        let clothes = record(&["Dress", "7", "  ", "ねこ"]);
        assert_eq!(class_name(&clothes, ClassId(0)), "Dress");
        assert_eq!(class_name(&clothes, ClassId(1)), "class 7");
        assert_eq!(class_name(&clothes, ClassId(2)), "class 2");
        assert_eq!(bare_class_name(&clothes, ClassId(1)), "7");
        assert_eq!(bare_class_name(&clothes, ClassId(9)), "9");
        assert_eq!(bare_class_name(&clothes, ClassId(3)), "ねこ");
        assert_eq!(
            class_name(&Record::new(&Config::default()), ClassId(4)),
            "class 4"
        );
    }

    #[test]
    fn names_that_are_the_same_once_shortened_become_numbers() {
        let names = ["Labrador retriever", "Labrador puppy", "Poodle", "Lab"];
        let names: Vec<(ClassId, String)> = ClassId::all(names.len())
            .zip(names.map(str::to_owned))
            .collect();
        let short = |most: usize| short_and_distinct(&names, |name| truncate(name, most));
        assert_eq!(short(10), ["0", "1", "Poodle", "Lab"]);
        // A reader is told what they are.
        assert!(numbers_in_words(&names, &short(10)).is_some());
        assert_eq!(numbers_in_words(&names, &short(14)), None);
        assert_eq!(
            short(14),
            ["Labrador retr…", "Labrador puppy", "Poodle", "Lab"]
        );
    }

    #[test]
    fn truncated_text_ends_with_an_ellipsis() {
        assert_eq!(truncate("Sandal", 6), "Sandal");
        assert_eq!(truncate("Ankle boot", 7), "Ankle…");
        assert_eq!(truncate("Trouser", 4), "Tro…");
    }
}
