//! How well a score separates two groups: the ROC curve and the area under it.

use super::interval::{Interval, NORMAL_95};

/// The ROC curve of two groups of scores, and its area.
#[derive(Debug, Clone, PartialEq)]
pub struct Roc {
    /// The curve, from (0,0), where nothing is called positive, to (1,1), where everything is: one point
    /// per distinct score.
    pub points: Vec<RocPoint>,
    /// The area under the curve with its 95 % interval: the probability that a positive scores higher
    /// than a negative, a tie counting half.
    pub auc: Interval,
}

/// One point of a ROC curve, at which scores of at least the threshold are called positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The threshold; `None` at the start of the curve, which is above every score.
    pub threshold: Option<f64>,
    /// Share of the negatives called positive.
    pub false_positives: f64,
    /// Share of the positives called positive.
    pub true_positives: f64,
}

/// The ROC curve of the scores of positives and negatives; `None` if a group is empty or a
/// score is NaN.
///
/// The area is the Mann–Whitney statistic U/(m·n), ties counting half, which is the area under
/// the curve by the trapezoid rule. Its interval inverts the score test with Hanley & McNeil's
/// variance (Radiology 143:29, 1982; Newcombe, Statistics in Medicine 25:559, 2006, method 5), as
/// Wilson's does for a proportion: unlike DeLong's, it has a width even if the groups do not overlap.
pub fn roc(positives: &[f64], negatives: &[f64]) -> Option<Roc> {
    if positives.is_empty() || negatives.is_empty() {
        return None;
    }
    let labelled = |scores: &[f64], positive| -> Vec<(f64, bool)> {
        scores.iter().map(|&score| (score, positive)).collect()
    };
    let mut scores = labelled(positives, true);
    scores.extend(labelled(negatives, false));
    if scores.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));

    let (m, n) = (positives.len() as u64, negatives.len() as u64);
    let (mut above, mut below) = (0_u64, 0_u64);
    // Twice U, so that ties stay integers.
    let mut twice = 0_u64;
    let mut points = vec![RocPoint {
        threshold: None,
        false_positives: 0.0,
        true_positives: 0.0,
    }];
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let hits = tied.iter().filter(|(_, positive)| *positive).count() as u64;
        let misses = tied.len() as u64 - hits;
        twice += misses * (2 * above + hits);
        above += hits;
        below += misses;
        points.push(RocPoint {
            threshold: Some(tied[0].0),
            false_positives: below as f64 / n as f64,
            true_positives: above as f64 / m as f64,
        });
    }
    let area = twice as f64 / (2 * m * n) as f64;
    Some(Roc {
        points,
        auc: interval(area, m as f64, n as f64),
    })
}

