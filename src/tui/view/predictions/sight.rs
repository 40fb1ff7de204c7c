//! The part of the data set in sight.

use crate::session::record::SplitCounts;

/// A part of the data set, and the chosen class.
pub struct Sight<'a> {
    /// What the network calls its images.
    pub split: &'a SplitCounts,
    /// The chosen class.
    pub class: usize,
    /// How many classes there are.
    pub classes: usize,
    /// Height and width of an image.
    pub size: (usize, usize),
}

impl Sight<'_> {
    /// Images of class `truth` that are called `called`.
    pub fn count(&self, truth: usize, called: usize) -> u64 {
        let counts = &self.split.counts;
        counts.get(truth * self.classes + called).map_or(0, |n| *n)
    }
}
