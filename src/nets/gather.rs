//! Several blocks side by side, whose calls of the network become one launch.
//!
//! A device is fast with many images at a time, and an experiment computes its blocks one by one. So the blocks of
//! a launch run on a thread each. Where such a thread asks the network about images it waits until every other
//! thread asks too or has ended; then one of them asks for all, and each goes on with its own answers. An
//! experiment knows nothing of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::launch::words;

/// What is asked of which network: calls that are alike can be answered together.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Where the network lies in memory, to tell two of them apart.
    pub network: usize,
    /// What it is pushed by.
    pub pushes: Vec<(String, Vec<f32>)>,
    /// The sites whose values are asked for; none for the logits.
    pub sites: Vec<usize>,
}

/// Answers to a question about some images: one array of numbers each of what is asked, row-major by image.
pub type Answers = Vec<Vec<f32>>;

/// Answers a question about `pixels`, row-major \[N,P\].
type Ask = Box<dyn FnOnce(Vec<f32>) -> Answers + Send>;

/// A call that waits.
struct Call {
    question: Question,
    /// \[N,P\]
    pixels: Vec<f32>,
    /// P.
    area: usize,
    ask: Ask,
}

#[derive(Default)]
struct State {
    /// Threads that have not ended.
    open: usize,
    /// The calls of those that wait, by their number.
    calls: BTreeMap<usize, Call>,
    answers: BTreeMap<usize, Result<Answers, String>>,
}

/// The threads of one launch.
struct Gathering {
    state: Mutex<State>,
    changed: Condvar,
    /// Blocks of a whole launch, up to which images are padded.
    blocks: usize,
}

thread_local! {
    static HERE: RefCell<Option<(Arc<Gathering>, usize)>> = const { RefCell::new(None) };
}

/// Asks about `pixels`, row-major \[N,P\] with P = `area`: together with the other threads of the launch where this
/// is one, else at once.
///
/// # Panics
/// With the backend's words where it fails.
pub fn ask(
    question: Question,
    pixels: Vec<f32>,
    area: usize,
    ask: impl FnOnce(Vec<f32>) -> Answers + Send + 'static,
) -> Answers {
    let Some((gathering, number)) = HERE.with_borrow(Clone::clone) else {
        return ask(pixels);
    };
    gathering.call(
        number,
        Call {
            question,
            pixels,
            area,
            ask: Box::new(ask),
        },
    )
}

/// Whether this thread is one of a launch.
pub fn is_gathering() -> bool {
    HERE.with_borrow(Option::is_some)
}

/// Computes `step` of every item on a thread of its own, prepared by `prepare`, and gathers what these ask the
/// network. A launch has `blocks` items when it is whole; what is asked of fewer is padded to as many.
///
/// # Errors
/// The words of the first item that panicked.
pub fn side_by_side<I: Sync, T: Send>(
    items: &[I],
    blocks: usize,
    prepare: &(dyn Fn() + Sync),
    step: &(dyn Fn(&I) -> T + Sync),
) -> Result<Vec<T>, String> {
    let gathering = Arc::new(Gathering {
        state: Mutex::new(State {
            open: items.len(),
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
                let own = Arc::clone(&gathering);
                let compute = move || {
                    let made = catch_unwind(AssertUnwindSafe(|| {
                        prepare();
                        HERE.set(Some((Arc::clone(&own), number)));
                        step(item)
                    }));
                    HERE.set(None);
                    own.end();
                    made.map_err(|panic| words(panic.as_ref()))
                };
                let began = std::thread::Builder::new().spawn_scoped(scope, compute);
                // Nobody waits for one that has not begun.
                began.inspect_err(|_| gathering.end())
            })
            .collect();
        let ended = threads.into_iter().map(|thread| {
            let thread = thread.map_err(|error| {
                format!("the system gives no more threads for a launch: {error}")
            })?;
            let lost = |_| Err("a thread of the launch broke down".to_owned());
            thread.join().unwrap_or_else(lost)
        });
        ended.collect()
    });
    all.into_iter().collect()
}

