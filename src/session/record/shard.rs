//! Sharding: the blocks of a session divided among several engines, each with its own file.
//!
//! The session's own file says how it is divided ([`Sharding`]); each shard's file is a session of the
//! same plan, with the sums of its own blocks only and a description of itself ([`Shard`]). Sums are
//! exact, so the total over all shards equals that of one engine, to the last bit.

use serde::{Deserialize, Serialize};

use super::{Analysis, Record};
use crate::session::config;
use crate::stats::sums::total;

/// Maximum number of shards in a session.
pub const MAX_SHARDS: u32 = 100_000;

/// How a session is divided: stored in its own file, from the first shard until all are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharding {
    /// Number of shards, at most [`MAX_SHARDS`].
    pub count: u32,
    /// The program that must compute the shards, as in [`super::Start::program`].
    pub program: String,
    /// Blocks of each part already in the session's own file, by analysis: the shards divide the rest.
    pub from: Vec<Vec<u64>>,
    /// The scheduler jobs submitted for it, for example `1234`, oldest first.
    pub jobs: Vec<String>,
}

impl Sharding {
    /// The scheduler jobs submitted last, the one of the shards and the one that merges them, and how to see whether they
    /// wait: only the scheduler knows, and asking it may take long. `None` if none was submitted.
    pub fn submitted(&self) -> Option<String> {
        let latest = &self.jobs[self.jobs.len().saturating_sub(2)..];
        let jobs = match latest {
            [] => return None,
            [one] => format!("job {one}"),
            all => format!("jobs {}", all.join(" and ")),
        };
        let list = latest.join(",");
        Some(format!(
            "submitted as {jobs}: squeue --jobs {list} shows whether they wait"
        ))
    }
}

/// A shard's description in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its number, from 1.
    pub index: u32,
    /// Number of shards.
    pub count: u32,
    /// Blocks of each part that the session's own file had when it was divided, as in
    /// [`Sharding::from`].
    pub from: Vec<Vec<u64>>,
    /// The machine that computed it last.
    pub node: String,
    /// The scheduler job that computed it last, for example `1234_7`.
    pub job: Option<String>,
    /// Trials per second when the file was written; `None` until measured.
    pub per_second: Option<f64>,
    /// Seconds left at that time; `None` until the estimate is reliable.
    pub eta_s: Option<f64>,
    /// Seconds between checkpoints.
    pub checkpoint_s: f64,
    /// Its portion of each analysis of the plan; without parts before that analysis has been opened, and
    /// for analyses that run after merging.
    pub portions: Vec<Portion>,
}

/// A shard's portion of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// For each part, its first block and the one after its last.
    pub parts: Vec<(u64, u64)>,
    /// Work in total, in the unit of the plan; an estimate if blocks differ in size.
    pub total: u64,
}

/// The blocks of a part that a shard computes, if blocks may be computed in any order: shard `index`,
/// from 1, of `count` gets its stretch of the blocks from `from` to `blocks`. Stretches differ by at
/// most one block and leave nothing out.
pub fn shard_block_range(index: u32, count: u32, (from, blocks): (u64, u64)) -> (u64, u64) {
    let (left, count) = (u128::from(blocks.saturating_sub(from)), count.max(1));
    let share = |shards: u32| left * u128::from(shards.min(count)) / u128::from(count);
    let bound = |shards: u32| from + share(shards) as u64;
    (bound(index.saturating_sub(1)), bound(index))
}

/// Whether a chain of blocks belongs to this shard: chains are assigned whole.
pub fn owns_chain(index: u32, count: u32, chain: usize) -> bool {
    chain as u64 % u64::from(count.max(1)) + 1 == u64::from(index)
}

/// Whether an analysis is divided; one that uses the sums of another runs after merging.
pub fn is_divided(plan: &config::Analysis) -> bool {
    !plan.needs_classification_images()
}

