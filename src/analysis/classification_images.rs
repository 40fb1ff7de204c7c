//! Classification images: the noise averaged by the network's response to it (reverse correlation).
//!
//! For every γ, the record holds counts by true and predicted class and exact sums of the noise by the
//! margins of that table, separately for even and odd blocks. [`crate::stats::classification`] computes
//! the maps from them.

mod axes;
pub mod launches;
mod null;
mod responses;
mod summing;

use std::sync::Arc;

use super::{
    AnalysisError, AnalysisPlace, BlockOrder, BlockSequence, Experiment, Job, Lab, OptionalLaunches,
};
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::nets::softmax::probability;
use crate::nets::{decision, has_decision};
use crate::session::Form;
use crate::session::config::{self, BlockTrials, Noise, Response, Weighting};
use crate::session::record::course::next_noted_block;
use crate::session::record::{
    self, BlockSums, CONFIDENCE_STEPS, FedBack, GammaTrials, Record, TrialKind,
};
use crate::stats::classification::ClassEstimate;
use crate::stimulus::{self, DrawnBlock, NoiseSource};

use launches::NoiseLaunches;
pub use responses::{ResponseReader, TrialResponses};
pub use summing::BlockSummer;

/// Blocks between checks of whether a γ has reached its target reliability; even, so that both halves of
/// the trials have the same size.
const BLOCKS_PER_CHECK: u64 = 64;

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct ClassificationImages {
    config: config::ClassificationImages,
    place: AnalysisPlace,
    form: Arc<Form>,
    source: NoiseSource,
    /// The classes that have maps, or the error in the plan's list.
    listed: Result<Vec<ClassId>, AnalysisError>,
    summer: BlockSummer,
    /// How responses are read from the outputs at each γ; empty if they are not, and before the experiment has
    /// begun.
    readers: Vec<ResponseReader>,
}

impl ClassificationImages {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::ClassificationImages, place: AnalysisPlace, lab: &Lab) -> Self {
        let listed = config
            .listed(&lab.form)
            .map_err(|(at, problem)| place.field_error(&format!("classes[{at}]"), problem));
        let source = NoiseSource::with_grain(config.noise, config.grain(), &lab.dataset.train);
        let kind = trial_kind(&config, lab, listed.clone().unwrap_or_default());
        Self {
            summer: BlockSummer::new(&kind, &source, &lab.dataset.train),
            readers: Vec::new(),
            source,
            listed,
            config,
            place,
            form: Arc::clone(&lab.form),
        }
    }

    /// The kind of its trials.
    fn kind(&self, lab: &Lab) -> Result<TrialKind, AnalysisError> {
        let shape = lab.form.shape();
        let fits = self.config.noise.fits(shape);
        fits.map_err(|problem| self.place.field_error("noise", problem))?;
        if lab.pool.is_empty() {
            let signal = self
                .config
                .gammas
                .iter()
                .position(|&gamma| gamma > Gamma::NOISE);
            if let Some(at) = signal {
                return Err(self.place.field_error(
                    &format!("gammas[{at}]"),
                    format!(
                        "γ = {} needs images, but the plan has none (dataset: None); only γ = 0 works without",
                        self.config.gammas[at]
                    ),
                ));
            }
            if self.config.noise == Noise::Pca {
                return Err(self.place.field_error(
                    "noise",
                    "principal components need images, but the plan has none (dataset: None)",
                ));
            }
        }
        Ok(trial_kind(&self.config, lab, self.listed.clone()?))
    }

    /// The logits of a block, computed on its own.
    fn logits(&self, lab: &Lab, block: &mut DrawnBlock) -> Result<Vec<f32>, AnalysisError> {
        let logits = lab.logits(std::mem::take(&mut block.stimuli));
        logits.map_err(|error| self.place.analysis_error(error))
    }

    /// The unit of the responses at a γ, chosen from its first block.
    fn step_of(&self, lab: &Lab, part: usize, kind: &TrialKind) -> Result<f64, AnalysisError> {
        let mut block = self.draw(lab, Job::single_block(part, BlockIndex(0)));
        let logits = self.logits(lab, &mut block)?;
        let rows = lab.network.rows(&logits);
        Ok(ResponseReader::calibrated(self.config.evidence, &kind.listed, rows).step())
    }

    /// Decisions, weights and responses of trials at a γ, from their logits.
    fn readout<'a>(&self, part: usize, rows: impl Iterator<Item = &'a [f32]> + Clone) -> Readout {
        let mut readout = Readout::new(rows.clone(), self.config.weighting);
        readout.responses = self.readers.get(part).map(|hearing| hearing.read(rows));
        readout
    }

    fn draw(&self, lab: &Lab, job: Job) -> DrawnBlock {
        let seed = self.place.noise_seed(job.sequence as u64, job.block);
        let gamma = self.config.gammas[job.sequence];
        let BlockTrials { first, trials } = self.config.span(gamma, job.block);
        stimulus::draw(seed, &self.source, gamma, first, trials, &lab.pool)
    }
}

