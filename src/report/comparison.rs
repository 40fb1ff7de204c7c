//! The text report that compares two sessions: what differs, how similar the maps of each class are, and
//! how similar the networks' decisions are.

use crate::comparison::{MapComparison, SessionPair, SharedTrialDecisions, TrialOverlap};
use crate::figure::headline::accuracy_suffix;
use crate::figure::{channels, wording};
use crate::format::{self, clean, count, percent, reliability, thousands};
use crate::ids::ClassId;
use crate::session::Session;
use crate::stats::comparison::{MIN_RELIABILITY, MapDifference};
use crate::stats::share::Share;

/// Maximum number of classes with their own row: those that differ most.
const MOST: usize = 24;

/// Maximum number of characters in a name.
const LETTERS: usize = 11;

/// The result of showing both networks the same trials, or why that was not possible.
pub type AgreementResult<'a> = Option<Result<&'a SharedTrialDecisions, &'a str>>;

/// The report; `alike` is the agreement, if requested.
pub fn comparison(
    pair: &SessionPair<'_>,
    compared: &MapComparison,
    alike: AgreementResult<'_>,
) -> String {
    let mut lines = sessions(pair);
    lines.extend(maps(pair, compared));
    lines.push(String::new());
    lines.extend(decisions(pair));
    lines.extend(agreement_on_trials(pair, alike));
    lines.push(String::new());
    lines.join("\n")
}

/// The headline: `312 of 7,840 pixels (4.0 %) differ`, or of maps in colour `312 of 7,840 values`.
pub fn headline(compared: &MapComparison) -> String {
    let totals = compared.totals();
    let Some(share) = totals.share() else {
        return "no class has maps in both".into();
    };
    let maps = match totals.maps {
        1 => "the one map".to_owned(),
        maps => format!("all {maps} maps"),
    };
    format!(
        "{} of {} ({}) differ, |z| > {:.2} (5 % over {maps})",
        thousands(totals.beyond as u64),
        channels::counted(totals.tested, compared.shape[0]),
        percent(share),
        compared.bounds.all
    )
}

