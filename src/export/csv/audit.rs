//! The tables of an audit.

use super::ClassNames;
use super::table::{CsvField, CsvTable, row};
use crate::ids::ClassId;
use crate::session::{config, record};

/// The score of every class of every network.
pub(super) fn scores(audit: &record::Audit, plan: &config::Audit, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
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
    for (index, network) in audit.networks.iter().enumerate() {
        let role = match network.role {
            record::AuditRole::Reference => "reference",
            record::AuditRole::Poisoned { .. } => "poisoned",
            record::AuditRole::Suspect => "suspect",
        };
        let classes = network
            .examined
            .as_ref()
            .map_or(&[][..], |examined| &examined.classes);
        for (class, score) in classes.iter().enumerate() {
            let window = score.map(|score| score.window);
            row!(
                table,
                index,
                role,
                network.seed,
                network.accuracy,
                network.attack_success,
                class,
                names.get(ClassId(class)),
                score.map(|score| score.score),
                window.map(|window| window.0 * plan.cell),
                window.map(|window| window.1 * plan.cell),
                window.map(|window| window.2 * plan.cell),
                score.map(|score| score.energy),
            );
        }
    }
    table
}

/// The findings pasted onto images: counts by class and by the images' true class.
pub(super) fn pasted_findings(
    audit: &record::Audit,
    plan: &config::Audit,
    names: &ClassNames,
) -> CsvTable {
    let mut table = CsvTable::new(&[
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
    for finding in &audit.pasted {
        for source in ClassId::all(finding.shown.len()) {
            row!(
                table,
                finding.class.0,
                names.get(finding.class),
                finding.window.0 * plan.cell,
                finding.window.1 * plan.cell,
                finding.window.2 * plan.cell,
                source.0,
                names.get(source),
                finding.shown[source],
                finding.called[source],
                finding.before[source],
            );
        }
    }
    table
}
