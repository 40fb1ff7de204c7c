//! Merges the network calls of blocks that run side by side into one launch.
//!
//! A device is fast on many images at a time, but an experiment computes its blocks one by one. So each block of
//! a launch runs on its own thread. When such a thread calls the network, it waits until every other thread has
//! called too or has ended; then one thread runs the merged call, and each continues with its share of the
//! outputs. Experiments need not know about this.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::launch::panic_message;
use crate::ids::SiteId;

/// What a call computes with which network; calls with equal keys can be merged.
#[derive(Debug, Clone, PartialEq)]
pub struct CallKey {
    /// The network's address in memory, which identifies it.
    pub network: usize,
    /// The offsets it is pushed by, by site.
    pub pushes: Vec<(String, Vec<f32>)>,
    /// The sites whose values are wanted; none for the logits.
    pub sites: Vec<SiteId>,
}

/// The outputs of a call: one array for each requested value, row-major by image.
pub type CallOutputs = Vec<Vec<f32>>;

/// Runs a call on `pixels`, row-major \[N,P\].
type Run = Box<dyn FnOnce(Vec<f32>) -> CallOutputs + Send>;

/// A waiting call.
struct Call {
    question: CallKey,
    /// \[N,P\]
    pixels: Vec<f32>,
    /// P.
    area: usize,
    run: Run,
}

#[derive(Default)]
struct State {
    /// Threads that have not ended.
    running: usize,
    /// The waiting threads' calls, by thread number.
    calls: BTreeMap<usize, Call>,
    answers: BTreeMap<usize, Result<CallOutputs, String>>,
}

/// The threads of one launch.
struct CallGroup {
    state: Mutex<State>,
    changed: Condvar,
    /// Blocks of a full launch, up to which images are padded.
    blocks: usize,
}

thread_local! {
    static CURRENT: RefCell<Option<(Arc<CallGroup>, usize)>> = const { RefCell::new(None) };
    static BLOCKS: Cell<usize> = const { Cell::new(1) };
}

/// Runs a call on `pixels`, row-major \[N,P\] with P = `area`: merged with those of the other threads if this thread
/// belongs to a launch, else at once.
///
/// # Panics
/// With the backend's message if it fails.
pub fn run_call(
    question: CallKey,
    pixels: Vec<f32>,
    area: usize,
    run: impl FnOnce(Vec<f32>) -> CallOutputs + Send + 'static,
) -> CallOutputs {
    let Some((group, number)) = CURRENT.with_borrow(Clone::clone) else {
        return run(pixels);
    };
    group.call(
        number,
        Call {
            question,
            pixels,
            area,
            run: Box::new(run),
        },
    )
}

/// Whether this thread belongs to a launch.
pub fn is_in_launch() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Blocks per launch of the device that this thread computes on: one if it takes no launches.
pub fn blocks_per_launch() -> usize {
    match CURRENT.with_borrow(|current| current.as_ref().map(|(group, _)| group.blocks)) {
        Some(blocks) => blocks,
        None => BLOCKS.get(),
    }
}

/// Runs the step of a block that must be computed alone, on a device that takes launches of `blocks` blocks: what does not
/// depend on the step before may be computed for the next ones of its launch too.
pub fn run_alone<T>(blocks: usize, step: impl FnOnce() -> T) -> T {
    /// Restores the number, even if the step panics.
    struct Restored(usize);
    impl Drop for Restored {
        fn drop(&mut self) {
            BLOCKS.set(self.0);
        }
    }
    let _restored = Restored(BLOCKS.replace(blocks));
    step()
}

