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

/// Largest magnitude of a stored sum. A plan's trials stay below it, and the sums of both halves of them fit in 64
/// bits.
pub const MAX_SUM: u64 = 1 << 62;

/// Whether the sums of `blocks` blocks, each like these, add up to at most [`MAX_SUM`].
pub fn fit_blocks(sums: &[i64], blocks: u64) -> bool {
    let most = MAX_SUM / blocks.max(1);
    sums.iter().all(|sum| sum.unsigned_abs() <= most)
}

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

    #[test]
    fn the_sums_of_many_blocks_fit_if_those_of_each_are_small() {
        let most = 1 << 62;
        assert!(fit_blocks(&[0, most, -most], 1) && !fit_blocks(&[0, most, -most], 2));
        assert!(fit_blocks(&[most / 1000], 1000) && !fit_blocks(&[most / 1000], 1001));
        assert!(fit_blocks(&[most], 0) && fit_blocks(&[], 7));
        assert!(!fit_blocks(&[i64::MIN], 1) && !fit_blocks(&[i64::MAX], 0));
    }
}
