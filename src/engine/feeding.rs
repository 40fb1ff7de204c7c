//! Feeding a device with launches: the work of a GPU's worker.
//!
//! A launch is a fixed number of blocks computed at once, so that the device is busy and its libraries choose the
//! same algorithms every time. If the experiment sums on the device, launches follow one another without
//! waiting, and their sums are read at the end of the job. Other experiments compute the blocks of a launch side
//! by side, and their calls of the network are gathered into one ([`crate::nets::coalesce`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::answer::WorkerMessage;
use super::device::diagnosis::{self, FailureKind};
use super::device::seat::Seat;
use super::fault::{ComputeFault, catch_panic};
use crate::analysis::{AnalysisError, BlockOrder, DynExperiment, Job, Lab, Sums};
use crate::ids::BlockIndex;
use crate::nets::coalesce;

/// Fewest blocks in a launch whose sums stay on the device: one for each half of the trials.
const MIN_BLOCKS: usize = 2;

/// Half as many blocks, rounded down to an even number unless it is one.
fn halved(blocks: usize) -> usize {
    match blocks / 2 {
        0 | 1 => 1,
        half => half / 2 * 2,
    }
}

/// Feeds a device with the blocks of one analysis.
pub(super) struct Feeder<'a> {
    pub analysis: &'a dyn DynExperiment,
    pub lab: &'a Lab,
    pub seat: &'a Seat,
    pub answer: &'a Sender<WorkerMessage>,
    pub recalled: &'a AtomicBool,
}

/// How the blocks of a job ended.
enum Outcome {
    /// Computed and sent, or abandoned after a recall.
    Done,
    /// The device lacks the memory for a launch: its message, and the rest of the job.
    OutOfMemory(String, Job),
    /// The worker must end.
    Ended,
}

impl Feeder<'_> {
    /// Computes jobs until there are none.
    pub fn work(&self, take: impl Fn() -> Option<Job>) {
        // A chained block changes the input of the next one, so it is computed alone and only once.
        let parts = self.analysis.sequences();
        let chained = |job: &Job| parts[job.sequence].order == BlockOrder::Sequential;
        let mut blocks = self.seat.blocks;
        while let Some(job) = take() {
            if self.recalled.load(Ordering::Relaxed) {
                continue;
            }
            if chained(&job) {
                match self.alone(job, blocks) {
                    Outcome::Done => continue,
                    Outcome::OutOfMemory(..) | Outcome::Ended => return,
                }
            }
            let mut left = job;
            loop {
                match self.compute(left, blocks) {
                    Outcome::Done => break,
                    Outcome::Ended => return,
                    // The same trials, fewer of them at a time.
                    Outcome::OutOfMemory(_, rest) if blocks > 1 => {
                        (blocks, left) = (halved(blocks), rest);
                        let device = self.seat.name.clone();
                        let _ = self
                            .answer
                            .send(WorkerMessage::FewerBlocks { device, blocks });
                    }
                    Outcome::OutOfMemory(message, _) => {
                        self.fail(ComputeFault::from_panic(&self.seat.name, &message));
                        return;
                    }
                }
            }
        }
    }

    fn fail(&self, fault: ComputeFault) {
        let _ = self.answer.send(WorkerMessage::Failed(fault));
    }

    /// The outcome of a failed computation, given its message and the rest of its job, `left`.
    fn failed(&self, message: String, left: Job) -> Outcome {
        if diagnosis::failure_kind(&message) == FailureKind::Memory {
            return Outcome::OutOfMemory(message, left);
        }
        self.fail(ComputeFault::from_panic(&self.seat.name, &message));
        Outcome::Ended
    }

    /// Computes a block by itself.
    fn alone(&self, job: Job, blocks: usize) -> Outcome {
        let began = Instant::now();
        let step = || coalesce::run_alone(blocks, || self.analysis.step(self.lab, job));
        match catch_panic(step) {
            Ok(Ok(sums)) => self.send(job, sums, began),
            Ok(Err(error)) => {
                self.fail(ComputeFault::Analysis(error));
                Outcome::Ended
            }
            Err(message) => {
                self.fail(ComputeFault::from_panic(&self.seat.name, &message));
                Outcome::Ended
            }
        }
    }

    fn send(&self, job: Job, sums: Sums, began: Instant) -> Outcome {
        match self
            .answer
            .send(WorkerMessage::Done(job, sums, began.elapsed()))
        {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Ended,
        }
    }

    /// The blocks of a job in launches of `blocks`: each ends at the next multiple of it.
    fn launches(job: Job, blocks: usize) -> impl Iterator<Item = Job> {
        let (each, end) = (blocks as u64, job.end());
        let mut next = job.block;
        std::iter::from_fn(move || {
            let block = next;
            next = BlockIndex((block.0 / each + 1) * each).min(end);
            (block < end).then_some(Job {
                block,
                blocks: next - block,
                ..job
            })
        })
    }

    /// Computes the blocks of a job in launches of `blocks`.
    fn compute(&self, job: Job, blocks: usize) -> Outcome {
        let summed = blocks >= MIN_BLOCKS;
        let created = catch_panic(|| {
            let launches = summed.then(|| self.analysis.launches(self.lab, job.sequence, blocks));
            launches.flatten()
        });
        let mut launches = match created {
            Ok(Some(launches)) => launches,
            Ok(None) => return self.gathered(job, blocks),
            Err(message) => return self.failed(message, job),
        };
        let began = Instant::now();
        let mut done = job.block;
        for launch in Self::launches(job, blocks) {
            // After a recall, the rest is not needed.
            if self.recalled.load(Ordering::Relaxed) && done > job.block {
                break;
            }
            if let Err(message) = catch_panic(|| launches.launch(launch)) {
                return self.failed(message, job);
            }
            done = launch.end();
        }
        match catch_panic(|| launches.read()) {
            Ok(Some(sums)) => {
                let blocks = done - job.block;
                self.send(Job { blocks, ..job }, sums, began)
            }
            Ok(None) => self.gathered(job, blocks),
            Err(message) => self.failed(message, job),
        }
    }

    /// Computes the blocks of a job in launches whose calls of the network are gathered.
    fn gathered(&self, job: Job, blocks: usize) -> Outcome {
        let mut left = job;
        for launch in Self::launches(job, blocks) {
            if self.recalled.load(Ordering::Relaxed) {
                break;
            }
            let began = Instant::now();
            let each: Vec<Job> = launch.split().collect();
            let prepare = || self.seat.prepare_thread();
            let step = |&job: &Job| self.analysis.step(self.lab, job);
            let computed: Result<Vec<Result<Sums, AnalysisError>>, String> =
                coalesce::run_blocks(&each, blocks, &prepare, &step);
            let computed = match computed {
                Ok(computed) => computed,
                Err(message) => return self.failed(message, left),
            };
            for (&block, sums) in each.iter().zip(computed) {
                match sums {
                    Ok(sums) => {
                        if let Outcome::Ended = self.send(block, sums, began) {
                            return Outcome::Ended;
                        }
                    }
                    Err(error) => {
                        self.fail(ComputeFault::Analysis(error));
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
