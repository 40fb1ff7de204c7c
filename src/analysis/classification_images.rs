//! Classification images: average the noise by what the network calls it (reverse correlation).
//!
//! For every γ, counts by true and predicted class and exact sums of the noise by the margins of
//! that table, even and odd blocks apart; the maps follow from the sums in [`crate::stats::classification`].

mod axes;
mod hearing;
pub mod launches;
mod null;
mod summing;

use std::sync::Arc;

use super::{AnalysisError, Experiment, Job, Lab, Launching, Order, Part, Place};
use crate::nets::decision;
use crate::nets::softmax::log_softmax;
use crate::session::Form;
use crate::session::config::{self, Noise, Response, Span, Weighting};
use crate::session::record::course::next_note;
use crate::session::record::{
    self, BlockSums, CONFIDENCE_STEPS, FedBack, GammaTrials, Record, TrialKind,
};
use crate::stats::classification::ClassEstimate;
use crate::stimulus::{self, Block, Source};

pub use hearing::{Heard, Hearing};
use launches::NoiseLaunches;
pub use summing::Summing;

/// Blocks between two looks at whether a γ has reached its target reliability: even, so that both
/// halves of the trials are of the same size.
const BLOCKS_A_LOOK: u64 = 64;

/// The experiment, as the plan has it.
#[derive(Debug, Clone)]
pub struct ClassificationImages {
    config: config::ClassificationImages,
    place: Place,
    form: Arc<Form>,
    source: Source,
    /// The classes that have maps, or what is wrong with the plan's list.
    listed: Result<Vec<usize>, AnalysisError>,
    summing: Summing,
    /// How the outputs are heard at each γ; empty where they are not, and before it has begun.
    hearing: Vec<Hearing>,
}

impl ClassificationImages {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::ClassificationImages, place: Place, lab: &Lab) -> Self {
        let listed = config
            .listed(&lab.form)
            .map_err(|(at, problem)| place.error(&format!("classes[{at}]"), problem));
        let source = Source::of(config.noise, config.grain(), &lab.dataset.train);
        let kind = trial_kind(&config, lab, listed.clone().unwrap_or_default());
        Self {
            summing: Summing::new(&kind, &source, &lab.dataset.train),
            hearing: Vec::new(),
            source,
            listed,
            config,
            place,
            form: Arc::clone(&lab.form),
        }
    }

    /// What its trials are.
    fn kind(&self, lab: &Lab) -> Result<TrialKind, AnalysisError> {
        let shape = lab.form.shape();
        let fits = self.config.noise.fits(shape);
        fits.map_err(|problem| self.place.error("noise", problem))?;
        if lab.pool.is_empty() {
            let signal = self.config.gammas.iter().position(|&gamma| gamma > 0.0);
            if let Some(at) = signal {
                return Err(self.place.error(
                    &format!("gammas[{at}]"),
                    format!(
                        "γ = {} shows images, and the plan has none (dataset: None); only γ = 0 goes without",
                        self.config.gammas[at]
                    ),
                ));
            }
            if self.config.noise == Noise::Pca {
                return Err(self.place.error(
                    "noise",
                    "principal components are those of images, and the plan has none (dataset: None)",
                ));
            }
        }
        Ok(trial_kind(&self.config, lab, self.listed.clone()?))
    }

    /// What the network says of a block, shown alone.
    fn shown(&self, lab: &Lab, block: &mut Block) -> Vec<f32> {
        let stimuli = std::mem::take(&mut block.stimuli);
        lab.network.logits(stimuli, &lab.device)
    }

    /// The units of the responses at a γ, which the first block of it chooses.
    fn step_of(&self, lab: &Lab, part: usize, kind: &TrialKind) -> f64 {
        let mut block = self.draw(lab, Job::one(part, 0));
        let logits = self.shown(lab, &mut block);
        let rows = lab.network.rows(&logits);
        Hearing::of(self.config.evidence, &kind.listed, rows).step()
    }

    /// What the network said of trials at a γ.
    fn said<'a>(&self, part: usize, rows: impl Iterator<Item = &'a [f32]> + Clone) -> Said {
        let mut said = Said::new(rows.clone(), self.config.weighting);
        said.heard = self.hearing.get(part).map(|hearing| hearing.hear(rows));
        said
    }

    fn draw(&self, lab: &Lab, job: Job) -> Block {
        let seed = self.place.noise(job.part as u64, job.block);
        let gamma = self.config.gammas[job.part];
        let Span { first, trials } = self.config.span(gamma, job.block);
        stimulus::draw(seed, &self.source, gamma, first, trials, &lab.pool)
    }
}

