//! Every number as tidy tables: one row a measurement, one column a variable, a row of names
//! first. A number that does not exist is an empty field, never NaN or 0.
//!
//! Classes, units and places count from 0; beside the number of a class stands its name. What has not
//! run has no table.

mod audit;
mod backdoor;
mod comparison;
mod notes;
mod table;

use std::borrow::Cow;

use super::ExportError;
use super::folder::Folder;
use crate::session::Session;
use crate::session::config;
use crate::session::record::{self, ClassificationImages, GammaTemplates, GammaTrials, Record};
use crate::stats::interval::wilson;
use crate::stats::share::Share;
pub use comparison::comparison;
pub use table::Table;
use table::{Field, row};

/// Writes the tables into a folder.
///
/// # Errors
/// Where nothing has been measured yet, or a file cannot be written.
pub fn csv(session: &Session, folder: &Folder) -> Result<(), ExportError> {
    let tables = tables(session);
    if tables.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    for (name, table) in tables {
        folder.write(&format!("{name}.csv"), table.text().as_bytes())?;
    }
    Ok(())
}

/// The tables of a session by name, without those that would be empty. Where the plan has an
/// experiment twice, the second one's table is `templates_2`, and so on; `classification_images` and
/// `counts` hold all of them, told apart by their noise. Last what people left written.
pub fn tables(session: &Session) -> Vec<(String, Table)> {
    let record = &session.record;
    let names = Names::of(record);
    let mut all = Vec::new();
    if let Some(it) = &record.training {
        all.push(("training".to_owned(), training(it)));
    }
    all.push(("classification_images".to_owned(), images(session, &names)));
    all.push(("counts".to_owned(), counts(session, &names)));
    each(record, "templates", templates, &mut all);
    each(record, "attack", |it| attack(it, &names), &mut all);
    each(record, "spike_triggered", spike_triggered, &mut all);
    each(record, "modulation", |it| modulation(it, &names), &mut all);
    each(
        record,
        "backdoor",
        |it| backdoor::windows(it, &names),
        &mut all,
    );
    for (nth, (at, it)) in record.all::<record::Backdoor>().enumerate() {
        if let Some(config::Analysis::Backdoor(plan)) = session.config.analyses.get(at) {
            all.push((
                numbered("backdoor_networks", nth),
                backdoor::networks(it, plan, &names),
            ));
        }
    }
    for (nth, (at, it)) in record.all::<record::Audit>().enumerate() {
        if let Some(config::Analysis::Audit(plan)) = session.config.analyses.get(at) {
            let scores = audit::scores(it, plan, &names);
            let pasted = audit::pasted(it, plan, &names);
            all.push((numbered("audit", nth), scores));
            all.push((numbered("audit_pasted", nth), pasted));
        }
    }
    each(
        record,
        "predictions",
        |it| predictions(it, &names),
        &mut all,
    );
    all.push(("notes".to_owned(), notes::notes(record, &names)));
    all.retain(|(_, table)| table.rows() > 0);
    all
}

/// The tables of all experiments of one kind.
fn each<T: record::Experiment>(
    record: &record::Record,
    name: &str,
    table: impl Fn(&T) -> Table,
    all: &mut Vec<(String, Table)>,
) {
    let own = record.all::<T>().enumerate();
    all.extend(own.map(|(nth, (_, it))| (numbered(name, nth), table(it))));
}

/// `attack`, `attack_2`, …
fn numbered(name: &str, nth: usize) -> String {
    match nth {
        0 => name.to_owned(),
        _ => format!("{name}_{}", nth + 1),
    }
}

/// The names of the classes; their numbers before the images have been opened.
struct Names(Vec<String>);

impl Names {
    fn of(record: &Record) -> Self {
        Self(
            record
                .form
                .as_ref()
                .map_or_else(Vec::new, |form| form.classes.clone()),
        )
    }

    fn get(&self, class: usize) -> Cow<'_, str> {
        match self.0.get(class) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(class.to_string()),
        }
    }
}

fn training(it: &record::Training) -> Table {
    let mut table = Table::new(&[
        "epoch",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "lr",
        "best",
    ]);
    for epoch in &it.epochs {
        row!(
            table,
            epoch.epoch,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.valid_loss,
            epoch.valid_accuracy,
            epoch.lr,
            it.best_epoch == Some(epoch.epoch),
        );
    }
    table
}

/// Every γ of every classification images of the plan that has a trial, and their noise.
fn gammas(session: &Session) -> impl Iterator<Item = (&'static str, &GammaTrials)> {
    let all = session.record.all::<ClassificationImages>();
    all.flat_map(|(at, it)| {
        let noise = match session.config.analyses.get(at) {
            Some(config::Analysis::ClassificationImages(plan)) => plan.noise.label(),
            _ => "",
        };
        let there = it.gammas.iter().filter(|gamma| gamma.trials > 0);
        there.map(move |gamma| (noise, gamma))
    })
}

