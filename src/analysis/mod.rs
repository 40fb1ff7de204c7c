//! The experiments, one file each, and what they have in common.
//!
//! An experiment has parts (one a γ, say) of numbered blocks. A block is the unit of progress, of
//! interruption and of distribution: [`Experiment::step`] computes one from the lab alone, on any
//! worker, and [`Experiment::merge`] adds it to the record. Merging is addition of exact sums.
//! Parts belong to phases, which run one after the other: [`Experiment::begin`] prepares a phase
//! from what the phases and the analyses before it have put into the record.

pub mod attack;
pub mod audit;
pub mod backdoor;
pub mod classification_images;
#[cfg(test)]
mod forms;
pub mod memory;
pub mod modulation;
pub mod pilot;
pub mod predictions;
pub mod spike_triggered;
pub mod templates;
#[cfg(test)]
pub(crate) mod testing;
pub mod trained;

use std::any::Any;
use std::sync::Arc;

use burn::tensor::Device;

pub use crate::stimulus::launch::Resident;

use attack::Attack;
use audit::Audit;
use backdoor::Backdoor;
use classification_images::ClassificationImages;
use modulation::Modulation;
use predictions::Predictions;
use spike_triggered::SpikeTriggered;
use templates::Templates;

use crate::data::Dataset;
use crate::nets::{Subject, decision};
use crate::session::config::NetworkKind;
use crate::session::experiments::experiments;
use crate::session::record::Record;
use crate::session::{Config, Form, config, record};
use crate::stimulus::Pool;

/// What an experiment works with: the network under study and what it may be shown. A worker has
/// one of its own.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The network, its weights fixed.
    pub network: Subject,
    /// What its own networks are that an experiment trains.
    pub kind: NetworkKind,
    /// What an image is and may be called.
    pub form: Arc<Form>,
    /// Where it computes.
    pub device: Device,
    /// The training images, to blend with noise.
    pub pool: Pool,
    /// All images.
    pub dataset: Arc<Dataset>,
    /// The training images there, once they have been needed there.
    pub resident: Resident,
}

impl Lab {
    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.form.count()
    }

    /// What the network decides of `pixels`, row-major \[N,C,H,W\] in \[0,1\]: \[N\].
    pub fn decisions(&self, pixels: Vec<f32>) -> Vec<usize> {
        let logits = self.network.logits(pixels, &self.device);
        self.network.rows(&logits).map(decision).collect()
    }

    /// The same lab on another device.
    pub fn on(&self, device: &Device) -> Self {
        let mut lab = self.clone();
        if self.device != *device {
            lab.network = lab.network.on(device);
            lab.device = device.clone();
        }
        lab
    }
}

/// A run of blocks that are computed and merged in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Parts of a phase begin when all parts of the phases before are done.
    pub phase: usize,
    /// Blocks in all.
    pub blocks: u64,
    /// Whether its blocks may be computed at the same time.
    pub order: Order,
}

/// Whether the blocks of a part may be computed at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They may: each follows from its number alone.
    Free,
    /// They may not: each goes on where the one before has ended.
    Chained,
}

/// Consecutive blocks of one part, which one worker computes; on a processor one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Which part, for example the index of γ.
    pub part: usize,
    /// The first block of it, from 0.
    pub block: u64,
    /// How many blocks, 1 at least.
    pub blocks: u64,
}

impl Job {
    /// One block.
    pub fn one(part: usize, block: u64) -> Self {
        Self {
            part,
            block,
            blocks: 1,
        }
    }

    /// Number of the block after its last.
    pub fn end(self) -> u64 {
        self.block + self.blocks
    }

    /// Its blocks, each a job of its own.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (self.block..self.end()).map(move |block| Self::one(self.part, block))
    }
}

/// Launches on a device whose sums stay there until they are asked for.
pub trait Launches {
    /// Has the device compute blocks of one part, and waits for nothing. They lie between two multiples of the
    /// launch's size; what is missing of it is padded, so that every launch has the same shapes.
    fn launch(&mut self, job: Job);

    /// What all blocks measured since the last reading: consecutive ones of one part. `None` where that cannot be
    /// summed there, since an answer was no number: each block is then computed by [`Experiment::step`].
    ///
    /// # Panics
    /// With the backend's words where the device fails.
    fn read(&mut self) -> Option<Sums>;
}

/// What computes launches, where something does.
pub type Launching<'a> = Option<Box<dyn Launches + 'a>>;

/// An experiment that cannot begin or go on: why, and what would help. The message begins with the
/// place in the plan, for example `analyses[2].layers[0]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AnalysisError(pub String);

