//! Lengths of axes and numbers of axes, from the file's way of writing them to the graph's.

use super::constant::Constant;
use super::count::Count;
use super::error::Problem;
use crate::nets::graph::Dim;
use crate::session::array::Array;

/// Numbers of an array that a node computes on.
pub fn floats(constant: &Constant) -> Result<Array<f32>, Problem> {
    let words = "it computes with the number of images itself, which no image decides";
    constant.floats().ok_or(Problem::Cannot(words.into()))
}

/// A length of an axis as a graph has it.
pub fn dim(count: Count) -> Result<Dim, Problem> {
    let length = |number: i64| usize::try_from(number).ok();
    let dim = match (count.fixed, count.each) {
        (fixed, 0) => length(fixed).map(Dim::fixed),
        (0, each) => length(each).map(Dim::batch),
        _ => None,
    };
    dim.ok_or_else(|| Problem::Cannot(format!("an axis would have the length {count}")))
}

/// Lengths of axes as a graph has them.
pub fn dims(counts: &[Count]) -> Result<Vec<Dim>, Problem> {
    counts.iter().map(|&count| dim(count)).collect()
}

/// A length of an axis as a number.
#[allow(clippy::cast_possible_wrap)]
pub fn count(dim: Dim) -> Count {
    let length = dim.count as i64;
    match dim.batched {
        true => Count {
            fixed: 0,
            each: length,
        },
        false => Count::fixed(length),
    }
}

/// An axis counted from the front, however it is given.
pub fn axis(axis: i64, rank: usize) -> Result<usize, Problem> {
    let words = || Problem::Cannot(format!("it names axis {axis} of {rank}"));
    let from_end = if axis < 0 {
        axis.checked_add_unsigned(rank as u64)
    } else {
        Some(axis)
    };
    let place = from_end.and_then(|axis| usize::try_from(axis).ok());
    place.filter(|&axis| axis < rank).ok_or_else(words)
}

/// Axes counted from the front, ascending.
pub fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, Problem> {
    let mut axes: Vec<usize> = given
        .iter()
        .map(|&one| axis(one, rank))
        .collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}