impl Portion {
    /// Number of blocks in it.
    pub fn blocks(&self) -> u64 {
        total(self.parts.iter().map(blocks_of))
    }

    /// Whether these numbers of completed blocks, by part, complete the portion.
    pub fn is_done(&self, done: &[u64]) -> bool {
        let blocks = |part: usize| done.get(part).copied().unwrap_or(0);
        let mut parts = self.parts.iter().enumerate();
        parts.all(|(part, bounds)| blocks(part) >= blocks_of(bounds))
    }
}

/// The number of blocks from the first one to the one after the last; 0 if a damaged file has them the other way round.
fn blocks_of((first, end): &(u64, u64)) -> u64 {
    end.saturating_sub(*first)
}

impl Record {
    /// Work done and work in total for the analysis at `index`, in the unit of its plan; in a shard's
    /// file, for its portion only.
    pub fn progress_of(&self, index: usize, plan: &config::Analysis) -> (u64, u64) {
        let Some(analysis) = self.analyses.get(index) else {
            return (0, 0);
        };
        let (done, total) = analysis.progress(plan);
        let Some(shard) = &self.shard else {
            return (done, total);
        };
        match shard.portions.get(index) {
            Some(portion) if portion.is_done(&analysis.blocks()) => (done, done),
            Some(portion) => (done, portion.total.max(done.saturating_add(1))),
            // Not opened yet: roughly an equal share.
            None => (done, total / u64::from(shard.count.max(1))),
        }
    }

    /// Whether this file's part of the analysis at `index` is done.
    pub fn is_done(&self, index: usize, plan: &config::Analysis) -> bool {
        let Some(analysis) = self.analyses.get(index) else {
            return false;
        };
        match &self.shard {
            None => analysis.is_finished(plan),
            Some(_) if !is_divided(plan) => true,
            Some(shard) => shard.portions.get(index).is_some_and(|portion| {
                !portion.parts.is_empty() && portion.is_done(&analysis.blocks())
            }),
        }
    }
}

