//! Predictions on the data set: the confusion matrix, and the image sums for the mean image of every
//! predicted class.

use super::{AnalysisError, AnalysisPlace, BlockSequence, Experiment, Job, Lab, block_range};
use crate::data::Images;
use crate::nets::score::pixels;
use crate::session::config::{self, Split};
use crate::session::record::{self, Record};
use crate::stats::sums::add;

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct Predictions {
    config: config::Predictions,
    place: AnalysisPlace,
    /// Number of images in each split of the plan.
    images: Vec<u64>,
}

impl Predictions {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Predictions, place: AnalysisPlace, lab: &Lab) -> Self {
        let count = |&split: &Split| images(lab, split).len() as u64;
        Self {
            images: config.splits.iter().map(count).collect(),
            config,
            place,
        }
    }
}

/// The images of a split; images held out for validation count as training images.
fn images(lab: &Lab, split: Split) -> &Images {
    match split {
        Split::Test => &lab.dataset.test,
        Split::Train => &lab.dataset.train,
    }
}

/// The measurements of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictionSums {
    /// Images by true and predicted class, \[K,K\].
    counts: Vec<u64>,
    /// Sums of their bytes by predicted class, \[K,C·H·W\].
    images: Vec<i64>,
}

impl Experiment for Predictions {
    type Record = record::Predictions;
    type AnySums = PredictionSums;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = |&images: &u64| BlockSequence::parallel(0, images, self.config.block);
        self.images.iter().map(part).collect()
    }

    fn done(&self, record: &record::Predictions) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, _: &Lab) -> Result<(), AnalysisError> {
        let empty = self.images.iter().position(|&images| images == 0);
        if let Some(split) = empty {
            let name = self.config.splits[split].label();
            return Err(self.place.field_error(
                &format!("splits[{split}]"),
                format!("the data set has no {name} images; leave this split out"),
            ));
        }
        Ok(())
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::Predictions,
    ) -> Result<(), AnalysisError> {
        Experiment::check(self, lab)?;
        if record.splits.is_empty() {
            let splits = self.config.splits.iter();
            let fresh = splits.map(|&split| record::SplitCounts::new(split, &lab.form));
            record.splits = fresh.collect();
        }
        record.progress.blocks.resize(self.images.len(), 0);
        record.progress.total = self.images.iter().sum();
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<PredictionSums, AnalysisError> {
        let images = images(lab, self.config.splits[job.sequence]);
        let block = block_range(self.images[job.sequence], self.config.block, job.block);
        let shown: Vec<usize> = block.collect();
        let (k, area) = (lab.classes(), images.area());
        let mut sums = PredictionSums {
            counts: vec![0; k * k],
            images: vec![0; k * area],
        };
        let decisions = lab.decisions(pixels(images, &shown));
        let decisions = decisions.map_err(|error| self.place.analysis_error(error))?;
        for (&index, called) in shown.iter().zip(decisions) {
            sums.counts[usize::from(images.label(index)) * k + called.0] += 1;
            let total = &mut sums.images[called.0 * area..(called.0 + 1) * area];
            for (sum, &byte) in total.iter_mut().zip(images.image(index)) {
                *sum += i64::from(byte);
            }
        }
        Ok(sums)
    }

    fn merge(&self, record: &mut record::Predictions, job: Job, sums: PredictionSums) {
        let split = &mut record.splits[job.sequence];
        add(&mut split.counts, &sums.counts);
        add(split.images.values_mut(), &sums.images);
        record.progress.blocks[job.sequence] += 1;
        record.progress.add_work(sums.counts.iter().sum());
    }
}

#[cfg(test)]
mod tests;
