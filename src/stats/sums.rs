//! Sums of whole numbers that were read from a file or from another process: exact, and where they do not fit in 64
//! bits, refused or held at the last number that fits. They never wrap around.

/// A number that is summed.
pub trait Addend: Copy {
    /// The sum; `None` if it does not fit.
    fn checked_sum(self, more: Self) -> Option<Self>;
    /// The sum, or the number closest to it that fits.
    fn saturating_sum(self, more: Self) -> Self;
}

macro_rules! addends {
    ($($number:ty),+) => {$(
        impl Addend for $number {
            fn checked_sum(self, more: Self) -> Option<Self> {
                self.checked_add(more)
            }

            fn saturating_sum(self, more: Self) -> Self {
                self.saturating_add(more)
            }
        }
    )+};
}

addends!(i64, u64);

/// Adds `more` to the first numbers of `sums`.
pub fn add<T: Addend>(sums: &mut [T], more: &[T]) {
    let pairs = sums.iter_mut().zip(more);
    pairs.for_each(|(sum, &more)| *sum = sum.saturating_sum(more));
}

/// The sum of counts; `None` if it does not fit.
pub fn checked_total(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts.into_iter().try_fold(0, u64::checked_add)
}

/// The sum of counts, or the largest number if it does not fit.
pub fn total(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_does_not_fit_is_held_at_the_last_number_that_does() {
        let mut sums = [1, i64::MAX - 1, i64::MIN + 1, 7];
        add(&mut sums, &[2, 2, -2]);
        assert_eq!(sums, [3, i64::MAX, i64::MIN, 7]);
        let mut counts = [1, u64::MAX];
        add(&mut counts, &[2, 1, 5]);
        assert_eq!(counts, [3, u64::MAX]);
        assert_eq!((total([1, 2, 3]), total([])), (6, 0));
        assert_eq!(total([u64::MAX, 1, u64::MAX]), u64::MAX);
        assert_eq!(
            (checked_total([1, 2]), checked_total([])),
            (Some(3), Some(0))
        );
        assert_eq!(checked_total([u64::MAX, 1]), None);
        assert_eq!(
            (1_u64.checked_sum(2), u64::MAX.checked_sum(1)),
            (Some(3), None)
        );
        assert_eq!(i64::MIN.checked_sum(-1), None);
    }
}
