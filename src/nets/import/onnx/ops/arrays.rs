//! Operators that work on known arrays only, as exporters use them for positions: running sums, numbers as rows of one.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{Constant, affordable};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::axis;
use crate::session::array::Array;

/// `CumSum`.
pub fn cumulative_sum(_: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let known = call.known(0, "input")?;
    let shape = known.shape();
    let along = match call.known(1, "axis")?.ints().as_deref() {
        Some(&[along]) => axis(along, shape.len())?,
        _ => return NodeProblem::cannot("its axis is not one fixed number"),
    };
    let inner: usize = shape[along + 1..].iter().product();
    let run = Run {
        length: shape[along],
        inner,
        exclusive: call.attributes.flag("exclusive", false),
        reverse: call.attributes.flag("reverse", false),
    };
    let sums = match known {
        Constant::Floats(array) => {
            let sums = run.sums(array.values(), 0.0, |a, b| Some(a + b));
            sums.map(|sums| Constant::Floats(Array::new(shape, sums)))
        }
        Constant::Ints { values, .. } => {
            let sums = run.sums(values, SymbolicInt::fixed(0), SymbolicInt::plus);
            sums.map(|values| Constant::Ints {
                shape: shape.to_vec(),
                values,
            })
        }
    };
    let sums = sums.ok_or_else(|| NodeProblem::Cannot("its sums are too large".into()))?;
    Ok(vec![ImportValue::Known(sums)])
}

/// How running sums go along an axis.
struct Run {
    /// The length of the axis.
    length: usize,
    /// Elements from one index along the axis to the next.
    inner: usize,
    /// Whether a sum is without the element at its place.
    exclusive: bool,
    /// Whether sums start at the end.
    reverse: bool,
}

impl Run {
    /// The running sums; `None` on overflow.
    fn sums<T: Copy>(
        &self,
        values: &[T],
        zero: T,
        plus: impl Fn(T, T) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut sums = values.to_vec();
        let block = (self.length * self.inner).max(1);
        for start in (0..values.len()).step_by(block) {
            for column in 0..self.inner {
                let mut sum = zero;
                for step in 0..self.length {
                    let index = match self.reverse {
                        true => self.length - 1 - step,
                        false => step,
                    };
                    let place = start + index * self.inner + column;
                    let next = plus(sum, values[place])?;
                    sums[place] = if self.exclusive { sum } else { next };
                    sum = next;
                }
            }
        }
        Some(sums)
    }
}

/// `OneHot`: each number becomes a row that is on at its index.
pub fn one_hot(_: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let known = call.known(0, "indices")?;
    let words = || NodeProblem::Cannot("its indices or its depth are no fixed numbers".into());
    let indices = known.ints().ok_or_else(words)?;
    let depth = call.known(1, "depth")?.ints().ok_or_else(words)?;
    let &[depth] = &depth[..] else {
        return Err(words());
    };
    let values = call.known(2, "values")?;
    if values.len() != 2 {
        return NodeProblem::cannot("its values are not one for off and one for on");
    }
    let count = usize::try_from(depth).map_err(|_| words())?;
    let shape = known.shape();
    let along = axis(call.attributes.int("axis", -1), shape.len() + 1)?;
    let (before, after) = shape.split_at(along);
    let shape = [before, &[count], after].concat();
    let len = affordable(&shape, known.len()).ok_or_else(NodeProblem::too_large)?;
    let inner: usize = after.iter().product();
    let is_on = |place: usize| {
        let (outer, column) = (place / (inner * count), place % inner);
        let index = indices[outer * inner + column];
        let index = if index < 0 { index + depth } else { index };
        usize::try_from(index) == Ok(place / inner % count)
    };
    let picks: Vec<usize> = (0..len).map(|place| usize::from(is_on(place))).collect();
    Ok(vec![ImportValue::Known(values.picked(&shape, &picks))])
}
