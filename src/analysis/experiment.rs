//! The traits of experiments: parts, blocks and launches, with and without their types.

use std::any::Any;

use super::{AnalysisError, BlockSequence, Job, Lab};
use crate::ids::BlockIndex;
use crate::session::record::{self, Record};

/// Launches on a device, whose sums stay there until they are read.
pub trait Launches {
    /// Queues blocks of one part on the device, without waiting. They lie between two multiples of the launch's
    /// size; missing blocks are padded, so that every launch has the same shapes.
    fn launch(&mut self, job: Job);

    /// The sums of all blocks since the last reading: consecutive ones of one part. `None` if some output was not
    /// finite and so could not be summed on the device: each block is then computed by [`Experiment::step`].
    ///
    /// # Panics
    /// With the backend's message if the device fails.
    fn read(&mut self) -> Option<Sums>;
}

/// The launches of a part, if it supports them.
pub type OptionalLaunches<'a> = Option<Box<dyn Launches + 'a>>;

/// One kind of experiment, configured by the plan.
pub trait Experiment: Send + Sync + 'static {
    /// Its results in the session.
    type Record: record::ExperimentRecord;
    /// The measurements of a block, to be added to the record.
    type AnySums: Send + 'static;

    /// All parts, in order of their numbers.
    fn sequences(&self) -> Vec<BlockSequence>;

    /// Blocks done of each part; always the first ones. May be shorter than the parts if nothing has been
    /// done.
    fn done(&self, record: &Self::Record) -> Vec<u64>;

    /// Refuses what the images or a network of this form do not have, as far as it is known before the network is trained
    /// and before earlier analyses: their time would be lost. What [`Experiment::begin`] refuses beyond that follows from
    /// results.
    ///
    /// # Errors
    /// If the plan refers to something that does not exist.
    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        let _ = lab;
        Ok(())
    }

    /// Prepares an unfinished phase. `whole` is the session's record so far, with the results of earlier
    /// analyses.
    ///
    /// # Errors
    /// If the plan refers to something that does not exist.
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
    /// If the run cannot continue.
    fn step(&self, lab: &Lab, job: Job) -> Result<Self::AnySums, AnalysisError>;

    /// Computes several blocks that share work, such as the same trials, and returns the sums of each, in order.
    ///
    /// # Errors
    /// If the run cannot continue.
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Self::AnySums>, AnalysisError> {
        jobs.iter().map(|&job| self.step(lab, job)).collect()
    }

    /// Launches of `blocks` blocks (an even number) of a part on a device; `None` if each block is computed by
    /// [`Experiment::step`], whose network calls are then batched.
    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a> {
        let _ = (lab, part, blocks);
        None
    }

    /// The first block after `block` before which the record is checked; no job goes past it.
    fn milestone(&self, part: usize, block: BlockIndex) -> BlockIndex {
        let _ = (part, block);
        BlockIndex(u64::MAX)
    }

    /// Trials of a block that is computed in launches, which limits the size of a job.
    fn trials_of_block(&self) -> usize {
        1
    }

    /// How many parts, starting with this one, have blocks that can be computed together for little more than the
    /// cost of one.
    fn batchable_parts(&self, part: usize) -> usize {
        let _ = part;
        1
    }

    /// Adds the sums of a block, or of blocks that launches computed together, to the record.
    fn merge(&self, record: &mut Self::Record, job: Job, sums: Self::AnySums);

    /// Whether a part is complete although blocks are left. Checked after each of its blocks.
    fn is_complete(&self, record: &Self::Record, part: usize) -> bool {
        let _ = (record, part);
        false
    }

    /// Updates results that follow from the sums but need the network. Called occasionally, and when
    /// everything is done.
    fn refresh(&self, lab: &Lab, record: &mut Self::Record) {
        let _ = (lab, record);
    }
}

/// The measurements of a block of any experiment.
pub type Sums = Box<dyn Any + Send>;

/// An experiment of any kind: [`Experiment`] without its types.
pub trait DynExperiment: Send + Sync {
    /// See [`Experiment::sequences`].
    fn sequences(&self) -> Vec<BlockSequence>;
    /// See [`Experiment::done`]; as long as the parts.
    fn done(&self, record: &record::Analysis) -> Vec<u64>;
    /// See [`Experiment::check`].
    ///
    /// # Errors
    /// If the plan refers to something that does not exist.
    fn check(&self, lab: &Lab) -> Result<(), AnalysisError>;
    /// See [`Experiment::begin`].
    ///
    /// # Errors
    /// If the plan refers to something that does not exist.
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
    /// If the run cannot continue.
    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError>;
    /// See [`Experiment::steps`].
    ///
    /// # Errors
    /// If the run cannot continue.
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Sums>, AnalysisError>;
    /// See [`Experiment::batchable_parts`].
    fn batchable_parts(&self, part: usize) -> usize;
    /// See [`Experiment::launches`].
    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a>;
    /// See [`Experiment::milestone`].
    fn milestone(&self, part: usize, block: BlockIndex) -> BlockIndex;
    /// See [`Experiment::trials_of_block`].
    fn trials_of_block(&self) -> usize;
    /// See [`Experiment::merge`].
    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums);
    /// See [`Experiment::is_complete`].
    fn is_complete(&self, record: &record::Analysis, part: usize) -> bool;
    /// See [`Experiment::refresh`].
    fn refresh(&self, lab: &Lab, record: &mut record::Analysis);
}

/// The record and the sums of an analysis have its own types: both are made from the same plan.
impl<E: Experiment> DynExperiment for E {
    fn sequences(&self) -> Vec<BlockSequence> {
        Experiment::sequences(self)
    }

    fn done(&self, record: &record::Analysis) -> Vec<u64> {
        let record = <E::Record as record::ExperimentRecord>::from_analysis(record);
        let mut done = record
            .map(|record| Experiment::done(self, record))
            .unwrap_or_default();
        done.resize(Experiment::sequences(self).len(), 0);
        done
    }

    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        Experiment::check(self, lab)
    }

    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut record::Analysis,
    ) -> Result<(), AnalysisError> {
        match <E::Record as record::ExperimentRecord>::from_analysis_mut(record) {
            Some(record) => Experiment::begin(self, phase, lab, whole, record),
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

    fn batchable_parts(&self, part: usize) -> usize {
        Experiment::batchable_parts(self, part)
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a> {
        Experiment::launches(self, lab, part, blocks)
    }

    fn milestone(&self, part: usize, block: BlockIndex) -> BlockIndex {
        Experiment::milestone(self, part, block)
    }

    fn trials_of_block(&self) -> usize {
        Experiment::trials_of_block(self)
    }

    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums) {
        let record = <E::Record as record::ExperimentRecord>::from_analysis_mut(record);
        if let (Some(record), Ok(sums)) = (record, sums.downcast::<E::AnySums>()) {
            Experiment::merge(self, record, job, *sums);
        }
    }

    fn is_complete(&self, record: &record::Analysis, part: usize) -> bool {
        let record = <E::Record as record::ExperimentRecord>::from_analysis(record);
        record.is_some_and(|record| Experiment::is_complete(self, record, part))
    }

    fn refresh(&self, lab: &Lab, record: &mut record::Analysis) {
        if let Some(record) = <E::Record as record::ExperimentRecord>::from_analysis_mut(record) {
            Experiment::refresh(self, lab, record);
        }
    }
}
