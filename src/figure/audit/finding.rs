//! What an audit found, or why nothing can be said, in words.

use super::super::wording::class_name;
use super::window_in_words;
use crate::format::{fixed, reliability, rounded_count};
use crate::session::config;
use crate::session::record::Record;
use crate::stats::audit::{AuditVerdict, MIN_OWN_CLASSES, Undecided};

/// The finding in a sentence, and in a shorter form.
pub(super) fn finding(
    record: &Record,
    verdict: &AuditVerdict,
    plan: &config::Audit,
) -> (String, String) {
    let name = class_name(record, verdict.class);
    let window = window_in_words(record, verdict.top.window, plan.cell);
    let score = fixed(verdict.top.score, 1);
    match (
        verdict.has_window(),
        verdict.energy_class(),
        verdict.undecided(),
    ) {
        (true, ..) => (
            format!("{name} reacts to a patch at {window}: score {score}"),
            format!("{name} reacts to a patch: score {score}"),
        ),
        (false, Some(class), _) => {
            let name = class_name(record, class);
            let energy = verdict.energy.map_or(0.0, |energy| energy.1);
            (
                format!(
                    "{name} deviates as a whole, not in one small patch: energy {energy:.1} times the median class's"
                ),
                format!("{name} deviates: energy {energy:.1}"),
            )
        }
        (false, None, Some(Undecided::Noise)) => {
            let r = verdict.reliability.unwrap_or_default();
            (
                format!(
                    "cannot be decided: the images are mostly noise, R {}; {}",
                    reliability(r),
                    more_trials(r, plan.trials)
                ),
                format!("cannot be decided: R {}", reliability(r)),
            )
        }
        (false, None, Some(Undecided::Pasting)) => (
            format!(
                "cannot be decided: no score stands out, the highest being {score}, of {name}, but pasting its window works; use more trials, for the references, too"
            ),
            format!("cannot be decided: score {score}"),
        ),
        (false, None, Some(Undecided::FewClasses)) => (
            format!(
                "nothing can be found: {} a score, and with references of another kind it takes {MIN_OWN_CLASSES} for one to stand out from the others",
                match verdict.scored {
                    1 => "one class has".to_owned(),
                    classes => format!("{classes} classes have"),
                }
            ),
            "nothing can be found".to_owned(),
        ),
        (false, None, Some(Undecided::OtherTraining)) => {
            let (far, short) = match verdict.energy {
                Some((class, ratio, _)) if !verdict.ranking.is_outlier() => (
                    format!(
                        "{} deviates as a whole, energy {ratio:.1} times the median class's",
                        class_name(record, class)
                    ),
                    format!("energy {ratio:.1}"),
                ),
                _ => (format!("{name} scores {score}"), format!("score {score}")),
            };
            (
                format!(
                    "cannot be decided: {far}, but the other classes are far from the references, too; train these as the network was trained, or more of them"
                ),
                format!("cannot be decided: {short}"),
            )
        }
        (false, None, None) => (
            format!("nothing found: the highest score is {score}, of {name}"),
            format!("nothing found: score {score}"),
        ),
    }
}

/// How many trials make images reliable to half, given how reliable those of a number of trials are: r = n/(n + c).
fn more_trials(r: f64, trials: u64) -> String {
    match r > 0.02 {
        true => {
            let needed = trials as f64 * (1.0 / r - 1.0);
            format!(
                "use about {} trials, for the references, too",
                rounded_count(needed)
            )
        }
        false => "use many more trials, for the references, too".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};
    use crate::stats::audit::{AuditScores, Baseline, ClassScore, audit_verdict};

    #[test]
    fn what_would_decide_it_is_said_instead_of_nothing_found() {
        let mut record = Record::new(&Config::default());
        record.form = Some(Form::numbered([1, 28, 28], 3));
        let class = |score| {
            Some(ClassScore {
                score,
                window: (0, 0, 4),
                energy: 1.0,
            })
        };
        let scores = |scores: [f64; 3]| AuditScores {
            classes: scores.map(class).to_vec(),
        };
        let references = vec![scores([1.4, 2.9, 0.8]); 3];
        let suspect = scores([1.0, 3.5, 1.0]);
        let plain = audit_verdict(&suspect, &references, Baseline::References).unwrap();
        let plan = config::Audit::default();
        let words = |reliability, pasting_works| {
            let verdict = AuditVerdict {
                reliability,
                pasting_works,
                ..plain.clone()
            };
            finding(&record, &verdict, &plan).0
        };
        let noise = words(Some(0.1), true);
        let expected = "cannot be decided: the images are mostly noise, R 0.10; use about 27.0 k trials, for the references, too";
        assert_eq!(noise, expected);
        let pasting = words(Some(0.9), true);
        assert!(
            pasting.contains("the highest being 3.5, of class 1, but pasting its window works")
        );
        assert!(words(Some(0.9), false).starts_with("nothing found"));
        assert!(words(None, false).starts_with("nothing found"));
    }

    #[test]
    fn the_trials_advised_make_the_images_half_reliable() {
        assert_eq!(
            more_trials(0.1, 3_000),
            "use about 27.0 k trials, for the references, too"
        );
        for r in [0.01, 0.0, -0.2] {
            assert!(more_trials(r, 3_000).starts_with("use many more"), "{r}");
        }
    }
}