impl Experiment for ClassificationImages {
    type Record = record::ClassificationImages;
    type AnySums = Vec<BlockSums>;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = |&gamma: &Gamma| BlockSequence {
            phase: 0,
            blocks: self.config.blocks_at(gamma),
            order: BlockOrder::Parallel,
        };
        self.config.gammas.iter().map(part).collect()
    }

    fn done(&self, record: &record::ClassificationImages) -> Vec<u64> {
        record.gammas.iter().map(|trials| trials.blocks).collect()
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
            *record = record::ClassificationImages::with_trials(&self.config, &kind);
            if kind.evidence {
                for (part, trials) in record.gammas.iter_mut().enumerate() {
                    trials.record_evidence(self.step_of(lab, part, &kind)?, &kind);
                }
            }
        }
        if !kind.noise.is_white() && record.gammas.iter().any(|trials| trials.null.is_none()) {
            let shape = kind.grain.grid(kind.images);
            if let Some(null) = null::simulate(&self.source, shape) {
                let gammas = record.gammas.iter_mut();
                gammas.for_each(|trials| trials.set_null(null.clone()));
            }
        }
        if record.axes.is_none()
            && let Some(axes) = axes::axes(&self.source, kind.grain.grid(kind.images))
        {
            record.set_axes(axes);
        }
        let evidence = record
            .gammas
            .iter()
            .filter_map(|trials| trials.evidence.as_ref());
        let hearing =
            evidence.map(|sums| ResponseReader::new(self.config.evidence, &kind.listed, sums.step));
        self.readers = hearing.collect();
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<Vec<BlockSums>, AnalysisError> {
        let mut block = self.draw(lab, job);
        let logits = self.logits(lab, &mut block)?;
        let readout = self.readout(job.sequence, lab.network.rows(&logits));
        Ok(vec![
            self.summer.sum(job.block, &block, &readout, &lab.pool),
        ])
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a> {
        let launches = NoiseLaunches::new(self, lab, part, blocks)?;
        Some(Box::new(launches))
    }

    /// Reliability is noted, and its target checked, at the same trials however they are computed.
    fn milestone(&self, part: usize, block: BlockIndex) -> BlockIndex {
        let look = match self.config.target_at(self.config.gammas[part]) {
            Some(_) => (block.0 / BLOCKS_PER_CHECK + 1) * BLOCKS_PER_CHECK,
            None => u64::MAX,
        };
        BlockIndex(next_noted_block(block.0).min(look))
    }

    fn trials_of_block(&self) -> usize {
        self.config.block
    }

    fn merge(&self, record: &mut record::ClassificationImages, job: Job, sums: Vec<BlockSums>) {
        let trials = &mut record.gammas[job.sequence];
        sums.iter().for_each(|sums| trials.add(sums));
        trials.note_reliability();
        if let Some((target, class)) = self.config.target_at(trials.gamma)
            && trials.blocks.is_multiple_of(BLOCKS_PER_CHECK)
        {
            let class = class.and_then(|name| self.form.find(name).ok());
            trials.reached = has_reached(trials, target, class);
        }
    }

    fn is_complete(&self, record: &record::ClassificationImages, part: usize) -> bool {
        record.gammas.get(part).is_some_and(|trials| trials.reached)
    }

    fn refresh(&self, lab: &Lab, record: &mut record::ClassificationImages) {
        for trials in &mut record.gammas {
            feed_back(lab, trials);
        }
    }
}

