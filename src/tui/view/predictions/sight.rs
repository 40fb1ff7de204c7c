//! The part of the data set in sight.

use std::ops::Range;

use crate::session::Session;
use crate::session::form::Shape;
use crate::session::record::SplitCounts;
use crate::tui::form;

/// A part of the data set, and a pair of classes: a cell of its matrix.
pub struct Sight<'a> {
    /// The run.
    pub session: &'a Session,
    /// What the network calls its images.
    pub split: &'a SplitCounts,
    /// The chosen class: what images are called.
    pub class: usize,
    /// What they are.
    pub truth: usize,
    /// Whether that is shown: with few classes only once the cursor has been moved.
    pub pointed: bool,
    /// How many classes there are.
    pub classes: usize,
    /// Channels, rows and columns of an image.
    pub shape: Shape,
}

impl Sight<'_> {
    /// Images of class `truth` that are called `called`.
    pub fn count(&self, truth: usize, called: usize) -> u64 {
        let counts = &self.split.counts;
        counts.get(truth * self.classes + called).map_or(0, |n| *n)
    }

    /// The rows and columns in sight where so many have room.
    pub fn part(&self, (rows, columns): (usize, usize)) -> (Range<usize>, Range<usize>) {
        (
            form::window(self.truth, self.classes, rows),
            form::window(self.class, self.classes, columns),
        )
    }
}
