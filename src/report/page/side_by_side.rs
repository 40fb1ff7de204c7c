//! The chapter that compares the session with another one: differences in sentences, figures and tables.

use maud::{Markup, html};

use super::plates::{FigureSection, Plate};
use super::tables::{Grid, GridCell};
use super::words::{capital, counted, sentence};
use crate::comparison::{MapComparison, SessionPair, SharedGamma};
use crate::figure;
use crate::figure::audit::share_with_interval;
use crate::figure::headline::accuracy_suffix;
use crate::figure::wording::class_name;
use crate::format::{clean, gamma, percent, reliability, thousands};
use crate::ids::ClassId;
use crate::report::comparison::{caution, headline};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::Record;

/// Maximum number of classes drawn: those that differ most.
const MOST: usize = 10;

/// Two sessions and the comparison of their maps, for every common response, at the γ that shows most.
pub(super) struct ComparisonChapter<'a> {
    pair: &'a SessionPair<'a>,
    compared: Vec<MapComparison>,
}

impl<'a> ComparisonChapter<'a> {
    /// Compares them.
    pub(super) fn new(pair: &'a SessionPair<'a>) -> Self {
        let compare = |&response: &Response| {
            MapComparison::new(pair, pair.best_gamma_index(response), response)
        };
        Self {
            pair,
            compared: pair.responses.iter().map(compare).collect(),
        }
    }

    /// The name of the other session.
    pub(super) fn other(&self) -> &'a str {
        self.pair.names()[1]
    }

    /// The figures: the maps of A, of B, and their difference.
    pub(super) fn plates(&self) -> FigureSection {
        let plate = |compared: &MapComparison| {
            let classes = differing(compared);
            let name = format!("compared-{}", compared.response.key());
            let draw = |sheet| {
                (!classes.is_empty())
                    .then(|| figure::comparison(self.pair, compared, &classes, sheet))
            };
            Plate::draw(&name, draw)
        };
        let mut main: Vec<Plate> = self.compared.iter().filter_map(plate).collect();
        let more = main.split_off(main.len().min(1));
        FigureSection {
            title: format!("compared with {}", self.other()),
            main,
            more,
            left_out: 0,
        }
    }

    /// The text and tables.
    pub(super) fn words(&self) -> Markup {
        let pair = self.pair;
        let grids: Vec<Grid> = self
            .compared
            .iter()
            .map(|compared| maps(pair, compared))
            .collect();
        let trials = decisions(pair);
        html! {
            dl {
                @for (letter, session) in ["A", "B"].into_iter().zip(pair.sessions) {
                    dt { (letter) } dd { (about(session)) }
                }
            }
            ul {
                @for compared in &self.compared { @for words in sentences(pair, compared) { li { (words) } } }
                @for common in &pair.gammas { @if let Some(words) = decision_sentence(common) { li { (words) } } }
            }
            @for (index, grid) in grids.iter().chain([&trials]).enumerate() {
                @if !grid.rows.is_empty() { (grid.markup(&format!("table-compared-{index}"))) }
            }
        }
    }
}

/// The classes that have a map in both and differ most, ascending.
fn differing(compared: &MapComparison) -> Vec<ClassId> {
    let mut all: Vec<(usize, ClassId)> = compared
        .differences()
        .map(|(class, difference)| (difference.significant, class))
        .collect();
    all.sort_by_key(|&(significant, class)| (std::cmp::Reverse(significant), class));
    all.truncate(MOST);
    let mut classes: Vec<ClassId> = all.into_iter().map(|(_, class)| class).collect();
    classes.sort_unstable();
    classes
}

/// A one-line description of a session.
fn about(session: &Session) -> String {
    let training = session.record.training.as_ref();
    let accuracy = training.and_then(|training| training.test_accuracy);
    let accuracy = accuracy.map_or_else(
        || "accuracy not measured".into(),
        |share| {
            format!(
                "correct on {} of the test images{}",
                percent(share),
                accuracy_suffix(training)
            )
        },
    );
    format!(
        "{}: {} on {}, seed {}, {accuracy}",
        clean(&session.name),
        clean(&session.config.network.label()),
        clean(session.config.dataset_label()),
        session.config.seed
    )
}

/// Sentences on the maps of one response.
fn sentences(pair: &SessionPair<'_>, compared: &MapComparison) -> Vec<String> {
    let strength = gamma(compared.gamma);
    let [trials_a, trials_b] = compared
        .trials
        .map(|trials| counted(trials, "trial", "trials"));
    let mut all = vec![format!(
        "{}s at γ {strength}, of {trials_a} in A and {trials_b} in B: {}; {}.",
        capital(compared.response.image_label()),
        headline(compared),
        caution(pair, compared)
    )];
    all.extend(compared.cautions().map(sentence));
    let totals = compared.totals();
    all.extend(totals.correlation.map(|r| {
        format!(
            "The maps of a class in A and B correlate with r = {} on average over {}.",
            reliability(r),
            counted(totals.maps as u64, "class", "classes")
        )
    }));
    let most = compared
        .differences()
        .max_by_key(|(class, difference)| (difference.significant, std::cmp::Reverse(*class)));
    all.extend(most.filter(|(_, difference)| difference.significant > 0).map(|(class, difference)| {
        format!(
            "The map that differs most is that of {}: {} of {} values, |z| > {:.2} (5 % for each map).",
            class_name(record(pair), class),
            thousands(difference.significant as u64),
            thousands(difference.tested as u64),
            compared.bounds.map
        )
    }));
    all
}

