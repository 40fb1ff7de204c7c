//! To be written.

use super::{AnalysisError, Experiment, Job, Lab, Part, Place};
use crate::session::config;
use crate::session::record::{self, Record};

/// The experiment, as the plan has it.
#[derive(Debug, Clone)]
pub struct Attack {
    config: config::Attack,
    place: Place,
}

impl Attack {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Attack, place: Place, _: &Lab) -> Self {
        Self { config, place }
    }
}

impl Experiment for Attack {
    type Record = record::Attack;
    type Sums = ();

    fn parts(&self) -> Vec<Part> {
        let _ = (&self.config, self.place);
        Vec::new()
    }

    fn done(&self, record: &record::Attack) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn begin(
        &mut self,
        _: usize,
        _: &Lab,
        _: &Record,
        _: &mut record::Attack,
    ) -> Result<(), AnalysisError> {
        Ok(())
    }

    fn step(&self, _: &Lab, _: Job) -> Result<(), AnalysisError> {
        Ok(())
    }

    fn merge(&self, _: &mut record::Attack, _: Job, _: ()) {}
}