/// One kind of experiment, as the plan has it.
pub trait Experiment: Send + Sync + 'static {
    /// What it keeps.
    type Record: record::Experiment;
    /// What a block measured, to be added to the record.
    type Sums: Send + 'static;

    /// Every part, in the order of their numbers.
    fn parts(&self) -> Vec<Part>;

    /// Blocks done of each part: always the first ones. May be shorter than the parts, where
    /// nothing has been done.
    fn done(&self, record: &Self::Record) -> Vec<u64>;

    /// Prepares a phase that is not done. `whole` is the record as it stands, with what the
    /// analyses before have measured.
    ///
    /// # Errors
    /// Where the plan asks for what is not there.
    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut Self::Record,
    ) -> Result<(), AnalysisError>;

    /// Computes one block.
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn step(&self, lab: &Lab, job: Job) -> Result<Self::Sums, AnalysisError>;

    /// Computes several blocks whose work a plan shares: the same trials, and what each of them measured, in
    /// order.
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Self::Sums>, AnalysisError> {
        jobs.iter().map(|&job| self.step(lab, job)).collect()
    }

    /// What computes launches of so many blocks (an even number) of a part on a device that is fed; `None` where each
    /// block is computed by [`Experiment::step`], whose calls of the network are then gathered.
    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> Launching<'a> {
        let _ = (lab, part, blocks);
        None
    }

    /// The first block after `block` of a part before which the record is looked at, so that no job goes
    /// past it.
    fn milestone(&self, part: usize, block: u64) -> u64 {
        let _ = (part, block);
        u64::MAX
    }

    /// Trials of a block, where they are those of a launch: what a job may take.
    fn trials_of_block(&self) -> usize {
        1
    }

    /// How many parts, this one and those after it, have blocks that a plan computes in one launch for little
    /// more than one of them.
    fn together(&self, part: usize) -> usize {
        let _ = part;
        1
    }

    /// Adds a block to the record, or those that launches computed together.
    fn merge(&self, record: &mut Self::Record, job: Job, sums: Self::Sums);

    /// Whether a part has all it needs although blocks are left. Asked after every block of it.
    fn is_enough(&self, record: &Self::Record, part: usize) -> bool {
        let _ = (record, part);
        false
    }

    /// Brings up to date what follows from the sums but needs the network: now and then, and when
    /// all is done.
    fn refresh(&self, lab: &Lab, record: &mut Self::Record) {
        let _ = (lab, record);
    }
}

/// What a block measured, whatever the experiment.
pub type Sums = Box<dyn Any + Send>;

/// An experiment of any kind: [`Experiment`] without its types.
pub trait Analysis: Send + Sync {
    /// See [`Experiment::parts`].
    fn parts(&self) -> Vec<Part>;
    /// See [`Experiment::done`]; as long as the parts.
    fn done(&self, record: &record::Analysis) -> Vec<u64>;
    /// See [`Experiment::begin`].
    ///
    /// # Errors
    /// Where the plan asks for what is not there.
    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut record::Analysis,
    ) -> Result<(), AnalysisError>;
    /// See [`Experiment::step`].
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError>;
    /// See [`Experiment::steps`].
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Sums>, AnalysisError>;
    /// See [`Experiment::together`].
    fn together(&self, part: usize) -> usize;
    /// See [`Experiment::launches`].
    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> Launching<'a>;
    /// See [`Experiment::milestone`].
    fn milestone(&self, part: usize, block: u64) -> u64;
    /// See [`Experiment::trials_of_block`].
    fn trials_of_block(&self) -> usize;
    /// See [`Experiment::merge`].
    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums);
    /// See [`Experiment::is_enough`].
    fn is_enough(&self, record: &record::Analysis, part: usize) -> bool;
    /// See [`Experiment::refresh`].
    fn refresh(&self, lab: &Lab, record: &mut record::Analysis);
}

/// The record and the sums of an analysis are of its own kind: both are made from the same plan.
impl<E: Experiment> Analysis for E {
    fn parts(&self) -> Vec<Part> {
        Experiment::parts(self)
    }

