//! Two sessions side by side: what of them can be compared, and what comparing them says. Plain data
//! for every face; sessions go in, nothing is drawn.
//!
//! [`Pair`] finds the maps that both have; [`Compared`] is what one γ and one response say of them;
//! [`alike`](Common::called) is what counts say of decisions.

mod compared;
mod misfit;
mod pair;

pub use compared::{Compared, Totals};
pub use misfit::Misfit;
pub use pair::{Common, Pair, Trials, Wish};

