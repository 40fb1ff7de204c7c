//! A session whose blocks are done by several engines, each of which writes a file of its own.
//!
//! The plan's own file says how it is divided ([`Sharding`]); each shard's file is a session of the same plan, with the
//! sums of its own blocks alone and what it says of itself ([`Shard`]). Sums are exact, so the sums of all shards are
//! those of one engine, to the last bit.

use serde::{Deserialize, Serialize};

use super::{Analysis, Record};
use crate::session::config;

/// How a session is divided: in its own file, from the first shard on until all are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharding {
    /// Into how many shards.
    pub count: u32,
    /// The program that the shards must be computed by, as [`super::Start::program`].
    pub program: String,
    /// Blocks of each part that the session's own file has, by analysis: the shards divide what comes after.
    pub from: Vec<Vec<u64>>,
    /// The scheduler's jobs that were submitted for it, for example `1234`, oldest first.
    pub jobs: Vec<String>,
}

/// What a shard's file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
    /// Blocks of each part that the session's own file had when it was divided, as [`Sharding::from`].
    pub from: Vec<Vec<u64>>,
    /// The machine that computed it last.
    pub node: String,
    /// The scheduler's job that computed it last, for example `1234_7`.
    pub job: Option<String>,
    /// Trials a second when the file was written; `None` until measured.
    pub per_second: Option<f64>,
    /// Seconds that were left then; `None` until it is worth believing.
    pub eta_s: Option<f64>,
    /// Seconds between two checkpoints.
    pub checkpoint_s: f64,
    /// What it does of each analysis of the plan; without parts before that analysis has been opened, and of what is
    /// done after merging.
    pub portions: Vec<Portion>,
}

/// What a shard does of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// Of each part, its first block and the one after its last.
    pub parts: Vec<(u64, u64)>,
    /// What they are together, in the unit of the plan; an estimate where blocks differ in size.
    pub total: u64,
}

/// The blocks of a part that a shard does, where blocks may be computed in any order: of those from `from` to `blocks`
/// the stretch of this shard, from 1, of `count`. Stretches differ by one block at most and leave nothing out.
pub fn stretch(index: u32, count: u32, (from, blocks): (u64, u64)) -> (u64, u64) {
    let left = u128::from(blocks.saturating_sub(from));
    let bound = |shards: u32| from + (left * u128::from(shards) / u128::from(count.max(1))) as u64;
    (bound(index.saturating_sub(1)), bound(index))
}

/// Whether a chain of blocks is this shard's: chains are dealt out whole.
pub fn has_chain(index: u32, count: u32, chain: usize) -> bool {
    chain as u64 % u64::from(count.max(1)) + 1 == u64::from(index)
}

/// Whether an analysis is divided; what is made of the sums of another is done once those are merged.
pub fn is_divided(plan: &config::Analysis) -> bool {
    !plan.needs_classification_images()
}

impl Portion {
    /// Blocks in it.
    pub fn blocks(&self) -> u64 {
        self.parts.iter().map(|(first, end)| end - first).sum()
    }

    /// Whether these numbers of blocks, by part, are all.
    pub fn is_done(&self, done: &[u64]) -> bool {
        let own = |at: usize| done.get(at).copied().unwrap_or(0);
        let mut parts = self.parts.iter().enumerate();
        parts.all(|(at, (first, end))| own(at) >= end - first)
    }
}

impl Record {
    /// What is done and what there is to do of the analysis at `index`, in the unit of its plan: in a shard's file of
    /// its own share.
    pub fn progress_of(&self, index: usize, plan: &config::Analysis) -> (u64, u64) {
        let Some(own) = self.analyses.get(index) else {
            return (0, 0);
        };
        let (done, total) = own.progress(plan);
        let Some(shard) = &self.shard else {
            return (done, total);
        };
        match shard.portions.get(index) {
            Some(portion) if portion.is_done(&own.blocks()) => (done, done),
            Some(portion) => (done, portion.total.max(done + 1)),
            // Not opened yet: about its part.
            None => (done, total / u64::from(shard.count.max(1))),
        }
    }

    /// Whether all is done of the analysis at `index` that this file has to do.
    pub fn is_done(&self, index: usize, plan: &config::Analysis) -> bool {
        let Some(own) = self.analyses.get(index) else {
            return false;
        };
        match &self.shard {
            None => own.is_finished(plan),
            Some(_) if !is_divided(plan) => true,
            Some(shard) => shard
                .portions
                .get(index)
                .is_some_and(|portion| !portion.parts.is_empty() && portion.is_done(&own.blocks())),
        }
    }
}

impl Analysis {
    /// Blocks done of each part; may be shorter than the parts, where nothing has been done.
    pub fn blocks(&self) -> Vec<u64> {
        match self {
            Self::ClassificationImages(it) => it.gammas.iter().map(|own| own.blocks).collect(),
            Self::Templates(it) => it.progress.blocks.clone(),
            Self::Attack(it) => it.progress.blocks.clone(),
            Self::SpikeTriggered(it) => it.progress.blocks.clone(),
            Self::Modulation(it) => it.progress.blocks.clone(),
            Self::Backdoor(it) => it.progress.blocks.clone(),
            Self::Audit(it) => it.progress.blocks.clone(),
            Self::Predictions(it) => it.progress.blocks.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stretches_follow_each_other_and_leave_nothing_out(
            count in 1..40_u32, from in 0..1000_u64, more in 0..100_000_u64,
        ) {
            let blocks = from + more;
            let mut next = from;
            for index in 1..=count {
                let (first, end) = stretch(index, count, (from, blocks));
                prop_assert_eq!(first, next);
                let each = more / u64::from(count);
                prop_assert!((each..=each + 1).contains(&(end - first)));
                next = end;
            }
            prop_assert_eq!(next, blocks);
        }

        #[test]
        fn every_chain_is_one_shards(count in 1..40_u32, chain in 0..1000_usize) {
            let own = (1..=count).filter(|&index| has_chain(index, count, chain));
            prop_assert_eq!(own.count(), 1);
        }
    }

    #[test]
    fn a_split_of_as_many_blocks_as_there_can_be_has_no_overflow() {
        assert_eq!(stretch(2, 2, (0, u64::MAX)), (u64::MAX / 2, u64::MAX));
    }
}
