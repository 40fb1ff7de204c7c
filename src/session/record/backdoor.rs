//! Networks with and without a backdoor, and what their decisions give away.

use serde::{Deserialize, Serialize};

use super::{GammaTrials, Progress, Training, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES};

/// The suspects of the study: the poisoned ones first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backdoor {
    /// How far it is; a part is a network, trained first, then shown noise.
    pub progress: Progress,
    /// The networks. Empty before it has begun.
    pub networks: Vec<Suspect>,
}

/// One network under suspicion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// The seed of its weights and of the order of its images.
    pub seed: u64,
    /// Its training; dropped once the noise has been shown.
    pub training: Option<Training>,
    /// Share of clean test images that it classifies correctly.
    pub clean_accuracy: Option<f64>,
    /// Share of the test images of the source class, with the patch, that it calls the target.
    pub attack_success: Option<f64>,
    /// How many of them there were.
    pub attacked: u64,
    /// Sums of its noise trials, one entry a γ; dropped once the findings are made.
    pub trials: Vec<GammaTrials>,
    /// What was found, one entry a γ. Empty before the end.
    pub findings: Vec<Finding>,
}

/// What the decisions of a network at one γ give away. K classes, images of H×W pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Signal strength.
    pub gamma: f64,
    /// Trials.
    pub trials: u64,
    /// Trials by what they were called: \[K\].
    pub called: Vec<u64>,
    /// The strongest window of each class; `None` where it has too few trials.
    pub windows: Vec<Option<Window>>,
    /// The z maps, \[K,H,W\]; NaN where a class has too few trials.
    pub z: Array<f32>,
}

/// The window of a z map whose mean is largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its top row.
    pub row: usize,
    /// Its left column.
    pub column: usize,
    /// Its side, in pixels.
    pub size: usize,
    /// Mean z inside it.
    pub score: f64,
    /// How far the score stands out: (score − median)/(1.4826·MAD) over the classes; `None` where
    /// fewer than three classes have a score.
    pub index: Option<f64>,
}

impl Suspect {
    fn fits(&self) -> bool {
        let finding = |it: &Finding| {
            it.called.len() == CLASSES
                && it.windows.len() == CLASSES
                && has_shape(&it.z, &[CLASSES, 28, 28])
                && it.windows.iter().flatten().all(|window| {
                    window.row + window.size <= 28 && window.column + window.size <= 28
                })
        };
        self.findings.iter().all(finding) && self.trials.iter().all(GammaTrials::agrees)
    }
}

impl Backdoor {
    pub(super) fn new(_: &config::Backdoor) -> Self {
        Self::default()
    }

    pub(super) fn fits(&self, plan: &config::Backdoor) -> bool {
        let networks = self.networks.len();
        let parts = self.progress.blocks.len();
        (networks == 0 || networks == plan.poisoned + plan.clean)
            && (parts == 0 || parts == networks)
            && self.networks.iter().all(Suspect::fits)
    }
}

arrays!(Finding: z);
arrays!(Suspect: training, trials, findings);
arrays!(Backdoor: networks);
