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
pub struct Place {
    /// Offset of the tensor, border included, in its memory area; while a program is drafted, the tensor's index.
    pub at: usize,
    /// Elements of the tensor before this view of it.
    pub skip: usize,
    /// Whether it lies in the per-group frames.
    pub framed: bool,
    /// Channels.
    pub channels: usize,
    /// Rows, without the border.
    pub rows: usize,
    /// Columns, without the border.
    pub columns: usize,
    /// The border.
    pub border: Pads,
}

impl Place {
    /// Elements of a row, including the border.
    pub fn width(&self) -> usize {
        self.columns + self.border.left + self.border.right
    }

    /// Elements of a channel, including the border.
    pub fn plane(&self) -> usize {
        self.width() * (self.rows + self.border.top + self.border.bottom)
    }

    /// Total elements, including the border.
    pub fn size(&self) -> usize {
        self.channels * self.plane()
    }

    /// Total elements, without the border.
    pub fn numbers(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Whether it has no border.
    pub fn is_dense(&self) -> bool {
        self.border == Pads::default()
    }

    /// The same elements as channels of one position each. Valid only without a border.
    pub fn as_numbers(self) -> Self {
        Self {
            channels: self.numbers(),
            rows: 1,
            columns: 1,
            ..self
        }
    }

    /// Offset of an element from the start of the tensor.
    pub fn offset(&self, channel: usize, row: usize, column: usize) -> usize {
        channel * self.plane() + (row + self.border.top) * self.width() + column + self.border.left
    }
}

/// Sizes of the memory areas that a program needs, in elements per lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frames {
    /// The area that all groups share in turn.
    pub local: usize,
    /// The frame of one group.
    pub frame: usize,
}

impl Frames {
    /// Total elements per lane.
    pub fn size(&self) -> usize {
        self.local + GROUPS * self.frame
    }

    /// Offset at which a group's tensor begins.
    pub fn start(&self, place: &Place, group: usize) -> usize {
        match place.framed {
            true => self.local + group * self.frame + place.at + place.skip,
            false => place.at + place.skip,
        }
    }
}
