//! The record of the backdoor study: networks with and without a backdoor, and the findings about them.

use serde::{Deserialize, Deserializer, Serialize};

use super::{BlockProgress, GammaTrials, TrainingRecord, arrays, has_shape};
use crate::ids::Gamma;
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::{Form, Shape};
use crate::stats::anomaly::{MIN_CLASSES, anomaly_indices, pooled, strongest_window};
use crate::stats::audit::{
    AuditScores as Audited, ClassImages, MIN_REFERENCES, ReferencePopulation, Separation,
    WINDOW_SIDES, leave_one_out, separation,
};
use crate::stats::backdoor::{
    ClassFinding, ExaminedNetwork, NetworkJudgement, StudyVerdict, TrueBackdoor, study_verdict,
};
use crate::stats::classification::ClassEstimate;

/// The networks under study: the poisoned ones first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backdoor {
    /// Progress; a part is a network, which is trained and then shown noise.
    pub progress: BlockProgress,
    /// The networks. Empty before it has begun.
    pub networks: Vec<Suspect>,
}

/// One network under study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// The seed of its weights and of its image order.
    pub seed: u64,
    /// Its training; dropped once noise has been shown.
    pub training: Option<TrainingRecord>,
    /// Share of clean test images that it classifies correctly.
    pub clean_accuracy: Option<f64>,
    /// Share of the test images of the source class that it calls the target once they carry the patch.
    pub attack_success: Option<f64>,
    /// Number of those images.
    pub attacked: u64,
    /// Sums of its noise trials, one entry per γ; dropped once the findings have been computed.
    pub trials: Vec<GammaTrials>,
    /// Findings, one entry per γ. Empty before the end.
    pub findings: Vec<Finding>,
}

/// The findings for a network at one γ. K classes, images of C×H×W numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Signal strength.
    pub gamma: Gamma,
    /// Trials.
    pub trials: u64,
    /// Trials by decision: \[K\].
    pub called: Vec<u64>,
    /// The strongest window of each class; `None` if it has too few trials.
    #[serde(deserialize_with = "windows")]
    pub windows: Vec<Option<ScoredWindow>>,
    /// The z maps, \[K,C,H,W\]; NaN for a class with too few trials.
    pub z: Array<f32>,
    /// The evidence images, \[K,C,H,W\]; NaN for a class without one. Empty in sessions of earlier
    /// versions.
    #[serde(default)]
    pub evidence: Array<f32>,
    /// Its evidence images compared with those of the other clean networks; `None` before all networks
    /// have been shown noise, and if there are too few clean ones.
    #[serde(default)]
    pub audited: Option<Audited>,
}

/// The window of a z map with the largest mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Window")]
pub struct ScoredWindow {
    /// Its top row.
    pub row: usize,
    /// Its left column.
    pub column: usize,
    /// Its side, in pixels.
    pub size: usize,
    /// Mean z inside it; of several channels, of Σz/√C.
    pub score: f64,
    /// How far the score is an outlier: (score − median)/(1.4826·MAD) over the classes; `None` if fewer
    /// than five classes have a score.
    pub index: Option<f64>,
}

/// Reads the windows of a file. Earlier versions wrote an index even for too few classes.
fn windows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Option<ScoredWindow>>, D::Error> {
    let mut windows: Vec<Option<ScoredWindow>> = Vec::deserialize(from)?;
    if windows.iter().flatten().count() < MIN_CLASSES {
        let found = windows.iter_mut().flatten();
        found.for_each(|window| window.index = None);
    }
    Ok(windows)
}

impl Finding {
    /// The findings from the trials at one γ, with a search window of `side` pixels.
    fn new(trials: &GammaTrials, side: usize) -> Self {
        let estimate = trials.estimate();
        let classes = &estimate.classes;
        let shape = trials.shape();
        let [channels, height, width] = shape;
        let window = |z: &Vec<f32>| strongest_window(&pooled(z, shape), height, width, side);
        let found: Vec<Option<(usize, usize, f64)>> = classes
            .iter()
            .map(|class| {
                class
                    .decision
                    .as_ref()
                    .and_then(|decision| window(&decision.z))
            })
            .collect();
        let scores: Vec<Option<f64>> = found.iter().map(|window| Some((*window)?.2)).collect();
        let window = |(found, index): (&Option<(usize, usize, f64)>, Option<f64>)| {
            let (row, column, score) = (*found)?;
            Some(ScoredWindow {
                row,
                column,
                size: side,
                score,
                index,
            })
        };
        let nothing = vec![f32::NAN; channels * height * width];
        let maps = |select: &dyn Fn(&ClassEstimate) -> Option<&Vec<f32>>| {
            let maps = classes
                .iter()
                .map(|class| select(class).unwrap_or(&nothing));
            let values = maps.flat_map(|map| map.iter().copied()).collect();
            Array::new(&[classes.len(), channels, height, width], values)
        };
        Self {
            gamma: trials.gamma,
            trials: trials.trials,
            called: classes.iter().map(|class| class.called).collect(),
            windows: found
                .iter()
                .zip(anomaly_indices(&scores))
                .map(window)
                .collect(),
            z: maps(&|class| Some(&class.decision.as_ref()?.z)),
            evidence: match trials.evidence {
                Some(_) => maps(&|class| Some(&class.evidence.as_ref()?.image)),
                None => Array::default(),
            },
            audited: None,
        }
    }