/// Runs `prepare` and then `step` for every item, each on its own thread, and merges their calls of the network.
/// A full launch has `blocks` items; calls from fewer are padded to that size.
///
/// # Errors
/// The panic message of the first item that panicked.
pub fn run_blocks<I: Sync, T: Send>(
    items: &[I],
    blocks: usize,
    prepare: &(dyn Fn() + Sync),
    step: &(dyn Fn(&I) -> T + Sync),
) -> Result<Vec<T>, String> {
    let group = Arc::new(CallGroup {
        state: Mutex::new(State {
            running: items.len(),
            ..State::default()
        }),
        changed: Condvar::new(),
        blocks,
    });
    let all: Vec<Result<T, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(number, item)| {
                let shared = Arc::clone(&group);
                let compute = move || {
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        prepare();
                        CURRENT.set(Some((Arc::clone(&shared), number)));
                        step(item)
                    }));
                    CURRENT.set(None);
                    shared.end();
                    result.map_err(|panic| panic_message(panic.as_ref()))
                };
                let spawned = std::thread::Builder::new().spawn_scoped(scope, compute);
                // The others must not wait for a thread that never started.
                spawned.inspect_err(|_| group.end())
            })
            .collect();
        let results = threads.into_iter().map(|thread| {
            let thread = thread.map_err(|error| {
                format!("the system cannot start another thread for a launch: {error}")
            })?;
            let lost = |_| Err("a thread of the launch failed".to_owned());
            thread.join().unwrap_or_else(lost)
        });
        results.collect()
    });
    all.into_iter().collect()
}

