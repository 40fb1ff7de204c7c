//! Which blocks come next, and putting answers back in order.
//!
//! The part with the fewest blocks dealt comes first, so every γ grows at the same pace and a run
//! that is stopped half-way has something of each. Answers come in any order; the record takes
//! those of a part in the order of their numbers, so that a number alone says what it holds.
//!
//! A device that is fed with launches gets jobs of several of them, about a second of work: what they measured
//! is read once. Launches lie between multiples of their size, so that a block is always computed in the same
//! company, and jobs end where the record is looked at: what is measured does not depend on how long a job was.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analysis::{Job, Order, Part, Sums};

/// The blocks of one phase of an analysis: dealt, waiting, merged.
#[derive(Debug)]
pub struct Dealer {
    parts: Vec<Part>,
    phase: usize,
    /// Most chains that are worked on at a time.
    chains: usize,
    dealt: Vec<u64>,
    merged: Vec<u64>,
    /// Parts that need no more blocks than they have.
    ended: Vec<bool>,
    /// Blocks of a launch.
    launch: u64,
    /// Launches of a job.
    reach: u64,
    /// Most launches of a job.
    most: u64,
    early: BTreeMap<(usize, u64), (Job, Sums)>,
}

/// How long a job of launches should take: what it measured is read and shown then.
const JOB: Duration = Duration::from_secs(1);

impl Dealer {
    /// Deals the parts of `phase`. Begins with the first `done` blocks of each part merged already.
    pub fn new(parts: Vec<Part>, phase: usize, done: Vec<u64>) -> Self {
        Self {
            ended: vec![false; parts.len()],
            parts,
            phase,
            chains: usize::MAX,
            dealt: done.clone(),
            merged: done,
            launch: 1,
            reach: 1,
            most: 1,
            early: BTreeMap::new(),
        }
    }

    /// Deals jobs of launches of so many blocks, up to `most` launches at a time.
    #[must_use]
    pub fn in_launches(mut self, blocks: u64, most: u64) -> Self {
        (self.launch, self.most) = (blocks.max(1), most.max(1));
        self
    }

    /// Makes jobs so long that they take about a second, at most twice as long as that one, which took so long.
    pub fn pace(&mut self, job: Job, took: Duration) {
        let launches = job.blocks.div_ceil(self.launch).max(1);
        if launches < self.reach {
            // One that was cut short says little.
            return;
        }
        let each = took.as_secs_f64() / launches as f64;
        let wanted = (JOB.as_secs_f64() / each.max(1e-9)) as u64;
        self.reach = wanted.clamp(1, self.most.min(2 * self.reach));
    }

    /// A job that begins as this one does and goes on through as many launches as are due, but not past
    /// `milestone`.
    pub fn lengthened(&self, job: Job, milestone: u64) -> Job {
        let part = &self.parts[job.part];
        if part.order == Order::Chained || self.launch == 1 {
            return job;
        }
        let last = (job.block / self.launch + self.reach) * self.launch;
        let end = last.min(milestone).min(part.blocks);
        Job {
            blocks: end.saturating_sub(job.block).max(1),
            ..job
        }
    }

