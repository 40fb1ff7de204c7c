//! The tables of a backdoor study.

use super::ClassNames;
use super::table::{CsvField, CsvTable, row};
use crate::ids::ClassId;
use crate::session::{config, record};

/// What the decisions of each network reveal at each γ, by class.
pub(super) fn windows(study: &record::Backdoor, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "network", "gamma", "class", "name", "trials", "called", "row", "column", "size", "score",
        "index",
    ]);
    for (network, suspect) in study.networks.iter().enumerate() {
        for finding in &suspect.findings {
            for (class, window) in finding.windows.iter().enumerate() {
                row!(
                    table,
                    network,
                    finding.gamma.0,
                    class,
                    names.get(ClassId(class)),
                    finding.trials,
                    finding.called[class],
                    window.map(|window| window.row),
                    window.map(|window| window.column),
                    window.map(|window| window.size),
                    window.map(|window| window.score),
                    window.and_then(|window| window.index),
                );
            }
        }
    }
    table
}

/// The networks of the study.
pub(super) fn networks(
    study: &record::Backdoor,
    plan: &config::Backdoor,
    names: &ClassNames,
) -> CsvTable {
    let mut table = CsvTable::new(&[
        "network",
        "poisoned",
        "seed",
        "source",
        "source_name",
        "target",
        "target_name",
        "clean_accuracy",
        "attack_success",
        "attacked",
    ]);
    for (network, suspect) in study.networks.iter().enumerate() {
        row!(
            table,
            network,
            suspect.poisoned,
            suspect.seed,
            plan.source.0,
            names.get(plan.source),
            plan.target.0,
            names.get(plan.target),
            suspect.clean_accuracy,
            suspect.attack_success,
            suspect.attack_success.map(|_| suspect.attacked),
        );
    }
    table
}
