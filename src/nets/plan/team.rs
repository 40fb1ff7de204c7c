//! A team of worker threads that stay awake for a whole batch, and for a moment after it. A training step consists of about
//! thirty parts of a few dozen microseconds each; waking a sleeping thread for each part would take as long as the part
//! itself, and on a virtual machine waking one for each batch would take as long as the batch.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// Multiplications below which a part is not worth sharing among workers.
const MIN_SHARED_OPERATIONS: usize = 1 << 18;

/// Maximum workers besides the first: parts are too short for more.
const MAX_HELPERS: usize = 15;

/// Number of times a worker checks for work before it yields its core.
const SPINS_BEFORE_YIELD: usize = 4096;

/// Number of times a helper checks for work before it looks at the clock.
const SPINS_BEFORE_CLOCK: usize = 64;

/// How long a helper stays awake without work after a batch.
const STAYS_AWAKE: Duration = Duration::from_millis(2);

/// How long a helper stays at most before it lets other work of its thread pool have a turn between two batches.
const LONGEST_STAY: Duration = Duration::from_millis(100);

/// The function that runs one task of a part, shared by all workers.
type Tasks = *const (dyn Fn(usize) + Sync);

/// The helpers of a team.
#[derive(Default)]
struct Helpers {
    /// Helpers that are there or will come, each a job of the thread pool.
    present: usize,
    /// Whether a batch is being computed.
    is_working: bool,
}

/// A team, and its current part.
#[derive(Default)]
struct Team {
    helpers: Mutex<Helpers>,
    /// Number of parts so far.
    part: AtomicUsize,
    /// The function of this part, and its number of tasks.
    tasks: UnsafeCell<(Option<Tasks>, usize)>,
    /// The next task.
    next: AtomicUsize,
    /// Number of finished tasks.
    done: AtomicUsize,
    /// Whether tasks may be taken.
    open: AtomicBool,
    /// Number of workers that may be reading `tasks`.
    readers: AtomicUsize,
    /// Whether a task panicked.
    failed: AtomicBool,
}

// SAFETY: only the first worker writes `tasks`, while no other reads them; the functions there are `Sync`.
unsafe impl Send for Team {}
// SAFETY: as above.
unsafe impl Sync for Team {}

thread_local! {
    /// The team whose first worker this thread is. Its helpers may still be awake from the last batch.
    static TEAM: RefCell<Option<Arc<Team>>> = const { RefCell::new(None) };
    /// Whether a batch of this thread's team is being computed.
    static IS_WORKING: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread runs a task.
    static IS_IN_TASK: Cell<bool> = const { Cell::new(false) };
}

/// Ends a batch when dropped, even if its work panics.
struct BatchGuard<'a>(&'a Team);

impl Drop for BatchGuard<'_> {
    fn drop(&mut self) {
        IS_WORKING.set(false);
        self.0.helpers().is_working = false;
    }
}

/// Runs `work`; calls to [`run_tasks`] inside it are shared by the workers of the current thread pool.
pub fn with_team<T>(work: impl FnOnce() -> T) -> T {
    let helpers = rayon::current_num_threads().min(MAX_HELPERS + 1) - 1;
    if helpers == 0 || IS_WORKING.get() || IS_IN_TASK.get() {
        return work();
    }
    let team = TEAM.with_borrow_mut(|team| Arc::clone(team.get_or_insert_default()));
    let missing = {
        let mut present = team.helpers();
        present.is_working = true;
        let missing = helpers.saturating_sub(present.present);
        present.present += missing;
        missing
    };
    IS_WORKING.set(true);
    let _end = BatchGuard(&team);
    for _ in 0..missing {
        let team = Arc::clone(&team);
        rayon::spawn(move || team.help());
    }
    work()
}

/// Runs `run` for every task, in parallel if the total number of `operations` (multiplications) is worth it.
///
/// # Panics
/// If a task panics.
pub fn run_tasks(tasks: usize, operations: usize, run: impl Fn(usize) + Sync + Send) {
    // The workers are busy with the tasks of the part that this one belongs to.
    if tasks < 2 || operations < MIN_SHARED_OPERATIONS || IS_IN_TASK.get() {
        (0..tasks).for_each(run);
        return;
    }
    let team = TEAM.with_borrow(|team| team.clone().filter(|_| IS_WORKING.get()));
    match team {
        Some(team) => team.run(tasks, &run),
        None => (0..tasks).into_par_iter().for_each(run),
    }
}