impl Experiment for ClassificationImages {
    type Record = record::ClassificationImages;
    type Sums = Vec<BlockSums>;

    fn parts(&self) -> Vec<Part> {
        let part = |&gamma: &f64| Part {
            phase: 0,
            blocks: self.config.blocks_at(gamma),
            order: Order::Free,
        };
        self.config.gammas.iter().map(part).collect()
    }

    fn done(&self, record: &record::ClassificationImages) -> Vec<u64> {
        record.gammas.iter().map(|gamma| gamma.blocks).collect()
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::ClassificationImages,
    ) -> Result<(), AnalysisError> {
        let kind = self.kind(lab)?;
        if record.gammas.is_empty() {
            *record = record::ClassificationImages::begun(&self.config, &kind);
            if kind.evidence {
                for (part, gamma) in record.gammas.iter_mut().enumerate() {
                    gamma.hear(self.step_of(lab, part, &kind), &kind);
                }
            }
        }
        if !kind.noise.is_white() && record.gammas.iter().any(|it| it.null.is_none()) {
            let shape = kind.grain.grid(kind.images);
            if let Some(null) = null::simulate(&self.source, shape) {
                let gammas = record.gammas.iter_mut();
                gammas.for_each(|gamma| gamma.take_null(null.clone()));
            }
        }
        if record.axes.is_none()
            && let Some(axes) = axes::axes(&self.source, kind.grain.grid(kind.images))
        {
            record.take_axes(axes);
        }
        let heard = record.gammas.iter().filter_map(|it| it.evidence.as_ref());
        let hearing = heard.map(|it| Hearing::new(self.config.evidence, &kind.listed, it.step));
        self.hearing = hearing.collect();
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<Vec<BlockSums>, AnalysisError> {
        let mut block = self.draw(lab, job);
        let logits = self.shown(lab, &mut block);
        let said = self.said(job.part, lab.network.rows(&logits));
        Ok(vec![self.summing.sum(job.block, &block, &said, &lab.pool)])
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> Launching<'a> {
        let launches = NoiseLaunches::new(self, lab, part, blocks)?;
        Some(Box::new(launches))
    }

    /// Reliability is noted at the same trials whoever computes them, and so is its target reached.
    fn milestone(&self, part: usize, block: u64) -> u64 {
        let look = match self.config.target_at(self.config.gammas[part]) {
            Some(_) => (block / BLOCKS_A_LOOK + 1) * BLOCKS_A_LOOK,
            None => u64::MAX,
        };
        next_note(block).min(look)
    }

    fn trials_of_block(&self) -> usize {
        self.config.block
    }

    fn merge(&self, record: &mut record::ClassificationImages, job: Job, sums: Vec<BlockSums>) {
        let gamma = &mut record.gammas[job.part];
        sums.iter().for_each(|sums| gamma.add(sums));
        gamma.note();
        if let Some((target, class)) = self.config.target_at(gamma.gamma)
            && gamma.blocks.is_multiple_of(BLOCKS_A_LOOK)
        {
            let class = class.and_then(|name| self.form.find(name).ok());
            gamma.reached = has_reached(gamma, target, class);
        }
    }

    fn is_enough(&self, record: &record::ClassificationImages, part: usize) -> bool {
        record.gammas.get(part).is_some_and(|gamma| gamma.reached)
    }

    fn refresh(&self, lab: &Lab, record: &mut record::ClassificationImages) {
        for gamma in &mut record.gammas {
            feed_back(lab, gamma);
        }
    }
}

/// Whether a class, or every class that has enough trials, and at least one has, is as reliable as
/// wanted.
fn has_reached(gamma: &GammaTrials, target: f64, only: Option<usize>) -> bool {
    let estimate = gamma.estimate();
    if let Some(class) = only {
        let map = estimate
            .classes
            .get(class)
            .and_then(ClassEstimate::best_image);
        return map.is_some_and(|it| it.reliability.is_some_and(|r| r >= target));
    }
    // A class's best map is what a viewer sees of it.
    let maps = || {
        estimate
            .classes
            .iter()
            .filter_map(ClassEstimate::best_image)
    };
    maps().next().is_some() && maps().all(|it| it.reliability.is_some_and(|r| r >= target))
}

/// What the trials of a plan are, these classes having maps.
fn trial_kind(config: &config::ClassificationImages, lab: &Lab, listed: Vec<usize>) -> TrialKind {
    TrialKind {
        noise: config.noise,
        grain: config.grain(),
        weighting: config.weighting,
        classes: lab.classes(),
        listed,
        images: lab.form.shape(),
        evidence: config.has(Response::Evidence),
    }
}

/// What the network says of a block of trials, and what each trial counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its decisions.
    pub decisions: Vec<usize>,
    /// Weights of the trials, 0 for those that are dropped; `None` where all count the same.
    pub weights: Option<Vec<u16>>,
    /// What its outputs say; `None` where they are not heard.
    pub heard: Option<Heard>,
}

