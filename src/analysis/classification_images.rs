//! Classification images: average the noise by what the network calls it (reverse correlation).
//!
//! For every γ, counts by true and predicted class and exact sums of the noise by the margins of
//! that table, even and odd blocks apart; the maps follow from the sums in [`crate::stats::classification`].

pub mod on_device;

use super::{AnalysisError, Experiment, Job, Lab, Order, Part, Place};
use crate::data::Images;
use crate::nets::decision;
use crate::nets::train::log_softmax;
use crate::session::config::{self, Grain, Noise, Weighting};
use crate::session::record::{
    self, BlockSums, CONFIDENCE_STEPS, FedBack, GammaTrials, Record, Rows, TrialKind,
};
use crate::stimulus::{self, Block, Source};

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

/// How the trials of a block are summed.
#[derive(Debug, Clone)]
pub struct Summing {
    rows: Rows,
    /// Points of a noise image.
    points: usize,
    /// For every number of an image the number of the grid that it counts in; `None` where each
    /// counts in its own.
    cells: Option<Vec<usize>>,
    /// Whether the deviation of the noise has to be measured.
    moments: bool,
}

impl Summing {
    /// Into these rows, of noise from `source` of a grain on images such as `images`.
    pub fn new(rows: Rows, source: &Source, grain: Grain, images: &Images) -> Self {
        Self {
            rows,
            points: source.points(),
            cells: grain.cells(images.shape()),
            moments: source.noise().deviation(images.shape()).is_none(),
        }
    }

    /// The rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Adds the bytes of an image times a weight, each to its number of the grid, \[points\].
    fn add_image(&self, sums: &mut Vec<i64>, bytes: &[u8], weight: i64) {
        let values = bytes.iter().map(|&x| weight * i64::from(x));
        match &self.cells {
            None => add(sums, values),
            Some(cells) => {
                sums.resize(self.points, 0);
                values.zip(cells).for_each(|(x, &cell)| sums[cell] += x);
            }
        }
    }

    /// Counts and exact sums of one block, given the network's decisions.
    pub fn sum(&self, index: u64, block: &Block, said: &Said, pool: &stimulus::Pool) -> BlockSums {
        let (rows, points) = (&self.rows, self.points);
        let classes = rows.classes();
        let mut counts = vec![0; classes * classes];
        let mut weights = (Vec::new(), Vec::new());
        let weighted = said
            .weights
            .as_ref()
            .is_some_and(|all| all.iter().any(|&w| w > 1));
        if weighted {
            weights = (counts.clone(), counts.clone());
        }
        // 8,192 trials of 65,535 fit 32 bits: half the memory traffic of the final 64. Weights of
        // ten bits more do not.
        let mut noise: Vec<Vec<u32>> = vec![Vec::new(); rows.count()];
        let mut heavy: Vec<Vec<i64>> = vec![Vec::new(); rows.count()];
        let mut image: Vec<Vec<i64>> = vec![Vec::new(); rows.listed()];
        let mut moments = vec![0_i64; if self.moments { 2 * points } else { 0 }];
        let mut dropped = 0;
        for (trial, (&truth, &predicted)) in block.truth.iter().zip(&said.decisions).enumerate() {
            let weight = said.weights.as_ref().map_or(1, |all| all[trial]);
            if weight == 0 {
                dropped += 1;
                continue;
            }
            let cell = truth * classes + predicted;
            counts[cell] += 1;
            let weight = u64::from(weight);
            let shown = &block.noise[trial * points..(trial + 1) * points];
            if weighted {
                weights.0[cell] += weight;
                weights.1[cell] += weight * weight;
                for row in rows.of(truth, predicted) {
                    let values = shown.iter().map(|&k| weight as i64 * i64::from(k));
                    add(&mut heavy[row], values);
                }
            } else {
                for row in rows.of(truth, predicted) {
                    add(&mut noise[row], shown.iter().map(|&k| u32::from(k)));
                }
            }
            if let (Some(place), Some(&shown)) = (rows.place(predicted), block.image.get(trial)) {
                self.add_image(&mut image[place], pool.image(shown), weight as i64);
            }
            if !moments.is_empty() {
                let (first, second) = moments.split_at_mut(points);
                for ((first, second), &k) in first.iter_mut().zip(second).zip(shown) {
                    *first += i64::from(k);
                    *second += i64::from(k).pow(2);
                }
            }
        }
        BlockSums {
            block: index,
            trials: block.truth.len() as u64,
            counts,
            noise: if weighted {
                filled(heavy)
            } else {
                widen(noise)
            },
            image: filled(image),
            weights,
            moments,
            dropped,
        }
    }
}

fn add<T: std::ops::AddAssign>(sums: &mut Vec<T>, values: impl ExactSizeIterator<Item = T>) {
    if sums.is_empty() {
        sums.extend(values);
    } else {
        sums.iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum += value);
    }
}

fn filled<T>(cells: Vec<Vec<T>>) -> Vec<(usize, Vec<T>)> {
    let cells = cells.into_iter().enumerate();
    cells.filter(|(_, sums)| !sums.is_empty()).collect()
}

fn widen(cells: Vec<Vec<u32>>) -> Vec<(usize, Vec<i64>)> {
    let filled = filled(cells).into_iter();
    filled
        .map(|(cell, sums)| (cell, sums.into_iter().map(i64::from).collect()))
        .collect()
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
