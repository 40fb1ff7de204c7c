//! The experiments, one file each, and what they have in common.
//!
//! An experiment has parts (one a γ, say) of numbered blocks. A block is the unit of progress, of
//! interruption and of distribution: [`Analysis::step`] computes one from the lab alone, on any
//! worker, and [`Analysis::merge`] adds it to the record. Merging is addition of exact sums.

pub mod classification_images;

use burn::tensor::Device;

use crate::nets::Network;
use crate::session::{Config, config, record};
use crate::stimulus::Pool;

/// What an experiment works with: the network under study and what it may be shown. A worker has
/// one of its own.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The network, its weights fixed.
    pub network: Network,
    /// Where it computes.
    pub device: Device,
    /// The images to blend with noise.
    pub pool: Pool,
}

/// One block of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Which part, for example the index of γ.
    pub part: usize,
    /// Which block of it, from 0.
    pub block: u64,
}

/// What a block measured, to be added to the record.
#[derive(Debug, Clone, PartialEq)]
pub enum Sums {
    /// Of classification images.
    ClassificationImages(record::BlockSums),
}

/// An experiment of the plan.
pub trait Analysis: Send + Sync {
    /// Blocks in all, by part.
    fn blocks(&self) -> Vec<u64>;

    /// Blocks done, by part: always the first ones.
    fn done(&self, record: &record::Analysis) -> Vec<u64>;

    /// Trials in all and trials done.
    fn trials(&self, record: &record::Analysis) -> (u64, u64);

    /// Computes one block.
    fn step(&self, lab: &Lab, job: Job) -> Sums;

    /// Adds a block to the record.
    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums);

    /// Brings up to date what follows from the sums but needs the network.
    fn refresh(&self, lab: &Lab, record: &mut record::Analysis);
}

/// The experiment at `index` of the plan.
pub fn build(config: &Config, index: usize) -> Box<dyn Analysis> {
    match &config.analyses[index] {
        config::Analysis::ClassificationImages(it) => Box::new(
            classification_images::ClassificationImages::new(it.clone(), config.seed, index),
        ),
    }
}
