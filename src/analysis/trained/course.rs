//! The course of one network through an experiment: what each block does, and how many images it
//! shows. It depends only on the plan and the number of training images, so the total progress of a run
//! is known before it begins. If training stops early, its last blocks do nothing.

use std::ops::Range;

use super::PopulationConfig;
use crate::ids::BlockIndex;
use crate::nets::train;

/// Approximate number of images in a training block: a second or two of work, so that a run can be
/// stopped and watched, but long compared with saving the weights at its end.
const IMAGES_A_BLOCK: usize = 5_120;

/// What a block of a network does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockWork {
    /// Trains on these batches of an epoch.
    Train {
        /// The batches, numbered within the epoch.
        batches: Range<usize>,
        /// Whether they end the epoch, so that validation follows.
        closes: bool,
    },
    /// Measures the trained network on test images, with and without the patch.
    Measure,
    /// Shows it noise.
    Noise {
        /// Index of γ.
        gamma_index: usize,
        /// The block of that γ.
        block: BlockIndex,
    },
}

/// The blocks of a network; the same for all networks of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    epochs: u64,
    /// Training images per epoch.
    images: u64,
    /// Images per batch.
    batch: usize,
    /// Batches per epoch.
    batches: usize,
    /// Batches per block.
    chunk: usize,
    gammas: u64,
    trials: u64,
    /// Trials per block.
    block: usize,
}

impl Course {
    /// The course for a plan with `images` training images.
    pub fn new(plan: &PopulationConfig, images: usize) -> Self {
        let training = &plan.training;
        let trained = images - train::held_out(images, training.validation).min(images);
        Self {
            epochs: training.epochs as u64,
            images: trained as u64,
            batch: training.batch,
            batches: trained.div_ceil(training.batch),
            chunk: (IMAGES_A_BLOCK / training.batch).max(1),
            gammas: plan.gammas.len() as u64,
            trials: plan.trials,
            block: plan.block,
        }
    }

    fn blocks_an_epoch(&self) -> u64 {
        self.batches.div_ceil(self.chunk) as u64
    }

    /// Blocks before the first noise: training and measuring.
    pub fn training_blocks(&self) -> u64 {
        self.epochs * self.blocks_an_epoch() + 1
    }

    /// Total number of blocks.
    pub fn blocks(&self) -> u64 {
        self.training_blocks() + self.gammas * self.noise_blocks().0
    }

    /// Blocks of noise at each γ; one past the last.
    pub fn noise_blocks(&self) -> BlockIndex {
        BlockIndex(self.trials.div_ceil(self.block as u64))
    }

    /// What block `block` does. The γ alternate.
    pub fn work(&self, block: BlockIndex) -> BlockWork {
        let training = self.training_blocks();
        if block.0 + 1 == training {
            return BlockWork::Measure;
        }
        if let Some(noise) = block.0.checked_sub(training) {
            return BlockWork::Noise {
                gamma_index: (noise % self.gammas) as usize,
                block: BlockIndex(noise / self.gammas),
            };
        }
        let first = (block.0 % self.blocks_an_epoch()) as usize * self.chunk;
        let last = (first + self.chunk).min(self.batches);
        BlockWork::Train {
            batches: first..last,
            closes: last == self.batches,
        }
    }

    /// Trials in block `block` of a γ.
    pub fn trials_of(&self, block: BlockIndex) -> usize {
        super::super::block_range(self.trials, self.block, block).len()
    }

    /// Number of training or noise images that block `block` shows.
    pub fn images_shown(&self, block: BlockIndex) -> u64 {
        match self.work(block) {
            BlockWork::Train { batches, .. } => {
                let upto = |batch: usize| (batch as u64 * self.batch as u64).min(self.images);
                upto(batches.end) - upto(batches.start)
            }
            BlockWork::Measure => 0,
            BlockWork::Noise { block, .. } => self.trials_of(block) as u64,
        }
    }

    /// Number of images that the blocks of one network show in total.
    pub fn total_images(&self) -> u64 {
        let training = self.epochs.saturating_mul(self.images);
        training.saturating_add(self.gammas.saturating_mul(self.trials))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::config::{NetworkKind, TrainingConfig};
    use crate::session::record::TrialKind;

    fn course(images: usize, batch: usize, trials: u64) -> Course {
        let plan = PopulationConfig {
            kind: NetworkKind::Logistic,
            min_trials: 30,
            trial_kind: TrialKind::plain(10, [1, 28, 28]),
            training: TrainingConfig {
                epochs: 3,
                batch,
                validation: 0.2,
                ..TrainingConfig::default()
            },
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            trials,
            block: 64,
        };
        Course::new(&plan, images)
    }

    #[test]
    fn the_blocks_show_exactly_the_total() {
        for (images, batch, trials) in [(60_000, 256, 1000), (101, 7, 64), (200, 6000, 1)] {
            let course = course(images, batch, trials);
            let shown: u64 = BlockIndex::first(course.blocks())
                .map(|block| course.images_shown(block))
                .sum();
            assert_eq!(shown, course.total_images(), "{course:?}");
            let trained = images as u64 - (images as f64 * 0.2).round() as u64;
            assert_eq!(shown, 3 * trained + 2 * trials);
        }
    }

    #[test]
    fn every_epoch_does_every_batch_once_and_closes_once() {
        let course = course(60_000, 256, 1);
        let mut done = Vec::new();
        let mut closed = Vec::new();
        for block in BlockIndex::first(course.training_blocks() - 1) {
            if let BlockWork::Train { batches, closes } = course.work(block) {
                done.extend(batches);
                closed.extend(closes.then_some(done.len()));
            }
        }
        let epoch: Vec<usize> = (0..188).collect();
        assert_eq!(done, epoch.repeat(3));
        assert_eq!(closed, [188, 376, 564]);
        assert_eq!(
            course.work(BlockIndex(course.training_blocks() - 1)),
            BlockWork::Measure
        );
    }

    #[test]
    fn the_gammas_take_turns() {
        let course = course(100, 10, 130);
        let first = BlockIndex(course.training_blocks());
        let noise: Vec<BlockWork> = first
            .until(BlockIndex(course.blocks()))
            .map(|block| course.work(block))
            .collect();
        let expected: Vec<BlockWork> = BlockIndex::first(3)
            .flat_map(|block| [0, 1].map(|gamma_index| BlockWork::Noise { gamma_index, block }))
            .collect();
        assert_eq!(noise, expected);
        assert_eq!(course.trials_of(BlockIndex(2)), 2);
    }
}
