//! Networks with and without a backdoor, and what their decisions give away.

use serde::{Deserialize, Serialize};

use super::{GammaTrials, Progress, Training, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES};
use crate::stats::anomaly::{anomaly_indices, strongest_window};
use crate::stats::backdoor::{Examined, Found, Judgement, Truth, Verdict, verdict};

/// Rows, and columns, of an image.
const SIDE: usize = 28;

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

impl Finding {
    /// What the trials at one γ say, where a window of `side` pixels is searched for.
    fn new(trials: &GammaTrials, side: usize) -> Self {
        let estimate = trials.estimate();
        let classes = &estimate.classes;
        let found: Vec<Option<(usize, usize, f64)>> = classes
            .iter()
            .map(|class| strongest_window(class.z.as_deref()?, SIDE, SIDE, side))
            .collect();
        let scores: Vec<Option<f64>> = found.iter().map(|it| Some((*it)?.2)).collect();
        let window = |(found, index): (&Option<(usize, usize, f64)>, Option<f64>)| {
            let (row, column, score) = (*found)?;
            Some(Window {
                row,
                column,
                size: side,
                score,
                index,
            })
        };
        let nothing = vec![f32::NAN; SIDE * SIDE];
        let z = classes
            .iter()
            .flat_map(|class| class.z.as_ref().unwrap_or(&nothing).iter().copied())
            .collect();
        Self {
            gamma: trials.gamma,
            trials: trials.trials,
            called: classes.iter().map(|class| class.called).collect(),
            windows: found
                .iter()
                .zip(anomaly_indices(&scores))
                .map(window)
                .collect(),
            z: Array::new(&[CLASSES, SIDE, SIDE], z),
        }
    }

    fn fits(&self) -> bool {
        self.called.len() == CLASSES
            && self.windows.len() == CLASSES
            && has_shape(&self.z, &[CLASSES, SIDE, SIDE])
            && self.windows.iter().flatten().all(|window| {
                let fits = |first: usize| first <= SIDE && window.size <= SIDE - first;
                fits(window.row) && fits(window.column)
            })
    }
}

impl Suspect {
    /// Makes the findings from the trials, and drops what only led to them. Windows have `side`
    /// pixels a side.
    pub fn conclude(&mut self, side: usize) {
        let trials = std::mem::take(&mut self.trials);
        self.findings = trials.iter().map(|it| Finding::new(it, side)).collect();
        self.training = None;
    }

    /// Whether its findings are there.
    pub fn is_concluded(&self) -> bool {
        !self.findings.is_empty()
    }

    fn fits(&self) -> bool {
        self.findings.iter().all(Finding::fits) && self.trials.iter().all(GammaTrials::agrees)
    }
}

impl Backdoor {
    pub(super) fn new(_: &config::Backdoor) -> Self {
        Self::default()
    }

    /// The place of the γ that stands for all: that at which most networks have a score, the
    /// strongest of those.
    pub fn telling_gamma(&self, plan: &config::Backdoor) -> usize {
        let scored = |&gamma: &usize| {
            let verdict = self.verdict(plan, gamma);
            let score = |it: &Option<Judgement>| it.as_ref().is_some_and(|it| it.score.is_some());
            let strength = plan.gammas[gamma];
            let networks = verdict.networks.iter().filter(|it| score(it)).count();
            (networks, (strength * 1e9) as u64)
        };
        (0..plan.gammas.len()).max_by_key(scored).unwrap_or(0)
    }

    /// What the findings at the γ of index `gamma` say of the networks, and how far it is true.
    pub fn verdict(&self, plan: &config::Backdoor, gamma: usize) -> Verdict {
        let examined = |suspect: &Suspect| {
            let found = |window: &Option<Window>| {
                let window = (*window)?;
                Some(Found {
                    index: window.index,
                    strength: window.score,
                    window: (window.row, window.column, window.size),
                })
            };
            let finding = suspect.findings.get(gamma)?;
            Some(Examined {
                poisoned: suspect.poisoned,
                classes: finding.windows.iter().map(found).collect(),
            })
        };
        let networks: Vec<Option<Examined>> = self.networks.iter().map(examined).collect();
        let [rows, columns] = config::backdoor::PATCH_BOX;
        let patch: Vec<usize> = rows
            .flat_map(|row| columns.clone().map(move |column| row * SIDE + column))
            .collect();
        let truth = Truth {
            target: plan.target,
            patch: &patch,
            width: SIDE,
        };
        verdict(&networks, truth)
    }

    pub(super) fn fits(&self, plan: &config::Backdoor) -> bool {
        let networks = self.networks.len();
        let parts = self.progress.blocks.len();
        let gammas = plan.gammas.len();
        let whole = |entries: usize| entries == 0 || entries == gammas;
        (networks == 0 || networks == plan.networks())
            && parts == networks
            && self.networks.iter().enumerate().all(|(part, suspect)| {
                suspect.fits()
                    && suspect.poisoned == (part < plan.poisoned)
                    && whole(suspect.trials.len())
                    && whole(suspect.findings.len())
            })
    }
}

arrays!(Finding: z);
arrays!(Suspect: training, trials, findings);
arrays!(Backdoor: networks);
