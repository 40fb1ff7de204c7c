//! Dealing out blocks, and putting their results back in order.
//!
//! The sequence with the fewest blocks dealt comes first, so every γ grows at the same pace and a run
//! that is stopped half-way has some trials of each. Results arrive in any order; the record takes
//! those of a sequence in order of block number, so a count of blocks describes its contents.
//!
//! A device that is fed with launches gets jobs of several launches, about a second of work, whose sums are read
//! once. Launches start at multiples of their size, so a block is always computed together with the same others,
//! and jobs end at milestones, where the record is inspected: results do not depend on the length of jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analysis::{BlockOrder, BlockSequence, Job, Sums};
use crate::ids::BlockIndex;

/// Tracks the blocks of one phase of an analysis: dealt, waiting, merged.
#[derive(Debug)]
pub struct Dealer {
    sequences: Vec<BlockSequence>,
    phase: usize,
    /// Most chains in progress at a time.
    chains: usize,
    dealt: Vec<u64>,
    merged: Vec<u64>,
    /// Sequences that need no more blocks.
    ended: Vec<bool>,
    /// Blocks per launch.
    blocks_per_launch: u64,
    /// Launches per job, currently.
    launches_per_job: u64,
    /// Most launches per job.
    max_launches: u64,
    /// Sums that came before their turn.
    early: BTreeMap<(usize, BlockIndex), (Job, Sums)>,
}

/// How long a job of launches should take; its sums are read and shown at its end.
const JOB_TIME: Duration = Duration::from_secs(1);

impl Dealer {
    /// Deals the sequences of `phase`; the first `done` blocks of each are already merged.
    pub fn new(parts: Vec<BlockSequence>, phase: usize, done: Vec<u64>) -> Self {
        Self {
            ended: vec![false; parts.len()],
            sequences: parts,
            phase,
            chains: usize::MAX,
            dealt: done.clone(),
            merged: done,
            blocks_per_launch: 1,
            launches_per_job: 1,
            max_launches: 1,
            early: BTreeMap::new(),
        }
    }

    /// Deals jobs of launches of `blocks` blocks each, up to `most` launches per job.
    #[must_use]
    pub fn in_launches(mut self, blocks: u64, most: u64) -> Self {
        (self.blocks_per_launch, self.max_launches) = (blocks.max(1), most.max(1));
        self
    }

    /// Adjusts the length of jobs to about a second from the time that `job` took, at most doubling it.
    pub fn adapt_job_length(&mut self, job: Job, took: Duration) {
        let launches = job.blocks.div_ceil(self.blocks_per_launch).max(1);
        if launches < self.launches_per_job {
            // A job that was cut short says little.
            return;
        }
        let each = took.as_secs_f64() / launches as f64;
        let ideal = (JOB_TIME.as_secs_f64() / each.max(1e-9)) as u64;
        self.launches_per_job = ideal.clamp(1, self.max_launches.min(2 * self.launches_per_job));
    }

    /// Extends a job over as many launches as a job should have, but not past `milestone`.
    pub fn extend_job(&self, job: Job, milestone: BlockIndex) -> Job {
        let sequence = &self.sequences[job.sequence];
        if sequence.order == BlockOrder::Sequential || self.blocks_per_launch == 1 {
            return job;
        }
        let last =
            (job.block.0 / self.blocks_per_launch + self.launches_per_job) * self.blocks_per_launch;
        let end = last.min(milestone.0).min(sequence.blocks);
        Job {
            blocks: end.saturating_sub(job.block.0).max(1),
            ..job
        }
    }

