//! Preset descriptions for the new-session form: what a preset does, how many trials it takes, and how fast this
//! machine runs them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::background::this_program;
use super::preset;
use crate::data;
use crate::data::catalog;
use crate::data::embedded::{TEST_COUNT, TRAIN_COUNT};
use crate::engine::forecast::Forecast;
use crate::format::{count, counted, gamma};
use crate::session::Config;
use crate::session::config::{Analysis, ClassificationImages, DatasetSource, WeightSource};
use crate::session::store::Store;
use crate::tui::browser::{Preset, PresetInfo};

/// Number of trials in a speed measurement.
const MEASURED: &str = "6000";

/// Every preset with its description.
pub fn presets(store: &Store, data: &Path) -> Vec<Preset> {
    let names = preset::names(store).into_iter();
    let all = names.map(|name| Preset {
        about: preset::load(&name, store)
            .ok()
            .map(|config| about(&config, data)),
        name,
    });
    all.collect()
}

fn about(config: &Config, data: &Path) -> PresetInfo {
    let mut parts = Vec::new();
    if let WeightSource::Train(plan) = &config.network.weights {
        parts.push(format!(
            "trains {} for {} on {}",
            config.network.label(),
            counted(plan.epochs as u64, "epoch", "epochs"),
            config.dataset_label()
        ));
    }
    parts.extend(config.analyses.iter().map(|plan| match plan {
        Analysis::ClassificationImages(plan) => images(plan),
        other => other.label().to_owned(),
    }));
    let sizes = sizes(config, data);
    PresetInfo {
        words: parts.join("; "),
        network: config.network.kind.label().to_owned(),
        work: sizes.map(|(train, test, classes)| {
            Forecast::new(config, (train, test), classes, &[]).trials()
        }),
    }
}

/// `1.00 M trials of uniform noise at each γ of 0.0, 0.25`.
fn images(plan: &ClassificationImages) -> String {
    let gammas: Vec<String> = plan.gammas.iter().map(|&g| gamma(g)).collect();
    let trials = plan.gammas.iter().map(|&g| plan.trials_at(g)).max();
    format!(
        "{} trials of {} noise at each γ of {}",
        count(trials.unwrap_or(0) as f64),
        plan.noise.label(),
        gammas.join(", ")
    )
}

/// Numbers of training images, test images and classes in the set that a config would read; `None` if unknown.
fn sizes(config: &Config, folder: &Path) -> Option<(usize, usize, usize)> {
    let dataset = config.dataset.as_ref()?;
    let spec = catalog::spec(&dataset.name)?;
    let is_here = || data::set_dir(folder, spec).is_dir();
    let part = match dataset.source {
        DatasetSource::Embedded => true,
        DatasetSource::Full => false,
        DatasetSource::Auto => spec.is_embedded && !is_here(),
        DatasetSource::Folder(_) | DatasetSource::File(_) => return None,
    };
    let classes = spec.classes().len();
    Some(match part {
        true => (TRAIN_COUNT, TEST_COUNT, classes),
        false => (spec.train, spec.test, classes),
    })
}

/// The part of `bench --json` output that is read.
#[derive(Deserialize)]
struct Line {
    trials_per_second: f64,
}

/// Measures this machine's trials per second with a built-in network, in a separate process so that no device is held
/// here.
///
/// # Errors
/// Why it could not be measured.
pub fn measure_speed(network: &str) -> Result<f64, String> {
    let out = Command::new(this_program())
        .args(["bench", "--json", "--batch", "250", "--trials", MEASURED])
        .args(["--network", network])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .output()
        .map_err(|error| format!("cannot measure: {error}"))?;
    let text = String::from_utf8_lossy(&out.stdout);
    let line: Line = serde_json::from_str(text.trim()).map_err(|error| error.to_string())?;
    match line.trials_per_second > 0.0 {
        true => Ok(line.trials_per_second),
        false => Err("nothing was measured".into()),
    }
}
