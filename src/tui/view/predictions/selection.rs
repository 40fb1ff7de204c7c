//! [`PredictionsSelection`]: the part of the data set and the pair of classes shown.

use std::ops::Range;

use crate::ids::ClassId;
use crate::session::Session;
use crate::session::form::Shape;
use crate::session::record::SplitCounts;
use crate::tui::form;

/// A part of the data set and a pair of classes, i.e. a cell of its matrix.
pub struct PredictionsSelection<'a> {
    /// The session.
    pub session: &'a Session,
    /// The counts of decisions on its images.
    pub split: &'a SplitCounts,
    /// The chosen class, as decided by the network.
    pub class: ClassId,
    /// The true class.
    pub truth: ClassId,
    /// Whether the true class is marked: with few classes only once the cursor has been moved.
    pub pointed: bool,
    /// Number of classes.
    pub classes: usize,
    /// Channels, rows and columns of an image.
    pub shape: Shape,
}

impl PredictionsSelection<'_> {
    /// Images of class `truth` that are called `called`.
    pub fn count(&self, truth: ClassId, called: ClassId) -> u64 {
        let counts = &self.split.counts;
        counts
            .get(truth.0 * self.classes + called.0)
            .map_or(0, |n| *n)
    }

    /// The rows and columns shown, given how many fit.
    pub fn part(&self, (rows, columns): (usize, usize)) -> (Range<usize>, Range<usize>) {
        (
            form::window(self.truth.0, self.classes, rows),
            form::window(self.class.0, self.classes, columns),
        )
    }
}
