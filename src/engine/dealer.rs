//! Which block comes next, and putting answers back in order.
//!
//! The part with the fewest blocks dealt comes first, so every γ grows at the same pace and a run
//! that is stopped half-way has something of each. Answers come in any order; the record takes
//! those of a part in the order of their numbers, so that a number alone says what it holds.

use std::collections::BTreeMap;

use crate::analysis::{Job, Sums};

/// The blocks of one analysis: dealt, waiting, merged.
#[derive(Debug)]
pub struct Dealer {
    total: Vec<u64>,
    dealt: Vec<u64>,
    merged: Vec<u64>,
    early: BTreeMap<(usize, u64), Sums>,
}

impl Dealer {
    /// Begins with the first `done` blocks of each part merged already.
    pub fn new(total: Vec<u64>, done: Vec<u64>) -> Self {
        Self {
            total,
            dealt: done.clone(),
            merged: done,
            early: BTreeMap::new(),
        }
    }

    /// The next block to compute; `None` once all have been dealt.
    pub fn peek(&self) -> Option<Job> {
        let parts = self.dealt.iter().zip(&self.total).enumerate();
        parts
            .filter(|(_, (dealt, total))| dealt < total)
            .min_by_key(|(_, (dealt, _))| **dealt)
            .map(|(part, (dealt, _))| Job {
                part,
                block: *dealt,
            })
    }

    /// Notes that the block of [`Dealer::peek`] is being computed.
    pub fn deal(&mut self, job: Job) {
        self.dealt[job.part] = job.block + 1;
    }

    /// Takes an answer; gives back all that can now be merged, in order.
    pub fn accept(&mut self, job: Job, sums: Sums) -> Vec<(Job, Sums)> {
        self.early.insert((job.part, job.block), sums);
        let mut ready = Vec::new();
        while let Some(sums) = self.early.remove(&(job.part, self.merged[job.part])) {
            let next = Job {
                part: job.part,
                block: self.merged[job.part],
            };
            self.merged[job.part] += 1;
            ready.push((next, sums));
        }
        ready
    }

    /// Whether every block has been merged.
    pub fn is_done(&self) -> bool {
        self.merged == self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::BlockSums;
    use proptest::prelude::*;

    fn sums(job: Job) -> Sums {
        Sums::ClassificationImages(BlockSums {
            block: job.block,
            trials: 1,
            counts: Vec::new(),
            noise: Vec::new(),
            image: Vec::new(),
        })
    }

    proptest! {
        #[test]
        fn every_block_is_merged_once_and_in_order(
            totals in prop::collection::vec(0..20_u64, 1..5),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 100),
        ) {
            let mut dealer = Dealer::new(totals.clone(), vec![0; totals.len()]);
            let mut computing = Vec::new();
            let mut merged = vec![Vec::new(); totals.len()];
            let mut picks = picks.iter().cycle();
            while !dealer.is_done() {
                while computing.len() < 4 && let Some(job) = dealer.peek() {
                    dealer.deal(job);
                    computing.push(job);
                }
                let pick = picks.next().unwrap().index(computing.len());
                let job = computing.swap_remove(pick);
                for (job, _) in dealer.accept(job, sums(job)) {
                    merged[job.part].push(job.block);
                }
            }
            for (part, blocks) in merged.iter().enumerate() {
                prop_assert_eq!(blocks, &(0..totals[part]).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn parts_grow_at_the_same_pace() {
        let mut dealer = Dealer::new(vec![3, 3], vec![1, 0]);
        let mut order = Vec::new();
        while let Some(job) = dealer.peek() {
            dealer.deal(job);
            order.push((job.part, job.block));
        }
        assert_eq!(order, [(1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
    }
}
