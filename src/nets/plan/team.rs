//! A team of worker threads that stay awake for a whole batch. A training step consists of about thirty parts of a
//! few dozen microseconds each; waking a sleeping thread for each part would take as long as the part itself.

use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use rayon::prelude::*;

/// Multiplications below which a part is not worth sharing among workers.
const MIN_SHARED_OPERATIONS: usize = 1 << 18;

/// Maximum workers besides the first: parts are too short for more.
const MAX_HELPERS: usize = 15;

/// Number of times a worker checks for work before it yields its core.
const SPINS_BEFORE_YIELD: usize = 4096;

/// The function that runs one task of a part, shared by all workers.
type Tasks = *const (dyn Fn(usize) + Sync);

/// The current part, shared by all workers.
struct Shared {
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
    /// Whether there are no more parts.
    ended: AtomicBool,
}

// SAFETY: only the first worker writes `tasks`, while no other reads them.
unsafe impl Sync for Shared {}

thread_local! {
    static TEAM: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

/// Ends the team when dropped, even if its work panics.
struct TeamGuard<'a>(&'a Shared);

impl Drop for TeamGuard<'_> {
    fn drop(&mut self) {
        TEAM.set(std::ptr::null());
        self.0.ended.store(true, SeqCst);
    }
}

/// Runs `work`; calls to [`run_tasks`] inside it are shared by the workers of the current thread pool.
pub fn with_team<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let shared = Shared {
        part: AtomicUsize::new(0),
        tasks: UnsafeCell::new((None, 0)),
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        open: AtomicBool::new(false),
        readers: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        ended: AtomicBool::new(false),
    };
    rayon::scope(|scope| {
        let shared = &shared;
        for _ in 1..rayon::current_num_threads().min(MAX_HELPERS + 1) {
            scope.spawn(|_| shared.help());
        }
        let _end = TeamGuard(shared);
        TEAM.set(shared);
        work()
    })
}

/// Runs `run` for every task, in parallel if the total number of `operations` (multiplications) is worth it.
///
/// # Panics
/// If a task panics.
pub fn run_tasks(tasks: usize, operations: usize, run: impl Fn(usize) + Sync + Send) {
    if tasks < 2 || operations < MIN_SHARED_OPERATIONS {
        (0..tasks).for_each(run);
        return;
    }
    // SAFETY: a team outlives the work of its first worker, which is this thread.
    match unsafe { TEAM.get().as_ref() } {
        Some(shared) => {
            // A task that calls `run_tasks` itself does not use the team.
            let team = TEAM.replace(std::ptr::null());
            shared.run(tasks, &run);
            TEAM.set(team);
        }
        None => (0..tasks).into_par_iter().for_each(run),
    }
}

impl Shared {
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
        assert!(!self.failed.load(SeqCst), "a training task panicked");
    }

    /// Helps with every part until the team ends.
    fn help(&self) {
        let (mut last, mut waited) = (0, 0);
        while !self.ended.load(SeqCst) {
            let part = self.part.load(SeqCst);
            if part == last {
                wait(&mut waited);
                continue;
            }
            (last, waited) = (part, 0);
            self.readers.fetch_add(1, SeqCst);
            if self.open.load(SeqCst) {
                self.take();
            }
            self.readers.fetch_sub(1, SeqCst);
        }
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
            // SAFETY: the part does not end before all its tasks are done.
            let ran = catch_unwind(AssertUnwindSafe(|| unsafe { (*run)(task) }));
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
    #[should_panic(expected = "panicked")]
    fn a_panicking_task_is_reported() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        pool.build().unwrap().install(|| {
            with_team(|| run_tasks(50, usize::MAX, |task| assert!(task != 30)));
        });
    }
}