impl Analysis {
    /// Blocks done of each part; may be shorter than the number of parts if nothing has been done.
    pub fn blocks(&self) -> Vec<u64> {
        match self {
            Self::ClassificationImages(record) => {
                record.gammas.iter().map(|trials| trials.blocks).collect()
            }
            Self::Templates(record) => record.progress.blocks.clone(),
            Self::Attack(record) => record.progress.blocks.clone(),
            Self::SpikeTriggered(record) => record.progress.blocks.clone(),
            Self::Modulation(record) => record.progress.blocks.clone(),
            Self::Backdoor(record) => record.progress.blocks.clone(),
            Self::Audit(record) => record.progress.blocks.clone(),
            Self::Predictions(record) => record.progress.blocks.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_are_contiguous_and_complete(
            count in 1..40_u32, from in 0..1000_u64, more in 0..100_000_u64,
        ) {
            let blocks = from + more;
            let mut next = from;
            for index in 1..=count {
                let (first, end) = shard_block_range(index, count, (from, blocks));
                prop_assert_eq!(first, next);
                let each = more / u64::from(count);
                prop_assert!((each..=each + 1).contains(&(end - first)));
                next = end;
            }
            prop_assert_eq!(next, blocks);
        }

        #[test]
        fn every_chain_belongs_to_one_shard(count in 1..40_u32, chain in 0..1000_usize) {
            let owners = (1..=count).filter(|&index| owns_chain(index, count, chain));
            prop_assert_eq!(owners.count(), 1);
        }
    }

    #[test]
    fn a_split_of_the_maximum_number_of_blocks_does_not_overflow() {
        assert_eq!(
            shard_block_range(2, 2, (0, u64::MAX)),
            (u64::MAX / 2, u64::MAX)
        );
        // No shard has a number above their count, except in a damaged file.
        let beyond = shard_block_range(u32::MAX, 2, (0, u64::MAX));
        assert_eq!(beyond, (u64::MAX, u64::MAX));
    }

    #[test]
    fn the_numbers_of_a_damaged_portion_do_not_overflow() {
        let of = |parts: &[(u64, u64)]| Portion {
            parts: parts.to_vec(),
            total: 0,
        };
        assert_eq!(of(&[(5, 2), (1, 4)]).blocks(), 3);
        assert_eq!(of(&[(0, u64::MAX), (0, u64::MAX)]).blocks(), u64::MAX);
        assert!(of(&[(5, 2)]).is_done(&[0]));
        let plan = config::Analysis::Predictions(config::Predictions::default());
        let config = crate::session::Config {
            analyses: vec![plan.clone()],
            ..Default::default()
        };
        let mut session = crate::session::Session::new("mine", config);
        session.divide(2, "any").unwrap();
        let mut shard = session.new_shard("mine.shard-1-of-2", 1).unwrap();
        let record = &mut shard.record;
        record.shard.as_mut().unwrap().portions = vec![of(&[(0, 4)])];
        if let Analysis::Predictions(predictions) = &mut record.analyses[0] {
            predictions.progress.done = u64::MAX;
        }
        assert_eq!(record.progress_of(0, &plan), (u64::MAX, u64::MAX));
    }

    #[test]
    fn chains_are_assigned_in_turn() {
        let owner = |chain| (1..=3).find(|&index| owns_chain(index, 3, chain));
        let owners = [0, 1, 2, 3, 4].map(owner);
        assert_eq!(owners, [1, 2, 3, 1, 2].map(Some));
    }

    #[test]
    fn a_shards_progress_is_that_of_its_portion() {
        let portion = Portion {
            parts: vec![(2, 5), (0, 4)],
            total: 900,
        };
        assert_eq!(portion.blocks(), 7);
        let done = |blocks: &[u64]| portion.is_done(blocks);
        assert!(done(&[3, 4]) && done(&[4, 4]));
        assert!(!done(&[2, 4]) && !done(&[3, 3]) && !done(&[3]));
        let plan = config::Analysis::Predictions(config::Predictions::default());
        let config = crate::session::Config {
            analyses: vec![plan.clone()],
            ..Default::default()
        };
        let mut record = Record::new(&config);
        let of = |record: &Record| (record.progress_of(0, &plan), record.is_done(0, &plan));
        let set = |record: &mut Record, blocks: &[u64], work| {
            let Analysis::Predictions(it) = &mut record.analyses[0] else {
                unreachable!()
            };
            it.progress.blocks = blocks.to_vec();
            (it.progress.done, it.progress.total) = (work, 3001);
        };
        set(&mut record, &[3, 3], 700);
        assert_eq!(of(&record), ((700, 3001), false));
        assert_eq!(record.progress_of(1, &plan), (0, 0));
        assert!(!record.is_done(1, &plan));
        record.shard = Some(Shard {
            index: 1,
            count: 3,
            from: Vec::new(),
            node: String::new(),
            job: None,
            per_second: None,
            eta_s: None,
            checkpoint_s: 30.0,
            portions: Vec::new(),
        });
        // Not opened yet: a third of the work.
        assert_eq!(of(&record), ((700, 1000), false));
        record.shard.as_mut().unwrap().portions = vec![Portion::default()];
        assert_eq!(of(&record), ((700, 700), false));
        record.shard.as_mut().unwrap().portions = vec![portion.clone()];
        assert_eq!(of(&record), ((700, 900), false));
        set(&mut record, &[3, 3], 950);
        assert_eq!(of(&record), ((950, 951), false));
        // What runs after merging is no shard's work.
        let templates = config::Analysis::Templates(Default::default());
        assert!(record.is_done(0, &templates));
        assert!(is_divided(&plan) && !is_divided(&templates));
        set(&mut record, &[3, 4], 880);
        assert_eq!(of(&record), ((880, 880), true));
    }
}
