//! Splits a forward pass into pieces that suit the device.
//!
//! A processor computes a few images in its caches faster than many outside of them. And a backend that runs out
//! of memory panics: that is caught here, and the same rows are computed in halves. The trials stay the same, only
//! fewer are on the device at once.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// Images that a processor runs through convolutions at once: more would not fit its caches.
pub const CACHED_IMAGES: usize = 64;

/// Whether a backend's message says that memory ran out.
pub fn is_out_of_memory(message: &str) -> bool {
    let lower = message.to_lowercase();
    let phrases = [
        "out of memory",
        "out_of_memory",
        "outofmemory",
        "can't allocate memory",
        "alloc_failed",
        // cuDNN, if no algorithm has enough workspace.
        "unable to find an engine to execute",
    ];
    phrases.iter().any(|&phrase| lower.contains(phrase)) || is_masked_out_of_memory(message)
}

/// Whether libtorch ran out of memory but failed to report it: on MIG slices and in some containers NVML refuses
/// the query that libtorch makes for its message, and that failure replaces the message.
pub fn is_masked_out_of_memory(message: &str) -> bool {
    let lower = message.to_lowercase();
    lower.contains("nvml_success ==") && lower.contains("cachingallocator")
}

/// The message of a panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a message".into())
}

thread_local! {
    static MAX_ROWS: Cell<usize> = const { Cell::new(usize::MAX) };
    static BY_PLAN: Cell<bool> = const { Cell::new(false) };
}

/// Whether plans are compiled without Winograd convolution.
static DIRECT: AtomicBool = AtomicBool::new(false);

/// Makes plans compiled from now on compute every convolution directly.
pub fn disable_winograd() {
    DIRECT.store(true, Ordering::Relaxed);
}

/// Whether plans compiled now compute every convolution directly.
pub fn is_winograd_disabled() -> bool {
    DIRECT.load(Ordering::Relaxed)
}

/// Sets whether networks on this thread compute by their plan, if they have one.
pub fn set_by_plan(planned: bool) {
    BY_PLAN.set(planned);
}

/// Whether networks on this thread compute by their plan, if they have one.
pub fn is_by_plan() -> bool {
    BY_PLAN.get()
}

/// Sets the maximum number of rows that a launch of this thread takes.
pub fn set_max_rows(rows: usize) {
    MAX_ROWS.set(rows.max(1));
}

/// Results of `launch` for all `rows`, in order: in pieces of this thread's maximum size
/// ([`set_max_rows`]), repeatedly halved if the device lacks the memory.
///
/// # Panics
/// With the backend's message if a single row is too much, and on any other failure.
pub fn in_pieces<T>(rows: Range<usize>, launch: &dyn Fn(Range<usize>) -> Vec<T>) -> Vec<T> {
    let most = MAX_ROWS.get();
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
    if rows.len() < 2 || !is_out_of_memory(&panic_message(panic.as_ref())) {
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
    fn a_thread_takes_at_most_the_rows_allowed() {
        let sizes = RefCell::new(Vec::new());
        let launch = |rows: Range<usize>| {
            sizes.borrow_mut().push(rows.len());
            rows.collect()
        };
        set_max_rows(64);
        assert_eq!(in_pieces(0..150, &launch), (0..150).collect::<Vec<_>>());
        assert_eq!(*sizes.borrow(), [64, 64, 22]);
        assert_eq!(in_pieces(0..0, &launch), [0; 0]);
    }

    #[test]
    #[should_panic(expected = "out of memory")]
    fn a_single_row_that_does_not_fit_is_an_error() {
        in_pieces::<()>(0..8, &|_| panic!("CUDA out of memory"));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn other_failures_are_not_retried() {
        let tries = RefCell::new(0);
        in_pieces::<()>(0..8, &|_| {
            *tries.borrow_mut() += 1;
            assert_eq!(*tries.borrow(), 1);
            panic!("index out of bounds")
        });
    }
}