impl Gathering {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answers to a call.
    fn call(&self, number: usize, call: Call) -> Answers {
        let mut state = self.state();
        state.calls.insert(number, call);
        loop {
            if let Some(answers) = state.answers.remove(&number) {
                drop(state);
                return answers.unwrap_or_else(|said| resume_unwind(Box::new(said)));
            }
            if state.calls.len() == state.open {
                // All wait: this one asks for all.
                self.answer(&mut state);
                continue;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread has ended; those that wait may have waited for it alone.
    fn end(&self) {
        let mut state = self.state();
        state.open -= 1;
        if state.open > 0 && state.calls.len() == state.open {
            self.answer(&mut state);
        }
    }

    /// Asks for all that wait: those that ask the same in one launch, in the order of their numbers.
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
            state.answers.extend(self.together(alike));
        }
        self.changed.notify_all();
    }

    /// Answers to calls that ask the same.
    fn together(&self, calls: Vec<(usize, Call)>) -> Vec<(usize, Result<Answers, String>)> {
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
        // A launch has the same shapes whether it is whole or not.
        let padded = all.max(largest * self.blocks);
        let (mut pixels, mut ask, mut area) = (Vec::new(), None, 0);
        for (_, call) in calls {
            match pixels.is_empty() {
                true => pixels = call.pixels,
                false => pixels.extend(call.pixels),
            }
            (ask, area) = (ask.or(Some(call.ask)), call.area);
        }
        pixels.resize(padded * area, 0.5);
        let Some(ask) = ask else {
            return Vec::new();
        };
        match catch_unwind(AssertUnwindSafe(|| ask(pixels))) {
            Ok(answers) => {
                let mut from = 0;
                let shares = counts.into_iter().map(|(number, images)| {
                    let share = |all: &Vec<f32>| {
                        let row = all.len() / padded.max(1);
                        all[from * row..(from + images) * row].to_vec()
                    };
                    let own = answers.iter().map(share).collect();
                    from += images;
                    (number, Ok(own))
                });
                shares.collect()
            }
            Err(panic) => {
                let said = words(panic.as_ref());
                let told = |(number, _)| (number, Err(said.clone()));
                counts.into_iter().map(told).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn question(pushes: &[f32]) -> Question {
        Question {
            network: 0,
            pushes: vec![("layer".into(), pushes.to_vec())],
            sites: Vec::new(),
        }
    }

    /// A network of two pixels that says their sum and what it is pushed by; counts its launches and images.
    fn said(
        pixels: Vec<f32>,
        push: f32,
        launches: &'static AtomicUsize,
        images: &'static AtomicUsize,
    ) -> Answers {
        ask(question(&[push]), pixels, 2, move |pixels| {
            launches.fetch_add(1, Ordering::Relaxed);
            images.fetch_add(pixels.len() / 2, Ordering::Relaxed);
            let rows = pixels.chunks_exact(2);
            vec![rows.flat_map(|it| [it[0] + it[1], push]).collect()]
        })
    }

    #[test]
    fn calls_of_all_blocks_become_one_launch_and_each_gets_its_own_answers() {
        static LAUNCHES: AtomicUsize = AtomicUsize::new(0);
        static IMAGES: AtomicUsize = AtomicUsize::new(0);
        let items: Vec<usize> = (0..6).collect();
        let step = |&item: &usize| {
            // The last block is shorter, and every other one asks once more, about another network.
            let images = if item == 5 { 1 } else { 3 };
            let pixels = vec![item as f32; 2 * images];
            let first = said(pixels.clone(), 7.0, &LAUNCHES, &IMAGES);
            let again = (item % 2 == 0).then(|| said(pixels, 9.0, &LAUNCHES, &IMAGES));
            (first, again)
        };
        let all = side_by_side(&items, 6, &|| {}, &step).unwrap();
        for (item, (first, again)) in all.into_iter().enumerate() {
            let images = if item == 5 { 1 } else { 3 };
            let row = |push| [2.0 * item as f32, push];
            assert_eq!(first, [vec![row(7.0); images].concat()]);
            let expected = (item % 2 == 0).then(|| vec![vec![row(9.0); images].concat()]);
            assert_eq!(again, expected);
        }
        assert_eq!(LAUNCHES.load(Ordering::Relaxed), 2);
        // Both have the shape of a whole launch.
        assert_eq!(IMAGES.load(Ordering::Relaxed), 2 * 6 * 3);
    }

    #[test]
    fn a_launch_that_fails_ends_every_block_with_its_words() {
        let step = |_: &usize| ask(question(&[]), vec![0.0; 4], 2, |_| panic!("out of memory"));
        let failed = side_by_side(&[0, 1, 2], 3, &|| {}, &step).unwrap_err();
        assert_eq!(failed, "out of memory");
    }

    #[test]
    fn a_block_that_fails_alone_does_not_stop_the_others_from_ending() {
        let step = |&item: &usize| match item {
            1 => panic!("no such image"),
            _ => ask(question(&[]), vec![0.0; 4], 2, |pixels| vec![pixels]),
        };
        let failed = side_by_side(&[0, 1, 2], 3, &|| {}, &step).unwrap_err();
        assert_eq!(failed, "no such image");
    }

    #[test]
    fn outside_of_a_launch_a_call_is_answered_at_once() {
        assert!(!is_gathering());
        let answers = ask(question(&[]), vec![0.25; 4], 2, |pixels| vec![pixels]);
        assert_eq!(answers, [[0.25; 4]]);
    }
}
