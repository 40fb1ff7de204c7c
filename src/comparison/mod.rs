//! Comparison of two sessions, as plain data for text, exports and screens; nothing is drawn here.
//!
//! [`Pair`] finds the maps that both have; [`Compared`] compares them at one γ for one response;
//! [`Common::called`] compares how often each decides for each class, and [`Shown`] their decisions on the same
//! trials.

mod alike;
mod compared;
mod misfit;
mod pair;
mod shown;

pub use compared::{Compared, Totals};
pub use misfit::Misfit;
pub use pair::{Common, Pair, Trials, Wish};
pub use shown::Shown;