    /// Begins no chain while `chains` of them are in the middle: more than there are workers would
    /// not go faster, and what each has to remember may be large.
    #[must_use]
    pub fn at_most(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// Whether a chain has begun and is not over.
    fn is_in_the_middle(&self, part: usize) -> bool {
        let blocks = self.parts[part].blocks;
        self.parts[part].order == Order::Chained
            && self.is_open(part)
            && self.dealt[part] > 0
            && self.merged[part] < blocks
    }

    fn is_open(&self, part: usize) -> bool {
        self.parts[part].phase == self.phase && !self.ended[part]
    }

    /// The next block to compute; `None` while there is none.
    pub fn peek(&self) -> Option<Job> {
        let middle = (0..self.parts.len()).filter(|&part| self.is_in_the_middle(part));
        let full = middle.count() >= self.chains;
        let ready = |part: usize| {
            let all = self.dealt[part] >= self.parts[part].blocks;
            let waits = self.dealt[part] > self.merged[part] || full && self.dealt[part] == 0;
            self.is_open(part) && !all && !(waits && self.parts[part].order == Order::Chained)
        };
        let free = (0..self.parts.len()).filter(|&part| ready(part));
        // A chain that has begun goes on before another begins.
        let key = |part: usize| match self.parts[part].order {
            Order::Free => self.dealt[part],
            Order::Chained => u64::MAX - self.dealt[part],
        };
        let part = free.min_by_key(|&part| key(part))?;
        Some(Job::one(part, self.dealt[part]))
    }

    /// Notes that a job is being computed that begins with the block of [`Dealer::peek`].
    pub fn deal(&mut self, job: Job) {
        self.dealt[job.part] = job.end();
    }

    /// Takes an answer: to a job, or to a part of one.
    pub fn accept(&mut self, job: Job, sums: Sums) {
        if !self.ended[job.part] {
            self.early.insert((job.part, job.block), (job, sums));
        }
    }

    /// The next blocks of a part that can be merged, in order.
    pub fn next_merge(&mut self, part: usize) -> Option<(Job, Sums)> {
        let block = self.merged[part];
        let (job, sums) = self.early.remove(&(part, block))?;
        self.merged[part] = job.end();
        Some((job, sums))
    }

    /// A part needs no more blocks: those that wait or are being computed are dropped.
    pub fn end(&mut self, part: usize) {
        self.ended[part] = true;
        self.early.retain(|(own, _), _| *own != part);
    }

    /// Whether every block of the phase has been merged.
    pub fn is_done(&self) -> bool {
        let open = (0..self.parts.len()).filter(|&part| self.is_open(part));
        open.into_iter()
            .all(|part| self.merged[part] >= self.parts[part].blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(blocks: &[u64], order: Order) -> Vec<Part> {
        let part = |&blocks: &u64| Part {
            phase: 0,
            blocks,
            order,
        };
        blocks.iter().map(part).collect()
    }

    fn merge(dealer: &mut Dealer, job: Job) -> Vec<Job> {
        dealer.accept(job, Box::new(()));
        std::iter::from_fn(|| dealer.next_merge(job.part))
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
            let order = if chained { Order::Chained } else { Order::Free };
            let mut dealer = Dealer::new(parts(&totals, order), 0, vec![0; totals.len()]);
            let mut computing: Vec<Job> = Vec::new();
            let mut merged = vec![Vec::new(); totals.len()];
            let mut picks = picks.iter().cycle();
            while !dealer.is_done() {
                while computing.len() < 4 && let Some(job) = dealer.peek() {
                    dealer.deal(job);
                    // A chained block never runs beside another of its part.
                    prop_assert!(!chained || computing.iter().all(|other| other.part != job.part));
                    computing.push(job);
                }
                let pick = picks.next().unwrap().index(computing.len());
                let job = computing.swap_remove(pick);
                for job in merge(&mut dealer, job) {
                    merged[job.part].push(job.block);
                }
            }
            for (part, blocks) in merged.iter().enumerate() {
                prop_assert_eq!(blocks, &(0..totals[part]).collect::<Vec<_>>());
            }
        }
    }

    fn dealt(mut dealer: Dealer) -> Vec<(usize, u64)> {
        let mut order = Vec::new();
        while let Some(job) = dealer.peek() {
            dealer.deal(job);
            order.push((job.part, job.block));
        }
        order
    }

    #[test]
    fn parts_grow_at_the_same_pace() {
        let dealer = Dealer::new(parts(&[3, 3], Order::Free), 0, vec![1, 0]);
        assert_eq!(dealt(dealer), [(1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn a_chain_that_has_begun_goes_on_first() {
        let dealer = Dealer::new(parts(&[3, 3, 3], Order::Chained), 0, vec![0, 2, 0]);
        assert_eq!(dealt(dealer), [(1, 2), (0, 0), (2, 0)]);
    }

    #[test]
    fn no_more_chains_are_begun_than_there_are_workers() {
        let mut dealer = Dealer::new(parts(&[2, 2, 2], Order::Chained), 0, vec![0; 3]).at_most(2);
        let next = |dealer: &mut Dealer| {
            let job = dealer.peek()?;
            dealer.deal(job);
            Some((job.part, job.block))
        };
        assert_eq!(next(&mut dealer), Some((0, 0)));
        assert_eq!(next(&mut dealer), Some((1, 0)));
        assert_eq!(next(&mut dealer), None);
        merge(&mut dealer, Job::one(1, 0));
        assert_eq!(next(&mut dealer), Some((1, 1)));
        assert_eq!(next(&mut dealer), None);
        merge(&mut dealer, Job::one(1, 1));
        assert_eq!(next(&mut dealer), Some((2, 0)));
    }

    /// Whatever the pace, a launch has the same blocks, and no job goes past what it must not.
    #[test]
    fn jobs_of_launches_grow_to_a_second_and_keep_their_bounds() {
        let mut dealer = Dealer::new(parts(&[1000], Order::Free), 0, vec![5]).in_launches(8, 16);
        let mut jobs = Vec::new();
        while let Some(job) = dealer.peek() {
            let milestone = if job.block < 20 { 20 } else { 500 };
            let milestone = if job.block < 500 { milestone } else { u64::MAX };
            let job = dealer.lengthened(job, milestone);
            dealer.deal(job);
            dealer.pace(job, Duration::from_millis(20) * job.blocks as u32);
            jobs.push((job.block, job.end()));
        }
        // To the end of its launch, then to the milestone, then four launches, then as many as take a second.
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
    fn only_the_phase_in_hand_is_dealt() {
        let mut all = parts(&[1, 1], Order::Free);
        all[1].phase = 1;
        assert_eq!(dealt(Dealer::new(all.clone(), 0, vec![0, 0])), [(0, 0)]);
        assert!(Dealer::new(all.clone(), 0, vec![1, 0]).is_done());
        assert_eq!(dealt(Dealer::new(all, 1, vec![1, 0])), [(1, 0)]);
    }

    #[test]
    fn a_part_that_has_enough_drops_what_comes_late() {
        let mut dealer = Dealer::new(parts(&[9], Order::Free), 0, vec![0]);
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
