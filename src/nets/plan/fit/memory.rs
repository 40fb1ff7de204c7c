//! The numbers of a batch.

use super::super::layout::Place;
use super::{Frames, Show};

/// Where numbers begin. Tasks write parts of them that have nothing in common.
#[derive(Debug)]
pub struct Part<T>(pub *mut T);

/// Floats.
pub type Pointer = Part<f32>;

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Part<T> {}

impl<T> Part<T> {
    /// So many numbers from one on, of which no other task has any.
    pub fn part<'a>(self, first: usize, count: usize) -> &'a mut [T] {
        // SAFETY: whoever made the pointer says that they are there as long as tasks run, and each task takes
        // its own.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), count) }
    }
}

// SAFETY: it is memory alone; whoever uses it says which part.
unsafe impl<T: Send> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Part<T> {}

/// Sixteen floats, where vectors may begin.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Memory for a batch. Borders are zero, and nothing ever writes them.
#[derive(Debug, Default)]
pub struct Memory(Vec<Line>);

impl Memory {
    /// Room for so many groups of so many floats.
    pub fn reserve(&mut self, floats: usize, groups: usize) {
        let lines = (floats * groups).div_ceil(16);
        if self.0.len() < lines {
            self.0 = vec![Line([0.0; 16]); lines];
        }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Where it begins.
    pub fn pointer(&mut self) -> Pointer {
        Part(self.0.as_mut_ptr().cast())
    }
}

/// Brings the images of a group, of so many numbers, into lanes at the beginning of its frame; lanes without an
/// image are zero.
pub fn load(frames: &Frames, group: usize, lanes: usize, show: Show, numbers: usize) {
    let mut rows = vec![0.0; lanes * numbers];
    let first = group * lanes;
    for (lane, row) in rows.chunks_exact_mut(numbers.max(1)).enumerate() {
        if first + lane < frames.images {
            show(first + lane, row);
        }
    }
    // SAFETY: images stand at the beginning of a frame; the group is the caller's.
    let into =
        unsafe { std::slice::from_raw_parts_mut(frames.at(group, 0, lanes), lanes * numbers) };
    for (number, into) in into.chunks_exact_mut(lanes).enumerate() {
        for (lane, into) in into.iter_mut().enumerate() {
            *into = rows[lane * numbers + number];
        }
    }
}

/// Multiplications that take as long as bringing one number into its lane.
pub const LOADED: usize = 16;

/// Brings the rows of the images \[C,H,W\] of a group into the order \[H,C,W\].
pub fn rows_first(frames: &Frames, group: usize, lanes: usize, from: &Place, to: &Place) {
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let number = from.at + from.offset(channel, row, 0);
            let into = to.at + (row * from.channels + channel) * from.columns;
            // SAFETY: both values stand in the frame of the group, which is the caller's, and have nothing
            // in common.
            unsafe {
                let number = frames.at(group, number, lanes).cast_const();
                let into = frames.at(group, into, lanes);
                std::ptr::copy_nonoverlapping(number, into, from.columns * lanes);
            }
        }
    }
}