fn images(session: &Session, names: &Names) -> Table {
    let mut table = Table::new(&[
        "noise",
        "gamma",
        "class",
        "name",
        "trials",
        "called",
        "listed",
        "sufficient",
        "reliability",
        "snr",
        "significant_pixels",
        "fed_back_class",
        "fed_back_name",
        "fed_back_confidence",
        "evidence_reliability",
        "evidence_low",
        "evidence_high",
        "evidence_snr",
        "evidence_significant_pixels",
        "evidence_fed_back_class",
        "evidence_fed_back_confidence",
    ]);
    for (noise, gamma) in gammas(session) {
        let estimate = gamma.estimate();
        for (class, own) in estimate.classes.iter().enumerate() {
            let back = gamma.fed_back.get(class).copied().flatten();
            let (map, heard) = (own.decision.as_ref(), own.evidence.as_ref());
            let told = gamma.evidence_fed_back.get(class).copied().flatten();
            row!(
                table,
                noise,
                gamma.gamma,
                class,
                names.get(class),
                estimate.trials,
                own.called,
                own.listed,
                map.is_some(),
                map.and_then(|it| it.reliability),
                map.map(|it| it.snr),
                map.map(|it| it.significant),
                back.map(|back| back.class),
                back.map(|back| names.get(back.class)),
                back.map(|back| back.confidence),
                heard.and_then(|it| it.reliability),
                heard.and_then(|it| Some(it.reliability_interval?[0])),
                heard.and_then(|it| Some(it.reliability_interval?[1])),
                heard.map(|it| it.snr),
                heard.map(|it| it.significant),
                told.map(|back| back.class),
                told.map(|back| back.confidence),
            );
        }
    }
    table
}

fn counts(session: &Session, names: &Names) -> Table {
    let mut table = Table::new(&[
        "noise",
        "gamma",
        "true",
        "true_name",
        "called",
        "called_name",
        "trials",
    ]);
    for (noise, gamma) in gammas(session) {
        let estimate = gamma.estimate();
        let classes = gamma.classes().max(1);
        for (cell, &trials) in estimate.counts.iter().enumerate() {
            let (truth, called) = (cell / classes, cell % classes);
            row!(
                table,
                noise,
                gamma.gamma,
                truth,
                names.get(truth),
                called,
                names.get(called),
                trials
            );
        }
    }
    table
}

fn templates(it: &record::Templates) -> Table {
    let mut table = Table::new(&[
        "gamma", "score", "classes", "correct", "images", "accuracy", "low", "high", "response",
    ]);
    for gamma in it.gammas.iter().filter(|it| it.is_meaningful()) {
        for (at, score) in GammaTemplates::SCORES.into_iter().enumerate() {
            let Share { hits, of } = gamma.accuracy(at);
            let interval = wilson(hits, of);
            row!(
                table,
                gamma.gamma,
                score,
                gamma.classes.len(),
                hits,
                of,
                interval.map(|it| it.estimate),
                interval.map(|it| it.low),
                interval.map(|it| it.high),
                gamma.response.key(),
            );
        }
    }
    table
}

fn attack(it: &record::Attack, names: &Names) -> Table {
    let mut table = Table::new(&[
        "source",
        "pattern",
        "target",
        "target_name",
        "weight",
        "successes",
        "n",
    ]);
    for (source, name) in ["image", "noise"].into_iter().enumerate() {
        for (pattern, kind) in it.kinds.iter().enumerate() {
            for target in 0..it.classes() {
                for (at, &weight) in it.weights.iter().enumerate() {
                    let Some(share) = it.targeted(source, pattern, target, at) else {
                        continue;
                    };
                    if share.of > 0 {
                        row!(
                            table,
                            name,
                            kind.key(),
                            target,
                            names.get(target),
                            weight,
                            share.hits,
                            share.of
                        );
                    }
                }
            }
        }
    }
    table
}

fn spike_triggered(it: &record::SpikeTriggered) -> Table {
    let mut table = Table::new(&[
        "layer",
        "unit",
        "silent",
        "kernel_correlation",
        "stein_correlation",
        "reliability",
    ]);
    for layer in &it.layers {
        if layer.noise.fields.iter().sum::<u64>() == 0 {
            continue;
        }
        let estimate = layer.estimate();
        let of = |values: &[Option<f64>], unit: usize| values.get(unit).copied().flatten();
        for unit in 0..layer.units {
            row!(
                table,
                layer.name.as_str(),
                unit,
                estimate.silent.binary_search(&unit).is_ok(),
                of(&estimate.kernel_correlation, unit),
                of(&estimate.stein_correlation, unit),
                of(&estimate.reliability, unit),
            );
        }
    }
    table
}

fn modulation(it: &record::Modulation, names: &Names) -> Table {
    let mut table = Table::new(&[
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
    for layer in &it.layers {
        for target in 0..layer.classes() {
            for (at, &strength) in it.strengths.iter().enumerate() {
                for (place, &gamma) in it.gammas.iter().enumerate() {
                    let cells = layer.cells(target, at, place);
                    for class in 0..layer.classes() {
                        row!(
                            table,
                            layer.name.as_str(),
                            layer.alpha,
                            target,
                            names.get(target),
                            strength,
                            gamma,
                            class,
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

fn predictions(it: &record::Predictions, names: &Names) -> Table {
    let mut table = Table::new(&[
        "split",
        "true",
        "true_name",
        "called",
        "called_name",
        "images",
    ]);
    for split in it.splits.iter().filter(|split| split.total() > 0) {
        for (cell, &images) in split.counts.iter().enumerate() {
            let (truth, called) = (cell / split.classes(), cell % split.classes());
            row!(
                table,
                split.split.label(),
                truth,
                names.get(truth),
                called,
                names.get(called),
                images
            );
        }
    }
    table
}
