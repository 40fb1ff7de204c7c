//! [`Constant`], an array known at import: weights, and results of shape arithmetic in the graph.

use super::count::SymbolicInt;
use crate::session::array::Array;

/// The most elements of an array that is made at import; the largest weights of known networks have fewer.
const MOST: usize = 1 << 27;

/// The number of elements of an array that is made at import from one of `source` elements; `None` if that is absurdly
/// many.
pub fn affordable(shape: &[usize], source: usize) -> Option<usize> {
    let mut lengths = shape.iter();
    let count = lengths.try_fold(1usize, |count, &length| count.checked_mul(length))?;
    (count <= MOST.max(source)).then_some(count)
}

/// An array known at import.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Real numbers.
    Floats(Array<f32>),
    /// Integers and booleans, which may depend on the batch.
    Ints {
        /// Length along each axis.
        shape: Vec<usize>,
        /// Row-major.
        values: Vec<SymbolicInt>,
    },
}

impl Constant {
    /// Integers along one axis.
    pub fn list(values: Vec<SymbolicInt>) -> Self {
        Self::Ints {
            shape: vec![values.len()],
            values,
        }
    }

    /// One integer.
    pub fn scalar(value: SymbolicInt) -> Self {
        Self::Ints {
            shape: Vec::new(),
            values: vec![value],
        }
    }

    /// One real number.
    pub fn float(value: f32) -> Self {
        Self::Floats(Array::new(&[], vec![value]))
    }

    /// Length along each axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(array) => array.shape(),
            Self::Ints { shape, .. } => shape,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Its numbers as reals; `None` if they depend on the batch.
    pub fn floats(&self) -> Option<Array<f32>> {
        match self {
            Self::Floats(array) => Some(array.clone()),
            #[allow(clippy::cast_precision_loss)]
            Self::Ints { shape, values } => {
                let numbers = values.iter().map(|value| Some(value.known()? as f32));
                Some(Array::new(shape, numbers.collect::<Option<_>>()?))
            }
        }
    }

    /// Its numbers as integers; `None` if one is not whole.
    pub fn counts(&self) -> Option<Vec<SymbolicInt>> {
        match self {
            Self::Ints { values, .. } => Some(values.clone()),
            #[allow(clippy::cast_possible_truncation)]
            Self::Floats(array) => {
                let whole = |value: &f32| {
                    (value.fract() == 0.0).then(|| SymbolicInt::fixed(f64::from(*value) as i64))
                };
                array.values().iter().map(whole).collect()
            }
        }
    }

    /// Its numbers as integers; `None` if one is not whole or depends on the batch.
    pub fn ints(&self) -> Option<Vec<i64>> {
        self.counts()?.into_iter().map(SymbolicInt::known).collect()
    }

    /// The number of an array with a single one, as a real.
    pub fn only(&self) -> Option<f32> {
        match self.floats()?.values() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The elements at row-major indices `picks`, in a new shape.
    pub fn picked(&self, shape: &[usize], picks: &[usize]) -> Self {
        match self {
            Self::Floats(array) => {
                let values = picks.iter().map(|&pick| array.values()[pick]);
                Self::Floats(Array::new(shape, values.collect()))
            }
            Self::Ints { values, .. } => Self::Ints {
                shape: shape.to_vec(),
                values: picks.iter().map(|&pick| values[pick]).collect(),
            },
        }
    }

    /// The elements from index `start` on with these strides along the axes of `shape`, which must stay
    /// within the array.
    pub fn strided(&self, shape: &[usize], steps: &[isize], start: usize) -> Self {
        match self {
            Self::Floats(array) => {
                let numbers = strided(array.values(), shape, steps, start);
                Self::Floats(Array::new(shape, numbers))
            }
            Self::Ints { values, .. } => Self::Ints {
                shape: shape.to_vec(),
                values: strided(values, shape, steps, start),
            },
        }
    }

    /// The array broadcast to a shape that it fits.
    pub fn broadcast_to(&self, target: &[usize]) -> Self {
        if self.shape() == target {
            return self.clone();
        }
        let from = self.shape();
        let mut target_steps = vec![0; target.len() - from.len()];
        let kept = strides(from).into_iter().zip(from);
        target_steps.extend(kept.map(|(step, &length)| if length == 1 { 0 } else { step }));
        self.strided(target, &target_steps, 0)
    }

    /// The same elements in another shape of the same size.
    pub fn reshaped(&self, shape: &[usize]) -> Self {
        let mut same = self.clone();
        match &mut same {
            Self::Floats(array) => {
                let fits = array.reshape(shape);
                debug_assert!(fits.is_ok(), "{fits:?}");
            }
            Self::Ints { shape: old, .. } => *old = shape.to_vec(),
        }
        same
    }
}

/// The strides of a row-major array.
pub fn strides(shape: &[usize]) -> Vec<isize> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * isize::try_from(shape[axis]).unwrap_or(isize::MAX);
    }
    steps
}

