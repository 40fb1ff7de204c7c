//! The tables of the study of backdoors.

use super::Names;
use super::table::{Field, Table, row};
use crate::session::{config, record};

/// What the decisions of each network at each γ give away, by class.
pub(super) fn windows(it: &record::Backdoor, names: &Names) -> Table {
    let mut table = Table::new(&[
        "network", "gamma", "class", "name", "trials", "called", "row", "column", "size", "score",
        "index",
    ]);
    for (network, suspect) in it.networks.iter().enumerate() {
        for finding in &suspect.findings {
            for (class, window) in finding.windows.iter().enumerate() {
                row!(
                    table,
                    network,
                    finding.gamma,
                    class,
                    names.get(class),
                    finding.trials,
                    finding.called[class],
                    window.map(|it| it.row),
                    window.map(|it| it.column),
                    window.map(|it| it.size),
                    window.map(|it| it.score),
                    window.and_then(|it| it.index),
                );
            }
        }
    }
    table
}

/// The networks of the study.
pub(super) fn networks(it: &record::Backdoor, plan: &config::Backdoor, names: &Names) -> Table {
    let mut table = Table::new(&[
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
    for (network, suspect) in it.networks.iter().enumerate() {
        row!(
            table,
            network,
            suspect.poisoned,
            suspect.seed,
            plan.source,
            names.get(plan.source),
            plan.target,
            names.get(plan.target),
            suspect.clean_accuracy,
            suspect.attack_success,
            suspect.attack_success.map(|_| suspect.attacked),
        );
    }
    table
}