impl Team {
    fn helpers(&self) -> MutexGuard<'_, Helpers> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a part. Called by the first worker.
    fn run(&self, tasks: usize, run: &(dyn Fn(usize) + Sync)) {
        let run: *const (dyn Fn(usize) + Sync + '_) = run;
        // SAFETY: this only erases the lifetime, and nobody uses the pointer after this function returns.
        let run = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Tasks>(run) };
        // SAFETY: nobody reads it while the part is not open.
        unsafe { *self.tasks.get() = (Some(run), tasks) };
        self.next.store(0, SeqCst);
        self.done.store(0, SeqCst);
        self.open.store(true, SeqCst);
        self.part.fetch_add(1, SeqCst);
        self.take();
        let mut waited = 0;
        while self.done.load(SeqCst) < tasks {
            wait(&mut waited);
        }
        self.open.store(false, SeqCst);
        while self.readers.load(SeqCst) > 0 {
            wait(&mut waited);
        }
        assert!(!self.failed.swap(false, SeqCst), "a training task panicked");
    }

    /// Helps with every part until there has been none for a while.
    fn help(&self) {
        let came = Instant::now();
        let (mut worked, mut last, mut waited) = (came, 0, 0);
        loop {
            let part = self.part.load(SeqCst);
            if part == last {
                wait(&mut waited);
                let is_long = waited.is_multiple_of(SPINS_BEFORE_CLOCK)
                    && (worked.elapsed() > STAYS_AWAKE || came.elapsed() > LONGEST_STAY);
                if is_long && self.leave() {
                    return;
                }
                continue;
            }
            (worked, last, waited) = (Instant::now(), part, 0);
            self.readers.fetch_add(1, SeqCst);
            if self.open.load(SeqCst) {
                self.take();
            }
            self.readers.fetch_sub(1, SeqCst);
        }
    }

    /// Lets a helper leave, unless a batch is being computed.
    fn leave(&self) -> bool {
        let mut helpers = self.helpers();
        helpers.present -= usize::from(!helpers.is_working);
        !helpers.is_working
    }

    /// Runs tasks until none are left.
    fn take(&self) {
        // SAFETY: the part is open, and stays open while any worker is counted in `readers`.
        let (run, tasks) = unsafe { *self.tasks.get() };
        let Some(run) = run else {
            return;
        };
        loop {
            let task = self.next.fetch_add(1, SeqCst);
            if task >= tasks {
                return;
            }
            let was_in_task = IS_IN_TASK.replace(true);
            // SAFETY: the part does not end before all its tasks are done.
            let ran = catch_unwind(AssertUnwindSafe(|| unsafe { (*run)(task) }));
            IS_IN_TASK.set(was_in_task);
            if ran.is_err() {
                self.failed.store(true, SeqCst);
            }
            self.done.fetch_add(1, SeqCst);
        }
    }
}

/// Spins, and yields the core once it has waited long enough.
fn wait(waited: &mut usize) {
    *waited += 1;
    match *waited < SPINS_BEFORE_YIELD {
        true => std::hint::spin_loop(),
        false => std::thread::yield_now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_run_once_in_every_part() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                with_team(|| {
                    for tasks in (0..300).chain([5000]) {
                        let counts: Vec<AtomicUsize> =
                            (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                        run_tasks(tasks, usize::MAX, |task| {
                            counts[task].fetch_add(1, SeqCst);
                        });
                        assert!(counts.iter().all(|runs| runs.load(SeqCst) == 1), "{tasks}");
                    }
                });
            });
        }
    }

    #[test]
    fn a_panicking_task_is_reported_and_ends_only_its_batch() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        pool.build().unwrap().install(|| {
            let failed = catch_unwind(|| {
                with_team(|| run_tasks(50, usize::MAX, |task| assert!(task != 30)));
            });
            let message = *failed.unwrap_err().downcast::<&str>().unwrap();
            assert!(message.contains("panicked"), "{message}");
            let runs = AtomicUsize::new(0);
            with_team(|| {
                run_tasks(50, usize::MAX, |_| {
                    runs.fetch_add(1, SeqCst);
                });
            });
            assert_eq!(runs.load(SeqCst), 50);
        });
    }

    #[test]
    fn tasks_of_a_task_are_run_by_its_worker() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        pool.build().unwrap().install(|| {
            with_team(|| {
                run_tasks(20, usize::MAX, |_| {
                    let worker = std::thread::current().id();
                    run_tasks(20, usize::MAX, |_| {
                        assert_eq!(std::thread::current().id(), worker);
                    });
                });
            });
        });
    }

    #[test]
    fn helpers_wait_for_the_next_batch_and_then_leave() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        pool.build().unwrap().install(|| {
            let present = || TEAM.with_borrow(|team| team.as_ref().unwrap().helpers().present);
            let batch = || with_team(|| run_tasks(50, usize::MAX, |_| {}));
            for _ in 0..100 {
                batch();
                // At most two ever: those of the last batch are counted.
                assert!(present() <= 2);
            }
            let began = Instant::now();
            while present() > 0 {
                assert!(began.elapsed() < Duration::from_secs(20), "helpers stay");
                std::thread::sleep(Duration::from_millis(1));
            }
            batch();
        });
    }
}
