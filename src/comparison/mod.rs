//! Two sessions side by side: what of them can be compared, and what comparing them says. Plain data
//! for every face; sessions go in, nothing is drawn.
//!
//! [`Pair`] finds the maps that both have; [`Compared`] is what one γ and one response say of them;
//! [`Common::called`] is
//! what their counts say of their decisions, [`Shown`] what decisions on the same trials say.

mod alike;
mod compared;
mod misfit;
mod pair;
mod shown;

pub use compared::{Compared, Totals};
pub use misfit::Misfit;
pub use pair::{Common, Pair, Trials, Wish};
pub use shown::Shown;
