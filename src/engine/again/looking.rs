//! Blocks of trials drawn again, shown to a network, and gathered in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::{AgainError, Search, Trial};
use crate::analysis::classification_images::Said;
use crate::engine::device::seat::Seat;
use crate::engine::fault::guarded;
use crate::nets::Subject;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::softmax::log_softmax;
use crate::session::config::{self, Span};
use crate::stimulus::{self, BlockSeed, Pool, Source};

/// What is looked through: the trials at one γ.
pub struct Looking<'a> {
    /// The seed of its first block.
    pub seed: BlockSeed,
    /// Its noise.
    pub source: Source,
    /// The signal strength.
    pub gamma: f64,
    /// The plan of its trials.
    pub plan: &'a config::ClassificationImages,
    /// The images that are blended with the noise.
    pub pool: &'a Pool,
    /// What is looked for.
    pub search: &'a Search,
}

/// What was found in a block: how many, and the first of them.
struct Matches {
    count: u64,
    trials: Vec<Trial>,
}

impl Looking<'_> {
    /// Looks through the first `blocks` blocks at these seats, in their order, until there are enough trials.
    ///
    /// # Errors
    /// Where the network cannot be brought to a device, or one fails.
    pub fn through(
        &self,
        graph: &Graph,
        seats: &[Seat],
        blocks: u64,
    ) -> Result<Gathered, AgainError> {
        let (next, enough) = (AtomicU64::new(0), AtomicBool::new(false));
        let look = |seat: &Seat, tell: &Sender<(u64, Matches)>| -> Result<(), AgainError> {
            let looked = guarded(|| {
                seat.prepare_thread();
                let network = Subject::new(graph.clone(), &seat.device)?;
                while !enough.load(Ordering::Relaxed) {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    if block >= blocks {
                        break;
                    }
                    // Whoever gathers them hears of every block.
                    let _ = tell.send((block, self.block(block, &network, seat)));
                }
                Ok::<(), GraphError>(())
            });
            // The others need not go on.
            if !matches!(looked, Ok(Ok(()))) {
                enough.store(true, Ordering::Relaxed);
            }
            looked.map_err(AgainError::Failed)??;
            Ok(())
        };
        let (look, enough) = (&look, &enough);
        let (tell, told) = channel();
        let mut gathered = Gathered::new(self.search.count);
        let ended: Vec<Result<(), AgainError>> = std::thread::scope(|scope| {
            let begun = seats.iter().map(|seat| {
                let tell = tell.clone();
                scope.spawn(move || look(seat, &tell))
            });
            let workers: Vec<_> = begun.collect();
            // The channel ends with the last worker.
            drop(tell);
            for (block, matches) in told {
                if gathered.take(block, matches) {
                    enough.store(true, Ordering::Relaxed);
                }
            }
            let lost = |_| Err(AgainError::Failed("a worker broke down".into()));
            let ended = workers.into_iter();
            ended.map(|it| it.join().unwrap_or_else(lost)).collect()
        });
        ended.into_iter().collect::<Result<(), AgainError>>()?;
        Ok(gathered)
    }

    /// Draws a block, and asks the network of it.
    fn block(&self, block: u64, network: &Subject, seat: &Seat) -> Matches {
        let Span { first, trials } = self.plan.span(self.gamma, block);
        let seed = BlockSeed { block, ..self.seed };
        let own = stimulus::draw(seed, &self.source, self.gamma, first, trials, self.pool);
        let logits = network.logits(own.stimuli.clone(), &seat.device);
        let said = Said::new(network.rows(&logits), self.plan.weighting);
        // Trials of too little confidence are in no count.
        let is_counted = |at: usize| said.weights.as_ref().is_none_or(|weights| weights[at] > 0);
        let is_met = |&at: &usize| {
            is_counted(at) && self.search.is_met_by(own.truth[at], said.decisions[at])
        };
        let met: Vec<usize> = (0..trials).filter(is_met).collect();
        let (area, points) = (self.pool.pixels(), self.source.points());
        let outputs: Vec<&[f32]> = network.rows(&logits).collect();
        let is_seen = self.gamma > 0.0;
        let made = |&at: &usize| Trial {
            block,
            place: at,
            truth: is_seen.then_some(own.truth[at]),
            image: own.image.get(at).copied().filter(|_| is_seen),
            called: said.decisions[at],
            confidence: log_softmax(outputs[at])[said.decisions[at]].exp(),
            stimulus: own.stimuli[at * area..(at + 1) * area].to_vec(),
            noise: stimulus::values(
                &own.noise[at * points..(at + 1) * points],
                self.source.noise().grid(),
            ),
            outputs: outputs[at].to_vec(),
        };
        Matches {
            count: met.len() as u64,
            trials: met.iter().take(self.search.count).map(made).collect(),
        }
    }
}

/// What the blocks have, put in their order.
pub struct Gathered {
    most: usize,
    /// Blocks that came before their turn.
    waiting: BTreeMap<u64, Matches>,
    /// Blocks that were looked through; the first that is still missing.
    pub next: u64,
    /// The first trials that were looked for.
    pub trials: Vec<Trial>,
    /// How many there are in the blocks that were looked through.
    pub matching: u64,
}

impl Gathered {
    fn new(most: usize) -> Self {
        Self {
            most,
            next: 0,
            waiting: BTreeMap::new(),
            trials: Vec::new(),
            matching: 0,
        }
    }

    /// Takes a block; gives whether there are enough trials. Blocks after those are left alone, so that what is found
    /// does not depend on who was faster.
    fn take(&mut self, block: u64, matches: Matches) -> bool {
        self.waiting.insert(block, matches);
        while self.trials.len() < self.most
            && let Some(own) = self.waiting.remove(&self.next)
        {
            let room = self.most - self.trials.len();
            self.trials.extend(own.trials.into_iter().take(room));
            self.matching += own.count;
            self.next += 1;
        }
        self.trials.len() >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(block: u64, places: &[usize]) -> Matches {
        let trial = |&place: &usize| Trial {
            block,
            place,
            truth: None,
            image: None,
            called: 0,
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
    fn the_first_trials_are_given_whoever_was_faster() {
        let blocks: [&[usize]; 4] = [&[5], &[], &[0, 3], &[1]];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut gathered = Gathered::new(2);
            for at in order {
                gathered.take(at as u64, matches(at as u64, blocks[at]));
            }
            let found: Vec<(u64, usize)> = gathered
                .trials
                .iter()
                .map(|trial| (trial.block, trial.place))
                .collect();
            assert_eq!(found, [(0, 5), (2, 0)], "{order:?}");
            assert_eq!((gathered.next, gathered.matching), (3, 3), "{order:?}");
        }
    }
}
