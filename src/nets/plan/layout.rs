//! Where tensors lie in memory.
//!
//! A run works on [`GROUPS`] groups of images at once; a group fills the lanes of one vector. Tensors that only pass
//! from one step to the next within a group are local: all groups use the same memory in turn, so it stays in the
//! cache. Tensors that dense and recurrent layers read lie in frames, one per group.

use crate::nets::graph::op::Pads;

/// Groups of images (one vector each) that a run works on at once: dense layers read each weight once for all of
/// them.
pub const GROUPS: usize = 4;

/// A tensor of one image: where it lies, its shape, and the border of zeros that convolutions need. Offsets count
/// elements per lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorSlot {
    /// Offset of the tensor, border included, in its memory area; while a program is drafted, the tensor's index.
    pub origin: usize,
    /// Elements of the tensor before this view of it.
    pub skip: usize,
    /// Whether it lies in the per-group frames.
    pub per_group: bool,
    /// Channels.
    pub channels: usize,
    /// Rows, without the border.
    pub rows: usize,
    /// Columns, without the border.
    pub columns: usize,
    /// The border.
    pub border: Pads,
}

impl TensorSlot {
    /// A tensor in the per-group frames: its origin, its channels, rows and columns, and its border.
    pub fn in_frame(origin: usize, [channels, rows, columns]: [usize; 3], border: Pads) -> Self {
        Self {
            origin,
            skip: 0,
            per_group: true,
            channels,
            rows,
            columns,
            border,
        }
    }

    /// Elements of a row, including the border.
    pub fn padded_width(&self) -> usize {
        self.columns + self.border.left + self.border.right
    }

    /// Elements of a channel, including the border.
    pub fn padded_plane(&self) -> usize {
        self.padded_width() * (self.rows + self.border.top + self.border.bottom)
    }

    /// Total elements, including the border.
    pub fn padded_elements(&self) -> usize {
        self.channels * self.padded_plane()
    }

    /// Total elements, without the border.
    pub fn elements(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Whether it has no border.
    pub fn has_no_border(&self) -> bool {
        self.border == Pads::default()
    }

    /// The same elements as channels of one position each. Valid only without a border.
    pub fn flattened(self) -> Self {
        Self {
            channels: self.elements(),
            rows: 1,
            columns: 1,
            ..self
        }
    }

    /// Offset of an element from the start of the tensor.
    pub fn offset(&self, channel: usize, row: usize, column: usize) -> usize {
        channel * self.padded_plane()
            + (row + self.border.top) * self.padded_width()
            + column
            + self.border.left
    }
}

/// Sizes of the memory areas that a program needs, in elements per lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryAreas {
    /// The area that all groups share in turn.
    pub shared: usize,
    /// The frame of one group.
    pub per_group: usize,
}

impl MemoryAreas {
    /// Total elements per lane.
    pub fn size(&self) -> usize {
        self.shared + GROUPS * self.per_group
    }

    /// Offset at which a group's tensor begins.
    pub fn start(&self, place: &TensorSlot, group: usize) -> usize {
        match place.per_group {
            true => self.shared + group * self.per_group + place.origin + place.skip,
            false => place.origin + place.skip,
        }
    }
}
