//! [`SymbolicInt`], an integer that may grow with the batch. Exporters compute shapes inside the graph; with
//! counts this arithmetic is done at import, although the number of images is known only at run time.

use std::fmt;

/// An integer `fixed + each · N`, where N is the number of images in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolicInt {
    /// The part that does not depend on the batch.
    pub fixed: i64,
    /// The part that each image adds.
    pub per_image: i64,
}

impl SymbolicInt {
    /// N, the number of images.
    pub const BATCH: Self = Self {
        fixed: 0,
        per_image: 1,
    };

    /// A number that does not depend on the batch.
    pub const fn fixed(fixed: i64) -> Self {
        Self {
            fixed,
            per_image: 0,
        }
    }

    /// The number, if it does not depend on the batch.
    pub fn known(self) -> Option<i64> {
        (self.per_image == 0).then_some(self.fixed)
    }

    /// Its value for a batch of one.
    pub fn for_one_image(self) -> i64 {
        self.fixed.saturating_add(self.per_image)
    }

    /// The sum; `None` on overflow.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            fixed: self.fixed.checked_add(other.fixed)?,
            per_image: self.per_image.checked_add(other.per_image)?,
        })
    }

    /// The difference; `None` on overflow.
    pub fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            fixed: self.fixed.checked_sub(other.fixed)?,
            per_image: self.per_image.checked_sub(other.per_image)?,
        })
    }

    /// The product; `None` if it would contain N², or on overflow.
    pub fn times(self, other: Self) -> Option<Self> {
        let (factor, other) = match (self.known(), other.known()) {
            (Some(factor), _) => (factor, other),
            (_, Some(factor)) => (factor, self),
            _ => return None,
        };
        Some(Self {
            fixed: other.fixed.checked_mul(factor)?,
            per_image: other.per_image.checked_mul(factor)?,
        })
    }

    /// The product of all; `None` as for [`Self::times`].
    pub fn product(all: &[Self]) -> Option<Self> {
        let mut all = all.iter();
        all.try_fold(Self::fixed(1), |product, &next| product.times(next))
    }

    /// The quotient, rounded towards zero; `None` if it cannot be represented.
    pub fn over(self, other: Self) -> Option<Self> {
        if let Some(divisor) = other.known() {
            if divisor == 0 {
                return None;
            }
            if let Some(value) = self.known() {
                return value.checked_div(divisor).map(Self::fixed);
            }
            let whole = |number: i64| match number.checked_rem(divisor)? {
                0 => number.checked_div(divisor),
                _ => None,
            };
            return Some(Self {
                fixed: whole(self.fixed)?,
                per_image: whole(self.per_image)?,
            });
        }
        // (k·a + k·b·N) / (a + b·N) = k
        let k = self.per_image.checked_div(other.per_image)?;
        (other.times(Self::fixed(k)) == Some(self)).then_some(Self::fixed(k))
    }

    /// The ordering that holds for every batch of at least one image; `None` if it depends on the batch.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let difference = self.minus(other)?;
        match (
            difference.for_one_image().cmp(&0),
            difference.per_image.cmp(&0),
        ) {
            (sign, Equal) => Some(sign),
            (Greater | Equal, Greater) if difference.for_one_image() > 0 => Some(Greater),
            (Less | Equal, Less) if difference.for_one_image() < 0 => Some(Less),
            _ => None,
        }
    }
}

impl fmt::Display for SymbolicInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fixed, self.per_image) {
            (fixed, 0) => write!(f, "{fixed}"),
            (0, 1) => write!(f, "N"),
            (0, each) => write!(f, "{each}N"),
            (fixed, each) => write!(f, "{each}N+{fixed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_the_batch_as_a_symbol() {
        let (n, two) = (SymbolicInt::BATCH, SymbolicInt::fixed(2));
        let many = n.times(SymbolicInt::fixed(6)).unwrap();
        assert_eq!(
            many,
            SymbolicInt {
                fixed: 0,
                per_image: 6
            }
        );
        assert_eq!(
            many.over(two),
            Some(SymbolicInt {
                fixed: 0,
                per_image: 3
            })
        );
        assert_eq!(many.over(n), Some(SymbolicInt::fixed(6)));
        assert_eq!(many.over(SymbolicInt::fixed(4)), None);
        assert_eq!(n.times(n), None);
        assert_eq!(
            SymbolicInt::fixed(-7).over(two),
            Some(SymbolicInt::fixed(-3))
        );
        assert_eq!(
            many.plus(two).unwrap().minus(many).unwrap().known(),
            Some(2)
        );
        assert_eq!(SymbolicInt::fixed(i64::MAX).plus(two), None);
        assert_eq!(n.over(SymbolicInt::fixed(0)), None);
        let least = n.plus(SymbolicInt::fixed(i64::MIN)).unwrap();
        assert_eq!(least.over(SymbolicInt::fixed(-1)), None);
    }

    #[test]
    fn comparisons_hold_for_every_batch_or_are_undecided() {
        use std::cmp::Ordering::{Equal, Greater};
        let n = SymbolicInt::BATCH;
        assert_eq!(n.compare(SymbolicInt::fixed(0)), Some(Greater));
        assert_eq!(n.compare(SymbolicInt::fixed(-1)), Some(Greater));
        assert_eq!(n.compare(SymbolicInt::fixed(1)), None);
        assert_eq!(n.compare(n), Some(Equal));
    }
}