/// The record that has class names, if either does.
fn record<'a>(pair: &SessionPair<'a>) -> &'a Record {
    let [a, b] = pair.sessions.map(|session| &session.record);
    match b.form.as_ref() == pair.form() {
        true => b,
        false => a,
    }
}

/// How similar the decisions of the sessions are at a γ.
fn decision_sentence(common: &SharedGamma<'_>) -> Option<String> {
    let called = common.compare_counts()?;
    let alike = common
        .agreement_bounds()
        .map_or_else(String::new, |bounds| {
            let [low, high] = bounds.map(percent);
            format!("; on the trials shown to both, they agree on {low} to {high}")
        });
    Some(format!(
        "At γ {}, A is correct on {} of its trials and B on {}; the shares of trials called each class are {:.3} apart, {:.3} \
         by chance alone{alike}.",
        gamma(common.gamma),
        share_with_interval(called.correct[0]),
        share_with_interval(called.correct[1]),
        called.distance,
        called.by_chance
    ))
}

/// The maps, by class.
fn maps(pair: &SessionPair<'_>, compared: &MapComparison) -> Grid {
    let caption = format!(
        "{}s of A and B at γ {}",
        compared.response.image_label(),
        gamma(compared.gamma)
    );
    let columns = [
        "class",
        "R of A",
        "R of B",
        "r",
        "r, noise-corrected",
        "values that differ",
        "clusters",
    ];
    let mut grid = Grid::new(capital(&caption), &columns);
    for class in ClassId::all(compared.classes.len()) {
        let r = |side: usize| compared.map(side, class).and_then(|map| map.reliability);
        let difference = compared.classes[class].as_ref();
        let clusters = difference.and_then(|difference| Some(difference.clusters.as_ref()?.len()));
        let missing = [("A", 0), ("B", 1)].map(|(letter, side)| {
            compared
                .missing_reason(side, class)
                .map(|reason| format!("none in {letter} ({reason})"))
        });
        let missing: Vec<String> = missing.into_iter().flatten().collect();
        grid.row(vec![
            GridCell::Words(clean(&pair.class_name(class))),
            GridCell::number(r(0).map(reliability)),
            GridCell::number(r(1).map(reliability)),
            match missing.is_empty() {
                true => GridCell::number(
                    difference
                        .and_then(|difference| difference.correlation)
                        .map(reliability),
                ),
                false => GridCell::Words(missing.join(", ")),
            },
            GridCell::number(
                difference
                    .and_then(|difference| difference.corrected)
                    .map(reliability),
            ),
            GridCell::number(difference.map(|difference| thousands(difference.significant as u64))),
            GridCell::number(clusters.map(|count| thousands(count as u64))),
        ]);
    }
    grid
}

/// Decisions compared by their counts, by γ.
fn decisions(pair: &SessionPair<'_>) -> Grid {
    let columns = ["γ", "A correct", "B correct", "distance", "by chance"];
    let mut grid = Grid::new(
        "Decisions of A and B on the noise trials, from their counts",
        &columns,
    );
    for common in &pair.gammas {
        if let Some(called) = common.compare_counts() {
            grid.row(vec![
                GridCell::Number(gamma(common.gamma)),
                GridCell::Number(share_with_interval(called.correct[0])),
                GridCell::Number(share_with_interval(called.correct[1])),
                GridCell::Number(format!("{:.3}", called.distance)),
                GridCell::Number(format!("{:.3}", called.by_chance)),
            ]);
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::ComparisonRequest;
    use crate::report::tests::measured;

    #[test]
    fn a_session_beside_itself_does_not_differ() {
        let (a, mut b) = (measured(), measured());
        b.name = "other".into();
        let pair = SessionPair::new(&a, &b, &ComparisonRequest::default()).unwrap();
        let chapter = ComparisonChapter::new(&pair);
        let group = chapter.plates();
        // Pixels that are 0 in a map have no measurable error.
        let text = chapter.words().into_string();
        assert!(text.contains("0 of 1,200 pixels (0.0 %) differ"), "{text}");
        assert!(
            text.contains("correlate with r = 1.00 on average over 2 classes"),
            "{text}"
        );
        assert!(!text.contains("that differs most"), "{text}");
        assert!(text.contains("they agree on"), "{text}");
        assert_eq!((group.main.len(), group.more.len()), (1, 0));
    }
}
