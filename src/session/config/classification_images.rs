//! The plan of classification images.

use serde::{Deserialize, Serialize};

use super::check::{self, invalid};
use super::noise::Noise;
use super::{Extension, Grain, Invalid, MAX_TRIALS};
use crate::session::form::Form;
use crate::stats::classification::MOST_TRIALS;
use crate::stats::numbers::Response;

/// Classification images for a list of signal strengths γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassificationImages {
    /// The noise.
    pub noise: Noise,
    /// Signal strengths in \[0,1\]: a stimulus is (1−γ)·noise + γ·image.
    pub gammas: Vec<f64>,
    /// Trials for each γ.
    pub trials: u64,
    /// Fewer trials than this in a cell that an estimate needs make its class insufficient.
    pub min_trials: u64,
    /// What a trial counts.
    pub weighting: Weighting,
    /// Reliability in (0, 1) at which a γ is done before its trials are used up: as soon as every
    /// class that has enough trials has reached it. `None`: all trials.
    pub target: Option<f64>,
    /// Trials a block: the unit of seeding, of progress and of interruption.
    pub block: usize,
    /// Side of the squares of equal pixels that the noise consists of; 1: every pixel its own.
    pub cell: usize,
    /// Whether all channels of an image show the same noise.
    pub grey: bool,
    /// What a trial is taken to say: the network's decision, what its outputs say for each class, or
    /// both. `Decision` alone for a network that is a black box.
    pub responses: Vec<Response>,
    /// What of the outputs is the evidence for a class.
    pub evidence: Evidence,
    /// What was asked for beyond this once it had been made, in that order: see `noisescope extend`.
    pub extended: Vec<Extension>,
    /// The classes that have maps, by name or number; empty: all. Decisions for the others are
    /// counted all the same.
    pub classes: Vec<String>,
}

/// What a trial counts in the averages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Weighting {
    /// Every trial the same.
    Equal,
    /// As much as the network's confidence in its decision: its softmax probability.
    Confidence,
    /// Trials whose confidence is below this are dropped, the others count the same.
    Threshold(f64),
}

/// What the network's outputs say for a class k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// logit_k less the mean of all logits, which the softmax does not see.
    Logit,
    /// ln p_k, of the softmax.
    LogProbability,
    /// p_k.
    Probability,
    /// ln p_k − ln(1 − p_k).
    LogOdds,
}

impl Evidence {
    /// The key in exports.
    pub fn key(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::LogProbability => "log_probability",
            Self::Probability => "probability",
            Self::LogOdds => "log_odds",
        }
    }

    /// The unit of an evidence image is this per full range of a pixel.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Logit => "logits",
            Self::LogProbability => "log-probability",
            Self::Probability => "probability",
            Self::LogOdds => "log-odds",
        }
    }

    /// The unit of an evidence image in words: `logits per full range of a pixel`.
    pub fn image_unit(self) -> String {
        format!("{} per full range of a pixel", self.unit())
    }
}

impl Weighting {
    /// In words, for views and reports; `None` for the usual one.
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
            gammas: vec![0.0, 0.2, 0.3, 0.5],
            trials: 1_000_000,
            min_trials: 30,
            weighting: Weighting::Equal,
            target: None,
            block: 256,
            cell: 1,
            grey: false,
            responses: Response::ALL.to_vec(),
            evidence: Evidence::Logit,
            extended: Vec::new(),
            classes: Vec::new(),
        }
    }
}

impl ClassificationImages {
    /// Its name in views, reports and exports.
    pub const LABEL: &'static str = "classification images";
    /// What its progress counts.
    pub const UNIT: &'static str = "trials";

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        self.noise.validate(&format!("{path}.noise"))?;
        self.noise.validate_grain(self.grain(), path)?;
        check::distinct(&format!("{path}.classes"), &self.classes, |class| {
            format!("`{class}`")
        })?;
        check::shares(path, "gammas", "γ", &self.gammas)?;
        // The sums that are kept are of 16-bit values, of these times a weight of 10 bits, or of
        // their squares.
        let squares = !self.noise.is_white() && !self.noise.is_of_few_values();
        let most = match self.weighting {
            _ if squares => MAX_TRIALS >> 10,
            Weighting::Confidence => MAX_TRIALS >> 5,
            _ => MAX_TRIALS,
        };
        check::trials(path, "trials", self.trials, most)?;
        for (place, own) in self.extended.iter().enumerate() {
            let path = format!("{path}.extended[{place}]");
            check::trials(&path, "trials", own.trials, most)?;
            if let Some(target) = own.target {
                check_target(&path, target)?;
            }
        }
        check::distinct(&format!("{path}.responses"), &self.responses, |response| {
            format!("{response:?}")
        })?;
        if !self.has(Response::Decision) {
            return invalid(
                format!("{path}.responses"),
                "decisions are counted in any case; write [Decision] or [Decision, Evidence]",
            );
        }
        let extended = self.extended.iter().map(|own| own.trials);
        let most = extended.fold(self.trials, u64::max);
        if self.has(Response::Evidence) && most > MOST_TRIALS {
            return invalid(
                format!("{path}.trials"),
                format!(
                    "{most} trials; with evidence at most {MOST_TRIALS}, since its sums are of larger numbers; write responses: [Decision] for more"
                ),
            );
        }
        if let Weighting::Threshold(least) = self.weighting
            && !(0.0..1.0).contains(&least)
        {
            return invalid(
                format!("{path}.weighting"),
                format!("a confidence of {least}; it must lie in [0, 1)"),
            );
        }
        if let Some(target) = self.target {
            check_target(path, target)?;
        }
        check::enough_to_average(path, self.min_trials)?;
        check::block_size(path, self.block)
    }

    /// Whether trials are taken to say this.
    pub fn has(&self, response: Response) -> bool {
        self.responses.contains(&response)
    }

    /// How coarse its noise is.
    pub fn grain(&self) -> Grain {
        Grain {
            cell: self.cell,
            grey: self.grey,
        }
    }

    /// The classes that have maps among those of `form`, ascending.
    ///
    /// # Errors
    /// The place in the list and what is wrong there, for a class that does not exist.
    pub fn listed(&self, form: &Form) -> Result<Vec<usize>, (usize, String)> {
        if self.classes.is_empty() {
            return Ok((0..form.count()).collect());
        }
        let named = self.classes.iter().enumerate();
        let found = named.map(|(place, name)| form.find(name).map_err(|error| (place, error)));
        let mut listed = found.collect::<Result<Vec<usize>, _>>()?;
        listed.sort_unstable();
        listed.dedup();
        Ok(listed)
    }
}

fn check_target(path: &str, target: f64) -> Result<(), Invalid> {
    match target > 0.0 && target < 1.0 {
        true => Ok(()),
        false => invalid(
            format!("{path}.target"),
            format!("a reliability of {target}; it must lie in (0, 1)"),
        ),
    }
}
