//! A share of trials: hits out of a total.

use super::interval::{Interval, wilson};

/// Successes among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Trials that succeeded; at most `total`.
    pub hits: u64,
    /// Number of trials.
    pub total: u64,
}

impl Share {
    /// The share, in \[0,1\]; `None` if there are no trials.
    pub fn rate(self) -> Option<f64> {
        (self.total > 0).then(|| self.hits as f64 / self.total as f64)
    }

    /// The share with Wilson's 95 % interval; `None` if there are no trials.
    pub fn interval(self) -> Option<Interval> {
        wilson(self.hits, self.total)
    }
}

impl std::iter::Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), |sum, share| Self {
            hits: sum.hits.saturating_add(share.hits),
            total: sum.total.saturating_add(share.total),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_pool_by_their_counts_and_zero_counts_have_no_share() {
        let shares = [Share { hits: 1, total: 2 }, Share { hits: 0, total: 6 }];
        assert_eq!(shares.into_iter().sum::<Share>().rate(), Some(0.125));
        let most = Share {
            hits: 1,
            total: u64::MAX,
        };
        let pooled: Share = [most, shares[0]].into_iter().sum();
        assert_eq!((pooled.hits, pooled.total), (2, u64::MAX));
        assert_eq!(Share::default().rate(), None);
        let interval = shares[0].interval().unwrap();
        assert_eq!(Some(interval), wilson(1, 2));
        assert_eq!(Share::default().interval(), None);
    }
}