/// The areas A for which |Â − A| ≤ 1.96·√V(A), with `m` positives and `n` negatives.
fn interval(area: f64, m: f64, n: f64) -> Interval {
    let deviation = |a: f64| {
        let pairs = (m + n) / 2.0 - 1.0;
        let spread = 1.0 + pairs * ((1.0 - a) / (2.0 - a) + a / (1.0 + a));
        (a * (1.0 - a) * spread / (m * n)).sqrt()
    };
    // From an end of [0,1], which the test rejects, towards the estimate, which it accepts.
    let end = |mut rejected: f64| {
        let mut accepted = area;
        for _ in 0..100 {
            let middle = (rejected + accepted) / 2.0;
            if (area - middle).abs() > NORMAL_95 * deviation(middle) {
                rejected = middle;
            } else {
                accepted = middle;
            }
        }
        accepted
    };
    Interval {
        estimate: area,
        low: end(0.0),
        high: end(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_curve_matches_a_hand_made_example_with_a_tie() {
        let result = roc(&[3.0, 2.0], &[2.0, 1.0]).unwrap();
        let curve: Vec<_> = result
            .points
            .iter()
            .map(|point| (point.threshold, point.false_positives, point.true_positives))
            .collect();
        assert_eq!(
            curve,
            [
                (None, 0.0, 0.0),
                (Some(3.0), 0.0, 0.5),
                (Some(2.0), 0.5, 1.0),
                (Some(1.0), 1.0, 1.0),
            ]
        );
        // Pairs: 3>2, 3>1, 2=2, 2>1: 3½ of 4.
        assert_eq!(result.auc.estimate, 0.875);
    }

    /// By definition: the share of pairs in which the positive is above, plus half the ties.
    #[test]
    fn the_area_is_the_share_of_pairs_in_order_and_that_under_the_curve() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut scores = |n, shift| -> Vec<f64> {
            (0..n)
                .map(|_| f64::from(rng.random_range(0..12_u8)) + shift)
                .collect()
        };
        let (positives, negatives) = (scores(37, 2.0), scores(23, 0.0));
        let mut pairs = 0.0;
        for p in &positives {
            for n in &negatives {
                pairs += f64::from(u8::from(p > n)) + 0.5 * f64::from(u8::from(p == n));
            }
        }
        let result = roc(&positives, &negatives).unwrap();
        assert!((result.auc.estimate - pairs / (37.0 * 23.0)).abs() < 1e-12);
        let trapezoid = |pair: &[RocPoint]| {
            (pair[1].false_positives - pair[0].false_positives)
                * (pair[0].true_positives + pair[1].true_positives)
                / 2.0
        };
        let under: f64 = result.points.windows(2).map(trapezoid).sum();
        assert!((result.auc.estimate - under).abs() < 1e-12);
        // With the groups swapped, the area is the complement.
        let exchanged = roc(&negatives, &positives).unwrap().auc;
        assert!((exchanged.estimate - (1.0 - result.auc.estimate)).abs() < 1e-12);
        assert!((exchanged.low - (1.0 - result.auc.high)).abs() < 1e-9);
    }

    #[test]
    fn separate_groups_have_an_area_of_one_with_an_interval() {
        let few = roc(&[5.0, 6.0, 7.0], &[1.0, 2.0, 3.0]).unwrap().auc;
        let many = roc(&[5.0; 100], &[1.0; 100]).unwrap().auc;
        assert_eq!((few.estimate, few.high), (1.0, 1.0));
        assert!(few.low < 0.7 && many.low > 0.95, "{few:?} {many:?}");
        let apart = roc(&[1.0; 3], &[5.0; 3]).unwrap().auc;
        assert_eq!((apart.low, apart.estimate), (0.0, 0.0));
    }

    /// The coverage of the 95 % interval. Two normal distributions 1 apart: A = Φ(1/√2).
    #[test]
    fn the_interval_contains_the_true_area_95_times_in_100() {
        let truth = 0.760_249_938_906_5;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut draw = |n: usize, shift: f64| -> Vec<f64> {
            let normal = rand_distr::StandardNormal;
            (0..n)
                .map(|_| rng.sample::<f64, _>(normal) + shift)
                .collect()
        };
        let runs = 2000;
        let held = (0..runs)
            .filter(|_| {
                let auc = roc(&draw(20, 1.0), &draw(30, 0.0)).unwrap().auc;
                auc.low <= truth && truth <= auc.high
            })
            .count();
        let share = held as f64 / f64::from(runs);
        assert!((0.935..0.97).contains(&share), "{share}");
    }

    #[test]
    fn equal_scores_have_an_area_of_one_half() {
        let result = roc(&[1.0; 4], &[1.0; 9]).unwrap();
        assert_eq!(result.auc.estimate, 0.5);
        assert!(result.auc.low < 0.25 && result.auc.high > 0.75);
        assert_eq!(result.points.len(), 2);
    }

    #[test]
    fn an_empty_group_has_no_curve() {
        assert_eq!(roc(&[], &[1.0]), None);
        assert_eq!(roc(&[1.0], &[]), None);
        assert_eq!(roc(&[1.0, f64::NAN], &[0.0]), None);
    }

    /// Hanley & McNeil: V = (A(1−A) + N(Q₁−A²) + N(Q₂−A²))/mn, with N = (m+n)/2 − 1 in place of m − 1 and n − 1.
    #[test]
    fn the_ends_of_the_interval_are_where_the_score_test_just_rejects() {
        // Pairs: 1>0, 3>2, 3>0, 4>2, 4>0: 5 of 6.
        let auc = roc(&[1.0, 3.0, 4.0], &[2.0, 0.0]).unwrap().auc;
        assert_eq!(auc.estimate, 5.0 / 6.0);
        assert!(auc.low < auc.estimate && auc.estimate < auc.high);
        for a in [auc.low, auc.high] {
            let (first, second) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
            let spread = a * (1.0 - a) + 1.5 * (first - a * a) + 1.5 * (second - a * a);
            let z = (5.0 / 6.0 - a).abs() / (spread / 6.0).sqrt();
            assert!((z - NORMAL_95).abs() < 1e-9, "{a}: {z}");
        }
    }
}
