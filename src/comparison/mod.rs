//! Comparison of two sessions, as plain data for text, exports and screens; nothing is drawn here.
//!
//! [`SessionPair`] finds the maps that both have; [`MapComparison`] compares them at one γ for one response;
//! [`SharedGamma::compare_counts`] compares how often each decides for each class, and [`SharedTrialDecisions`] their
//! decisions on the same trials.

mod error;
mod joint;
mod map_comparison;
mod matching;
mod pair;

pub use error::ComparisonError;
pub use joint::SharedTrialDecisions;
pub use map_comparison::{ComparisonTotals, MapComparison};
pub use pair::{ComparisonRequest, SessionPair, SharedGamma, TrialOverlap};

#[cfg(test)]
mod tests;
