//! Where values lie.
//!
//! A run works on [`GROUPS`] vectors of images at once. What only passes from one step to the next
//! within a vector of images is local: all groups use the same memory, one after the other, so that it stays
//! in the cache. What dense and recurrent layers read stands in frames, one a group.

use crate::nets::graph::op::Pads;

/// Vectors of images that a run works on at once: dense layers read each weight once for all of them.
pub const GROUPS: usize = 4;

/// A value: the numbers of one image, with a border of zeros where convolutions want one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The first number, with its border, in its area; while a program is drafted, the value's number.
    pub at: usize,
    /// Numbers of the value before these, where they are a part of it.
    pub skip: usize,
    /// Whether it stands in the frames.
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
    /// Numbers of a row, with its border.
    pub fn width(&self) -> usize {
        self.columns + self.border.left + self.border.right
    }

    /// Numbers of a channel, with its border.
    pub fn plane(&self) -> usize {
        self.width() * (self.rows + self.border.top + self.border.bottom)
    }

    /// Numbers in all, with the border.
    pub fn size(&self) -> usize {
        self.channels * self.plane()
    }

    /// Numbers without the border.
    pub fn numbers(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Whether it has no border.
    pub fn is_dense(&self) -> bool {
        self.border == Pads::default()
    }

    /// The same numbers as channels, which is right where it has no border.
    pub fn as_numbers(self) -> Self {
        Self {
            channels: self.numbers(),
            rows: 1,
            columns: 1,
            ..self
        }
    }

    /// The place of a number, from the value's first.
    pub fn offset(&self, channel: usize, row: usize, column: usize) -> usize {
        channel * self.plane() + (row + self.border.top) * self.width() + column + self.border.left
    }
}

/// Numbers, for one lane, of the areas that a program needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frames {
    /// The area that all groups share.
    pub local: usize,
    /// One group's frame.
    pub frame: usize,
}

impl Frames {
    /// Numbers in all, for one lane.
    pub fn size(&self) -> usize {
        self.local + GROUPS * self.frame
    }

    /// Where a value of a group begins.
    pub fn start(&self, place: &Place, group: usize) -> usize {
        match place.framed {
            true => self.local + group * self.frame + place.at + place.skip,
            false => place.at + place.skip,
        }
    }
}