impl CallGroup {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the outputs of a call.
    fn call(&self, number: usize, call: Call) -> CallOutputs {
        let mut state = self.state();
        state.calls.insert(number, call);
        loop {
            if let Some(answers) = state.answers.remove(&number) {
                drop(state);
                return answers.unwrap_or_else(|message| resume_unwind(Box::new(message)));
            }
            if state.calls.len() == state.running {
                // All threads wait: this one runs the calls of all.
                self.answer(&mut state);
                continue;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread has ended; the others may have been waiting for it alone.
    fn end(&self) {
        let mut state = self.state();
        state.running -= 1;
        if state.running > 0 && state.calls.len() == state.running {
            self.answer(&mut state);
        }
    }

    /// Runs all waiting calls: those with the same key in one launch, in the order of their thread numbers.
    fn answer(&self, state: &mut State) {
        let mut calls = std::mem::take(&mut state.calls);
        while let Some((_, first)) = calls.first_key_value() {
            let question = first.question.clone();
            let alike: Vec<usize> = calls
                .iter()
                .filter(|(_, call)| call.question == question)
                .map(|(&number, _)| number)
                .collect();
            let alike: Vec<(usize, Call)> = alike
                .into_iter()
                .filter_map(|number| Some((number, calls.remove(&number)?)))
                .collect();
            state.answers.extend(self.run_merged(alike));
        }
        self.changed.notify_all();
    }

    /// Runs calls with the same key as one.
    fn run_merged(&self, calls: Vec<(usize, Call)>) -> Vec<(usize, Result<CallOutputs, String>)> {
        let images = |call: &Call| call.pixels.len() / call.area.max(1);
        let counts: Vec<(usize, usize)> = calls
            .iter()
            .map(|(number, call)| (*number, images(call)))
            .collect();
        let all: usize = counts.iter().map(|(_, images)| images).sum();
        let largest = counts
            .iter()
            .map(|(_, images)| *images)
            .max()
            .unwrap_or_default();
        // A launch has the same shapes whether it is full or not.
        let padded = all.max(largest * self.blocks);
        let (mut pixels, mut run, mut area) = (Vec::new(), None, 0);
        for (_, call) in calls {
            match pixels.is_empty() {
                true => pixels = call.pixels,
                false => pixels.extend(call.pixels),
            }
            (run, area) = (run.or(Some(call.run)), call.area);
        }
        pixels.resize(padded * area, 0.5);
        let Some(run) = run else {
            return Vec::new();
        };
        match catch_unwind(AssertUnwindSafe(|| run(pixels))) {
            Ok(answers) => {
                let mut from = 0;
                let shares = counts.into_iter().map(|(number, images)| {
                    let share = |all: &Vec<f32>| {
                        let row = all.len() / padded.max(1);
                        all[from * row..(from + images) * row].to_vec()
                    };
                    let shares = answers.iter().map(share).collect();
                    from += images;
                    (number, Ok(shares))
                });
                shares.collect()
            }
            Err(panic) => {
                let message = panic_message(panic.as_ref());
                let failed = |(number, _)| (number, Err(message.clone()));
                counts.into_iter().map(failed).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn question(pushes: &[f32]) -> CallKey {
        CallKey {
            network: 0,
            pushes: vec![("layer".into(), pushes.to_vec())],
            sites: Vec::new(),
        }
    }

    /// A network of two pixels that returns their sum and its push; counts its launches and images.
    fn sum_and_push(
        pixels: Vec<f32>,
        push: f32,
        launches: &'static AtomicUsize,
        images: &'static AtomicUsize,
    ) -> CallOutputs {
        run_call(question(&[push]), pixels, 2, move |pixels| {
            launches.fetch_add(1, Ordering::Relaxed);
            images.fetch_add(pixels.len() / 2, Ordering::Relaxed);
            let rows = pixels.chunks_exact(2);
            vec![rows.flat_map(|row| [row[0] + row[1], push]).collect()]
        })
    }

    #[test]
    fn calls_of_all_blocks_become_one_launch_and_each_gets_its_own_results() {
        static LAUNCHES: AtomicUsize = AtomicUsize::new(0);
        static IMAGES: AtomicUsize = AtomicUsize::new(0);
        let items: Vec<usize> = (0..6).collect();
        let step = |&item: &usize| {
            // The last block is shorter, and every other one makes a second call, with another key.
            let images = if item == 5 { 1 } else { 3 };
            let pixels = vec![item as f32; 2 * images];
            let first = sum_and_push(pixels.clone(), 7.0, &LAUNCHES, &IMAGES);
            let again = (item % 2 == 0).then(|| sum_and_push(pixels, 9.0, &LAUNCHES, &IMAGES));
            (first, again)
        };
        let all = run_blocks(&items, 6, &|| {}, &step).unwrap();
        for (item, (first, again)) in all.into_iter().enumerate() {
            let images = if item == 5 { 1 } else { 3 };
            let row = |push| [2.0 * item as f32, push];
            assert_eq!(first, [vec![row(7.0); images].concat()]);
            let expected = (item % 2 == 0).then(|| vec![vec![row(9.0); images].concat()]);
            assert_eq!(again, expected);
        }
        assert_eq!(LAUNCHES.load(Ordering::Relaxed), 2);
        // Both have the shape of a full launch.
        assert_eq!(IMAGES.load(Ordering::Relaxed), 2 * 6 * 3);
    }

    #[test]
    fn a_failed_launch_ends_every_block_with_its_message() {
        let step =
            |_: &usize| run_call(question(&[]), vec![0.0; 4], 2, |_| panic!("out of memory"));
        let failed = run_blocks(&[0, 1, 2], 3, &|| {}, &step).unwrap_err();
        assert_eq!(failed, "out of memory");
    }

    #[test]
    fn a_block_that_fails_alone_does_not_stop_the_others_from_ending() {
        let step = |&item: &usize| match item {
            1 => panic!("no such image"),
            _ => run_call(question(&[]), vec![0.0; 4], 2, |pixels| vec![pixels]),
        };
        let failed = run_blocks(&[0, 1, 2], 3, &|| {}, &step).unwrap_err();
        assert_eq!(failed, "no such image");
    }

    #[test]
    fn a_step_knows_the_launches_of_its_device() {
        assert_eq!(blocks_per_launch(), 1);
        assert_eq!(run_alone(6, blocks_per_launch), 6);
        let inside = run_blocks(&[0, 1], 4, &|| {}, &|_| blocks_per_launch());
        assert_eq!(inside.unwrap(), [4, 4]);
        let failed = catch_unwind(|| run_alone(6, || panic!("out of memory")));
        assert!(failed.is_err());
        assert_eq!(blocks_per_launch(), 1);
    }

    #[test]
    fn outside_a_launch_a_call_is_computed_at_once() {
        assert!(!is_in_launch());
        let answers = run_call(question(&[]), vec![0.25; 4], 2, |pixels| vec![pixels]);
        assert_eq!(answers, [[0.25; 4]]);
    }
}
