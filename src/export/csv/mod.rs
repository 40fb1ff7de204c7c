//! Every number as tidy tables: one row a measurement, one column a variable, a row of names
//! first. A number that does not exist is an empty field, never NaN or 0.
//!
//! Classes, units and places count from 0. What has not run has no table.

mod table;

use super::ExportError;
use super::folder::Folder;
use crate::session::Session;
use crate::session::config::{self, CLASSES};
use crate::session::record::{self, ClassificationImages, GammaTemplates, GammaTrials, PATTERNS};
use crate::stats::interval::wilson;
use crate::stats::share::Share;
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
/// `counts` hold all of them, told apart by their noise.
pub fn tables(session: &Session) -> Vec<(String, Table)> {
    let record = &session.record;
    let mut all = Vec::new();
    if let Some(it) = &record.training {
        all.push(("training".to_owned(), training(it)));
    }
    all.push(("classification_images".to_owned(), images(session)));
    all.push(("counts".to_owned(), counts(session)));
    each(record, "templates", templates, &mut all);
    each(record, "attack", attack, &mut all);
    each(record, "spike_triggered", spike_triggered, &mut all);
    each(record, "modulation", modulation, &mut all);
    each(record, "backdoor", backdoor, &mut all);
    for (nth, (at, it)) in record.all::<record::Backdoor>().enumerate() {
        if let Some(config::Analysis::Backdoor(plan)) = session.config.analyses.get(at) {
            all.push((numbered("backdoor_networks", nth), networks(it, plan)));
        }
    }
    each(record, "predictions", predictions, &mut all);
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

fn images(session: &Session) -> Table {
    let mut table = Table::new(&[
        "noise",
        "gamma",
        "class",
        "trials",
        "called",
        "sufficient",
        "reliability",
        "snr",
        "significant_pixels",
        "fed_back_class",
        "fed_back_confidence",
    ]);
    for (noise, gamma) in gammas(session) {
        let estimate = gamma.estimate();
        for (class, own) in estimate.classes.iter().enumerate() {
            let back = gamma.fed_back.get(class).copied().flatten();
            row!(
                table,
                noise,
                gamma.gamma,
                class,
                estimate.trials,
                own.called,
                own.sufficient,
                own.reliability,
                own.snr,
                own.significant,
                back.map(|back| back.class),
                back.map(|back| back.confidence),
            );
        }
    }
    table
}

fn counts(session: &Session) -> Table {
    let mut table = Table::new(&["noise", "gamma", "true", "called", "trials"]);
    for (noise, gamma) in gammas(session) {
        let estimate = gamma.estimate();
        let classes = gamma.classes().max(1);
        for (cell, &trials) in estimate.counts.iter().enumerate() {
            let (truth, called) = (cell / classes, cell % classes);
            row!(table, noise, gamma.gamma, truth, called, trials);
        }
    }
    table
}

fn templates(it: &record::Templates) -> Table {
    let mut table = Table::new(&[
        "gamma", "score", "classes", "correct", "images", "accuracy", "low", "high",
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
            );
        }
    }
    table
}

fn attack(it: &record::Attack) -> Table {
    let mut table = Table::new(&["source", "pattern", "target", "weight", "successes", "n"]);
    if it.gamma.is_none() {
        return table;
    }
    for (source, name) in ["image", "noise"].into_iter().enumerate() {
        for (pattern, kind) in PATTERNS.into_iter().enumerate() {
            for target in 0..CLASSES {
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

fn modulation(it: &record::Modulation) -> Table {
    let mut table = Table::new(&[
        "layer", "alpha", "target", "strength", "gamma", "class", "shown", "correct", "called",
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
                            strength,
                            gamma,
                            class,
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

fn backdoor(it: &record::Backdoor) -> Table {
    let mut table = Table::new(&[
        "network", "gamma", "class", "trials", "called", "row", "column", "size", "score", "index",
    ]);
    for (network, suspect) in it.networks.iter().enumerate() {
        for finding in &suspect.findings {
            for (class, window) in finding.windows.iter().enumerate() {
                row!(
                    table,
                    network,
                    finding.gamma,
                    class,
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

fn networks(it: &record::Backdoor, plan: &config::Backdoor) -> Table {
    let mut table = Table::new(&[
        "network",
        "poisoned",
        "seed",
        "source",
        "target",
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
            plan.target,
            suspect.clean_accuracy,
            suspect.attack_success,
            suspect.attack_success.map(|_| suspect.attacked),
        );
    }
    table
}

fn predictions(it: &record::Predictions) -> Table {
    let mut table = Table::new(&["split", "true", "called", "images"]);
    for split in it.splits.iter().filter(|split| split.total() > 0) {
        for (cell, &images) in split.counts.iter().enumerate() {
            let (truth, called) = (cell / CLASSES, cell % CLASSES);
            row!(table, split.split.label(), truth, called, images);
        }
    }
    table
}
