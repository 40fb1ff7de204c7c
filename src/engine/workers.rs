//! Workers: threads that each compute whole blocks on their own seat.
//!
//! On a processor, the backend's operators would split their loops over all cores; a worker confines
//! them to its one thread, and parallelism comes from computing several blocks at once. That is
//! faster, since no operator ends with a barrier, and it cannot change a result. A GPU has one
//! worker, which feeds it with launches (`feeding`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::answer::{WorkerAnswer, WorkerMessage};
use super::device::seat::Seat;
use super::fault::{ComputeFault, catch_panic};
use super::feeding::Feeder;
use crate::analysis::{DynExperiment, Job, Lab};
use crate::ids::BlockIndex;
use crate::nets::launch;

/// Blocks queued per worker: enough to keep it busy while a checkpoint is written.
const WAITING: usize = 8;

/// Jobs queued for a worker that feeds a device: each takes a second.
const FED: usize = 2;

/// The workers of one analysis, which end when this is dropped.
pub struct Workers {
    jobs: Option<SyncSender<Job>>,
    recalled: Arc<AtomicBool>,
    gate: Arc<Gate>,
    answers: Receiver<WorkerMessage>,
    pools: Vec<rayon::ThreadPool>,
    threads: Vec<JoinHandle<()>>,
}