    /// Begins no chain while `chains` of them are in progress: more chains than workers would
    /// not be faster, and the state of each may be large.
    #[must_use]
    pub fn at_most(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// Whether a sequence is a chain that has begun and is not finished.
    fn is_in_progress(&self, sequence: usize) -> bool {
        let blocks = self.sequences[sequence].blocks;
        self.sequences[sequence].order == BlockOrder::Sequential
            && self.is_open(sequence)
            && self.dealt[sequence] > 0
            && self.merged[sequence] < blocks
    }

    fn is_open(&self, sequence: usize) -> bool {
        self.sequences[sequence].phase == self.phase && !self.ended[sequence]
    }

    /// The next block to compute; `None` while there is none.
    pub fn peek(&self) -> Option<Job> {
        let middle = (0..self.sequences.len()).filter(|&sequence| self.is_in_progress(sequence));
        let full = middle.count() >= self.chains;
        let ready = |sequence: usize| {
            let all = self.dealt[sequence] >= self.sequences[sequence].blocks;
            let waits =
                self.dealt[sequence] > self.merged[sequence] || full && self.dealt[sequence] == 0;
            self.is_open(sequence)
                && !all
                && !(waits && self.sequences[sequence].order == BlockOrder::Sequential)
        };
        let free = (0..self.sequences.len()).filter(|&sequence| ready(sequence));
        // A chain that has begun continues before another begins.
        let key = |sequence: usize| match self.sequences[sequence].order {
            BlockOrder::Parallel => self.dealt[sequence],
            BlockOrder::Sequential => u64::MAX - self.dealt[sequence],
        };
        let sequence = free.min_by_key(|&sequence| key(sequence))?;
        let block = BlockIndex(self.dealt[sequence]);
        Some(Job::single_block(sequence, block))
    }

    /// Notes that a job is being computed, which begins with the block of [`Dealer::peek`].
    pub fn deal(&mut self, job: Job) {
        self.dealt[job.sequence] = job.end().0;
    }

    /// Takes the sums of a job, or of a portion of one.
    pub fn accept(&mut self, job: Job, sums: Sums) {
        if !self.ended[job.sequence] {
            self.early.insert((job.sequence, job.block), (job, sums));
        }
    }

    /// The next sums of a sequence that can be merged, in order.
    pub fn next_merge(&mut self, sequence: usize) -> Option<(Job, Sums)> {
        let block = BlockIndex(self.merged[sequence]);
        let (job, sums) = self.early.remove(&(sequence, block))?;
        self.merged[sequence] = job.end().0;
        Some((job, sums))
    }

    /// Ends a sequence that needs no more blocks: those waiting or being computed are dropped.
    pub fn end(&mut self, sequence: usize) {
        self.ended[sequence] = true;
        self.early.retain(|(other, _), _| *other != sequence);
    }

    /// Whether every block of the phase has been merged.
    pub fn is_done(&self) -> bool {
        let open = (0..self.sequences.len()).filter(|&sequence| self.is_open(sequence));
        open.into_iter()
            .all(|sequence| self.merged[sequence] >= self.sequences[sequence].blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(blocks: &[u64], order: BlockOrder) -> Vec<BlockSequence> {
        let sequence = |&blocks: &u64| BlockSequence {
            phase: 0,
            blocks,
            order,
        };
        blocks.iter().map(sequence).collect()
    }

    fn merge(dealer: &mut Dealer, job: Job) -> Vec<Job> {
        dealer.accept(job, Box::new(()));
        std::iter::from_fn(|| dealer.next_merge(job.sequence))
            .map(|(job, _)| job)
            .collect()
    }

    proptest! {
        #[test]
        fn every_block_is_merged_once_and_in_order(
            totals in prop::collection::vec(0..20_u64, 1..5),
            chained in any::<bool>(),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 100),
        ) {
            let order = if chained { BlockOrder::Sequential } else { BlockOrder::Parallel };
            let mut dealer = Dealer::new(parts(&totals, order), 0, vec![0; totals.len()]);
            let mut computing: Vec<Job> = Vec::new();
            let mut merged = vec![Vec::new(); totals.len()];
            let mut picks = picks.iter().cycle();
            while !dealer.is_done() {
                while computing.len() < 4 && let Some(job) = dealer.peek() {
                    dealer.deal(job);
                    // A chained block never runs beside another of its sequence.
                    prop_assert!(!chained || computing.iter().all(|other| other.sequence != job.sequence));
                    computing.push(job);
                }
                let pick = picks.next().unwrap().index(computing.len());
                let job = computing.swap_remove(pick);
                for job in merge(&mut dealer, job) {
                    merged[job.sequence].push(job.block.0);
                }
            }
            for (sequence, blocks) in merged.iter().enumerate() {
                prop_assert_eq!(blocks, &(0..totals[sequence]).collect::<Vec<_>>());
            }
        }
    }

    fn dealt(mut dealer: Dealer) -> Vec<(usize, u64)> {
        let mut order = Vec::new();
        while let Some(job) = dealer.peek() {
            dealer.deal(job);
            order.push((job.sequence, job.block.0));
        }
        order
    }

    #[test]
    fn parts_grow_at_the_same_pace() {
        let dealer = Dealer::new(parts(&[3, 3], BlockOrder::Parallel), 0, vec![1, 0]);
        assert_eq!(dealt(dealer), [(1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn a_chain_in_progress_comes_first() {
        let dealer = Dealer::new(parts(&[3, 3, 3], BlockOrder::Sequential), 0, vec![0, 2, 0]);
        assert_eq!(dealt(dealer), [(1, 2), (0, 0), (2, 0)]);
    }

    #[test]
    fn no_more_chains_are_started_than_there_are_workers() {
        let mut dealer =
            Dealer::new(parts(&[2, 2, 2], BlockOrder::Sequential), 0, vec![0; 3]).at_most(2);
        let next = |dealer: &mut Dealer| {
            let job = dealer.peek()?;
            dealer.deal(job);
            Some((job.sequence, job.block.0))
        };
        assert_eq!(next(&mut dealer), Some((0, 0)));
        assert_eq!(next(&mut dealer), Some((1, 0)));
        assert_eq!(next(&mut dealer), None);
        merge(&mut dealer, Job::single_block(1, BlockIndex(0)));
        assert_eq!(next(&mut dealer), Some((1, 1)));
        assert_eq!(next(&mut dealer), None);
        merge(&mut dealer, Job::single_block(1, BlockIndex(1)));
        assert_eq!(next(&mut dealer), Some((2, 0)));
    }

    /// Whatever the pace, launches have the same blocks, and no job passes a milestone.
    #[test]
    fn launch_jobs_grow_to_a_second_within_their_bounds() {
        let mut dealer =
            Dealer::new(parts(&[1000], BlockOrder::Parallel), 0, vec![5]).in_launches(8, 16);
        let mut jobs = Vec::new();
        while let Some(job) = dealer.peek() {
            let milestone = if job.block.0 < 20 { 20 } else { 500 };
            let milestone = if job.block.0 < 500 {
                milestone
            } else {
                u64::MAX
            };
            let job = dealer.extend_job(job, BlockIndex(milestone));
            dealer.deal(job);
            dealer.adapt_job_length(job, Duration::from_millis(20) * job.blocks as u32);
            jobs.push((job.block.0, job.end().0));
        }
        // To the end of its launch, then to the milestone, then four launches, then as many as fit in a second.
        assert_eq!(
            jobs[..5],
            [(5, 8), (8, 20), (20, 48), (48, 104), (104, 152)]
        );
        assert!(jobs.iter().any(|job| job.1 == 500), "{jobs:?}");
        assert_eq!(jobs.last().unwrap().1, 1000);
        assert!(jobs.windows(2).all(|pair| pair[0].1 == pair[1].0));
        let whole = |end: u64| end.is_multiple_of(8) || [20, 500, 1000].contains(&end);
        assert!(jobs.iter().all(|job| whole(job.1)), "{jobs:?}");
    }

    #[test]
    fn only_the_current_phase_is_dealt() {
        let mut all = parts(&[1, 1], BlockOrder::Parallel);
        all[1].phase = 1;
        assert_eq!(dealt(Dealer::new(all.clone(), 0, vec![0, 0])), [(0, 0)]);
        assert!(Dealer::new(all.clone(), 0, vec![1, 0]).is_done());
        assert_eq!(dealt(Dealer::new(all, 1, vec![1, 0])), [(1, 0)]);
    }

    #[test]
    fn a_finished_part_drops_late_results() {
        let mut dealer = Dealer::new(parts(&[9], BlockOrder::Parallel), 0, vec![0]);
        let jobs: Vec<Job> = (0..3)
            .map(|_| {
                let job = dealer.peek().unwrap();
                dealer.deal(job);
                job
            })
            .collect();
        assert_eq!(merge(&mut dealer, jobs[0]).len(), 1);
        dealer.accept(jobs[2], Box::new(()));
        dealer.end(0);
        assert!(merge(&mut dealer, jobs[1]).is_empty());
        assert!(dealer.is_done() && dealer.peek().is_none());
    }
}
