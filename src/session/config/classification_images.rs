//! Configuration of classification images.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::check::{self, invalid};
use super::noise::Noise;
use super::{ConfigError, Extension, Grain, MAX_TRIALS};
use crate::ids::{ClassId, Gamma};
use crate::session::form::Form;
use crate::stats::classification::MAX_RESPONSE_TRIALS;
use crate::stats::numbers::Response;

/// Classification images for a list of signal strengths γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassificationImages {
    /// The noise.
    pub noise: Noise,
    /// Signal strengths in \[0,1\]: a stimulus is (1−γ)·noise + γ·image.
    pub gammas: Vec<Gamma>,
    /// Trials per γ.
    pub trials: u64,
    /// A class is insufficient if a cell that its estimate needs has fewer trials than this.
    pub min_trials: u64,
    /// How trials are weighted.
    pub weighting: Weighting,
    /// Reliability in (0, 1) at which a γ is done early: as soon as every class with enough trials has
    /// reached it. `None`: run all trials.
    pub target: Option<f64>,
    /// Trials per block: the unit of seeding, progress and interruption.
    pub block: usize,
    /// Side of a noise cell in pixels; 1: every pixel is independent.
    pub cell: usize,
    /// Whether all channels of an image show the same noise.
    pub grey: bool,
    /// Which responses are recorded in a trial: the network's decision, the evidence its outputs give
    /// for each class, or both. `Decision` alone for a black box.
    pub responses: Vec<Response>,
    /// How evidence for a class is computed from the outputs.
    pub evidence: EvidenceMeasure,
    /// Extensions requested after the session was created, in order: see `noisescope extend`.
    pub extended: Vec<Extension>,
    /// The classes that have maps, by name or number; empty: all. Decisions for the others are still
    /// counted.
    pub classes: Vec<String>,
}

/// A trial's weight in the averages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Weighting {
    /// Every trial counts the same.
    Equal,
    /// A trial's weight is the softmax probability of the network's decision.
    Confidence,
    /// Trials with a confidence below this are dropped; the others count the same.
    Threshold(f64),
}

/// How evidence for a class k is computed from the network's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename = "Evidence")]
#[strum(serialize_all = "snake_case")]
pub enum EvidenceMeasure {
    /// logit_k minus the mean of all logits, to which the softmax is invariant.
    Logit,
    /// ln p_k of the softmax.
    LogProbability,
    /// p_k.
    Probability,
    /// ln p_k − ln(1 − p_k).
    LogOdds,
}

impl EvidenceMeasure {
    /// The key in exports.
    pub fn key(self) -> &'static str {
        self.into()
    }

    /// The unit of the evidence; an evidence image is in this per full range of a pixel.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Logit => "logits",
            Self::LogProbability => "log-probability",
            Self::Probability => "probability",
            Self::LogOdds => "log-odds",
        }
    }

    /// The unit of an evidence image: `logits per full range of a pixel`.
    pub fn image_unit(self) -> String {
        format!("{} per full range of a pixel", self.unit())
    }
}

impl Weighting {
    /// A description for views and reports; `None` for equal weights.
    pub fn label(self) -> Option<String> {
        match self {
            Self::Equal => None,
            Self::Confidence => Some("weighted by confidence".into()),
            Self::Threshold(least) => Some(format!("confidence at least {least}")),
        }
    }
}

impl Default for ClassificationImages {
    fn default() -> Self {
        Self {
            noise: Noise::Uniform,
            gammas: [0.0, 0.2, 0.3, 0.5].map(Gamma).to_vec(),
            trials: 1_000_000,
            min_trials: 30,
            weighting: Weighting::Equal,
            target: None,
            block: 256,
            cell: 1,
            grey: false,
            responses: Response::ALL.to_vec(),
            evidence: EvidenceMeasure::Logit,
            extended: Vec::new(),
            classes: Vec::new(),
        }
    }
}

