//! Two sessions compared, as a page of text: what differs, how alike the maps of each class are, and
//! how alike the networks decide.

use crate::comparison::{Compared, Pair, Shown, Trials};
use crate::figure::headline::beside_accuracy;
use crate::figure::names;
use crate::format::{self, clean, count, percent, reliability, thousands};
use crate::session::Session;
use crate::stats::comparison::Difference;
use crate::stats::share::Share;

/// Most classes that have a row each: those that differ most.
const MOST: usize = 24;

/// Most letters of a name.
const LETTERS: usize = 11;

/// What was found when both networks were shown the same trials, or why they were not.
pub type Alike<'a> = Option<Result<&'a Shown, &'a str>>;

/// The page; `alike` where somebody asked for it.
pub fn comparison(pair: &Pair<'_>, compared: &Compared, alike: Alike<'_>) -> String {
    let mut lines = sessions(pair);
    lines.extend(maps(pair, compared));
    lines.push(String::new());
    lines.extend(decisions(pair));
    lines.extend(on_the_same(pair, alike));
    lines.push(String::new());
    lines.join("\n")
}

/// The headline: `312 of 7,840 pixels (4.0 %) differ`.
pub fn headline(compared: &Compared) -> String {
    let totals = compared.totals();
    let Some(share) = totals.share() else {
        return "no class has maps in both".into();
    };
    let maps = match totals.maps {
        1 => "the one map".to_owned(),
        maps => format!("all {maps} maps"),
    };
    format!(
        "{} of {} pixels ({}) differ, |z| > {:.2} (5 % over {maps})",
        thousands(totals.beyond as u64),
        thousands(totals.tested as u64),
        percent(share),
        compared.bounds.all
    )
}

/// What is to be known of the trials behind the maps at the γ in sight.
pub fn caution(pair: &Pair<'_>, compared: &Compared) -> &'static str {
    let place = pair.place(compared.gamma);
    match place.map(|place| pair.gammas[place].shown) {
        Some(Trials::Same) => {
            "both were shown the very same trials, so errors of the maps go together"
        }
        Some(Trials::Shared) => {
            "both were shown the same trials, one of them more; errors go together"
        }
        _ => "each was shown trials of its own",
    }
}

fn sessions(pair: &Pair<'_>) -> Vec<String> {
    let [a, b] = pair.sessions;
    let width = pair.names().map(|name| name.chars().count());
    let width = width.into_iter().max().unwrap_or(0);
    let about = |letter: &str, session: &Session| {
        let training = session.record.training.as_ref();
        let accuracy = training.and_then(|it| it.test_accuracy);
        let accuracy = accuracy.map_or_else(
            || "accuracy not measured".into(),
            |share| {
                let beside = beside_accuracy(training);
                format!("{} of the test images correct{beside}", percent(share))
            },
        );
        format!(
            "{letter}  {:<width$}  {} · {} · seed {} · {accuracy}",
            clean(&session.name),
            clean(session.config.dataset_label()),
            session.config.network.label(),
            session.config.seed,
        )
    };
    vec![about("A", a), about("B", b), String::new()]
}

fn maps(pair: &Pair<'_>, compared: &Compared) -> Vec<String> {
    let trials = [0, 1].map(|at| count(compared.estimates[at].trials as f64));
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
        String::new(),
    ];
    let all = compared.classes.len();
    let mut shown: Vec<usize> = (0..all)
        .filter(|&class| is_planned(compared, class))
        .collect();
    let left_out = shown.len().saturating_sub(MOST);
    if left_out > 0 {
        let differs = |class: &usize| {
            let own = compared.classes[*class].as_ref();
            std::cmp::Reverse(own.map_or(0, |own| own.significant))
        };
        shown.sort_by_key(differs);
        shown.truncate(MOST);
    }
    let name = |class: usize| names::cut(&clean(&pair.name(class)), LETTERS);
    let width = shown.iter().map(|&class| name(class).chars().count());
    let width = width.fold("class".len(), usize::max);
    lines.push(format!(
        "{:<width$}  {:>6}  {:>6}  {:>6}  {:>9}  {:>8}  {:>9}",
        "class", "R of A", "R of B", "r", "r less R", "pixels", "clusters"
    ));
    for class in shown {
        lines.push(row(compared, class, &name(class), width));
    }
    if left_out > 0 {
        lines.push(format!(
            "left out here: {left_out} classes that differ less"
        ));
    }
    lines.push(format!(
        "r: correlation of the two maps; r less R: without their noise; pixels: |z| > {:.2}, at 5 % for each map",
        compared.bounds.map
    ));
    lines
}

/// Whether any plan asks for a map of a class.
fn is_planned(compared: &Compared, class: usize) -> bool {
    let listed = |at: usize| {
        compared.estimates[at]
            .classes
            .get(class)
            .is_some_and(|own| own.listed)
    };
    listed(0) || listed(1)
}

