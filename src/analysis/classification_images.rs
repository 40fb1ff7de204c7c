//! Classification images: average the noise by what the network calls it (reverse correlation).
//!
//! For every γ, counts by true and predicted class and exact sums of the noise by the margins of
//! that table, even and odd blocks apart; the maps follow from the sums in [`crate::stats::classification`].

pub mod on_device;
mod summing;

use super::{AnalysisError, Experiment, Job, Lab, Order, Part, Place};
use crate::nets::decision;
use crate::nets::train::log_softmax;
use crate::session::config::{self, Noise, Weighting};
use crate::session::record::{
    self, BlockSums, CONFIDENCE_STEPS, FedBack, GammaTrials, Record, Rows, TrialKind,
};
use crate::stimulus::{self, Block, Source};

pub use summing::Summing;

/// Blocks between two looks at whether a γ has reached its target reliability: even, so that both
/// halves of the trials are of the same size.
const BLOCKS_A_LOOK: u64 = 64;

/// The experiment, as the plan has it.
#[derive(Debug, Clone)]
pub struct ClassificationImages {
    config: config::ClassificationImages,
    place: Place,
    source: Source,
    /// The classes that have maps, or what is wrong with the plan's list.
    listed: Result<Vec<usize>, AnalysisError>,
    summing: Summing,
}

impl ClassificationImages {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::ClassificationImages, place: Place, lab: &Lab) -> Self {
        let listed = config
            .listed(&lab.form)
            .map_err(|(at, problem)| place.error(&format!("classes[{at}]"), problem));
        let rows = Rows::new(lab.classes(), listed.as_deref().unwrap_or_default());
        let source = Source::of(config.noise, config.grain(), &lab.dataset.train);
        Self {
            summing: Summing::new(rows, &source, config.grain(), &lab.dataset.train),
            source,
            listed,
            config,
            place,
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
        Ok(TrialKind {
            noise: self.config.noise,
            grain: self.config.grain(),
            weighting: self.config.weighting,
            classes: lab.classes(),
            listed: self.listed.clone()?,
            images: shape,
        })
    }

    fn draw(&self, lab: &Lab, job: Job) -> Block {
        let seed = self.place.noise(job.part as u64, job.block);
        let first = job.block * self.config.block as u64;
        let trials = self.config.trials_of(job.block);
        let gamma = self.config.gammas[job.part];
        stimulus::draw(seed, &self.source, gamma, first, trials, &lab.pool)
    }
}

impl Experiment for ClassificationImages {
    type Record = record::ClassificationImages;
    type Sums = BlockSums;

    fn parts(&self) -> Vec<Part> {
        let part = Part {
            phase: 0,
            blocks: self.config.blocks(),
            order: Order::Free,
        };
        vec![part; self.config.gammas.len()]
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
        }
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<BlockSums, AnalysisError> {
        let mut block = self.draw(lab, job);
        let stimuli = std::mem::take(&mut block.stimuli);
        let logits = lab.network.logits(stimuli, &lab.device);
        let said = Said::new(lab.network.rows(&logits), self.config.weighting);
        Ok(self.summing.sum(job.block, &block, &said, &lab.pool))
    }

    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<BlockSums>, AnalysisError> {
        let is_whole = |job: &Job| self.config.trials_of(job.block) == self.config.block;
        let plain =
            self.config.noise == Noise::Uniform && self.config.weighting == Weighting::Equal;
        let plain = plain && self.config.grain().cells(lab.form.shape()).is_none();
        if plain && jobs.iter().all(is_whole) {
            return Ok(on_device::steps(self, lab, jobs));
        }
        // Drawn and summed here, and shown to the network in one launch.
        let mut blocks: Vec<Block> = jobs.iter().map(|&job| self.draw(lab, job)).collect();
        let stimuli = blocks
            .iter_mut()
            .flat_map(|block| std::mem::take(&mut block.stimuli));
        let logits = lab.network.logits(stimuli.collect(), &lab.device);
        let mut logits = logits.as_slice();
        let sums = jobs.iter().zip(&blocks).map(|(job, block)| {
            let (own, later) = logits.split_at(block.truth.len() * lab.classes());
            logits = later;
            let said = Said::new(lab.network.rows(own), self.config.weighting);
            self.summing.sum(job.block, block, &said, &lab.pool)
        });
        Ok(sums.collect())
    }

    fn merge(&self, record: &mut record::ClassificationImages, job: Job, sums: BlockSums) {
        let gamma = &mut record.gammas[job.part];
        gamma.add(&sums);
        if let Some(target) = self.config.target
            && gamma.blocks.is_multiple_of(BLOCKS_A_LOOK)
        {
            gamma.reached = has_reached(gamma, target);
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

/// Whether every class that has enough trials, and at least one has, is as reliable as wanted.
fn has_reached(gamma: &GammaTrials, target: f64) -> bool {
    let estimate = gamma.estimate();
    let sufficient = || estimate.classes.iter().filter(|class| class.sufficient);
    sufficient().next().is_some()
        && sufficient().all(|class| class.reliability.is_some_and(|r| r >= target))
}

/// What the network says of a block of trials, and what each trial counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its decisions.
    pub decisions: Vec<usize>,
    /// Weights of the trials, 0 for those that are dropped; `None` where all count the same.
    pub weights: Option<Vec<u16>>,
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
        }
    }
}

/// Shows the network the mean stimulus of every class that has one, and keeps what it says.
fn feed_back(lab: &Lab, gamma: &mut GammaTrials) {
    let estimate = gamma.estimate();
    let (grain, images) = (gamma.grain, gamma.images);
    let shown: Vec<(usize, Vec<f32>)> = estimate
        .classes
        .iter()
        .enumerate()
        .filter_map(|(class, it)| Some((class, grain.spread(it.mean_stimulus.as_ref()?, images))))
        .collect();
    gamma.fed_back = vec![None; gamma.classes()];
    if shown.is_empty() {
        return;
    }
    let pixels = shown
        .iter()
        .flat_map(|(_, pixels)| pixels.iter().copied())
        .collect();
    let logits = lab.network.logits(pixels, &lab.device);
    for ((class, _), row) in shown.iter().zip(lab.network.rows(&logits)) {
        let called = decision(row);
        gamma.fed_back[*class] = Some(FedBack {
            class: called,
            confidence: log_softmax(row)[called].exp(),
        });
    }
}

#[cfg(test)]
mod tests;
