//! One forward pass in as many pieces as the device is best off with.
//!
//! A processor computes a few images in its caches faster than many outside of them. And a backend that runs out of memory ends the thread with a message. Here that is caught, and the
//! same rows are asked for in halves: the trials stay the same, only fewer are on the device at once.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// Images that a processor takes at once through convolutions: more of them leave its caches.
pub const CACHED: usize = 64;

/// Whether words of a backend say that memory ran out.
pub fn is_out_of_memory(said: &str) -> bool {
    let lower = said.to_lowercase();
    let words = [
        "out of memory",
        "out_of_memory",
        "outofmemory",
        "can't allocate memory",
        "alloc_failed",
        // cuDNN, where no algorithm has room to work in.
        "unable to find an engine to execute",
    ];
    words.iter().any(|&words| lower.contains(words)) || is_out_of_memory_untold(said)
}

/// Whether memory ran out and libtorch could not say so: on MIG slices and in some containers NVML refuses what
/// it asks for its message, and that failure takes the message's place.
pub fn is_out_of_memory_untold(said: &str) -> bool {
    let lower = said.to_lowercase();
    lower.contains("nvml_success ==") && lower.contains("cachingallocator")
}

/// What a panic said.
pub fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a word".into())
}

thread_local! {
    static AT_MOST: Cell<usize> = const { Cell::new(usize::MAX) };
    static PLANNED: Cell<bool> = const { Cell::new(false) };
}

/// Whether plans are made without minimal filtering.
static DIRECT: AtomicBool = AtomicBool::new(false);

/// Lets plans that are made from now on compute every convolution directly.
pub fn compute_directly() {
    DIRECT.store(true, Ordering::Relaxed);
}

/// Whether they do.
pub fn is_direct() -> bool {
    DIRECT.load(Ordering::Relaxed)
}

/// Whether networks compute by their plan on this thread from now on, where they have one.
pub fn compute_by_plan(planned: bool) {
    PLANNED.set(planned);
}

/// Whether they do.
pub fn is_by_plan() -> bool {
    PLANNED.get()
}

/// Launches of this thread take so many rows at most from now on.
pub fn take_at_most(rows: usize) {
    AT_MOST.set(rows.max(1));
}

/// Results of `launch` for all `rows`, in order: in pieces as this thread takes them
/// ([`take_at_most`]), and in halves of halves where the device has not the memory for one.
///
/// # Panics
/// With the backend's words where a single row is too much, and on anything else it says.
pub fn in_pieces<T>(rows: Range<usize>, launch: &dyn Fn(Range<usize>) -> Vec<T>) -> Vec<T> {
    let most = AT_MOST.get();
    let pieces = rows.clone().step_by(most);
    let piece = |start: usize| start..rows.end.min(start.saturating_add(most));
    pieces
        .flat_map(|start| in_halves(piece(start), launch))
        .collect()
}

fn in_halves<T>(rows: Range<usize>, launch: &dyn Fn(Range<usize>) -> Vec<T>) -> Vec<T> {
    let panic = match catch_unwind(AssertUnwindSafe(|| launch(rows.clone()))) {
        Ok(results) => return results,
        Err(panic) => panic,
    };
    if rows.len() < 2 || !is_out_of_memory(&words(panic.as_ref())) {
        resume_unwind(panic);
    }
    let middle = rows.start + rows.len() / 2;
    let mut results = in_halves(rows.start..middle, launch);
    results.extend(in_halves(middle..rows.end, launch));
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn a_device_without_memory_for_all_rows_gives_the_same_results_in_pieces() {
        let sizes = RefCell::new(Vec::new());
        let launch = |rows: Range<usize>| {
            assert!(rows.len() <= 30, "CUDA out of memory. Tried to allocate");
            sizes.borrow_mut().push(rows.len());
            rows.collect()
        };
        assert_eq!(in_pieces(0..100, &launch), (0..100).collect::<Vec<_>>());
        assert_eq!(*sizes.borrow(), [25; 4]);
    }

    #[test]
    fn a_thread_takes_no_more_than_it_was_told() {
        let sizes = RefCell::new(Vec::new());
        let launch = |rows: Range<usize>| {
            sizes.borrow_mut().push(rows.len());
            rows.collect()
        };
        take_at_most(64);
        assert_eq!(in_pieces(0..150, &launch), (0..150).collect::<Vec<_>>());
        assert_eq!(*sizes.borrow(), [64, 64, 22]);
        assert_eq!(in_pieces(0..0, &launch), [0; 0]);
    }

    #[test]
    #[should_panic(expected = "out of memory")]
    fn a_row_that_has_no_room_alone_is_too_much() {
        in_pieces::<()>(0..8, &|_| panic!("CUDA out of memory"));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn any_other_failure_is_not_tried_again() {
        let tries = RefCell::new(0);
        in_pieces::<()>(0..8, &|_| {
            *tries.borrow_mut() += 1;
            assert_eq!(*tries.borrow(), 1);
            panic!("index out of bounds")
        });
    }
}
