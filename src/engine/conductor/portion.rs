//! A shard's portion of an analysis: the blocks that belong to it.

use super::Conductor;
use crate::analysis::{BlockOrder, BlockSequence, DynExperiment};
use crate::session::config::Config;
use crate::session::record;
use crate::session::record::shard::{Portion, owns_chain, shard_block_range};

impl Conductor {
    /// The parts of an analysis for this shard: each ends where the shard's blocks end, and counts the blocks before
    /// the shard's as done. Records the shard's blocks.
    pub(super) fn shard_blocks(
        &mut self,
        index: usize,
        mut parts: Vec<BlockSequence>,
        done: &[u64],
    ) -> (Vec<BlockSequence>, Vec<u64>) {
        let count = self.active.session.config.analyses.len();
        let Some(shard) = &mut self.active.session.record.shard else {
            return (parts, done.to_vec());
        };
        let (shard_index, shards) = (shard.index, shard.count);
        let from = |part: usize| {
            let before = shard.from.get(index).and_then(|all| all.get(part));
            before.copied().unwrap_or(0)
        };
        let mut chain = 0;
        let bounds = |(position, part): (usize, &BlockSequence)| {
            if part.phase > 0 {
                return (0, 0);
            }
            match part.order {
                BlockOrder::Parallel => {
                    shard_block_range(shard_index, shards, (from(position), part.blocks))
                }
                BlockOrder::Sequential => {
                    chain += 1;
                    // A chain that has begun continues where it was begun.
                    let is_ours = from(position) == 0 && owns_chain(shard_index, shards, chain - 1);
                    (0, if is_ours { part.blocks } else { 0 })
                }
            }
        };
        let bounds: Vec<(u64, u64)> = parts.iter().enumerate().map(bounds).collect();
        let mut behind = Vec::with_capacity(parts.len());
        for ((part, &(first, end)), done) in parts.iter_mut().zip(&bounds).zip(done) {
            part.blocks = end;
            behind.push(first.saturating_add(*done));
        }
        shard.portions.resize(count, Portion::default());
        shard.portions[index].parts = bounds;
        (parts, behind)
    }

    /// Records the total of a shard's blocks, once an analysis has begun.
    pub(super) fn open_portion(
        &mut self,
        config: &Config,
        index: usize,
        analysis: &dyn DynExperiment,
    ) {
        let record = &mut self.active.session.record;
        let Some(portion) = record
            .shard
            .as_mut()
            .and_then(|shard| shard.portions.get_mut(index))
        else {
            return;
        };
        let analysis_record = &mut record.analyses[index];
        if let record::Analysis::ClassificationImages(images) = analysis_record {
            for (trials, (first, _)) in images.gammas.iter_mut().zip(&portion.parts) {
                trials.first = *first;
            }
        }
        let all: u64 = analysis.sequences().iter().map(|part| part.blocks).sum();
        let (_, total) = analysis_record.progress(&config.analyses[index]);
        let share = portion.blocks() as f64 / all.max(1) as f64;
        portion.total = (total as f64 * share).round() as u64;
    }
}
