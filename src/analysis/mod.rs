//! The experiments, one module each, and the traits and types they share.
//!
//! An experiment has parts (for example, one per γ) made of numbered blocks. A block is the unit of
//! progress, interruption and distribution: [`Experiment::step`] computes one from the lab alone, on any
//! worker, and [`Experiment::merge`] adds it to the record. Merging adds exact sums.
//! Parts belong to phases, which run one after the other: [`Experiment::begin`] prepares a phase
//! from what earlier phases and analyses have put into the record.

pub mod attack;
pub mod audit;
pub mod backdoor;
pub mod classification_images;
mod experiment;
#[cfg(test)]
mod forms;
pub mod memory;
pub mod modulation;
pub mod pilot;
mod place;
pub mod predictions;
#[cfg(test)]
mod samples;
pub mod spike_triggered;
pub mod templates;
#[cfg(test)]
pub(crate) mod testing;
pub mod trained;
#[cfg(test)]
mod undecided;

use std::sync::Arc;

use burn::tensor::Device;

pub use crate::stimulus::launch::DeviceData;
pub use experiment::{DynExperiment, Experiment, Launches, OptionalLaunches, Sums};
pub use place::{AnalysisPlace, no_test_images_error};

use attack::Attack;
use audit::Audit;
use backdoor::Backdoor;
use classification_images::ClassificationImages;
use modulation::Modulation;
use predictions::Predictions;
use spike_triggered::SpikeTriggered;
use templates::Templates;

use crate::data::Dataset;
use crate::ids::{BlockIndex, ClassId};
use crate::nets::subject::UndecidedImages;
use crate::nets::{Subject, decision};
use crate::session::config::NetworkKind;
use crate::session::experiments::experiments;
use crate::session::{Config, Form, config};
use crate::stimulus::Pool;

/// What an experiment works with: the network under study and the images to show it. Each worker has
/// its own.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The network, its weights fixed.
    pub network: Subject,
    /// The architecture of networks that an experiment trains itself.
    pub kind: NetworkKind,
    /// The form of an image and the names of the classes.
    pub form: Arc<Form>,
    /// The device it computes on.
    pub device: Device,
    /// The training images, for blending with noise.
    pub pool: Pool,
    /// The data set with all images.
    pub dataset: Arc<Dataset>,
    /// The training images on the device, once they have been needed there.
    pub resident: DeviceData,
}

impl Lab {
    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.form.class_count()
    }

    /// The network's logits, row-major \[N,K\], on `pixels`, row-major \[N,C,H,W\] in \[0,1\].
    ///
    /// # Errors
    /// If some are NaN.
    pub fn logits(&self, pixels: Vec<f32>) -> Result<Vec<f32>, UndecidedImages> {
        let logits = self.network.logits(pixels, &self.device);
        self.network.decidable(logits)
    }

    /// The network's decisions on `pixels`, row-major \[N,C,H,W\] in \[0,1\]: \[N\].
    ///
    /// # Errors
    /// If some of its outputs are NaN.
    pub fn decisions(&self, pixels: Vec<f32>) -> Result<Vec<ClassId>, UndecidedImages> {
        let logits = self.logits(pixels)?;
        Ok(self.network.rows(&logits).map(decision).collect())
    }

    /// The same lab on another device.
    pub fn on_device(&self, device: &Device) -> Self {
        let mut lab = self.clone();
        if self.device != *device {
            lab.network = lab.network.on(device);
            lab.device = device.clone();
        }
        lab
    }
}

/// A series of blocks that are merged in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSequence {
    /// The part's phase; it begins when all parts of earlier phases are done.
    pub phase: usize,
    /// Total number of blocks.
    pub blocks: u64,
    /// Whether its blocks may be computed in parallel.
    pub order: BlockOrder,
}

impl BlockSequence {
    /// A part of `items` in blocks of `per_block`, which may be computed in parallel.
    pub fn parallel(phase: usize, items: u64, per_block: usize) -> Self {
        Self {
            phase,
            blocks: items.div_ceil(per_block as u64),
            order: BlockOrder::Parallel,
        }
    }
}

/// Whether the blocks of a part may be computed in parallel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockOrder {
    /// In parallel: each depends on its number alone.
    Parallel,
    /// One after the other: each continues where the previous one ended.
    Sequential,
}

/// Consecutive blocks of one part, computed by one worker; on a CPU one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The part, for example the index of γ.
    pub sequence: usize,
    /// Its first block.
    pub block: BlockIndex,
    /// Number of blocks, at least 1.
    pub blocks: u64,
}

impl Job {
    /// A job of one block.
    pub fn single_block(part: usize, block: BlockIndex) -> Self {
        Self {
            sequence: part,
            block,
            blocks: 1,
        }
    }

    /// The block after its last.
    pub fn end(self) -> BlockIndex {
        self.block + self.blocks
    }

    /// Its blocks, each as a separate job.
    pub fn split(self) -> impl Iterator<Item = Self> {
        let blocks = self.block.until(self.end());
        blocks.map(move |block| Self::single_block(self.sequence, block))
    }
}

/// An experiment cannot begin or continue: why, and a remedy. The message begins with the place in the
/// plan, for example `analyses[2].layers[0]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AnalysisError(pub String);

macro_rules! computations {
    ($($name:ident),+) => {
        /// The experiment at `index` of the plan.
        pub fn build(config: &Config, index: usize, lab: &Lab) -> Box<dyn DynExperiment> {
            let place = AnalysisPlace::for_analysis(config, index);
            match &config.analyses[index] {
                $(config::Analysis::$name(plan) => {
                    Box::new($name::new(plan.clone(), place, lab))
                })+
            }
        }
    };
}

experiments!(computations);

/// Refuses the analysis at `index` of the plan if it could not begin: [`Experiment::check`].
///
/// # Errors
/// If the plan refers to something that does not exist.
pub fn check(config: &Config, index: usize, lab: &Lab) -> Result<(), AnalysisError> {
    match &config.analyses[index] {
        // All that is known before has been checked with the plan, and preparing the noise may take long.
        config::Analysis::ClassificationImages(_) => Ok(()),
        _ => build(config, index, lab).check(lab),
    }
}

/// The range of items that make up block `block`, with `each` items per block and `all` in total.
pub fn block_range(all: u64, each: usize, block: BlockIndex) -> std::ops::Range<usize> {
    let first = (block.0 * each as u64).min(all);
    first as usize..(first + each as u64).min(all) as usize
}
