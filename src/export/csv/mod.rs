//! Every number of a session as tidy tables: one row per measurement, one column per variable, with a header row. A
//! missing number is an empty field, never NaN or 0.
//!
//! Classes, units and indices count from 0; a class's number is accompanied by its name. A stage that has not run has
//! no table.

mod audit;
mod backdoor;
mod classification_images;
mod comparison;
mod notes;
mod table;

use std::borrow::Cow;
use std::fmt::Display;

use super::ExportError;
use super::folder::ExportFolder;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config;
use crate::session::record::{self, GammaTemplates, Record};
use crate::stats::interval::wilson;
use crate::stats::share::Share;
use classification_images::{counts, images};
pub use comparison::comparison;
pub use table::CsvTable;
use table::{CsvField, row};

/// Writes the tables into a folder.
///
/// # Errors
/// If nothing has been measured yet, or a file cannot be written.
pub fn csv(session: &Session, folder: &ExportFolder) -> Result<(), ExportError> {
    let tables = tables(session);
    if tables.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    write_tables(tables, folder)
}

/// Writes tables into a folder, each as `NAME.csv`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_tables<N: Display>(
    tables: Vec<(N, CsvTable)>,
    folder: &ExportFolder,
) -> Result<(), ExportError> {
    for (name, table) in tables {
        folder.write(&format!("{name}.csv"), table.into_text().as_bytes())?;
    }
    Ok(())
}

/// The tables of a session by name, without empty ones. If the plan contains an experiment twice, the second one's
/// table is `templates_2`, and so on; `classification_images` and `counts` hold all of them, distinguished by `images`,
/// their number from 0, as in `notes`. The last table holds the notes.
pub fn tables(session: &Session) -> Vec<(String, CsvTable)> {
    let record = &session.record;
    let names = ClassNames::of(record);
    let mut all = Vec::new();
    if let Some(training_record) = &record.training {
        all.push(("training".to_owned(), training(training_record)));
    }
    all.push(("classification_images".to_owned(), images(session, &names)));
    all.push(("counts".to_owned(), counts(session, &names)));
    each(record, "templates", templates, &mut all);
    each(record, "attack", |data| attack(data, &names), &mut all);
    each(record, "spike_triggered", spike_triggered, &mut all);
    each(
        record,
        "modulation",
        |data| modulation(data, &names),
        &mut all,
    );
    each(
        record,
        "backdoor",
        |data| backdoor::windows(data, &names),
        &mut all,
    );
    for (nth, (index, study)) in record.all::<record::Backdoor>().enumerate() {
        if let Some(config::Analysis::Backdoor(plan)) = session.config.analyses.get(index) {
            all.push((
                numbered("backdoor_networks", nth),
                backdoor::networks(study, plan, &names),
            ));
        }
    }
    for (nth, (index, data)) in record.all::<record::Audit>().enumerate() {
        if let Some(config::Analysis::Audit(plan)) = session.config.analyses.get(index) {
            let scores = audit::scores(data, plan, &names);
            let pasted = audit::pasted_findings(data, plan, &names);
            all.push((numbered("audit", nth), scores));
            all.push((numbered("audit_pasted", nth), pasted));
        }
    }
    each(
        record,
        "predictions",
        |data| predictions(data, &names),
        &mut all,
    );
    all.push(("notes".to_owned(), notes::notes(record, &names)));
    all.retain(|(_, table)| table.rows() > 0);
    all
}

/// Adds the tables of all experiments of one kind.
fn each<T: record::ExperimentRecord>(
    record: &record::Record,
    name: &str,
    table: impl Fn(&T) -> CsvTable,
    all: &mut Vec<(String, CsvTable)>,
) {
    let experiments = record.all::<T>().enumerate();
    all.extend(experiments.map(|(nth, (_, data))| (numbered(name, nth), table(data))));
}

/// `attack`, `attack_2`, …
fn numbered(name: &str, nth: usize) -> String {
    match nth {
        0 => name.to_owned(),
        _ => format!("{name}_{}", nth + 1),
    }
}

/// The names of the classes; a class without a name is called by its number.
struct ClassNames(Vec<String>);

impl ClassNames {
    fn of(record: &Record) -> Self {
        Self(
            record
                .form
                .as_ref()
                .map_or_else(Vec::new, |form| form.classes.clone()),
        )
    }

    fn get(&self, class: ClassId) -> Cow<'_, str> {
        match self.0.get(class.0) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(class.to_string()),
        }
    }
}

