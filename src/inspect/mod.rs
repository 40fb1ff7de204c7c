//! Inspection of a network file before it is used in a session: its form, operators and sites, what is missing
//! and what to do about it, and its accuracy on images under several scalings.

pub mod architecture;
mod confusion;
pub mod contents;
pub mod presentations;
pub mod scaling;
mod text;

use std::path::Path;

use serde::Serialize;

use crate::nets::import::onnx::ModelSummary;
use crate::session::Config;
use crate::session::config::Analysis;
use architecture::Architecture;
use scaling::ScalingResults;

use crate::stats::grain::{GrainForecast, recommend};

/// Advised trials relative to the estimate.
const ADVICE_MARGIN: f64 = 1.25;

/// Fewest trials that are advised.
const MIN_ADVISED_TRIALS: f64 = 10_000.0;

/// The results of inspecting a file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Size in bytes, including external data files.
    pub bytes: u64,
    /// SHA-256, including external data files; empty if it is not an ONNX file.
    pub sha256: String,
    /// The header and operators of an ONNX file.
    pub onnx: Option<ModelSummary>,
    /// The built-in kind that a weight file fits.
    pub kind: Option<&'static str>,
    /// The network, if it can be used.
    pub network: Option<Architecture>,
    /// Changes made and other remarks, a sentence each.
    pub notes: Vec<String>,
    /// Its accuracy on images, under several scalings.
    pub scaling: Option<ScalingResults>,
    /// How many trials reliable maps take, by the grain of the noise.
    pub pilot: Vec<GrainForecast>,
    /// Number of workers that share the trials, for estimating their time.
    pub workers: usize,
    /// What prevents it from being studied, a sentence or paragraph each, with the remedy.
    pub problems: Vec<String>,
    /// The command that studies it.
    pub next: Option<String>,
}

impl Inspection {
    /// An empty inspection of a file of `bytes` bytes.
    pub fn new(path: &Path, bytes: u64) -> Self {
        Self {
            file: path.display().to_string(),
            bytes,
            ..Self::default()
        }
    }

    /// The pilot's advice for a config's classification images, as assignments for `--set`.
    pub fn advice(&self, config: &Config) -> Option<Vec<String>> {
        advised_settings(recommend(&self.pilot, self.workers)?, config)
    }

    /// The pilot's results as text; empty if there was no pilot.
    pub fn pilot_text(&self) -> String {
        text::pilot_table(&self.pilot, self.workers)
    }

    /// The inspection as text, for a terminal or a log.
    pub fn text(&self) -> String {
        text::full_text(self)
    }
}

/// The assignments for `--set` that make the maps of a config's first classification images reliable at this grain, with
/// a quarter more trials than estimated; `None` without an estimate or without classification images.
pub fn advised_settings(grain: &GrainForecast, config: &Config) -> Option<Vec<String>> {
    let trials = grain.needed? as f64 * ADVICE_MARGIN;
    let mut analyses = config.analyses.iter().enumerate();
    let (place, cell) = analyses.find_map(|(place, analysis)| match analysis {
        Analysis::ClassificationImages(plan) => Some((place, plan.cell)),
        _ => None,
    })?;
    // Two digits are enough for an estimate.
    let step = 10_f64.powf(trials.log10().floor() - 1.0).max(1.0);
    let trials = ((trials / step).ceil() * step).max(MIN_ADVISED_TRIALS);
    let mut fields = vec![
        ("gammas", "[0.0]".to_owned()),
        ("trials", format!("{trials:.0}")),
    ];
    if grain.cell != cell {
        fields.push(("cell", grain.cell.to_string()));
    }
    let assignments = fields
        .into_iter()
        .map(|(field, value)| format!("analyses[{place}].{field}={value}"));
    Some(assignments.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{Audit, ClassificationImages, Predictions};

    #[test]
    fn the_advice_is_for_the_first_classification_images_of_the_plan() {
        let grain = GrainForecast::sample;
        let plan = |analyses: Vec<Analysis>| Config {
            analyses,
            ..Config::default()
        };
        let images = |cell: usize| {
            Analysis::ClassificationImages(ClassificationImages {
                cell,
                ..ClassificationImages::default()
            })
        };
        let predictions = || Analysis::Predictions(Predictions::default());
        assert_eq!(
            advised_settings(&grain(2), &plan(vec![predictions(), images(1), images(1)])).unwrap(),
            [
                "analyses[1].gammas=[0.0]",
                "analyses[1].trials=24000",
                "analyses[1].cell=2"
            ]
        );
        // The plan's own cells are changed back, too.
        let finer = advised_settings(&grain(1), &plan(vec![images(4)])).unwrap();
        assert_eq!(finer.last().unwrap(), "analyses[0].cell=1");
        let same = advised_settings(&grain(4), &plan(vec![images(4)])).unwrap();
        assert_eq!(same.len(), 2);
        let audit = plan(vec![Analysis::Audit(Audit::default())]);
        assert_eq!(advised_settings(&grain(1), &audit), None);
    }
}
