//! Every number as tidy tables: one row a measurement, one column a variable, a row of names
//! first. A number that does not exist is an empty field, never NaN or 0.
//!
//! Classes, units and places count from 0. What has not run has no table.

use std::fmt::Write as _;

use super::ExportError;
use super::folder::Folder;
use crate::session::Session;
use crate::session::config::{self, CLASSES};
use crate::session::record::{self, ClassificationImages, GammaTemplates, GammaTrials, PATTERNS};
use crate::stats::interval::wilson;
use crate::stats::share::Share;

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
        folder.write(&format!("{name}.csv"), table.text.as_bytes())?;
    }
    Ok(())
}

/// The tables of a session by name, without those that would be empty.
pub fn tables(session: &Session) -> Vec<(&'static str, Table)> {
    let record = &session.record;
    let mut all = Vec::new();
    if let Some(it) = &record.training {
        all.push(("training", training(it)));
    }
    all.push(("classification_images", images(session)));
    all.push(("counts", counts(session)));
    if let Some(it) = record.first::<record::Templates>() {
        all.push(("templates", templates(it)));
    }
    if let Some(it) = record.first::<record::Attack>() {
        all.push(("attack", attack(it)));
    }
    if let Some(it) = record.first::<record::SpikeTriggered>() {
        all.push(("spike_triggered", spike_triggered(it)));
    }
    if let Some(it) = record.first::<record::Modulation>() {
        all.push(("modulation", modulation(it)));
    }
    if let Some((at, it)) = record.all::<record::Backdoor>().next() {
        all.push(("backdoor", backdoor(it)));
        if let Some(config::Analysis::Backdoor(plan)) = session.config.analyses.get(at) {
            all.push(("backdoor_networks", networks(it, plan)));
        }
    }
    if let Some(it) = record.first::<record::Predictions>() {
        all.push(("predictions", predictions(it)));
    }
    all.retain(|(_, table)| table.rows > 0);
    all
}

/// A table as text.
#[derive(Debug, Clone)]
pub struct Table {
    text: String,
    rows: usize,
    columns: usize,
}

/// One field of a table.
enum Field<'a> {
    Text(&'a str),
    Whole(u64),
    Signed(i64),
    Real(f64),
    Empty,
}

impl From<u64> for Field<'_> {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Field<'_> {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<i64> for Field<'_> {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<f64> for Field<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Field<'_> {
    fn from(value: bool) -> Self {
        Self::Text(if value { "true" } else { "false" })
    }
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Field<'a>>> From<Option<T>> for Field<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl Table {
    fn new(columns: &[&str]) -> Self {
        Self {
            text: columns.join(",") + "\n",
            rows: 0,
            columns: columns.len(),
        }
    }

    /// The whole of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn row<const N: usize>(&mut self, fields: [Field<'_>; N]) {
        debug_assert_eq!(N, self.columns);
        for (at, field) in fields.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            // Writing to a string cannot fail.
            let _ = match field {
                Field::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                    write!(self.text, "\"{}\"", text.replace('"', "\"\""))
                }
                Field::Text(text) => write!(self.text, "{text}"),
                Field::Whole(value) => write!(self.text, "{value}"),
                Field::Signed(value) => write!(self.text, "{value}"),
                Field::Real(value) if value.is_finite() => write!(self.text, "{value}"),
                Field::Real(_) | Field::Empty => Ok(()),
            };
        }
        self.text.push('\n');
        self.rows += 1;
    }
}

macro_rules! row {
    ($table:expr, $($field:expr),+ $(,)?) => {
        $table.row([$(Field::from($field)),+])
    };
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
        "layer", "alpha", "target", "strength", "gamma", "true", "called", "stimuli",
    ]);
    for layer in &it.layers {
        for target in 0..CLASSES {
            for (at, &strength) in it.strengths.iter().enumerate() {
                for (place, &gamma) in it.gammas.iter().enumerate() {
                    let cells = layer.cells(target, at, place).iter().enumerate();
                    for (cell, &stimuli) in cells.filter(|(_, stimuli)| **stimuli > 0) {
                        row!(
                            table,
                            layer.name.as_str(),
                            layer.alpha,
                            target,
                            strength,
                            gamma,
                            cell / CLASSES,
                            cell % CLASSES,
                            stimuli,
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