impl Said {
    /// Takes decisions and weights from rows of logits, \[K\] each.
    pub fn new<'a>(logits: impl Iterator<Item = &'a [f32]> + Clone, weighting: Weighting) -> Self {
        let rows = || logits.clone();
        let confidence = |row: &[f32]| log_softmax(row)[decision(row)].exp();
        let weights = match weighting {
            Weighting::Equal => None,
            // A decision has a confidence of 1/K at least; of very many classes a weight might still
            // be rounded to 0, which would drop the trial.
            Weighting::Confidence => {
                let weight = |row| ((confidence(row) * CONFIDENCE_STEPS).round() as u16).max(1);
                Some(rows().map(weight).collect())
            }
            Weighting::Threshold(least) => {
                let weight = |row| u16::from(confidence(row) >= least);
                Some(rows().map(weight).collect())
            }
        };
        Self {
            decisions: rows().map(decision).collect(),
            weights,
            heard: None,
        }
    }
}

/// Shows the network the mean stimulus of every class that has one, and its evidence image where it
/// has that, and keeps what it says.
fn feed_back(lab: &Lab, gamma: &mut GammaTrials) {
    let estimate = gamma.estimate();
    let classes = || estimate.classes.iter();
    let stimuli = classes().map(|it| it.mean_stimulus.clone());
    gamma.fed_back = said_of(lab, gamma, stimuli);
    if gamma.evidence.is_some() {
        let images = classes().map(|it| Some(pattern(&it.evidence.as_ref()?.image)));
        gamma.evidence_fed_back = said_of(lab, gamma, images);
    }
}

/// A map scaled to \[0,1\]; ½ everywhere where it is flat.
pub fn pattern(map: &[f32]) -> Vec<f32> {
    let least = map.iter().copied().fold(f32::INFINITY, f32::min);
    let most = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    match most > least {
        true => map.iter().map(|v| (v - least) / (most - least)).collect(),
        false => vec![0.5; map.len()],
    }
}

/// What the network says of these maps on the noise's grid, one a class.
fn said_of(
    lab: &Lab,
    gamma: &GammaTrials,
    maps: impl Iterator<Item = Option<Vec<f32>>>,
) -> Vec<Option<FedBack>> {
    let (grain, images) = (gamma.grain, gamma.images);
    let shown: Vec<(usize, Vec<f32>)> = maps
        .enumerate()
        .filter_map(|(class, map)| Some((class, grain.spread(&map?, images))))
        .collect();
    let mut said = vec![None; gamma.classes()];
    if shown.is_empty() {
        return said;
    }
    let pixels = shown.iter().flat_map(|(_, pixels)| pixels.iter().copied());
    let logits = lab.network.logits(pixels.collect(), &lab.device);
    for ((class, _), row) in shown.iter().zip(lab.network.rows(&logits)) {
        let called = decision(row);
        said[*class] = Some(FedBack {
            class: called,
            confidence: log_softmax(row)[called].exp(),
        });
    }
    said
}

#[cfg(test)]
mod tests;
