//! Networks with and without a backdoor, and what their decisions give away.

use serde::{Deserialize, Deserializer, Serialize};

use super::{GammaTrials, Progress, Training, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::{Form, Shape};
use crate::stats::anomaly::{LEAST_CLASSES, anomaly_indices, pooled, strongest_window};
use crate::stats::backdoor::{Examined, Found, Judgement, Truth, Verdict, verdict};

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

/// What the decisions of a network at one γ give away. K classes, images of C×H×W numbers.
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
    #[serde(deserialize_with = "windows")]
    pub windows: Vec<Option<Window>>,
    /// The z maps, \[K,C,H,W\]; NaN where a class has too few trials.
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
    /// Mean z inside it; of several channels, of Σz/√C.
    pub score: f64,
    /// How far the score stands out: (score − median)/(1.4826·MAD) over the classes; `None` where
    /// fewer than five classes have a score.
    pub index: Option<f64>,
}

/// The windows of a file. Earlier versions gave an index over fewer classes than can be judged.
fn windows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Option<Window>>, D::Error> {
    let mut windows: Vec<Option<Window>> = Vec::deserialize(from)?;
    if windows.iter().flatten().count() < LEAST_CLASSES {
        let found = windows.iter_mut().flatten();
        found.for_each(|window| window.index = None);
    }
    Ok(windows)
}

impl Finding {
    /// What the trials at one γ say, where a window of `side` pixels is searched for.
    fn new(trials: &GammaTrials, side: usize) -> Self {
        let estimate = trials.estimate();
        let classes = &estimate.classes;
        let shape = trials.shape();
        let [channels, height, width] = shape;
        let window = |z: &Vec<f32>| strongest_window(&pooled(z, shape), height, width, side);
        let found: Vec<Option<(usize, usize, f64)>> = classes
            .iter()
            .map(|class| class.decision.as_ref().and_then(|it| window(&it.z)))
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
        let nothing = vec![f32::NAN; channels * height * width];
        let z = classes
            .iter()
            .flat_map(|class| {
                class
                    .decision
                    .as_ref()
                    .map_or(&nothing, |it| &it.z)
                    .iter()
                    .copied()
            })
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
            z: Array::new(&[classes.len(), channels, height, width], z),
        }
    }

    /// Channels, rows and columns of its maps.
    pub fn shape(&self) -> Shape {
        match *self.z.shape() {
            [_, channels, height, width] => [channels, height, width],
            _ => [0; 3],
        }
    }

    fn fits(&self, form: &Form) -> bool {
        let (k, [c, h, w]) = (form.count(), form.shape());
        self.called.len() == k
            && self.windows.len() == k
            && has_shape(&self.z, &[k, c, h, w])
            && self.windows.iter().flatten().all(|window| {
                let fits = |first: usize, side: usize| first <= side && window.size <= side - first;
                fits(window.row, h) && fits(window.column, w)
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

    fn fits(&self, form: &Form) -> bool {
        let of_form = |it: &GammaTrials| it.images == form.shape() && it.classes() == form.count();
        self.findings.iter().all(|it| it.fits(form))
            && self.trials.iter().all(|it| it.agrees() && of_form(it))
    }

    /// Rows and columns of the images that it was shown, once something was found.
    fn size(&self) -> Option<(usize, usize)> {
        let [_, height, width] = self.findings.first()?.shape();
        Some((height, width))
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
        let size = self.networks.iter().find_map(Suspect::size);
        let (_, width) = size.unwrap_or_default();
        let [rows, columns] = config::backdoor::patch_box(width);
        let patch: Vec<usize> = rows
            .flat_map(|row| columns.clone().map(move |column| row * width + column))
            .collect();
        let truth = Truth {
            target: plan.target,
            patch: &patch,
            width,
        };
        verdict(&networks, truth)
    }

    /// What is done and what there is to do, in the unit of the plan.
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
        (networks == 0 || networks == plan.networks())
            && parts == networks
            && self.networks.iter().enumerate().all(|(part, suspect)| {
                suspect.fits(form)
                    && suspect.poisoned == (part < plan.poisoned)
                    && whole(suspect.trials.len())
                    && whole(suspect.findings.len())
            })
    }
}

arrays!(Finding: z);
arrays!(Suspect: training, trials, findings);
arrays!(Backdoor: networks);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_over_too_few_classes_is_not_taken_from_a_file() {
        let window = |index| Window {
            row: 0,
            column: 0,
            size: 2,
            score: 1.0,
            index: Some(index),
        };
        let read = |judged: usize| -> Vec<Option<f64>> {
            let finding = Finding {
                gamma: 0.3,
                trials: 100,
                called: vec![10; 6],
                windows: (0..6)
                    .map(|at| (at < judged).then(|| window(3.0)))
                    .collect(),
                z: Array::new(&[0], Vec::new()),
            };
            let text = ron::to_string(&finding).unwrap();
            let read: Finding = ron::from_str(&text).unwrap();
            read.windows.iter().flatten().map(|it| it.index).collect()
        };
        assert_eq!(read(4), [None; 4]);
        assert_eq!(read(5), [Some(3.0); 5]);
    }
}
