//! One forward pass in as many pieces as the device has memory for.
//!
//! A backend that runs out of memory ends the thread with a message. Here that is caught, and the
//! same rows are asked for in halves: the trials stay the same, only fewer are on the device at once.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Whether words of a backend say that memory ran out.
pub fn is_out_of_memory(said: &str) -> bool {
    let said = said.to_lowercase();
    [
        "out of memory",
        "out_of_memory",
        "outofmemory",
        "can't allocate memory",
        "alloc_failed",
    ]
    .iter()
    .any(|&words| said.contains(words))
}

/// What a panic said.
pub fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a word".into())
}

/// Results of `launch` for all `rows`, in order: in one piece where the device has the memory, else
/// in halves of halves.
///
/// # Panics
/// With the backend's words where a single row is too much, and on anything else it says.
pub fn in_pieces<T>(rows: Range<usize>, launch: &dyn Fn(Range<usize>) -> Vec<T>) -> Vec<T> {
    let panic = match catch_unwind(AssertUnwindSafe(|| launch(rows.clone()))) {
        Ok(results) => return results,
        Err(panic) => panic,
    };
    if rows.len() < 2 || !is_out_of_memory(&words(panic.as_ref())) {
        resume_unwind(panic);
    }
    let middle = rows.start + rows.len() / 2;
    let mut results = in_pieces(rows.start..middle, launch);
    results.extend(in_pieces(middle..rows.end, launch));
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