    fn done(&self, record: &record::Analysis) -> Vec<u64> {
        let own = <E::Record as record::Experiment>::of(record);
        let mut done = own
            .map(|own| Experiment::done(self, own))
            .unwrap_or_default();
        done.resize(Experiment::parts(self).len(), 0);
        done
    }

    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut record::Analysis,
    ) -> Result<(), AnalysisError> {
        match <E::Record as record::Experiment>::of_mut(record) {
            Some(own) => Experiment::begin(self, phase, lab, whole, own),
            None => Ok(()),
        }
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError> {
        Ok(Box::new(Experiment::step(self, lab, job)?))
    }

    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Sums>, AnalysisError> {
        let sums = Experiment::steps(self, lab, jobs)?.into_iter();
        Ok(sums.map(|sums| Box::new(sums) as Sums).collect())
    }

    fn together(&self, part: usize) -> usize {
        Experiment::together(self, part)
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> Launching<'a> {
        Experiment::launches(self, lab, part, blocks)
    }

    fn milestone(&self, part: usize, block: u64) -> u64 {
        Experiment::milestone(self, part, block)
    }

    fn trials_of_block(&self) -> usize {
        Experiment::trials_of_block(self)
    }

    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums) {
        let own = <E::Record as record::Experiment>::of_mut(record);
        if let (Some(own), Ok(sums)) = (own, sums.downcast::<E::Sums>()) {
            Experiment::merge(self, own, job, *sums);
        }
    }

    fn is_enough(&self, record: &record::Analysis, part: usize) -> bool {
        let own = <E::Record as record::Experiment>::of(record);
        own.is_some_and(|own| Experiment::is_enough(self, own, part))
    }

    fn refresh(&self, lab: &Lab, record: &mut record::Analysis) {
        if let Some(own) = <E::Record as record::Experiment>::of_mut(record) {
            Experiment::refresh(self, lab, own);
        }
    }
}

macro_rules! computations {
    ($($name:ident),+) => {
        /// The experiment at `index` of the plan.
        pub fn build(config: &Config, index: usize, lab: &Lab) -> Box<dyn Analysis> {
            let place = Place::of(config, index);
            match &config.analyses[index] {
                $(config::Analysis::$name(plan) => {
                    Box::new($name::new(plan.clone(), place, lab))
                })+
            }
        }
    };
}

experiments!(computations);

/// Where an experiment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The session's seed.
    pub seed: u64,
    /// Its place in the plan.
    pub index: usize,
    /// The place of the classification images that it works with, if any stand before it.
    pub images: Option<usize>,
    /// How many γ those have.
    pub gammas: usize,
    /// Whether they have evidence images too.
    pub evidence: bool,
}

impl Place {
    fn of(config: &Config, index: usize) -> Self {
        Self {
            seed: config.seed,
            index,
            images: config.images_before(index),
            gammas: config.images_of(index).map_or(0, |it| it.gammas.len()),
            evidence: config
                .images_of(index)
                .is_some_and(|it| it.has(config::Response::Evidence)),
        }
    }

    /// An error at a field of this analysis, for example `layers[0]`.
    pub fn error(self, field: &str, problem: impl std::fmt::Display) -> AnalysisError {
        AnalysisError(format!("analyses[{}].{field}: {problem}", self.index))
    }

    /// An error of this analysis as a whole.
    pub fn fault(self, problem: impl std::fmt::Display) -> AnalysisError {
        AnalysisError(format!("analyses[{}]: {problem}", self.index))
    }

    /// That the data set has no test image.
    pub fn no_test_image(self) -> AnalysisError {
        let index = self.index;
        AnalysisError(format!(
            "analyses[{index}]: the data set has no test image to show; choose one that has"
        ))
    }

    /// The classification images that it works with, as `whole` has them.
    ///
    /// # Errors
    /// Where the plan has none before it.
    pub fn classification_images(
        self,
        whole: &Record,
    ) -> Result<&record::ClassificationImages, AnalysisError> {
        let images = self.images.and_then(|index| whole.analyses.get(index));
        images
            .and_then(<record::ClassificationImages as record::Experiment>::of)
            .ok_or_else(|| {
                AnalysisError(format!(
                    "analyses[{}]: no classification images stand before it in the plan",
                    self.index
                ))
            })
    }

    /// The seed of a block of noise: `stream` sets the noises of one experiment apart.
    pub fn noise(self, stream: u64, block: u64) -> crate::stimulus::BlockSeed {
        crate::stimulus::BlockSeed {
            session: self.seed,
            analysis: self.index as u64,
            gamma: stream,
            block,
        }
    }
}

/// That an analysis has nothing to show the network.
pub fn nothing_to_do(config: &Config, index: usize) -> AnalysisError {
    Place::of(config, index).no_test_image()
}

/// Which items of `all` make up block `block`, `each` a block.
pub fn range(all: u64, each: usize, block: u64) -> std::ops::Range<usize> {
    let first = (block * each as u64).min(all);
    first as usize..(first + each as u64).min(all) as usize
}
