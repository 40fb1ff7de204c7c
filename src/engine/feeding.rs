//! Feeding a device with launches: what the worker of a GPU does.
//!
//! A launch is several blocks at once, always as many, so that the device is busy and its libraries choose the
//! same algorithms every time. Where the experiment sums on the device, launches follow one another without
//! waiting, and what they measured is read at the end of the job. All others compute the blocks of a launch side
//! by side, and what they ask the network is gathered to one launch ([`crate::nets::gather`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::answer::Word;
use super::device::seat::Seat;
use super::device::trouble::{self, Trouble};
use super::fault::{Fault, guarded};
use crate::analysis::{Analysis, AnalysisError, Job, Lab, Order, Sums};
use crate::nets::gather;

/// Least blocks of a launch whose sums stay on the device: one of each half of the trials.
const LEAST: usize = 2;

/// Half as many blocks, an even number of them where they are more than one.
fn halved(blocks: usize) -> usize {
    match blocks / 2 {
        0 | 1 => 1,
        half => half / 2 * 2,
    }
}

/// A device that is fed with the blocks of one analysis.
pub(super) struct Feeding<'a> {
    pub analysis: &'a dyn Analysis,
    pub lab: &'a Lab,
    pub seat: &'a Seat,
    pub answer: &'a Sender<Word>,
    pub recalled: &'a AtomicBool,
}

/// How the blocks of a job came out.
enum Outcome {
    /// Computed and told, or given up since nobody wants them any more.
    Done,
    /// The device has not the memory for a launch: its words, and what is not told yet.
    NoRoom(String, Job),
    /// The worker must end.
    Ended,
}

impl Feeding<'_> {
    /// Computes jobs until there are none.
    pub fn work(&self, take: impl Fn() -> Option<Job>) {
        // A chained block changes what the next one needs, so that it is computed once and alone.
        let parts = self.analysis.parts();
        let chained = |job: &Job| parts[job.part].order == Order::Chained;
        let mut blocks = self.seat.blocks;
        while let Some(job) = take() {
            if self.recalled.load(Ordering::Relaxed) {
                continue;
            }
            if chained(&job) {
                match self.alone(job) {
                    Outcome::Done => continue,
                    Outcome::NoRoom(..) | Outcome::Ended => return,
                }
            }
            let mut left = job;
            loop {
                match self.compute(left, blocks) {
                    Outcome::Done => break,
                    Outcome::Ended => return,
                    // The same trials, fewer of them at a time.
                    Outcome::NoRoom(_, rest) if blocks > 1 => {
                        (blocks, left) = (halved(blocks), rest);
                        let device = self.seat.name.clone();
                        let _ = self.answer.send(Word::Fewer { device, blocks });
                    }
                    Outcome::NoRoom(said, _) => {
                        self.fail(Fault::of(&self.seat.name, &said));
                        return;
                    }
                }
            }
        }
    }

    fn fail(&self, fault: Fault) {
        let _ = self.answer.send(Word::Failed(fault));
    }

    /// What became of a computation that did not succeed, with what is `left` of its job.
    fn trouble(&self, said: String, left: Job) -> Outcome {
        if trouble::judge(&said) == Trouble::Memory {
            return Outcome::NoRoom(said, left);
        }
        self.fail(Fault::of(&self.seat.name, &said));
        Outcome::Ended
    }

    fn alone(&self, job: Job) -> Outcome {
        let began = Instant::now();
        match guarded(|| self.analysis.step(self.lab, job)) {
            Ok(Ok(sums)) => self.tell(job, sums, began),
            Ok(Err(error)) => {
                self.fail(Fault::CannotGoOn(error));
                Outcome::Ended
            }
            Err(said) => {
                self.fail(Fault::of(&self.seat.name, &said));
                Outcome::Ended
            }
        }
    }

    fn tell(&self, job: Job, sums: Sums, began: Instant) -> Outcome {
        match self.answer.send(Word::Done(job, sums, began.elapsed())) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Ended,
        }
    }

    /// The blocks of a job in launches of `blocks`: each up to the next multiple of it.
    fn launches(job: Job, blocks: usize) -> impl Iterator<Item = Job> {
        let (each, end) = (blocks as u64, job.end());
        let mut next = job.block;
        std::iter::from_fn(move || {
            let block = next;
            next = ((block / each + 1) * each).min(end);
            (block < end).then_some(Job {
                block,
                blocks: next - block,
                ..job
            })
        })
    }

    fn compute(&self, job: Job, blocks: usize) -> Outcome {
        let summed = blocks >= LEAST;
        let made = guarded(|| {
            let own = summed.then(|| self.analysis.launches(self.lab, job.part, blocks));
            own.flatten()
        });
        let mut own = match made {
            Ok(Some(own)) => own,
            Ok(None) => return self.gathered(job, blocks),
            Err(said) => return self.trouble(said, job),
        };
        let began = Instant::now();
        let mut done = job.block;
        for launch in Self::launches(job, blocks) {
            // Nobody waits for the rest.
            if self.recalled.load(Ordering::Relaxed) && done > job.block {
                break;
            }
            if let Err(said) = guarded(|| own.launch(launch)) {
                return self.trouble(said, job);
            }
            done = launch.end();
        }
        match guarded(|| own.read()) {
            Ok(Some(sums)) => {
                let blocks = done - job.block;
                self.tell(Job { blocks, ..job }, sums, began)
            }
            Ok(None) => self.gathered(job, blocks),
            Err(said) => self.trouble(said, job),
        }
    }

    /// Blocks whose calls of the network are gathered.
    fn gathered(&self, job: Job, blocks: usize) -> Outcome {
        let mut left = job;
        for launch in Self::launches(job, blocks) {
            if self.recalled.load(Ordering::Relaxed) {
                break;
            }
            let began = Instant::now();
            let each: Vec<Job> = launch.each().collect();
            let prepare = || self.seat.prepare_thread();
            let step = |&job: &Job| self.analysis.step(self.lab, job);
            let computed: Result<Vec<Result<Sums, AnalysisError>>, String> =
                gather::side_by_side(&each, blocks, &prepare, &step);
            let computed = match computed {
                Ok(computed) => computed,
                Err(said) => return self.trouble(said, left),
            };
            for (&own, sums) in each.iter().zip(computed) {
                match sums {
                    Ok(sums) => {
                        if let Outcome::Ended = self.tell(own, sums, began) {
                            return Outcome::Ended;
                        }
                    }
                    Err(error) => {
                        self.fail(Fault::CannotGoOn(error));
                        return Outcome::Ended;
                    }
                }
            }
            left = Job {
                block: launch.end(),
                blocks: job.end() - launch.end(),
                ..job
            };
        }
        Outcome::Done
    }
}
