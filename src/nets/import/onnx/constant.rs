//! Arrays whose numbers are known at import: weights, and what graphs compute about shapes.

use super::count::Count;
use crate::session::array::Array;

/// An array that is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Real numbers.
    Floats(Array<f32>),
    /// Whole numbers and truth values, which may depend on the batch.
    Counts {
        /// Length along each axis.
        shape: Vec<usize>,
        /// Row-major.
        values: Vec<Count>,
    },
}

impl Constant {
    /// Whole numbers along one axis.
    pub fn list(values: Vec<Count>) -> Self {
        Self::Counts {
            shape: vec![values.len()],
            values,
        }
    }

    /// One whole number.
    pub fn scalar(value: Count) -> Self {
        Self::Counts {
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
            Self::Counts { shape, .. } => shape,
        }
    }

    /// Numbers in it.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Its numbers as real ones; `None` where they depend on the batch.
    pub fn floats(&self) -> Option<Array<f32>> {
        match self {
            Self::Floats(array) => Some(array.clone()),
            #[allow(clippy::cast_precision_loss)]
            Self::Counts { shape, values } => {
                let numbers = values.iter().map(|value| Some(value.known()? as f32));
                Some(Array::new(shape, numbers.collect::<Option<_>>()?))
            }
        }
    }

    /// Its numbers as whole ones; `None` where a real number is not whole.
    pub fn counts(&self) -> Option<Vec<Count>> {
        match self {
            Self::Counts { values, .. } => Some(values.clone()),
            #[allow(clippy::cast_possible_truncation)]
            Self::Floats(array) => {
                let whole = |value: &f32| {
                    (value.fract() == 0.0).then(|| Count::fixed(f64::from(*value) as i64))
                };
                array.values().iter().map(whole).collect()
            }
        }
    }

    /// Whole numbers that do not depend on the batch.
    pub fn ints(&self) -> Option<Vec<i64>> {
        self.counts()?.into_iter().map(Count::known).collect()
    }

    /// The only number of an array of one, as a real one.
    pub fn only(&self) -> Option<f32> {
        match self.floats()?.values() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The numbers in places `picks` of this array, under another shape.
    pub fn picked(&self, shape: &[usize], picks: &[usize]) -> Self {
        match self {
            Self::Floats(array) => {
                let values = picks.iter().map(|&pick| array.values()[pick]);
                Self::Floats(Array::new(shape, values.collect()))
            }
            Self::Counts { values, .. } => Self::Counts {
                shape: shape.to_vec(),
                values: picks.iter().map(|&pick| values[pick]).collect(),
            },
        }
    }

    /// The same numbers under another shape, which has as many.
    pub fn reshaped(&self, shape: &[usize]) -> Self {
        let mut same = self.clone();
        match &mut same {
            Self::Floats(array) => {
                let fits = array.reshape(shape);
                debug_assert!(fits.is_ok(), "{fits:?}");
            }
            Self::Counts { shape: own, .. } => *own = shape.to_vec(),
        }
        same
    }
}

/// Every index of an array of this shape, row-major.
pub fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<'_> {
    let count: usize = shape.iter().product();
    (0..count).map(move |mut rest| {
        let mut index = vec![0; shape.len()];
        for (place, &length) in index.iter_mut().zip(shape).rev() {
            *place = rest % length;
            rest /= length;
        }
        index
    })
}

/// The place of an index in an array of this shape, row-major.
pub fn place(index: &[usize], shape: &[usize]) -> usize {
    let step = |place, (&at, &length): (&usize, &usize)| place * length + at;
    index.iter().zip(shape).fold(0, step)
}

/// The shape that two arrays take on together, axes of one repeated; `None` where they do not fit.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |axis| shape[axis])
    };
    let both = |axis| match (at(a, axis), at(b, axis)) {
        (a, b) if a == b => Some(a),
        (1, other) | (other, 1) => Some(other),
        _ => None,
    };
    (0..rank).map(both).collect()
}

/// Where the numbers of an array of shape `from` stand when it is repeated to `to`.
pub fn repeated(from: &[usize], to: &[usize]) -> Vec<usize> {
    let skipped = to.len() - from.len();
    indices(to)
        .map(|index| {
            let own = index[skipped..].iter().zip(from);
            let own: Vec<usize> = own
                .map(|(&at, &length)| if length == 1 { 0 } else { at })
                .collect();
            place(&own, from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_repeated_as_numpy_does() {
        assert_eq!(broadcast(&[3, 1], &[4]), Some(vec![3, 4]));
        assert_eq!(broadcast(&[3], &[4]), None);
        assert_eq!(repeated(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(repeated(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        let all: Vec<_> = indices(&[2, 2]).collect();
        assert_eq!(all, [[0, 0], [0, 1], [1, 0], [1, 1]]);
    }
}