fn training(training: &record::TrainingRecord) -> CsvTable {
    let mut table = CsvTable::new(&[
        "epoch",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "lr",
        "best",
    ]);
    for epoch in &training.epochs {
        row!(
            table,
            epoch.epoch,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.valid_loss,
            epoch.valid_accuracy,
            epoch.lr,
            training.best_epoch == Some(epoch.epoch),
        );
    }
    table
}

fn templates(templates: &record::Templates) -> CsvTable {
    let mut table = CsvTable::new(&[
        "gamma", "score", "classes", "correct", "images", "accuracy", "low", "high", "response",
    ]);
    for gamma_templates in templates
        .gammas
        .iter()
        .filter(|gamma_templates| gamma_templates.is_meaningful())
    {
        for (index, score) in GammaTemplates::SCORES.into_iter().enumerate() {
            let Share { hits, total: of } = gamma_templates.accuracy(index);
            let interval = wilson(hits, of);
            row!(
                table,
                gamma_templates.gamma.0,
                score,
                gamma_templates.classes.len(),
                hits,
                of,
                interval.map(|interval| interval.estimate),
                interval.map(|interval| interval.low),
                interval.map(|interval| interval.high),
                gamma_templates.response.key(),
            );
        }
    }
    table
}

fn attack(attack: &record::Attack, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "source",
        "pattern",
        "target",
        "target_name",
        "weight",
        "successes",
        "n",
    ]);
    for (source, name) in ["image", "noise"].into_iter().enumerate() {
        for (pattern, kind) in attack.kinds.iter().enumerate() {
            for target in ClassId::all(attack.classes()) {
                for (index, &weight) in attack.weights.iter().enumerate() {
                    let Some(share) = attack.targeted(source, pattern, target, index) else {
                        continue;
                    };
                    if share.total > 0 {
                        row!(
                            table,
                            name,
                            kind.key(),
                            target.0,
                            names.get(target),
                            weight,
                            share.hits,
                            share.total
                        );
                    }
                }
            }
        }
    }
    table
}

fn spike_triggered(spikes: &record::SpikeTriggered) -> CsvTable {
    let mut table = CsvTable::new(&[
        "layer",
        "unit",
        "silent",
        "kernel_correlation",
        "stein_correlation",
        "reliability",
    ]);
    for layer in &spikes.layers {
        if layer.noise.fields.iter().sum::<u64>() == 0 {
            continue;
        }
        let estimate = layer.estimate();
        let value_of = |values: &[Option<f64>], unit: usize| values.get(unit).copied().flatten();
        for unit in 0..layer.units {
            row!(
                table,
                layer.name.as_str(),
                unit,
                estimate.silent.binary_search(&unit).is_ok(),
                value_of(&estimate.kernel_correlation, unit),
                value_of(&estimate.stein_correlation, unit),
                value_of(&estimate.reliability, unit),
            );
        }
    }
    table
}

fn modulation(modulation: &record::Modulation, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "layer",
        "alpha",
        "target",
        "target_name",
        "strength",
        "gamma",
        "class",
        "name",
        "shown",
        "correct",
        "called",
    ]);
    for layer in &modulation.layers {
        for target in ClassId::all(layer.classes()) {
            for (index, &strength) in modulation.strengths.iter().enumerate() {
                for (place, &gamma) in modulation.gammas.iter().enumerate() {
                    let cells = layer.class_counts(target, index, place);
                    for class in ClassId::all(layer.classes()) {
                        row!(
                            table,
                            layer.name.as_str(),
                            layer.alpha,
                            target.0,
                            names.get(target),
                            strength,
                            gamma.0,
                            class.0,
                            names.get(class),
                            cells.shown[class],
                            cells.correct[class],
                            cells.called[class],
                        );
                    }
                }
            }
        }
    }
    table
}

fn predictions(predictions: &record::Predictions, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "split",
        "true",
        "true_name",
        "called",
        "called_name",
        "images",
    ]);
    for split in predictions.splits.iter().filter(|split| split.total() > 0) {
        for (cell, &images) in split.counts.iter().enumerate() {
            let (truth, called) = (
                ClassId(cell / split.classes()),
                ClassId(cell % split.classes()),
            );
            row!(
                table,
                split.split.label(),
                truth.0,
                names.get(truth),
                called.0,
                names.get(called),
                images
            );
        }
    }
    table
}
