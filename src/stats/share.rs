//! A share of trials: hits out of a total; and the mean of several.

use super::interval::{Interval, score_interval, wilson};

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

/// The mean of several shares, each with the same weight however many trials it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanShare {
    /// The mean with its 95 % interval: Wilson's for T²/Σ(1/n) trials, where T shares are of n trials each. So many
    /// trials of the mean share would have its variance if all shares were equal; if all n are equal, they are the pooled
    /// trials.
    pub interval: Interval,
    /// Number of trials in all of the shares.
    pub total: u64,
}

impl MeanShare {
    /// The mean of these shares, except those without trials; `None` if none has any.
    pub fn of(shares: impl IntoIterator<Item = Share>) -> Option<Self> {
        let (mut count, mut rates, mut inverses, mut total) = (0.0, 0.0, 0.0, 0_u64);
        for share in shares {
            if let Some(rate) = share.rate() {
                count += 1.0;
                // A file may claim more hits than trials.
                rates += rate.min(1.0);
                inverses += 1.0 / share.total as f64;
                total = total.saturating_add(share.total);
            }
        }
        (total > 0).then(|| Self {
            interval: score_interval(rates / count, count * count / inverses),
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

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
    #[test]
    fn the_mean_of_shares_of_equally_many_trials_is_that_of_their_pool() {
        let shares = [3, 0, 17, 20].map(|hits| Share { hits, total: 20 });
        let mean = MeanShare::of(shares).unwrap();
        let pooled = wilson(40, 80).unwrap();
        let pairs = [
            (mean.interval.estimate, pooled.estimate),
            (mean.interval.low, pooled.low),
            (mean.interval.high, pooled.high),
        ];
        assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(mean.total, 80);
        // A share without trials is none.
        let with_none = shares.into_iter().chain([Share::default()]);
        assert_eq!(MeanShare::of(with_none), Some(mean));
        assert_eq!(MeanShare::of([Share::default()]), None);
        assert_eq!(MeanShare::of([]), None);
        let ends = |hits: u64| {
            let shares = [7, 900].map(|total| Share {
                hits: hits * total,
                total,
            });
            let interval = MeanShare::of(shares).unwrap().interval;
            (interval.low, interval.high)
        };
        assert_eq!((ends(0).0, ends(1).1), (0.0, 1.0));
        assert!(ends(0).1 < 0.2 && ends(1).0 > 0.8 && ends(2).1 == 1.0);
    }

    /// Half of ten trials and a fiftieth of a thousand: the interval contains their mean, and not the pooled share.
    #[test]
    fn the_mean_of_shares_of_very_unequal_numbers_of_trials_lies_within_its_interval() {
        let shares = [(5, 10), (20, 1000)].map(|(hits, total)| Share { hits, total });
        let Interval {
            estimate,
            low,
            high,
        } = MeanShare::of(shares).unwrap().interval;
        assert!((estimate - 0.26).abs() < 1e-12);
        assert!(low < 0.26 && 0.26 < high && low > 25.0 / 1010.0);
    }

    /// Of shares that are equal, the interval contains the truth in about 95 of 100 repetitions.
    #[test]
    fn the_interval_of_a_mean_share_covers_the_truth_whatever_the_numbers_of_trials() {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let mut drawn = |total: u64| Share {
            hits: (0..total).filter(|_| rng.random_bool(0.3)).count() as u64,
            total,
        };
        let covered = (0..1000).filter(|_| {
            let interval = MeanShare::of([20, 200, 700].map(&mut drawn))
                .unwrap()
                .interval;
            interval.low <= 0.3 && 0.3 <= interval.high
        });
        let covered = covered.count();
        assert!((920..=980).contains(&covered), "{covered}");
    }
}
