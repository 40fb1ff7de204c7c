//! [`Count`], an integer that may grow with the batch. Exporters compute shapes inside the graph; with
//! counts this arithmetic is done at import, although the number of images is known only at run time.

use std::fmt;

/// An integer `fixed + each · N`, where N is the number of images in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The part that does not depend on the batch.
    pub fixed: i64,
    /// The part that each image adds.
    pub each: i64,
}

impl Count {
    /// N, the number of images.
    pub const BATCH: Self = Self { fixed: 0, each: 1 };

    /// A number that does not depend on the batch.
    pub const fn fixed(fixed: i64) -> Self {
        Self { fixed, each: 0 }
    }

    /// The number, if it does not depend on the batch.
    pub fn known(self) -> Option<i64> {
        (self.each == 0).then_some(self.fixed)
    }

    /// Its value for a batch of one.
    pub fn of_one(self) -> i64 {
        self.fixed.saturating_add(self.each)
    }

    /// The sum; `None` on overflow.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            fixed: self.fixed.checked_add(other.fixed)?,
            each: self.each.checked_add(other.each)?,
        })
    }

    /// The difference; `None` on overflow.
    pub fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            fixed: self.fixed.checked_sub(other.fixed)?,
            each: self.each.checked_sub(other.each)?,
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
            each: other.each.checked_mul(factor)?,
        })
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
            let whole = self.fixed % divisor == 0 && self.each % divisor == 0;
            return whole.then_some(Self {
                fixed: self.fixed / divisor,
                each: self.each / divisor,
            });
        }
        // (k·a + k·b·N) / (a + b·N) = k
        let k = self.each.checked_div(other.each)?;
        (other.times(Self::fixed(k)) == Some(self)).then_some(Self::fixed(k))
    }

    /// The ordering that holds for every batch of at least one image; `None` if it depends on the batch.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let difference = self.minus(other)?;
        match (difference.of_one().cmp(&0), difference.each.cmp(&0)) {
            (sign, Equal) => Some(sign),
            (Greater | Equal, Greater) if difference.of_one() > 0 => Some(Greater),
            (Less | Equal, Less) if difference.of_one() < 0 => Some(Less),
            _ => None,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fixed, self.each) {
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
        let (n, two) = (Count::BATCH, Count::fixed(2));
        let many = n.times(Count::fixed(6)).unwrap();
        assert_eq!(many, Count { fixed: 0, each: 6 });
        assert_eq!(many.over(two), Some(Count { fixed: 0, each: 3 }));
        assert_eq!(many.over(n), Some(Count::fixed(6)));
        assert_eq!(many.over(Count::fixed(4)), None);
        assert_eq!(n.times(n), None);
        assert_eq!(Count::fixed(-7).over(two), Some(Count::fixed(-3)));
        assert_eq!(
            many.plus(two).unwrap().minus(many).unwrap().known(),
            Some(2)
        );
        assert_eq!(Count::fixed(i64::MAX).plus(two), None);
        assert_eq!(n.over(Count::fixed(0)), None);
    }

    #[test]
    fn comparisons_hold_for_every_batch_or_are_none() {
        use std::cmp::Ordering::{Equal, Greater};
        let n = Count::BATCH;
        assert_eq!(n.compare(Count::fixed(0)), Some(Greater));
        assert_eq!(n.compare(Count::fixed(-1)), Some(Greater));
        assert_eq!(n.compare(Count::fixed(1)), None);
        assert_eq!(n.compare(n), Some(Equal));
    }
}
