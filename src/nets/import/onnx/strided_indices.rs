//! [`StridedIndices`], strided indices into an array, where one axis may be the batch. Newer exporters write memory
//! views (`as_strided`) as gathers with such indices: a range over the images, multiplied, plus ranges over
//! the other axes. If the indices cover the whole array in order, the gather is a reshape.

use super::constant::{Constant, strides, unravelled_index};
use super::count::SymbolicInt;
use super::error::NodeProblem;

/// Indices `start + Σ index · step`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StridedIndices {
    /// Length along each axis.
    pub lengths: Vec<SymbolicInt>,
    /// Step along each axis.
    pub steps: Vec<i64>,
    /// The first index.
    pub start: i64,
}

impl StridedIndices {
    /// Consecutive indices from `start`, one per image.
    pub fn of_batch(start: i64) -> Self {
        Self {
            lengths: vec![SymbolicInt::BATCH],
            steps: vec![1],
            start,
        }
    }

    /// The numbers of a known array, if they are evenly spaced.
    pub fn of(constant: &Constant) -> Option<Self> {
        let (shape, numbers) = (constant.shape(), constant.ints()?);
        let start = *numbers.first()?;
        let along = strides(shape);
        let step = |axis: usize| match shape[axis] {
            1 => 0,
            _ => numbers[along[axis].unsigned_abs()].saturating_sub(start),
        };
        let steps: Vec<i64> = (0..shape.len()).map(step).collect();
        let even = numbers.iter().enumerate().all(|(place, &number)| {
            let index = unravelled_index(place, shape);
            let moved: i64 = index
                .iter()
                .zip(&steps)
                .map(|(&i, step)| i64::try_from(i).unwrap_or(0).saturating_mul(*step))
                .fold(start, i64::saturating_add);
            number == moved
        });
        let length = |&length: &usize| i64::try_from(length).ok().map(SymbolicInt::fixed);
        even.then_some(Self {
            lengths: shape.iter().map(length).collect::<Option<_>>()?,
            steps,
            start,
        })
    }

    /// All indices times a number.
    pub fn times(&self, factor: &Constant) -> Result<Self, NodeProblem> {
        let factor = match factor.ints().as_deref() {
            Some([factor]) => *factor,
            _ => {
                return NodeProblem::cannot(
                    "it multiplies a range over the images by several numbers",
                );
            }
        };
        let mut places = self.clone();
        places.start = places.start.saturating_mul(factor);
        for step in &mut places.steps {
            *step = step.saturating_mul(factor);
        }
        Ok(places)
    }

    /// The sum of two, broadcast. `None` stands for numbers that are not evenly spaced.
    pub fn plus(a: Option<Self>, b: Option<Self>) -> Result<Self, NodeProblem> {
        let words = || {
            NodeProblem::Cannot("it adds unevenly spaced numbers to a range over the images".into())
        };
        let (a, b) = a.zip(b).ok_or_else(words)?;
        let rank = a.lengths.len().max(b.lengths.len());
        let aligned = |places: &Self, axis: usize| {
            let axis = (axis + places.lengths.len()).checked_sub(rank);
            axis.map_or((SymbolicInt::fixed(1), 0), |axis| {
                (places.lengths[axis], places.steps[axis])
            })
        };
        let mut sum = Self {
            lengths: Vec::new(),
            steps: Vec::new(),
            start: a.start.saturating_add(b.start),
        };
        for axis in 0..rank {
            let ((length, by), (other, more)) = (aligned(&a, axis), aligned(&b, axis));
            let one = SymbolicInt::fixed(1);
            if length != other && length != one && other != one {
                return Err(words());
            }
            sum.lengths.push(if length == one { other } else { length });
            sum.steps.push(by.saturating_add(more));
        }
        Ok(sum)
    }

    /// The same with axes of length one inserted or removed.
    pub fn reshaped(&self, lengths: &[SymbolicInt]) -> Result<Self, NodeProblem> {
        let one = SymbolicInt::fixed(1);
        let axes = self.lengths.iter().zip(&self.steps);
        let mut axes = axes.filter(|(length, _)| **length != one);
        let mut steps = Vec::new();
        for &length in lengths {
            if length == one {
                steps.push(0);
                continue;
            }
            match axes.next() {
                Some((same, &step)) if *same == length => steps.push(step),
                _ => return NodeProblem::cannot("it reshapes a range over the images"),
            }
        }
        Ok(Self {
            lengths: lengths.to_vec(),
            steps,
            start: self.start,
        })
    }

    /// Whether these are all indices of an array of `count` elements, in order.
    pub fn are_all(&self, count: SymbolicInt) -> bool {
        let mut behind = Some(SymbolicInt::fixed(1));
        for (&length, &step) in self.lengths.iter().zip(&self.steps).rev() {
            let Some(wanted) = behind else { return false };
            if length != SymbolicInt::fixed(1) && wanted != SymbolicInt::fixed(step) {
                return false;
            }
            behind = wanted.times(length);
        }
        self.start == 0 && behind == Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_of_all_positions_in_order_are_recognised() {
        let images = StridedIndices::of_batch(0).times(&Constant::scalar(SymbolicInt::fixed(3)));
        let column = images
            .unwrap()
            .reshaped(&[SymbolicInt::BATCH, SymbolicInt::fixed(1)]);
        let row = Constant::list((0..3).map(SymbolicInt::fixed).collect());
        let all = StridedIndices::plus(column.ok(), StridedIndices::of(&row)).unwrap();
        assert!(all.are_all(SymbolicInt {
            fixed: 0,
            per_image: 3
        }));
        assert!(!all.are_all(SymbolicInt {
            fixed: 0,
            per_image: 4
        }));
        let uneven = Constant::list([0, 1, 3].map(SymbolicInt::fixed).to_vec());
        assert!(StridedIndices::plus(Some(all), StridedIndices::of(&uneven)).is_err());
    }
}