impl ClassificationImages {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "classification images";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "trials";

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        self.noise.validate(&format!("{path}.noise"))?;
        self.noise.validate_grain(self.grain(), path)?;
        check::distinct(&format!("{path}.classes"), &self.classes, |class| {
            format!("`{class}`")
        })?;
        check::gammas(path, &self.gammas)?;
        // The sums are of 16-bit values, of those times a 10-bit weight, or of their squares.
        let most = match self.weighting {
            Weighting::Confidence => self.noise.most_trials().min(MAX_TRIALS >> 5),
            _ => self.noise.most_trials(),
        };
        check::trials(path, "trials", self.trials, most)?;
        for (place, extension) in self.extended.iter().enumerate() {
            let path = format!("{path}.extended[{place}]");
            check::trials(&path, "trials", extension.trials, most)?;
            if let Some(target) = extension.target {
                check_target(&path, target)?;
            }
        }
        check::distinct(&format!("{path}.responses"), &self.responses, |response| {
            format!("{response:?}")
        })?;
        if !self.has(Response::Decision) {
            return invalid(
                format!("{path}.responses"),
                "decisions are always counted; write [Decision] or [Decision, Evidence]",
            );
        }
        let extended = self.extended.iter().map(|extension| extension.trials);
        let most = extended.fold(self.trials, u64::max);
        if self.has(Response::Evidence) && most > MAX_RESPONSE_TRIALS {
            return invalid(
                format!("{path}.trials"),
                format!(
                    "{most} trials; at most {MAX_RESPONSE_TRIALS} with evidence, since it sums larger numbers; write responses: [Decision] for more"
                ),
            );
        }
        if let Weighting::Threshold(least) = self.weighting
            && !(0.0..1.0).contains(&least)
        {
            return invalid(
                format!("{path}.weighting"),
                format!("a confidence of {least}; it must be in [0, 1)"),
            );
        }
        if let Some(target) = self.target {
            check_target(path, target)?;
        }
        check::enough_to_average(path, self.min_trials)?;
        check::block_size(path, self.block)
    }

    /// Whether this response is recorded.
    pub fn has(&self, response: Response) -> bool {
        self.responses.contains(&response)
    }

    /// The grain of its noise.
    pub fn grain(&self) -> Grain {
        Grain {
            cell: self.cell,
            grey: self.grey,
        }
    }

    /// Checks the classes with maps, and those that must reach a target.
    ///
    /// # Errors
    /// The field and a description of the problem.
    pub(super) fn check_classes(&self, form: &Form) -> Result<(), (String, String)> {
        self.listed(form)
            .map_err(|(place, problem)| (format!("classes[{place}]"), problem))?;
        for (place, extension) in self.extended.iter().enumerate() {
            if let Some(class) = &extension.class {
                self.check_target_class(class, form)
                    .map_err(|problem| (format!("extended[{place}].class"), problem))?;
            }
        }
        Ok(())
    }

    /// The classes of `form` that have maps, ascending.
    ///
    /// # Errors
    /// For a class that does not exist: its position in the list and a description of the problem.
    pub fn listed(&self, form: &Form) -> Result<Vec<ClassId>, (usize, String)> {
        if self.classes.is_empty() {
            return Ok(ClassId::all(form.class_count()).collect());
        }
        let named = self.classes.iter().enumerate();
        let found = named.map(|(place, name)| form.find(name).map_err(|error| (place, error)));
        let mut listed = found.collect::<Result<Vec<ClassId>, _>>()?;
        listed.sort_unstable();
        listed.dedup();
        Ok(listed)
    }
}

fn check_target(path: &str, target: f64) -> Result<(), ConfigError> {
    match target > 0.0 && target < 1.0 {
        true => Ok(()),
        false => invalid(
            format!("{path}.target"),
            format!("a reliability of {target}; it must be in (0, 1)"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_and_views_name_the_measure_of_evidence_and_its_unit() {
        let all = [
            EvidenceMeasure::Logit,
            EvidenceMeasure::LogProbability,
            EvidenceMeasure::Probability,
            EvidenceMeasure::LogOdds,
        ];
        assert_eq!(
            all.map(EvidenceMeasure::key),
            ["logit", "log_probability", "probability", "log_odds"]
        );
        assert_eq!(
            all.map(EvidenceMeasure::unit),
            ["logits", "log-probability", "probability", "log-odds"]
        );
        assert_eq!(
            EvidenceMeasure::LogOdds.image_unit(),
            "log-odds per full range of a pixel"
        );
    }

    #[test]
    fn unequal_weights_are_described_and_equal_ones_are_not() {
        let label = |weighting: Weighting| weighting.label().unwrap_or_default();
        assert_eq!(Weighting::Equal.label(), None);
        assert_eq!(label(Weighting::Confidence), "weighted by confidence");
        assert_eq!(label(Weighting::Threshold(0.9)), "confidence at least 0.9");
    }
}