/// A caution about the trials behind the maps at the selected γ.
pub fn caution(pair: &SessionPair<'_>, compared: &MapComparison) -> &'static str {
    let place = pair.gamma_index(compared.gamma);
    match place.map(|place| pair.gammas[place].overlap) {
        Some(TrialOverlap::Same) => {
            "both were shown exactly the same trials, so map errors are correlated; for a sharp test, give one another seed"
        }
        Some(TrialOverlap::Shared) => {
            "both were shown some of the same trials, so map errors are correlated; for a sharp test, give one another seed"
        }
        _ => "each was shown its own trials",
    }
}

fn sessions(pair: &SessionPair<'_>) -> Vec<String> {
    let [a, b] = pair.sessions;
    let width = pair.names().map(|name| name.chars().count());
    let width = width.into_iter().max().unwrap_or(0);
    let about = |letter: &str, session: &Session| {
        let training = session.record.training.as_ref();
        let accuracy = training.and_then(|training| training.test_accuracy);
        let accuracy = accuracy.map_or_else(
            || "accuracy not measured".into(),
            |share| {
                let beside = accuracy_suffix(training);
                format!("{} of the test images correct{beside}", percent(share))
            },
        );
        format!(
            "{letter}  {:<width$}  {} · {} · seed {} · {accuracy}",
            clean(&session.name),
            clean(session.config.dataset_label()),
            clean(&session.config.network.label()),
            session.config.seed,
        )
    };
    vec![about("A", a), about("B", b), String::new()]
}

fn maps(pair: &SessionPair<'_>, compared: &MapComparison) -> Vec<String> {
    let trials = compared.trials.map(|trials| count(trials as f64));
    let mut lines = vec![
        format!(
            "{}s at γ {} by {}, {} and {} trials",
            compared.response.image_label(),
            format::gamma(compared.gamma),
            pair.noise(),
            trials[0],
            trials[1]
        ),
        headline(compared),
        caution(pair, compared).into(),
    ];
    lines.extend(compared.cautions().map(String::from));
    lines.push(String::new());
    let all = compared.classes.len();
    let mut shown: Vec<ClassId> = ClassId::all(all)
        .filter(|&class| is_planned(compared, class))
        .collect();
    let left_out = shown.len().saturating_sub(MOST);
    if left_out > 0 {
        let differs = |class: &ClassId| {
            let difference = compared.classes[*class].as_ref();
            std::cmp::Reverse(difference.map_or(0, |difference| difference.significant))
        };
        shown.sort_by_key(differs);
        shown.truncate(MOST);
    }
    let name = |class: ClassId| wording::truncate(&clean(&pair.class_name(class)), LETTERS);
    let width = shown.iter().map(|&class| name(class).chars().count());
    let width = width.fold("class".len(), usize::max);
    lines.push(format!(
        "{:<width$}  {:>6}  {:>6}  {:>6}  {:>9}  {:>8}  {:>9}",
        "class", "R of A", "R of B", "r", "corrected", "pixels", "clusters"
    ));
    for class in shown {
        lines.push(row(compared, class, &name(class), width));
    }
    if left_out > 0 {
        lines.push(format!("not listed: {left_out} classes that differ less"));
    }
    lines.push(format!(
        "r: correlation of the two maps; corrected: r corrected for noise, if both R ≥ {MIN_RELIABILITY}; pixels: |z| > {:.2}, at 5 % for each map",
        compared.bounds.map
    ));
    lines
}

/// Whether either plan includes a map of this class.
fn is_planned(compared: &MapComparison, class: ClassId) -> bool {
    let listed = |side: usize| {
        compared.estimates[side]
            .classes
            .get(class.0)
            .is_some_and(|class| class.listed)
    };
    listed(0) || listed(1)
}

fn row(compared: &MapComparison, class: ClassId, name: &str, width: usize) -> String {
    let Some(difference) = &compared.classes[class] else {
        let missing = [("A", 0), ("B", 1)].map(|(letter, side)| {
            let reason = compared.missing_reason(side, class)?;
            Some(format!("no map in {letter} ({reason})"))
        });
        let missing: Vec<String> = missing.into_iter().flatten().collect();
        return format!("{name:<width$}  {}", missing.join(", "));
    };
    let r = |r: Option<f64>| r.map_or_else(|| "–".into(), reliability);
    let reliability_of = |side: usize| r(compared.map(side, class).and_then(|map| map.reliability));
    format!(
        "{name:<width$}  {:>6}  {:>6}  {:>6}  {:>9}  {:>8}  {:>9}",
        reliability_of(0),
        reliability_of(1),
        r(difference.correlation),
        r(difference.corrected),
        difference.significant,
        clusters(difference)
    )
}

fn clusters(difference: &MapDifference) -> String {
    difference
        .clusters
        .as_ref()
        .map_or_else(|| "–".into(), |found| found.len().to_string())
}

/// Decisions compared by their counts, at every common γ.
fn decisions(pair: &SessionPair<'_>) -> Vec<String> {
    let mut lines = vec![
        "decisions on the noise trials, from the counts of each session".to_owned(),
        format!(
            "{:>5}  {:>22}  {:>22}  {:>9}  {:>9}",
            "γ", "A correct", "B correct", "distance", "by chance"
        ),
    ];
    for common in &pair.gammas {
        let Some(called) = common.compare_counts() else {
            continue;
        };
        lines.push(format!(
            "{:>5}  {:>22}  {:>22}  {:>9.3}  {:>9.3}",
            format::gamma(common.gamma),
            interval(called.correct[0]),
            interval(called.correct[1]),
            called.distance,
            called.by_chance
        ));
    }
    lines.push("distance: half the sum over classes of the differences in share called it".into());
    lines
}

/// `98.2 % (97.9–98.4)`.
fn interval(share: Share) -> String {
    share.interval().map_or_else(
        || "–".into(),
        |interval| {
            let end = |share: f64| format!("{:.1}", 100.0 * share);
            format!(
                "{} ({}–{})",
                percent(interval.estimate),
                end(interval.low),
                end(interval.high)
            )
        },
    )
}

/// Agreement on the same trials: bounds from the counts, and the measured agreement if trials were shown
/// to both.
fn agreement_on_trials(pair: &SessionPair<'_>, alike: AgreementResult<'_>) -> Vec<String> {
    let mut lines = vec![String::new()];
    for common in &pair.gammas {
        if let Some(bounds) = common.agreement_bounds() {
            let [low, high] = bounds.map(percent);
            lines.push(format!(
                "γ {}: on the trials shown to both, they agree on {low} to {high}; the counts show no more",
                format::gamma(common.gamma)
            ));
        }
    }
    lines.extend(match alike {
        Some(Ok(shown)) => measured_agreement(shown),
        Some(Err(reason)) => vec![
            "trial-by-trial agreement was not measured, since both networks must be shown the same trials:".into(),
            reason.to_owned(),
        ],
        None => vec!["agreement trial by trial: --trials N shows both networks the same N trials".into()],
    });
    lines
}

/// The agreement in one line: `γ 0.3: both agree on 91.2 % (90.6–91.7) of the same 10,000
/// trials`.
pub fn agreement_line(shown: &SharedTrialDecisions) -> String {
    format!(
        "γ {}: both agree on {} of the same {} trials{}",
        format::gamma(shown.gamma),
        interval(shown.joint.agreement()),
        thousands(shown.joint.trials()),
        kappa(shown)
    )
}

/// `, κ 0.83`, or nothing.
fn kappa(shown: &SharedTrialDecisions) -> String {
    let kappa = shown.joint.kappa();
    kappa.map_or_else(String::new, |kappa| format!(", κ {}", reliability(kappa)))
}

/// The agreement in two lines: `agree on 91.2 % (90.6–91.7); …`.
fn measured_agreement(shown: &SharedTrialDecisions) -> Vec<String> {
    let joint = &shown.joint;
    let kappa = kappa(shown);
    let origin = match shown.overlap {
        TrialOverlap::Same => "drawn as they were for both sessions",
        TrialOverlap::Shared | TrialOverlap::Different => "drawn as they were for A",
    };
    let share_of = |hits| {
        interval(Share {
            hits,
            total: joint.trials(),
        })
    };
    vec![
        format!(
            "γ {}: both networks, shown the same {} trials, {origin},",
            format::gamma(shown.gamma),
            thousands(joint.trials())
        ),
        format!(
            "agree on {}{kappa}; A correct {}, B correct {}",
            interval(joint.agreement()),
            share_of(joint.correct[0]),
            share_of(joint.correct[1])
        ),
    ]
}
