//! Workers: each computes whole blocks on a core of its own.
//!
//! An operator of the backend would split its loops over all cores; a worker confines them to its
//! one thread, and parallelism comes from computing several blocks at once. That is faster, since
//! nothing waits at the end of every operator, and it cannot change a result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::analysis::{Analysis, AnalysisError, Job, Lab, Sums};

/// Blocks that wait for each worker: enough to keep it busy while a checkpoint is written.
const WAITING: usize = 8;

/// What came back from a worker.
#[derive(Debug)]
pub enum Answer {
    /// A block, computed.
    Done(Job, Sums),
    /// Nothing yet.
    NotYet,
    /// After [`Workers::recall`]: nothing is being computed any more.
    AllBack,
    /// A block could not be computed.
    Failed(Fault),
}

/// Why a block could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A worker died: what it said.
    #[error("a worker broke down: {0}")]
    Died(String),
    /// The experiment cannot go on.
    #[error(transparent)]
    CannotGoOn(#[from] AnalysisError),
}

/// The workers of one analysis. They end when this is dropped.
pub struct Workers {
    jobs: Option<SyncSender<Job>>,
    recalled: Arc<AtomicBool>,
    answers: Receiver<Result<(Job, Sums), Fault>>,
    pools: Vec<rayon::ThreadPool>,
}

/// A worker that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a worker thread: {0}")]
pub struct StartError(#[from] rayon::ThreadPoolBuildError);

impl Workers {
    /// Starts `count` workers on `analysis`, each with its own copy of the lab.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn start(
        count: usize,
        analysis: &Arc<dyn Analysis>,
        lab: &Lab,
    ) -> Result<Self, StartError> {
        let (jobs, queue) = sync_channel::<Job>(WAITING * count);
        let queue = Arc::new(Mutex::new(queue));
        let (answer, answers) = channel();
        let recalled = Arc::new(AtomicBool::new(false));
        let mut pools = Vec::with_capacity(count);
        for index in 0..count {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(move |_| format!("worker {index}"))
                .build()?;
            let (analysis, lab) = (Arc::clone(analysis), lab.clone());
            let (queue, answer) = (Arc::clone(&queue), answer.clone());
            let recalled = Arc::clone(&recalled);
            pool.spawn(move || {
                loop {
                    // One worker at a time waits here; the others compute.
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    if recalled.load(Ordering::Relaxed) {
                        continue;
                    }
                    let sums = catch_unwind(AssertUnwindSafe(|| analysis.step(&lab, job)))
                        .map_err(|panic| Fault::Died(words(panic.as_ref())))
                        .and_then(|sums| sums.map_err(Fault::CannotGoOn));
                    let died = sums.is_err();
                    if answer.send(sums.map(|sums| (job, sums))).is_err() || died {
                        return;
                    }
                }
            });
            pools.push(pool);
        }
        Ok(Self {
            jobs: Some(jobs),
            recalled,
            answers,
            pools,
        })
    }

    /// Hands out a block; `false` where enough of them wait already.
    pub fn offer(&self, job: Job) -> bool {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    /// Lets the workers finish the blocks that they are at, and no more.
    pub fn recall(&mut self) {
        self.recalled.store(true, Ordering::Relaxed);
        self.jobs = None;
    }

    /// The next computed block, waiting at most `patience`.
    pub fn answer(&self, patience: Duration) -> Answer {
        match self.answers.recv_timeout(patience) {
            Ok(Ok((job, sums))) => Answer::Done(job, sums),
            Ok(Err(fault)) => Answer::Failed(fault),
            Err(RecvTimeoutError::Timeout) => Answer::NotYet,
            Err(RecvTimeoutError::Disconnected) if self.jobs.is_none() => Answer::AllBack,
            Err(RecvTimeoutError::Disconnected) => {
                Answer::Failed(Fault::Died("every worker has ended".into()))
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Without a sender the queue ends, and with it each worker, after its current block.
        self.jobs = None;
        self.pools.clear();
    }
}

/// What a panic said.
pub fn words(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a word".into())
}
