//! Workers that stay awake for a batch. A step of training is some thirty parts of a few dozen microseconds: to
//! wake a sleeping thread for each takes as long as the part itself.

use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use rayon::prelude::*;

/// Multiplications that are worth another worker.
const WORTH: usize = 1 << 18;

/// Most workers beside the first: parts are too short for more.
const MOST: usize = 15;

/// Looks for work before a worker lets others have its core.
const PATIENCE: usize = 4096;

/// Tasks of a part, as all workers see them.
type Tasks = *const (dyn Fn(usize) + Sync);

/// The part in hand.
struct Shared {
    /// Counts the parts.
    part: AtomicUsize,
    tasks: UnsafeCell<(Option<Tasks>, usize)>,
    /// The next task, and how many are done.
    next: AtomicUsize,
    done: AtomicUsize,
    /// Whether tasks may be taken; workers that may be looking at them.
    open: AtomicBool,
    looking: AtomicUsize,
    /// Whether a task panicked; whether there are no more parts.
    failed: AtomicBool,
    over: AtomicBool,
}

// SAFETY: tasks are written by the first worker alone, while no other looks at them.
unsafe impl Sync for Shared {}

thread_local! {
    static TEAM: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

/// Ends the team however its work ends.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        TEAM.set(std::ptr::null());
        self.0.over.store(true, SeqCst);
    }
}

/// Runs `work`, whose [`each`] is done by the workers of the pool together.
pub fn together<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let shared = Shared {
        part: AtomicUsize::new(0),
        tasks: UnsafeCell::new((None, 0)),
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        open: AtomicBool::new(false),
        looking: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        over: AtomicBool::new(false),
    };
    rayon::scope(|scope| {
        let shared = &shared;
        for _ in 1..rayon::current_num_threads().min(MOST + 1) {
            scope.spawn(|_| shared.help());
        }
        let _end = End(shared);
        TEAM.set(shared);
        work()
    })
}

/// Runs tasks of so many multiplications in all, side by side where that is worth it.
///
/// # Panics
/// Where a task does.
pub fn each(tasks: usize, operations: usize, run: impl Fn(usize) + Sync + Send) {
    if tasks < 2 || operations < WORTH {
        (0..tasks).for_each(run);
        return;
    }
    // SAFETY: a team outlives the work of its first worker, which this is.
    match unsafe { TEAM.get().as_ref() } {
        Some(shared) => {
            // A task that has tasks of its own does them alone.
            let team = TEAM.replace(std::ptr::null());
            shared.run(tasks, &run);
            TEAM.set(team);
        }
        None => (0..tasks).into_par_iter().for_each(run),
    }
}

impl Shared {
    /// Runs a part, as the first worker.
    fn run(&self, tasks: usize, run: &(dyn Fn(usize) + Sync)) {
        let run: *const (dyn Fn(usize) + Sync + '_) = run;
        // SAFETY: only the lifetime is forgotten, and nobody looks at it after this function.
        let run = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Tasks>(run) };
        // SAFETY: nobody looks while it is not open.
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
        while self.looking.load(SeqCst) > 0 {
            wait(&mut waited);
        }
        assert!(!self.failed.load(SeqCst), "a part of training panicked");
    }

    /// Takes part in every part, until there are no more.
    fn help(&self) {
        let (mut seen, mut waited) = (0, 0);
        while !self.over.load(SeqCst) {
            let part = self.part.load(SeqCst);
            if part == seen {
                wait(&mut waited);
                continue;
            }
            (seen, waited) = (part, 0);
            self.looking.fetch_add(1, SeqCst);
            if self.open.load(SeqCst) {
                self.take();
            }
            self.looking.fetch_sub(1, SeqCst);
        }
    }

    /// Takes tasks as long as there are any.
    fn take(&self) {
        // SAFETY: it is open, and stays so as long as somebody looks.
        let (run, tasks) = unsafe { *self.tasks.get() };
        let Some(run) = run else {
            return;
        };
        loop {
            let task = self.next.fetch_add(1, SeqCst);
            if task >= tasks {
                return;
            }
            // SAFETY: the part is not over before all its tasks are done.
            let ran = catch_unwind(AssertUnwindSafe(|| unsafe { (*run)(task) }));
            if ran.is_err() {
                self.failed.store(true, SeqCst);
            }
            self.done.fetch_add(1, SeqCst);
        }
    }
}

fn wait(waited: &mut usize) {
    *waited += 1;
    match *waited < PATIENCE {
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
                together(|| {
                    for tasks in (0..300).chain([5000]) {
                        let counts: Vec<AtomicUsize> =
                            (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                        each(tasks, usize::MAX, |task| {
                            counts[task].fetch_add(1, SeqCst);
                        });
                        assert!(counts.iter().all(|it| it.load(SeqCst) == 1), "{tasks}");
                    }
                });
            });
        }
    }

    #[test]
    #[should_panic(expected = "panicked")]
    fn a_task_that_panics_is_heard_of() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        pool.build().unwrap().install(|| {
            together(|| each(50, usize::MAX, |task| assert!(task != 30)));
        });
    }
}
