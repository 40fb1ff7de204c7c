//! The session beside another one: what differs, in sentences, figures and tables.

use maud::{Markup, html};

use super::plates::{Group, Plate};
use super::tables::{Cell, Grid};
use super::words::{capital, counted};
use crate::comparison::{Common, Compared, Pair, Trials};
use crate::figure;
use crate::figure::audit::share;
use crate::figure::headline::beside_accuracy;
use crate::figure::names::of_class;
use crate::format::{clean, gamma, percent, reliability, thousands};
use crate::report::comparison::{caution, headline};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::Record;

/// Most classes that are drawn: those that differ most.
const MOST: usize = 10;

/// Two sessions and what their maps say of each other, by every response that both have, at the γ that shows most.
pub(super) struct Told<'a> {
    pair: &'a Pair<'a>,
    compared: Vec<Compared>,
}

impl<'a> Told<'a> {
    /// Compares them.
    pub(super) fn new(pair: &'a Pair<'a>) -> Self {
        let of = |&response: &Response| Compared::new(pair, pair.best(response), response);
        Self {
            pair,
            compared: pair.responses.iter().map(of).collect(),
        }
    }

    /// The name of the other session.
    pub(super) fn other(&self) -> &'a str {
        self.pair.names()[1]
    }

    /// The figures: the maps of A, of B, and their difference.
    pub(super) fn plates(&self) -> Group {
        let plate = |own: &Compared| {
            let classes = differing(own);
            let name = format!("compared-{}", own.response.key());
            let draw = |sheet| {
                (!classes.is_empty()).then(|| figure::comparison(self.pair, own, &classes, sheet))
            };
            Plate::draw(&name, draw)
        };
        let mut main: Vec<Plate> = self.compared.iter().filter_map(plate).collect();
        let more = main.split_off(main.len().min(1));
        Group {
            title: format!("beside {}", self.other()),
            main,
            more,
            left_out: 0,
        }
    }

    /// What is said of the two.
    pub(super) fn words(&self) -> Markup {
        let pair = self.pair;
        let grids: Vec<Grid> = self.compared.iter().map(|own| maps(pair, own)).collect();
        let trials = decisions(pair);
        html! {
            dl {
                @for (letter, session) in ["A", "B"].into_iter().zip(pair.sessions) {
                    dt { (letter) } dd { (about(session)) }
                }
            }
            ul {
                @for own in &self.compared { @for words in said(pair, own) { li { (words) } } }
                @for own in &pair.gammas { @if let Some(words) = decided(own) { li { (words) } } }
            }
            @for (at, grid) in grids.iter().chain([&trials]).enumerate() {
                @if !grid.rows.is_empty() { (grid.markup(&format!("table-compared-{at}"))) }
            }
        }
    }
}

/// The classes that have a map in both and differ most, in their order.
fn differing(compared: &Compared) -> Vec<usize> {
    let mut all: Vec<(usize, usize)> = compared
        .there()
        .map(|(class, own)| (own.significant, class))
        .collect();
    all.sort_by_key(|&(significant, class)| (std::cmp::Reverse(significant), class));
    all.truncate(MOST);
    let mut classes: Vec<usize> = all.into_iter().map(|(_, class)| class).collect();
    classes.sort_unstable();
    classes
}

