//! The comparison of two sessions as tidy tables.

use super::table::{CsvField, CsvTable, row};
use crate::comparison::{MapComparison, SessionPair, SharedTrialDecisions, TrialOverlap};
use crate::ids::ClassId;
use crate::session::config::Response;

/// The tables by name: `maps`, with a row per γ, response and class; `decisions`, a row per γ; `called`, a row per γ,
/// class and session; and, if trials were shown to both networks, `agreement`, a row per pair of decisions.
pub fn comparison(
    pair: &SessionPair<'_>,
    places: &[usize],
    responses: &[Response],
    shown: Option<&SharedTrialDecisions>,
) -> Vec<(&'static str, CsvTable)> {
    let mut tables = vec![
        ("maps", maps(pair, places, responses)),
        ("decisions", decisions(pair, places)),
        ("called", called(pair, places)),
    ];
    tables.extend(shown.map(|shown| ("agreement", agreement(pair, shown))));
    tables
}

fn maps(pair: &SessionPair<'_>, places: &[usize], responses: &[Response]) -> CsvTable {
    let mut table = CsvTable::new(&[
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
            let compared = MapComparison::new(pair, place, response);
            for (class, difference) in ClassId::all(compared.classes.len()).zip(&compared.classes) {
                let reliability = |side| compared.map(side, class).and_then(|map| map.reliability);
                let name = pair.class_name(class);
                let clusters = difference
                    .as_ref()
                    .and_then(|difference| Some(difference.clusters.as_ref()?.len()));
                row!(
                    table,
                    compared.gamma.0,
                    response.key(),
                    class.0,
                    name.as_str(),
                    reliability(0),
                    reliability(1),
                    difference
                        .as_ref()
                        .and_then(|difference| difference.correlation),
                    difference
                        .as_ref()
                        .and_then(|difference| difference.corrected),
                    difference.as_ref().map(|difference| difference.tested),
                    difference.as_ref().map(|difference| difference.significant),
                    difference
                        .as_ref()
                        .map(|difference| difference.significant_in_all),
                    clusters,
                    compared.bounds.map,
                    compared.bounds.all,
                );
            }
        }
    }
    table
}

fn decisions(pair: &SessionPair<'_>, places: &[usize]) -> CsvTable {
    let mut table = CsvTable::new(&[
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
    for common in places.iter().map(|&place| &pair.gammas[place]) {
        let Some(called) = common.compare_counts() else {
            continue;
        };
        let alike = common.agreement_bounds();
        row!(
            table,
            common.gamma.0,
            match common.overlap {
                TrialOverlap::Same => "all",
                TrialOverlap::Shared => "some",
                TrialOverlap::Different => "none",
            },
            called.correct[0].hits,
            called.correct[0].total,
            called.correct[1].hits,
            called.correct[1].total,
            called.distance,
            called.by_chance,
            alike.map(|ends| ends[0]),
            alike.map(|ends| ends[1]),
        );
    }
    table
}

fn called(pair: &SessionPair<'_>, places: &[usize]) -> CsvTable {
    let mut table = CsvTable::new(&["gamma", "session", "class", "name", "called", "trials"]);
    for common in places.iter().map(|&place| &pair.gammas[place]) {
        for (session, trials) in pair.names().into_iter().zip(common.trials) {
            let estimate = trials.estimate();
            for (class, class_estimate) in estimate.classes.iter().enumerate() {
                let name = pair.class_name(ClassId(class));
                row!(
                    table,
                    common.gamma.0,
                    session,
                    class,
                    name.as_str(),
                    class_estimate.called,
                    estimate.trials,
                );
            }
        }
    }
    table
}

fn agreement(pair: &SessionPair<'_>, shown: &SharedTrialDecisions) -> CsvTable {
    let mut table = CsvTable::new(&[
        "gamma", "called_a", "name_a", "called_b", "name_b", "trials",
    ]);
    let joint = &shown.joint;
    for (cell, &trials) in joint.counts.iter().enumerate() {
        let (a, b) = (ClassId(cell / joint.classes), ClassId(cell % joint.classes));
        let names = [a, b].map(|class| pair.class_name(class));
        row!(
            table,
            shown.gamma.0,
            a.0,
            names[0].as_str(),
            b.0,
            names[1].as_str(),
            trials,
        );
    }
    table
}
