//! Two sessions compared, as tidy tables.

use super::table::{Field, Table, row};
use crate::comparison::{Compared, Pair, Shown, Trials};
use crate::session::config::Response;

/// The tables by name: `maps`, a row a γ, response and class; `decisions`, a row a γ; `called`, a row a
/// γ, class and session; `agreement`, a row a pair of decisions, where trials were shown to both.
pub fn comparison(
    pair: &Pair<'_>,
    places: &[usize],
    responses: &[Response],
    shown: Option<&Shown>,
) -> Vec<(&'static str, Table)> {
    let mut tables = vec![
        ("maps", maps(pair, places, responses)),
        ("decisions", decisions(pair, places)),
        ("called", called(pair, places)),
    ];
    tables.extend(shown.map(|shown| ("agreement", agreement(pair, shown))));
    tables
}

fn maps(pair: &Pair<'_>, places: &[usize], responses: &[Response]) -> Table {
    let mut table = Table::new(&[
        "gamma",
        "response",
        "class",
        "name",
        "reliability_a",
        "reliability_b",
        "correlation",
        "correlation_corrected",
        "pixels",
        "significant_pixels",
        "significant_pixels_of_all",
        "clusters",
        "threshold",
        "threshold_of_all",
    ]);
    for &place in places {
        for &response in responses {
            let compared = Compared::new(pair, place, response);
            for (class, own) in compared.classes.iter().enumerate() {
                let reliability = |at| compared.map(at, class).and_then(|map| map.reliability);
                let name = pair.name(class);
                let clusters = own
                    .as_ref()
                    .and_then(|own| Some(own.clusters.as_ref()?.len()));
                row!(
                    table,
                    compared.gamma,
                    response.key(),
                    class,
                    name.as_str(),
                    reliability(0),
                    reliability(1),
                    own.as_ref().and_then(|own| own.correlation),
                    own.as_ref().and_then(|own| own.corrected),
                    own.as_ref().map(|own| own.tested),
                    own.as_ref().map(|own| own.significant),
                    own.as_ref().map(|own| own.beyond),
                    clusters,
                    compared.bounds.map,
                    compared.bounds.all,
                );
            }
        }
    }
    table
}

fn decisions(pair: &Pair<'_>, places: &[usize]) -> Table {
    let mut table = Table::new(&[
        "gamma",
        "same_trials",
        "correct_a",
        "trials_a",
        "correct_b",
        "trials_b",
        "called_distance",
        "called_distance_by_chance",
        "alike_least",
        "alike_most",
    ]);
    for own in places.iter().map(|&place| &pair.gammas[place]) {
        let Some(called) = own.called() else { continue };
        let alike = (own.shown == Trials::Same).then_some(called.alike);
        row!(
            table,
            own.gamma,
            match own.shown {
                Trials::Same => "all",
                Trials::Shared => "some",
                Trials::Others => "none",
            },
            called.correct[0].hits,
            called.correct[0].of,
            called.correct[1].hits,
            called.correct[1].of,
            called.distance,
            called.by_chance,
            alike.map(|ends| ends[0]),
            alike.map(|ends| ends[1]),
        );
    }
    table
}

fn called(pair: &Pair<'_>, places: &[usize]) -> Table {
    let mut table = Table::new(&["gamma", "session", "class", "name", "called", "trials"]);
    for own in places.iter().map(|&place| &pair.gammas[place]) {
        for (session, trials) in pair.names().into_iter().zip(own.trials) {
            let estimate = trials.estimate();
            for (class, said) in estimate.classes.iter().enumerate() {
                let name = pair.name(class);
                row!(
                    table,
                    own.gamma,
                    session,
                    class,
                    name.as_str(),
                    said.called,
                    estimate.trials,
                );
            }
        }
    }
    table
}

fn agreement(pair: &Pair<'_>, shown: &Shown) -> Table {
    let mut table = Table::new(&[
        "gamma", "called_a", "name_a", "called_b", "name_b", "trials",
    ]);
    let joint = &shown.joint;
    for (cell, &trials) in joint.counts.iter().enumerate() {
        let (a, b) = (cell / joint.classes, cell % joint.classes);
        let names = [a, b].map(|class| pair.name(class));
        row!(
            table,
            shown.gamma,
            a,
            names[0].as_str(),
            b,
            names[1].as_str(),
            trials,
        );
    }
    table
}