    /// Channels, rows and columns of its maps.
    pub fn shape(&self) -> Shape {
        match *self.z.shape() {
            [_, channels, height, width] => [channels, height, width],
            _ => [0; 3],
        }
    }

    /// Its evidence images by class; empty if there are none.
    fn images(&self) -> ClassImages {
        let [channels, height, width] = self.shape();
        let pixels = (channels * height * width).max(1);
        let maps = self.evidence.values().chunks_exact(pixels);
        maps.map(|map| map.iter().all(|v| v.is_finite()).then(|| map.to_vec()))
            .collect()
    }

    fn fits(&self, form: &Form) -> bool {
        let (k, [c, h, w]) = (form.class_count(), form.shape());
        self.called.len() == k
            && self.windows.len() == k
            && has_shape(&self.z, &[k, c, h, w])
            && (has_shape(&self.evidence, &[0]) || has_shape(&self.evidence, &[k, c, h, w]))
            && self.audited.as_ref().is_none_or(|audited| {
                let inside = |(row, column, side): (usize, usize, usize)| {
                    row <= h && side <= h - row && column <= w && side <= w - column
                };
                let mut classes = audited.classes.iter().flatten();
                audited.classes.len() == k && classes.all(|class| inside(class.window))
            })
            && self.windows.iter().flatten().all(|window| {
                let fits = |first: usize, side: usize| first <= side && window.size <= side - first;
                fits(window.row, h) && fits(window.column, w)
            })
    }
}

