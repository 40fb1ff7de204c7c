//! What a shard does of an analysis: the blocks that are its own.

use super::Conductor;
use crate::analysis::{Analysis, Order, Part};
use crate::session::config::Config;
use crate::session::record;
use crate::session::record::shard::{Portion, has_chain, stretch};

impl Conductor {
    /// The parts of an analysis as this shard has them, each up to the end of its own blocks, and what is done of each,
    /// the blocks before its own among them. Notes which those are.
    pub(super) fn own_blocks(
        &mut self,
        index: usize,
        mut parts: Vec<Part>,
        done: &[u64],
    ) -> (Vec<Part>, Vec<u64>) {
        let count = self.rounds.session.config.analyses.len();
        let Some(shard) = &mut self.rounds.session.record.shard else {
            return (parts, done.to_vec());
        };
        let (own, of) = (shard.index, shard.count);
        let from = |part: usize| {
            let before = shard.from.get(index).and_then(|all| all.get(part));
            before.copied().unwrap_or(0)
        };
        let mut chain = 0;
        let bounds = |(at, part): (usize, &Part)| {
            if part.phase > 0 {
                return (0, 0);
            }
            match part.order {
                Order::Free => stretch(own, of, (from(at), part.blocks)),
                Order::Chained => {
                    chain += 1;
                    // One that has begun goes on where it was begun.
                    let is_own = from(at) == 0 && has_chain(own, of, chain - 1);
                    (0, if is_own { part.blocks } else { 0 })
                }
            }
        };
        let bounds: Vec<(u64, u64)> = parts.iter().enumerate().map(bounds).collect();
        let mut behind = Vec::with_capacity(parts.len());
        for ((part, &(first, end)), done) in parts.iter_mut().zip(&bounds).zip(done) {
            part.blocks = end;
            behind.push(first + done);
        }
        shard.portions.resize(count, Portion::default());
        shard.portions[index].parts = bounds;
        (parts, behind)
    }

    /// Notes what a shard's blocks are together, once an analysis has begun.
    pub(super) fn open_portion(&mut self, config: &Config, index: usize, analysis: &dyn Analysis) {
        let record = &mut self.rounds.session.record;
        let Some(portion) = record
            .shard
            .as_mut()
            .and_then(|it| it.portions.get_mut(index))
        else {
            return;
        };
        let own = &mut record.analyses[index];
        if let record::Analysis::ClassificationImages(images) = own {
            for (gamma, (first, _)) in images.gammas.iter_mut().zip(&portion.parts) {
                gamma.first = *first;
            }
        }
        let all: u64 = analysis.parts().iter().map(|part| part.blocks).sum();
        let (_, total) = own.progress(&config.analyses[index]);
        let share = portion.blocks() as f64 / all.max(1) as f64;
        portion.total = (total as f64 * share).round() as u64;
    }
}