/// The index along each axis of an element of a row-major array.
pub fn unravelled_index(place: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = place;
    let mut index = vec![0; shape.len()];
    for (along, &length) in index.iter_mut().zip(shape).rev() {
        *along = rest % length;
        rest /= length;
    }
    index
}

/// The elements from `start` on with these strides along the axes of `shape`.
fn strided<T: Copy>(numbers: &[T], shape: &[usize], steps: &[isize], start: usize) -> Vec<T> {
    let count: usize = shape.iter().product();
    let mut read = Vec::with_capacity(count);
    let (Some(&last), Some(&step)) = (shape.last(), steps.last()) else {
        return numbers.get(start).copied().into_iter().collect();
    };
    let mut index = vec![0; shape.len() - 1];
    let mut row = start;
    while read.len() < count {
        let mut index_in_row = row;
        for _ in 0..last {
            read.push(numbers[index_in_row]);
            index_in_row = index_in_row.wrapping_add_signed(step);
        }
        // The next row: advance the last axis that is not at its end and reset those after it.
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            row = row.wrapping_add_signed(steps[axis]);
            if index[axis] < shape[axis] {
                break;
            }
            row = row.wrapping_add_signed(steps[axis].wrapping_mul(-shape[axis].cast_signed()));
            index[axis] = 0;
        }
    }
    read
}

/// The common shape of two arrays under broadcasting; `None` if they do not fit.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |axis| shape[axis])
    };
    let both = |axis| match (length(a, axis), length(b, axis)) {
        (a, b) if a == b => Some(a),
        (1, other) | (other, 1) => Some(other),
        _ => None,
    };
    (0..rank).map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_repeated_as_in_numpy() {
        assert_eq!(broadcast(&[3, 1], &[4]), Some(vec![3, 4]));
        assert_eq!(broadcast(&[3], &[4]), None);
        let column = Constant::Floats(Array::new(&[2, 1], vec![0.0, 1.0]));
        let wide = column.broadcast_to(&[2, 3]).floats().unwrap();
        assert_eq!(wide.values(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        let row = column
            .reshaped(&[2])
            .broadcast_to(&[2, 2])
            .floats()
            .unwrap();
        assert_eq!(row.values(), [0.0, 1.0, 0.0, 1.0]);
        let one = Constant::float(7.0).broadcast_to(&[1, 2]);
        assert_eq!(one.floats().unwrap().values(), [7.0, 7.0]);
    }

    #[test]
    fn strides_visit_an_array_in_any_order() {
        let numbers = (0..6).map(SymbolicInt::fixed).collect();
        let list = Constant::list(numbers).reshaped(&[2, 3]);
        let turned = list.strided(&[3, 2], &[1, 3], 0);
        assert_eq!(turned.ints().unwrap(), [0, 3, 1, 4, 2, 5]);
        let back = list.strided(&[2, 2], &[3, -2], 2);
        assert_eq!(back.ints().unwrap(), [2, 0, 5, 3]);
        assert_eq!(list.strided(&[0, 2], &[3, 1], 0).len(), 0);
    }
}
