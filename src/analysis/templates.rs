//! To be written.

use super::{AnalysisError, Experiment, Job, Lab, Part, Place};
use crate::session::config;
use crate::session::record::{self, Record};

/// The experiment, as the plan has it.
#[derive(Debug, Clone)]
pub struct Templates {
    config: config::Templates,
    place: Place,
}

impl Templates {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Templates, place: Place, _: &Lab) -> Self {
        Self { config, place }
    }
}

impl Experiment for Templates {
    type Record = record::Templates;
    type Sums = ();

    fn parts(&self) -> Vec<Part> {
        let _ = (&self.config, self.place);
        Vec::new()
    }

    fn done(&self, record: &record::Templates) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn begin(
        &mut self,
        _: usize,
        _: &Lab,
        _: &Record,
        _: &mut record::Templates,
    ) -> Result<(), AnalysisError> {
        Ok(())
    }

    fn step(&self, _: &Lab, _: Job) -> Result<(), AnalysisError> {
        Ok(())
    }

    fn merge(&self, _: &mut record::Templates, _: Job, _: ()) {}
}