/// Whether class `only` has the target reliability; or, without one, every class with enough trials, of
/// which there must be at least one.
fn has_reached(trials: &GammaTrials, target: f64, only: Option<ClassId>) -> bool {
    let estimate = trials.estimate();
    if let Some(class) = only {
        let map = estimate
            .classes
            .get(class.0)
            .and_then(ClassEstimate::best_image);
        return map.is_some_and(|map| map.reliability.is_some_and(|r| r >= target));
    }
    // A viewer sees a class's best map.
    let maps = || {
        estimate
            .classes
            .iter()
            .filter_map(ClassEstimate::best_image)
    };
    maps().next().is_some() && maps().all(|map| map.reliability.is_some_and(|r| r >= target))
}

/// The kind of a plan's trials, given the classes that have maps.
fn trial_kind(config: &config::ClassificationImages, lab: &Lab, listed: Vec<ClassId>) -> TrialKind {
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

/// The network's decisions and responses for a block of trials, and the weight of each trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    /// The network's decisions.
    pub decisions: Vec<ClassId>,
    /// Weights of the trials, 0 for those dropped; `None` if all count the same.
    pub weights: Option<Vec<u16>>,
    /// Responses from the outputs; `None` if they are not read.
    pub responses: Option<TrialResponses>,
}

impl Readout {
    /// Reads decisions and weights from rows of logits, \[K\] each.
    pub fn new<'a>(logits: impl Iterator<Item = &'a [f32]> + Clone, weighting: Weighting) -> Self {
        let rows = || logits.clone();
        let confidence = |row: &[f32]| probability(row, decision(row));
        let weights = match weighting {
            Weighting::Equal => None,
            // A decision's confidence is at least 1/K; with very many classes its weight might still be
            // rounded to 0, which would drop the trial.
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
            responses: None,
        }
    }
}

/// Shows the network the mean stimulus of every class that has one, and its evidence image if it has one,
/// and records the decisions.
fn feed_back(lab: &Lab, trials: &mut GammaTrials) {
    let estimate = trials.estimate();
    let classes = || estimate.classes.iter();
    let stimuli = classes().map(|class| class.mean_stimulus.clone());
    trials.fed_back = decisions_on(lab, trials, stimuli);
    if trials.evidence.is_some() {
        let images = classes().map(|class| Some(pattern(&class.evidence.as_ref()?.image)));
        trials.evidence_fed_back = decisions_on(lab, trials, images);
    }
}

/// A map scaled to \[0,1\]; ½ everywhere if it is constant.
pub fn pattern(map: &[f32]) -> Vec<f32> {
    let least = map.iter().copied().fold(f32::INFINITY, f32::min);
    let most = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    match most > least {
        true => map.iter().map(|v| (v - least) / (most - least)).collect(),
        false => vec![0.5; map.len()],
    }
}

/// The network's decisions on these maps on the noise's grid, one per class.
fn decisions_on(
    lab: &Lab,
    trials: &GammaTrials,
    maps: impl Iterator<Item = Option<Vec<f32>>>,
) -> Vec<Option<FedBack>> {
    let (grain, images) = (trials.grain, trials.images);
    let stimuli: Vec<(ClassId, Vec<f32>)> = ClassId::all(trials.classes())
        .zip(maps)
        .filter_map(|(class, map)| Some((class, grain.spread(&map?, images))))
        .collect();
    let mut answers = vec![None; trials.classes()];
    if stimuli.is_empty() {
        return answers;
    }
    let pixels = stimuli
        .iter()
        .flat_map(|(_, pixels)| pixels.iter().copied());
    let logits = lab.network.logits(pixels.collect(), &lab.device);
    for ((class, _), row) in stimuli.iter().zip(lab.network.rows(&logits)) {
        if !has_decision(row) {
            continue;
        }
        let called = decision(row);
        answers[*class] = Some(FedBack {
            class: called,
            confidence: probability(row, called),
        });
    }
    answers
}

#[cfg(test)]
mod tests;