fn row(compared: &Compared, class: usize, name: &str, width: usize) -> String {
    let Some(own) = &compared.classes[class] else {
        let lacks = [("A", 0), ("B", 1)].map(|(letter, at)| {
            let why = compared.lacks(at, class)?;
            Some(format!("no map in {letter} ({why})"))
        });
        let lacks: Vec<String> = lacks.into_iter().flatten().collect();
        return format!("{name:<width$}  {}", lacks.join(", "));
    };
    let r = |r: Option<f64>| r.map_or_else(|| "–".into(), reliability);
    let of = |at: usize| r(compared.map(at, class).and_then(|map| map.reliability));
    format!(
        "{name:<width$}  {:>6}  {:>6}  {:>6}  {:>9}  {:>8}  {:>9}",
        of(0),
        of(1),
        r(own.correlation),
        r(own.corrected),
        own.significant,
        clusters(own)
    )
}

fn clusters(own: &Difference) -> String {
    own.clusters
        .as_ref()
        .map_or_else(|| "–".into(), |found| found.len().to_string())
}

/// What the counts say, at every γ in common.
fn decisions(pair: &Pair<'_>) -> Vec<String> {
    let mut lines = vec![
        "decisions on the noise trials, from the counts of each session".to_owned(),
        format!(
            "{:>5}  {:>22}  {:>22}  {:>9}  {:>9}",
            "γ", "A correct", "B correct", "distance", "by chance"
        ),
    ];
    for own in &pair.gammas {
        let Some(called) = own.called() else { continue };
        lines.push(format!(
            "{:>5}  {:>22}  {:>22}  {:>9.3}  {:>9.3}",
            format::gamma(own.gamma),
            interval(called.correct[0]),
            interval(called.correct[1]),
            called.distance,
            called.by_chance
        ));
    }
    lines.push(
        "distance: half the sum over classes of the difference of the shares called so".into(),
    );
    lines
}

/// `98.2 % (97.9–98.4)`.
fn interval(share: Share) -> String {
    share.interval().map_or_else(
        || "–".into(),
        |it| {
            let end = |share: f64| format!("{:.1}", 100.0 * share);
            format!(
                "{} ({}–{})",
                percent(it.estimate),
                end(it.low),
                end(it.high)
            )
        },
    )
}

/// How often both decide alike on the same trials: bounds from the counts, and what was found when
/// trials were shown to both.
fn on_the_same(pair: &Pair<'_>, alike: Alike<'_>) -> Vec<String> {
    let mut lines = vec![String::new()];
    for own in pair.gammas.iter().filter(|own| own.shown == Trials::Same) {
        if let Some(called) = own.called() {
            let [low, high] = called.alike.map(percent);
            lines.push(format!(
                "γ {}: on the trials that both were shown they decided alike in {low} to {high}; their counts tell no more",
                format::gamma(own.gamma)
            ));
        }
    }
    lines.extend(match alike {
        Some(Ok(shown)) => found(shown),
        Some(Err(why)) => vec![
            "agreement trial by trial was not measured, since both networks would have to be shown the same trials:".into(),
            why.to_owned(),
        ],
        None => vec!["agreement trial by trial: --trials N shows both networks the same N trials".into()],
    });
    lines
}

/// What was found, in a line: `γ 0.3: both decide alike on 91.2 % (90.6–91.7) of the same 10,000 trials`.
pub fn in_short(shown: &Shown) -> String {
    format!(
        "γ {}: both decide alike on {} of the same {} trials{}",
        format::gamma(shown.gamma),
        interval(shown.joint.alike()),
        thousands(shown.joint.trials()),
        kappa(shown)
    )
}

/// `, κ 0.83`, or nothing.
fn kappa(shown: &Shown) -> String {
    let kappa = shown.joint.kappa();
    kappa.map_or_else(String::new, |kappa| format!(", κ {}", reliability(kappa)))
}

/// `they decide alike on 91.2 % (90.6–91.7) of 10,000 trials …`.
fn found(shown: &Shown) -> Vec<String> {
    let joint = &shown.joint;
    let kappa = kappa(shown);
    let whose = match shown.trials {
        Trials::Same | Trials::Shared => "drawn as they were for both sessions",
        Trials::Others => "drawn as they were for A",
    };
    let of = |hits| {
        interval(Share {
            hits,
            of: joint.trials(),
        })
    };
    vec![
        format!(
            "γ {}: both networks, shown the same {} trials, {whose},",
            format::gamma(shown.gamma),
            thousands(joint.trials())
        ),
        format!(
            "decide alike on {}{kappa}; A correct {}, B correct {}",
            interval(joint.alike()),
            of(joint.correct[0]),
            of(joint.correct[1])
        ),
    ]
}
