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
    use super::more_trials;

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
