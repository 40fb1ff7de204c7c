//! The memory of a batch, and loading, scaling and reordering images in it.

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::WriteImage;

/// A pointer to numbers that tasks share; every task accesses a disjoint part.
#[derive(Debug)]
pub struct DisjointPointer<T>(pub *mut T);

/// A pointer to floats.
pub type FloatPointer = DisjointPointer<f32>;

impl<T> Clone for DisjointPointer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for DisjointPointer<T> {}

impl<T> DisjointPointer<T> {
    /// `count` numbers from `first` on, none of which another task accesses.
    pub fn slice<'a>(self, first: usize, count: usize) -> &'a mut [T] {
        // SAFETY: the creator of the pointer guarantees that the numbers outlive the tasks, and the parts that tasks
        // take are disjoint.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), count) }
    }
}

// SAFETY: it is only an address; users take disjoint parts.
unsafe impl<T: Send> Send for DisjointPointer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for DisjointPointer<T> {}

/// Sixteen floats, aligned for vectors.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Memory for a batch. It starts as zeros, and nothing ever writes to borders.
#[derive(Debug, Default)]
pub struct Memory(Vec<Line>);

impl Memory {
    /// Ensures room for `groups` groups of `floats` floats each.
    pub fn reserve(&mut self, floats: usize, groups: usize) {
        let lines = Self::lines(floats, groups);
        if self.0.len() < lines {
            self.0 = vec![Line([0.0; 16]); lines];
        }
    }

    fn lines(floats: usize, groups: usize) -> usize {
        (floats * groups).div_ceil(16)
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Size in bytes with room for `groups` groups of `floats` floats each.
    pub fn bytes_for(floats: usize, groups: usize) -> usize {
        Self::lines(floats, groups) * size_of::<Line>()
    }

    /// A pointer to its start.
    pub fn pointer(&mut self) -> FloatPointer {
        DisjointPointer(self.0.as_mut_ptr().cast())
    }
}

/// The frames of the groups of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchMemory {
    pub(super) pointer: FloatPointer,
    /// Elements per lane of a frame.
    pub(super) group_len: usize,
    pub(super) groups: usize,
    /// Images in all groups; the last group may have fewer than lanes.
    pub(super) images: usize,
}

impl BatchMemory {
    /// Images of a group.
    #[inline(always)]
    pub(super) fn images_of(&self, group: usize, lanes: usize) -> usize {
        self.images.saturating_sub(group * lanes).min(lanes)
    }

    /// Address of an element of a group.
    ///
    /// # Safety
    /// It must lie inside the frame.
    #[inline(always)]
    pub(super) unsafe fn at(&self, group: usize, number: usize, lanes: usize) -> *mut f32 {
        // SAFETY: the caller's.
        unsafe {
            self.pointer
                .0
                .add((group * self.group_len + number) * lanes)
        }
    }
}

/// Loads the images of a group, of `image_len` pixels each, into the lanes at the start of its frame; lanes without an
/// image are zero.
pub fn load(
    frames: &BatchMemory,
    group: usize,
    lanes: usize,
    write_image: WriteImage,
    image_len: usize,
) {
    let mut rows = vec![0.0; lanes * image_len];
    let first = group * lanes;
    for (lane, row) in rows.chunks_exact_mut(image_len.max(1)).enumerate() {
        if first + lane < frames.images {
            write_image(first + lane, row);
        }
    }
    // SAFETY: images lie at the start of a frame; the group belongs to the caller.
    let into =
        unsafe { std::slice::from_raw_parts_mut(frames.at(group, 0, lanes), lanes * image_len) };
    for (index, into) in into.chunks_exact_mut(lanes).enumerate() {
        for (lane, into) in into.iter_mut().enumerate() {
            *into = rows[lane * image_len + index];
        }
    }
}

/// The cost of loading one number into its lane, in multiplications.
pub const LOAD_COST: usize = 16;

/// Reorders the images of a group from \[C,H,W\] to \[H,C,W\].
pub fn rows_first(
    frames: &BatchMemory,
    group: usize,
    lanes: usize,
    from: &TensorSlot,
    to: &TensorSlot,
) {
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let number = from.origin + from.offset(channel, row, 0);
            let into = to.origin + (row * from.channels + channel) * from.columns;
            // SAFETY: both tensors lie in the frame of the group, which belongs to the caller, and do not overlap.
            unsafe {
                let number = frames.at(group, number, lanes).cast_const();
                let into = frames.at(group, into, lanes);
                std::ptr::copy_nonoverlapping(number, into, from.columns * lanes);
            }
        }
    }
}

/// Writes scale·x + shift of a group's tensor to another tensor of the same shape.
pub fn scale(
    frames: &BatchMemory,
    (group, lanes): (usize, Lanes),
    (scale, shift): (f32, f32),
    from: &TensorSlot,
    to: &TensorSlot,
) {
    let count = lanes.count();
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
            for i in 0..from.columns * count {
                // SAFETY: both tensors lie in the frame of the group, which belongs to the caller.
                unsafe {
                    let x = *frames.at(group, from.origin + a, count).add(i);
                    *frames.at(group, to.origin + b, count).add(i) = scale * x + shift;
                }
            }
        }
    }
}
