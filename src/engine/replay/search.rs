//! Redrawing blocks of trials, showing them to a network, and gathering the matches in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::{ReplayError, ReplayedTrial, TrialSearch};
use crate::analysis::classification_images::Readout;
use crate::engine::device::seat::Seat;
use crate::engine::fault::catch_panic;
use crate::ids::{BlockIndex, Gamma};
use crate::nets::Subject;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::softmax::probability;
use crate::session::config::{self, BlockTrials};
use crate::stimulus::{self, BlockSeed, NoiseSource, Pool};

/// A search through the trials at one γ.
pub struct BlockSearch<'a> {
    /// The seed of its first block.
    pub seed: BlockSeed,
    /// The noise.
    pub source: NoiseSource,
    /// The signal strength.
    pub gamma: Gamma,
    /// The plan of its trials.
    pub plan: &'a config::ClassificationImages,
    /// The images that are blended with the noise.
    pub pool: &'a Pool,
    /// Which trials to find.
    pub search: &'a TrialSearch,
}

/// The matches in a block: how many, and the first of them.
struct Matches {
    count: u64,
    trials: Vec<ReplayedTrial>,
}

impl BlockSearch<'_> {
    /// Searches the first `blocks` blocks on these seats, in order, until there are enough trials.
    ///
    /// # Errors
    /// If the network cannot be brought to a device, or a device fails.
    pub fn run(
        &self,
        graph: &Graph,
        seats: &[Seat],
        blocks: u64,
    ) -> Result<MatchCollector, ReplayError> {
        let (next, enough) = (AtomicU64::new(0), AtomicBool::new(false));
        let search =
            |seat: &Seat, sender: &Sender<(BlockIndex, Matches)>| -> Result<(), ReplayError> {
                let searched = catch_panic(|| {
                    seat.prepare_thread();
                    let network = Subject::new(graph.clone(), &seat.device)?;
                    while !enough.load(Ordering::Relaxed) {
                        let block = BlockIndex(next.fetch_add(1, Ordering::Relaxed));
                        if block >= BlockIndex(blocks) {
                            break;
                        }
                        // The receiver outlives all workers.
                        let _ = sender.send((block, self.search_block(block, &network, seat)));
                    }
                    Ok::<(), GraphError>(())
                });
                // On failure the others can stop too.
                if !matches!(searched, Ok(Ok(()))) {
                    enough.store(true, Ordering::Relaxed);
                }
                searched.map_err(ReplayError::Failed)??;
                Ok(())
            };
        let (search, enough) = (&search, &enough);
        let (sender, receiver) = channel();
        let mut gathered = MatchCollector::new(self.search.count);
        let ended: Vec<Result<(), ReplayError>> = std::thread::scope(|scope| {
            let begun = seats.iter().map(|seat| {
                let sender = sender.clone();
                scope.spawn(move || search(seat, &sender))
            });
            let workers: Vec<_> = begun.collect();
            // The channel ends with the last worker.
            drop(sender);
            for (block, matches) in receiver {
                if gathered.take(block, matches) {
                    enough.store(true, Ordering::Relaxed);
                }
            }
            let lost = |_| Err(ReplayError::Failed("a worker crashed".into()));
            let ended = workers.into_iter();
            ended
                .map(|thread| thread.join().unwrap_or_else(lost))
                .collect()
        });
        ended.into_iter().collect::<Result<(), ReplayError>>()?;
        Ok(gathered)
    }

    /// Draws a block, shows it to the network, and collects the matching trials.
    fn search_block(&self, block: BlockIndex, network: &Subject, seat: &Seat) -> Matches {
        let BlockTrials { first, trials } = self.plan.span(self.gamma, block);
        let seed = BlockSeed { block, ..self.seed };
        let drawn = stimulus::draw(seed, &self.source, self.gamma, first, trials, self.pool);
        let logits = network.logits(drawn.stimuli.clone(), &seat.device);
        let responses = Readout::new(network.rows(&logits), self.plan.weighting);
        // Trials with too little confidence are not counted.
        let is_counted = |trial: usize| {
            let weights = responses.weights.as_ref();
            weights.is_none_or(|weights| weights[trial] > 0)
        };
        let is_match = |&trial: &usize| {
            let (truth, called) = (drawn.truth[trial], responses.decisions[trial]);
            is_counted(trial) && self.search.matches(truth, called)
        };
        let found: Vec<usize> = (0..trials).filter(is_match).collect();
        let (area, points) = (self.pool.pixels(), self.source.points());
        let outputs: Vec<&[f32]> = network.rows(&logits).collect();
        let is_visible = self.gamma > Gamma::NOISE;
        let trial = |&place: &usize| ReplayedTrial {
            block,
            place,
            truth: is_visible.then_some(drawn.truth[place]),
            image: drawn.image.get(place).copied().filter(|_| is_visible),
            decision: responses.decisions[place],
            confidence: probability(outputs[place], responses.decisions[place]),
            stimulus: drawn.stimuli[place * area..(place + 1) * area].to_vec(),
            noise: stimulus::noise_values(
                &drawn.noise[place * points..(place + 1) * points],
                self.source.noise().grid(),
            ),
            outputs: outputs[place].to_vec(),
        };
        Matches {
            count: found.len() as u64,
            trials: found.iter().take(self.search.count).map(trial).collect(),
        }
    }
}

/// Collects the matches of the blocks in order.
pub struct MatchCollector {
    most: usize,
    /// Blocks that arrived before their turn.
    waiting: BTreeMap<BlockIndex, Matches>,
    /// Number of blocks collected, and so the next one.
    pub next: u64,
    /// The first matching trials.
    pub trials: Vec<ReplayedTrial>,
    /// How many match in the collected blocks.
    pub matching: u64,
}

impl MatchCollector {
    fn new(most: usize) -> Self {
        Self {
            most,
            next: 0,
            waiting: BTreeMap::new(),
            trials: Vec::new(),
            matching: 0,
        }
    }

    /// Takes a block; returns whether there are enough trials. Later blocks are then ignored, so that the result
    /// does not depend on which worker was faster.
    fn take(&mut self, block: BlockIndex, matches: Matches) -> bool {
        self.waiting.insert(block, matches);
        while self.trials.len() < self.most
            && let Some(matches) = self.waiting.remove(&BlockIndex(self.next))
        {
            let room = self.most - self.trials.len();
            self.trials.extend(matches.trials.into_iter().take(room));
            self.matching += matches.count;
            self.next += 1;
        }
        self.trials.len() >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;

    fn matches(block: BlockIndex, places: &[usize]) -> Matches {
        let trial = |&place: &usize| ReplayedTrial {
            block,
            place,
            truth: None,
            image: None,
            decision: ClassId(0),
            confidence: 1.0,
            stimulus: Vec::new(),
            noise: Vec::new(),
            outputs: Vec::new(),
        };
        Matches {
            count: places.len() as u64,
            trials: places.iter().map(trial).collect(),
        }
    }

    #[test]
    fn the_first_trials_are_returned_whichever_worker_is_faster() {
        let blocks: [&[usize]; 4] = [&[5], &[], &[0, 3], &[1]];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut gathered = MatchCollector::new(2);
            for at in order {
                let block = BlockIndex(at as u64);
                gathered.take(block, matches(block, blocks[at]));
            }
            let found: Vec<(u64, usize)> = gathered
                .trials
                .iter()
                .map(|trial| (trial.block.0, trial.place))
                .collect();
            assert_eq!(found, [(0, 5), (2, 0)], "{order:?}");
            assert_eq!((gathered.next, gathered.matching), (3, 3), "{order:?}");
        }
    }
}