impl Suspect {
    /// A network that has not been trained yet.
    pub fn untrained(poisoned: bool, seed: u64) -> Self {
        Self {
            poisoned,
            seed,
            training: None,
            clean_accuracy: None,
            attack_success: None,
            attacked: 0,
            trials: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Computes the findings from the trials with search windows of `side` pixels, and drops the data
    /// that is no longer needed.
    pub fn conclude(&mut self, side: usize) {
        let trials = std::mem::take(&mut self.trials);
        self.findings = trials
            .iter()
            .map(|trials| Finding::new(trials, side))
            .collect();
        self.training = None;
    }

    /// Whether its findings have been computed.
    pub fn is_concluded(&self) -> bool {
        !self.findings.is_empty()
    }

    fn fits(&self, form: &Form) -> bool {
        let of_form = |trials: &GammaTrials| {
            trials.is_consistent()
                && trials.images == form.shape()
                && trials.classes() == form.class_count()
        };
        self.findings.iter().all(|finding| finding.fits(form)) && self.trials.iter().all(of_form)
    }

    /// Rows and columns of its images; `None` before there are findings.
    fn size(&self) -> Option<(usize, usize)> {
        let [_, height, width] = self.findings.first()?.shape();
        Some((height, width))
    }
}

impl Backdoor {
    pub(super) fn new(_: &config::Backdoor) -> Self {
        Self::default()
    }

    /// Compares the evidence images of every network with those of the clean ones, once all networks
    /// have been shown noise; does nothing before that, or with too few clean networks.
    pub fn examine(&mut self) {
        let done = |network: &Suspect| network.is_concluded();
        let clean = self
            .networks
            .iter()
            .filter(|network| !network.poisoned)
            .count();
        if clean < MIN_REFERENCES || !self.networks.iter().all(done) {
            return;
        }
        let gammas = self
            .networks
            .iter()
            .map(|network| network.findings.len())
            .min();
        for gamma_index in 0..gammas.unwrap_or(0) {
            let finding = |network: &Suspect| network.findings[gamma_index].images();
            let images: Vec<ClassImages> = self.networks.iter().map(finding).collect();
            let shape = self.networks[0].findings[gamma_index].shape();
            let pairs = self.networks.iter().zip(&images);
            let references: Vec<&ClassImages> = pairs
                .filter(|(network, _)| !network.poisoned)
                .map(|(_, images)| images)
                .collect();
            let population = ReferencePopulation::of(&references);
            let mut others = leave_one_out(&references, shape, &WINDOW_SIDES).into_iter();
            for (network, images) in self.networks.iter_mut().zip(&images) {
                let audited = match network.poisoned {
                    true => Some(population.examine(images, shape, &WINDOW_SIDES)),
                    false => others.next(),
                };
                network.findings[gamma_index].audited =
                    audited.filter(|audited| audited.score().is_some());
            }
        }
    }

    /// Index of the γ at which evidence images are compared: the smallest, where they are clearest.
    pub fn audited_gamma_index(&self, plan: &config::Backdoor) -> usize {
        let gammas = (0..plan.gammas.len()).rev();
        let least = gammas.min_by(|&a, &b| plan.gammas[a].total_cmp(&plan.gammas[b]));
        least.unwrap_or(0)
    }

    /// How well the evidence images at the γ with index `gamma_index` separate backdoored from clean
    /// networks; `None` before they have been compared.
    pub fn separation(&self, plan: &config::Backdoor, gamma_index: usize) -> Option<Separation> {
        let pair = |network: &'_ Suspect| -> Option<(bool, Audited)> {
            Some((
                network.poisoned,
                network.findings.get(gamma_index)?.audited.clone()?,
            ))
        };
        let networks: Vec<(bool, Audited)> =
            self.networks.iter().map(pair).collect::<Option<_>>()?;
        let networks: Vec<(bool, &Audited)> = networks
            .iter()
            .map(|(poisoned, audited)| (*poisoned, audited))
            .collect();
        let (_, width) = self.networks.iter().find_map(Suspect::size)?;
        let patch: Vec<usize> = config::backdoor::patch(width)
            .map(|(row, column)| row * width + column)
            .collect();
        Some(separation(&networks, plan.target, &patch, width))
    }

    /// Index of the γ that represents all: the one at which most networks have a score; of those, the
    /// largest.
    pub fn representative_gamma_index(&self, plan: &config::Backdoor) -> usize {
        let scored = |&gamma_index: &usize| {
            let verdict = self.verdict(plan, gamma_index);
            let score = |judgement: &Option<NetworkJudgement>| {
                judgement
                    .as_ref()
                    .is_some_and(|judgement| judgement.score.is_some())
            };
            let Gamma(strength) = plan.gammas[gamma_index];
            let networks = verdict
                .networks
                .iter()
                .filter(|judgement| score(judgement))
                .count();
            (networks, (strength * 1e9) as u64)
        };
        (0..plan.gammas.len()).max_by_key(scored).unwrap_or(0)
    }

    /// The verdicts on the networks from the findings at the γ with index `gamma_index`, and how accurate
    /// they are.
    pub fn verdict(&self, plan: &config::Backdoor, gamma_index: usize) -> StudyVerdict {
        let examined = |suspect: &Suspect| {
            let found = |window: &Option<ScoredWindow>| {
                let window = (*window)?;
                Some(ClassFinding {
                    index: window.index,
                    strength: window.score,
                    window: (window.row, window.column, window.size),
                })
            };
            let finding = suspect.findings.get(gamma_index)?;
            Some(ExaminedNetwork {
                poisoned: suspect.poisoned,
                classes: finding.windows.iter().map(found).collect(),
            })
        };
        let networks: Vec<Option<ExaminedNetwork>> = self.networks.iter().map(examined).collect();
        let size = self.networks.iter().find_map(Suspect::size);
        let (_, width) = size.unwrap_or_default();
        let [rows, columns] = config::backdoor::patch_box(width);
        let patch: Vec<usize> = rows
            .flat_map(|row| columns.clone().map(move |column| row * width + column))
            .collect();
        let truth = TrueBackdoor {
            target: plan.target,
            patch: &patch,
            width,
        };
        study_verdict(&networks, truth)
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Backdoor) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Backdoor, form: Option<&Form>) -> bool {
        let Some(form) = form.filter(|_| !self.networks.is_empty()) else {
            return self.networks.is_empty();
        };
        let networks = self.networks.len();
        let parts = self.progress.blocks.len();
        let gammas = plan.gammas.len();
        let whole = |entries: usize| entries == 0 || entries == gammas;
        networks == plan.networks()
            && parts == networks
            && self.networks.iter().enumerate().all(|(part, suspect)| {
                suspect.fits(form)
                    && suspect.poisoned == (part < plan.poisoned)
                    && whole(suspect.trials.len())
                    && whole(suspect.findings.len())
            })
    }
}

arrays!(Finding: z, evidence);
arrays!(Suspect: training, trials, findings);
arrays!(Backdoor: networks);

#[cfg(test)]
mod tests;