/// A worker thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a worker thread: {0}")]
pub struct StartError(#[from] rayon::ThreadPoolBuildError);

impl Workers {
    /// Starts a worker for `analysis` on each of the `seats`, with its own copy of the lab.
    ///
    /// # Errors
    /// If the system cannot start more threads.
    pub fn start(
        seats: &[Seat],
        analysis: &Arc<dyn DynExperiment>,
        lab: &Lab,
    ) -> Result<Self, StartError> {
        let parts = 0..analysis.sequences().len();
        let together = parts
            .map(|sequence| analysis.batchable_parts(sequence))
            .max()
            .unwrap_or(1);
        let waiting = |seat: &Seat| match seat.is_fed() {
            true => FED,
            false => WAITING.max(2 * together),
        };
        let (jobs, queue) = sync_channel::<Job>(seats.iter().map(waiting).sum());
        let queue = Arc::new(Mutex::new(Queue {
            jobs: queue,
            next: None,
        }));
        let (answer, answers) = channel();
        let recalled = Arc::new(AtomicBool::new(false));
        let gate = Arc::new(Gate::default());
        let mut pools = Vec::with_capacity(seats.len());
        let mut threads = Vec::with_capacity(seats.len());
        for (index, seat) in seats.iter().enumerate() {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(seat.threads)
                .spawn_handler(|thread| {
                    let builder = std::thread::Builder::new().name(format!("worker {index}"));
                    threads.push(builder.spawn(|| thread.run())?);
                    Ok(())
                })
                .build()?;
            let worker = Worker {
                analysis: Arc::clone(analysis),
                queue: Arc::clone(&queue),
                answer: answer.clone(),
                recalled: Arc::clone(&recalled),
                gate: Arc::clone(&gate),
                seat: seat.clone(),
            };
            let lab = lab.clone();
            pool.spawn(move || worker.work(lab));
            pools.push(pool);
        }
        Ok(Self {
            jobs: Some(jobs),
            recalled,
            gate,
            answers,
            pools,
            threads,
        })
    }

    /// Queues a job; `false` if the queue is full.
    pub fn offer(&self, job: Job) -> bool {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    /// Queues the blocks of a sequence from `next` up to `end`, `each` per job, until the queue is full; returns the first
    /// block not queued.
    pub fn offer_blocks(
        &self,
        sequence: usize,
        mut next: BlockIndex,
        end: BlockIndex,
        each: u64,
    ) -> BlockIndex {
        while next < end {
            let job = Job {
                sequence,
                block: next,
                blocks: each.min(end - next),
            };
            if !self.offer(job) {
                break;
            }
            next = job.end();
        }
        next
    }

    /// Lets the workers finish their current blocks and begin no more until this is called with `false`.
    pub fn hold(&self, held: bool) {
        self.gate.close(held);
    }

    /// Lets the workers finish their current blocks and take no more.
    pub fn recall(&mut self) {
        self.recalled.store(true, Ordering::Relaxed);
        self.jobs = None;
        self.gate.close(false);
    }

    /// The next message from a worker, waiting at most `patience`.
    pub fn poll(&self, patience: Duration) -> WorkerAnswer {
        match self.answers.recv_timeout(patience) {
            Ok(WorkerMessage::Done(job, sums, took)) => WorkerAnswer::Done(job, sums, took),
            Ok(WorkerMessage::Note(text)) => WorkerAnswer::Note(text),
            Ok(WorkerMessage::FewerBlocks { device, blocks }) => {
                WorkerAnswer::FewerBlocks { device, blocks }
            }
            Ok(WorkerMessage::Failed(fault)) => WorkerAnswer::Failed(fault),
            Err(RecvTimeoutError::Timeout) => WorkerAnswer::NotYet,
            Err(RecvTimeoutError::Disconnected) if self.jobs.is_none() => WorkerAnswer::Idle,
            Err(RecvTimeoutError::Disconnected) => {
                WorkerAnswer::Failed(ComputeFault::Crashed("all workers have ended".into()))
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Without a sender the queue ends, and with it each worker after its current block. Wait
        // for them: no thread may be inside libtorch when the process exits.
        self.recall();
        self.pools.clear();
        for thread in self.threads.drain(..) {
            // A panic has already been reported as a fault.
            let _ = thread.join();
        }
    }
}

/// Where workers wait before a block while they are held.
#[derive(Debug, Default)]
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn close(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.changed.notify_all();
    }

    /// Waits until it is open.
    fn pass(&self) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.changed.wait_while(closed, |closed| *closed);
        drop(open.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The queued jobs, and one that a worker took and left for the next one.
struct Queue {
    jobs: Receiver<Job>,
    next: Option<Job>,
}

struct Worker {
    analysis: Arc<dyn DynExperiment>,
    queue: Arc<Mutex<Queue>>,
    answer: Sender<WorkerMessage>,
    recalled: Arc<AtomicBool>,
    gate: Arc<Gate>,
    seat: Seat,
}

impl Worker {
    fn work(self, lab: Lab) {
        self.seat.prepare_thread();
        let mut lab = match catch_panic(|| lab.on_device(&self.seat.device)) {
            Ok(lab) => lab,
            Err(message) => {
                let _ = self
                    .answer
                    .send(WorkerMessage::Failed(ComputeFault::from_panic(
                        &self.seat.name,
                        &message,
                    )));
                return;
            }
        };
        if self.seat.is_fed() {
            let (drawing, why) = self.seat.noise_backend();
            lab.resident = lab.resident.with_noise_backend(drawing);
            if let Some(why) = why {
                let _ = self.answer.send(WorkerMessage::Note(why));
            }
            let feeding = Feeder {
                analysis: &*self.analysis,
                lab: &lab,
                seat: &self.seat,
                answer: &self.answer,
                recalled: &self.recalled,
            };
            feeding.work(|| self.take_one());
            return;
        }
        while let Some(jobs) = self.take() {
            if self.recalled.load(Ordering::Relaxed) {
                continue;
            }
            if !self.compute(&jobs, &lab) {
                return;
            }
        }
    }

    /// Waits for a job; `None` when there will be no more.
    fn take_one(&self) -> Option<Job> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let job = queue.jobs.recv().ok()?;
        self.gate.pass();
        Some(job)
    }

    /// Waits for a block, and takes queued ones that the analysis computes together with it; `None` when there
    /// will be no more.
    fn take(&self) -> Option<Vec<Job>> {
        // One worker at a time waits here; the others compute.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match queue.next.take() {
            Some(job) => job,
            None => queue.jobs.recv().ok()?,
        };
        self.gate.pass();
        let together = match launch::is_by_plan() {
            true => self.analysis.batchable_parts(first.sequence),
            false => 1,
        };
        let mut jobs = vec![first];
        while jobs.len() < together {
            let Ok(job) = queue.jobs.try_recv() else {
                break;
            };
            if job.block != first.block || job.sequence != first.sequence + jobs.len() {
                queue.next = Some(job);
                break;
            }
            jobs.push(job);
        }
        Some(jobs)
    }

    /// Computes blocks and sends their sums; `false` if the worker should end.
    fn compute(&self, jobs: &[Job], lab: &Lab) -> bool {
        let began = Instant::now();
        let computed = catch_panic(|| match jobs {
            [job] => Ok(vec![self.analysis.step(lab, *job)?]),
            _ => self.analysis.steps(lab, jobs),
        });
        let sums = match computed {
            Ok(Ok(sums)) => sums,
            Ok(Err(error)) => {
                let _ = self
                    .answer
                    .send(WorkerMessage::Failed(ComputeFault::Analysis(error)));
                return false;
            }
            Err(message) => {
                let fault = ComputeFault::from_panic(&self.seat.name, &message);
                let _ = self.answer.send(WorkerMessage::Failed(fault));
                return false;
            }
        };
        let took = began.elapsed();
        let all = jobs.iter().zip(sums);
        all.into_iter().all(|(&job, sums)| {
            self.answer
                .send(WorkerMessage::Done(job, sums, took))
                .is_ok()
        })
    }
}

#[cfg(test)]
mod tests;
