//! Converts axis lengths and axis numbers from the file's form to the graph's.

use super::constant::Constant;
use super::count::SymbolicInt;
use super::error::NodeProblem;
use crate::nets::graph::Dim;
use crate::session::array::Array;

/// The numbers of an array that a node computes on.
pub fn floats(constant: &Constant) -> Result<Array<f32>, NodeProblem> {
    let words = "it computes with the number of images";
    constant.floats().ok_or(NodeProblem::Cannot(words.into()))
}

/// An axis length in the graph's form.
pub fn dim(count: SymbolicInt) -> Result<Dim, NodeProblem> {
    let length = |number: i64| usize::try_from(number).ok();
    let dim = match (count.fixed, count.per_image) {
        (fixed, 0) => length(fixed).map(Dim::fixed),
        (0, each) => length(each).map(Dim::batch),
        _ => None,
    };
    dim.ok_or_else(|| NodeProblem::Cannot(format!("an axis would have the length {count}")))
}

/// Axis lengths in the graph's form.
pub fn dims(counts: &[SymbolicInt]) -> Result<Vec<Dim>, NodeProblem> {
    counts.iter().map(|&count| dim(count)).collect()
}

/// An axis length as a count.
#[allow(clippy::cast_possible_wrap)]
pub fn count(dim: Dim) -> SymbolicInt {
    let length = dim.count as i64;
    match dim.batched {
        true => SymbolicInt {
            fixed: 0,
            per_image: length,
        },
        false => SymbolicInt::fixed(length),
    }
}

/// An axis counted from the front, from one that may be negative.
pub fn axis(axis: i64, rank: usize) -> Result<usize, NodeProblem> {
    let message = || NodeProblem::Cannot(format!("it refers to axis {axis} of {rank}"));
    let from_end = if axis < 0 {
        axis.checked_add_unsigned(rank as u64)
    } else {
        Some(axis)
    };
    let place = from_end.and_then(|axis| usize::try_from(axis).ok());
    place.filter(|&axis| axis < rank).ok_or_else(message)
}

/// Axes counted from the front, ascending.
pub fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, NodeProblem> {
    let mut axes: Vec<usize> = given
        .iter()
        .map(|&index| axis(index, rank))
        .collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}
