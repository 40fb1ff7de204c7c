//! The tables of audits.

use super::Names;
use super::table::{Field, Table, row};
use crate::session::{config, record};

/// The score of every class of every network.
pub(super) fn scores(it: &record::Audit, plan: &config::Audit, names: &Names) -> Table {
    let mut table = Table::new(&[
        "network",
        "role",
        "seed",
        "accuracy",
        "attack_success",
        "class",
        "name",
        "score",
        "row",
        "column",
        "size",
        "energy",
    ]);
    for (network, own) in it.networks.iter().enumerate() {
        let role = match own.role {
            record::Role::Reference => "reference",
            record::Role::Poisoned { .. } => "poisoned",
            record::Role::Suspect => "suspect",
        };
        let classes = own.examined.as_ref().map_or(&[][..], |it| &it.classes);
        for (class, score) in classes.iter().enumerate() {
            let window = score.map(|it| it.window);
            row!(
                table,
                network,
                role,
                own.seed,
                own.accuracy,
                own.attack_success,
                class,
                names.get(class),
                score.map(|it| it.score),
                window.map(|it| it.0 * plan.cell),
                window.map(|it| it.1 * plan.cell),
                window.map(|it| it.2 * plan.cell),
                score.map(|it| it.energy),
            );
        }
    }
    table
}

/// What was found, pasted: by class and true class of the images.
pub(super) fn pasted(it: &record::Audit, plan: &config::Audit, names: &Names) -> Table {
    let mut table = Table::new(&[
        "class",
        "name",
        "row",
        "column",
        "size",
        "source",
        "source_name",
        "images",
        "called",
        "called_without",
    ]);
    for own in &it.pasted {
        for source in 0..own.shown.len() {
            row!(
                table,
                own.class,
                names.get(own.class),
                own.window.0 * plan.cell,
                own.window.1 * plan.cell,
                own.window.2 * plan.cell,
                source,
                names.get(source),
                own.shown[source],
                own.called[source],
                own.before[source],
            );
        }
    }
    table
}