/// A session in a line.
fn about(session: &Session) -> String {
    let training = session.record.training.as_ref();
    let accuracy = training.and_then(|it| it.test_accuracy);
    let accuracy = accuracy.map_or_else(
        || "accuracy not measured".into(),
        |share| {
            format!(
                "right on {} of the test images{}",
                percent(share),
                beside_accuracy(training)
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

/// What the maps by one response say.
fn said(pair: &Pair<'_>, own: &Compared) -> Vec<String> {
    let at = gamma(own.gamma);
    let [a, b] = [0, 1].map(|at| counted(own.estimates[at].trials, "trial", "trials"));
    let mut all = vec![format!(
        "{}s at γ {at}, of {a} in A and {b} in B: {}; {}.",
        capital(own.response.image_label()),
        headline(own),
        caution(pair, own)
    )];
    let totals = own.totals();
    all.extend(totals.correlation.map(|r| {
        format!(
            "The maps of a class in A and in B correlate by r = {} on average over {}.",
            reliability(r),
            counted(totals.maps as u64, "class", "classes")
        )
    }));
    let most = own
        .there()
        .max_by_key(|(class, it)| (it.significant, std::cmp::Reverse(*class)));
    all.extend(most.filter(|(_, it)| it.significant > 0).map(|(class, it)| {
        format!(
            "The map that differs most is that of {}: {} of {} values, |z| > {:.2} (5 % for each map).",
            of_class(record(pair), class),
            thousands(it.significant as u64),
            thousands(it.tested as u64),
            own.bounds.map
        )
    }));
    all
}

/// The record whose classes have names, where one has.
fn record<'a>(pair: &Pair<'a>) -> &'a Record {
    let [a, b] = pair.sessions.map(|session| &session.record);
    match b.form.as_ref() == pair.form() {
        true => b,
        false => a,
    }
}

/// How alike the sessions decide at a γ.
fn decided(own: &Common<'_>) -> Option<String> {
    let called = own.called()?;
    let alike = match own.shown {
        Trials::Same => format!(
            "; on the trials that both were shown they decided alike in {} to {}",
            percent(called.alike[0]),
            percent(called.alike[1])
        ),
        Trials::Shared | Trials::Others => String::new(),
    };
    Some(format!(
        "At γ {}, A is right on {} of its trials and B on {}; the shares of trials called each class are {:.3} apart, {:.3} \
         by chance alone{alike}.",
        gamma(own.gamma),
        share(called.correct[0]),
        share(called.correct[1]),
        called.distance,
        called.by_chance
    ))
}

/// The maps class by class.
fn maps(pair: &Pair<'_>, own: &Compared) -> Grid {
    let caption = format!(
        "{}s of A and B at γ {}",
        own.response.image_label(),
        gamma(own.gamma)
    );
    let columns = [
        "class",
        "R of A",
        "R of B",
        "r",
        "r without noise",
        "values that differ",
        "clusters",
    ];
    let mut grid = Grid::new(capital(&caption), &columns);
    for class in 0..own.classes.len() {
        let r = |at: usize| own.map(at, class).and_then(|map| map.reliability);
        let it = own.classes[class].as_ref();
        let clusters = it.and_then(|it| Some(it.clusters.as_ref()?.len()));
        let lacks = [("A", 0), ("B", 1)].map(|(letter, at)| {
            own.lacks(at, class)
                .map(|why| format!("none in {letter} ({why})"))
        });
        let lacks: Vec<String> = lacks.into_iter().flatten().collect();
        grid.row(vec![
            Cell::Words(clean(&pair.name(class))),
            Cell::number(r(0).map(reliability)),
            Cell::number(r(1).map(reliability)),
            match lacks.is_empty() {
                true => Cell::number(it.and_then(|it| it.correlation).map(reliability)),
                false => Cell::Words(lacks.join(", ")),
            },
            Cell::number(it.and_then(|it| it.corrected).map(reliability)),
            Cell::number(it.map(|it| thousands(it.significant as u64))),
            Cell::number(clusters.map(|count| thousands(count as u64))),
        ]);
    }
    grid
}

/// What the counts say, γ by γ.
fn decisions(pair: &Pair<'_>) -> Grid {
    let columns = ["γ", "A right", "B right", "distance", "by chance"];
    let mut grid = Grid::new(
        "Decisions of A and B on the noise trials, from their counts",
        &columns,
    );
    for own in &pair.gammas {
        if let Some(called) = own.called() {
            grid.row(vec![
                Cell::Number(gamma(own.gamma)),
                Cell::Number(share(called.correct[0])),
                Cell::Number(share(called.correct[1])),
                Cell::Number(format!("{:.3}", called.distance)),
                Cell::Number(format!("{:.3}", called.by_chance)),
            ]);
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Wish;
    use crate::report::tests::measured;

    #[test]
    fn a_session_beside_itself_does_not_differ() {
        let (a, mut b) = (measured(), measured());
        b.name = "other".into();
        let pair = Pair::new(&a, &b, &Wish::default()).unwrap();
        let told = Told::new(&pair);
        let group = told.plates();
        // Pixels that are 0 in a map have no error that could be told.
        let told = told.words().into_string();
        assert!(told.contains("0 of 1,200 pixels (0.0 %) differ"), "{told}");
        assert!(
            told.contains("correlate by r = 1.00 on average over 2 classes"),
            "{told}"
        );
        assert!(!told.contains("that differs most"), "{told}");
        assert_eq!((group.main.len(), group.more.len()), (1, 0));
    }
}
