//! Agreement of two networks: from their decision counts alone, and from decisions on the same
//! trials.

use super::share::Share;
use crate::ids::ClassId;

/// A comparison of two tables of decisions, each by true and called class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableComparison {
    /// Total variation distance of the shares of trials called each class, in \[0,1\]: half the sum
    /// of |p_a − p_b|.
    pub distance: f64,
    /// The distance expected by chance if both networks had the same called-class shares.
    pub by_chance: f64,
    /// Bounds on the share of trials on which they agree if both were shown the same trials: no pairing of
    /// the decisions within a true class gives less or more.
    pub agreement_bounds: [f64; 2],
    /// Trials that each decided correctly.
    pub correct: [Share; 2],
}

/// Compares two tables of trials by true and called class, \[K,K\] each; `None` if their sizes differ
/// or one is empty.
pub fn compare_tables([a, b]: [&[u64]; 2], classes: usize) -> Option<TableComparison> {
    let size = classes * classes;
    let all = [a, b].map(|counts| counts.iter().sum::<u64>());
    if a.len() != size || b.len() != size || all.contains(&0) {
        return None;
    }
    let by_called = |counts: &[u64], class: usize| -> f64 {
        let column = counts.iter().skip(class).step_by(classes);
        column.sum::<u64>() as f64
    };
    let n = all.map(|all| all as f64);
    let (mut distance, mut by_chance) = (0.0, 0.0);
    for class in 0..classes {
        let counts = [by_called(a, class), by_called(b, class)];
        distance += (counts[0] / n[0] - counts[1] / n[1]).abs() / 2.0;
        let pooled = (counts[0] + counts[1]) / (n[0] + n[1]);
        let variance = pooled * (1.0 - pooled) * (1.0 / n[0] + 1.0 / n[1]);
        // The mean absolute value of a normal variable is √(2/π) of its deviation.
        by_chance += (variance * std::f64::consts::FRAC_2_PI).sqrt() / 2.0;
    }
    let mut alike = [0.0; 2];
    for truth in 0..classes {
        let rows = [a, b].map(|counts| &counts[truth * classes..(truth + 1) * classes]);
        let shown = rows.map(|row| row.iter().sum::<u64>() as f64);
        if shown.contains(&0.0) {
            continue;
        }
        let share = (shown[0] / n[0] + shown[1] / n[1]) / 2.0;
        let pairs = || {
            let pairs = rows[0].iter().zip(rows[1]);
            pairs.map(|(&p, &q)| (p as f64 / shown[0], q as f64 / shown[1]))
        };
        let least = pairs().map(|(p, q)| p + q - 1.0).fold(0.0, f64::max);
        alike[0] += share * least;
        alike[1] += share * pairs().map(|(p, q)| p.min(q)).sum::<f64>();
    }
    // Exactly 1 up to rounding.
    if alike[1] > 1.0 - 1e-9 {
        alike[1] = 1.0;
    }
    let correct = |counts: &[u64], total: u64| Share {
        hits: (0..classes)
            .map(|class| counts[class * (classes + 1)])
            .sum(),
        total,
    };
    Some(TableComparison {
        distance,
        by_chance,
        agreement_bounds: alike,
        correct: [correct(a, all[0]), correct(b, all[1])],
    })
}

/// Decisions of two networks on the same trials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointDecisions {
    /// K.
    pub classes: usize,
    /// Trials by the decisions of networks a and b, \[K,K\].
    pub counts: Vec<u64>,
    /// Trials that each decided correctly.
    pub correct: [u64; 2],
}

impl JointDecisions {
    /// An empty table.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
            correct: [0; 2],
        }
    }

    /// Adds a trial with its true class and the two decisions, all below K.
    pub fn add(&mut self, truth: ClassId, [a, b]: [ClassId; 2]) {
        self.counts[a.0 * self.classes + b.0] += 1;
        self.correct[0] += u64::from(a == truth);
        self.correct[1] += u64::from(b == truth);
    }

    /// Adds the trials of another table with as many classes.
    pub fn merge(&mut self, other: &Self) {
        let pairs = self.counts.iter_mut().zip(&other.counts);
        pairs.for_each(|(count, more)| *count += more);
        let correct = self.correct.iter_mut().zip(other.correct);
        correct.for_each(|(count, more)| *count += more);
    }

    /// Number of trials.
    pub fn trials(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of trials on which both networks agree.
    pub fn agreement(&self) -> Share {
        let diagonal = (0..self.classes).map(|class| self.counts[class * (self.classes + 1)]);
        Share {
            hits: diagonal.sum(),
            total: self.trials(),
        }
    }

    /// Cohen's κ: agreement beyond that of two independent networks with the same called-class shares; 1 if
    /// they always agree. `None` if there are no trials, or both networks always choose the same single class.
    pub fn kappa(&self) -> Option<f64> {
        let alike = self.agreement().rate()?;
        let n = self.trials() as f64;
        let chance_of = |class: usize| {
            let row = &self.counts[class * self.classes..(class + 1) * self.classes];
            let column = self.counts.iter().skip(class).step_by(self.classes);
            (row.iter().sum::<u64>() as f64 / n) * (column.sum::<u64>() as f64 / n)
        };
        let chance: f64 = (0..self.classes).map(chance_of).sum();
        (chance < 1.0).then(|| (alike - chance) / (1.0 - chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_no_distance_from_itself_and_may_agree_fully() {
        let counts = [30, 10, 5, 55];
        let result = compare_tables([&counts, &counts], 2).unwrap();
        assert_eq!((result.distance, result.agreement_bounds[1]), (0.0, 1.0));
        assert_eq!(
            result.correct[0],
            Share {
                hits: 85,
                total: 100
            }
        );
        // Shares of ¾ of 40 and of 55/60 must overlap by ½ and by 5/6.
        assert!((result.agreement_bounds[0] - (0.4 * 0.5 + 0.6 * 5.0 / 6.0)).abs() < 1e-12);
        // ⅓ + ½ + ⅙ is less than 1 as rounded.
        let sixths = [0, 0, 0, 2, 3, 1, 0, 0, 0];
        let result = compare_tables([&sixths, &sixths], 3).unwrap();
        assert_eq!(result.agreement_bounds[1], 1.0);
    }

    #[test]
    fn one_decision_in_a_billion_that_differs_is_not_rounded_away() {
        let billion = 1_000_000_000;
        let (a, b) = ([billion - 1, 1, 0, 0], [billion, 0, 0, 0]);
        let result = compare_tables([&a, &b], 2).unwrap();
        assert_eq!(result.agreement_bounds[1], 0.999_999_999);
    }

    #[test]
    fn distances_match_their_closed_form() {
        // Called the first: 90 of 100, and 60 of 200.
        let result = compare_tables([&[50, 0, 40, 10], &[30, 70, 30, 70]], 2).unwrap();
        assert!((result.distance - 0.6).abs() < 1e-12);
        let variance: f64 = 0.5 * 0.5 * (0.01 + 0.005);
        let chance = (2.0 * variance / std::f64::consts::PI).sqrt();
        assert!((result.by_chance - chance).abs() < 1e-12);
    }

    #[test]
    fn networks_that_never_decide_alike_have_no_agreement() {
        let result = compare_tables([&[10, 0, 10, 0], &[0, 10, 0, 10]], 2).unwrap();
        assert_eq!(
            (result.distance, result.agreement_bounds),
            (1.0, [0.0, 0.0])
        );
    }

    #[test]
    fn the_agreement_on_the_same_trials_lies_within_its_bounds() {
        // Every pairing of four trials of two classes.
        for bits in 0..4096_u32 {
            let bit = |at: u32| (bits >> at & 1) as usize;
            let (mut a, mut b) = ([0; 4], [0; 4]);
            let mut halves = [JointDecisions::new(2), JointDecisions::new(2)];
            for trial in 0..4 {
                let (truth, decisions) = (bit(trial), [bit(4 + trial), bit(8 + trial)]);
                a[2 * truth + decisions[0]] += 1;
                b[2 * truth + decisions[1]] += 1;
                halves[bit(trial)].add(ClassId(truth), decisions.map(ClassId));
            }
            let [mut joint, other] = halves;
            joint.merge(&other);
            assert_eq!(joint.trials(), 4);
            let result = compare_tables([&a, &b], 2).unwrap();
            let alike = joint.agreement().rate().unwrap();
            assert!(
                result.agreement_bounds[0] - 1e-9 <= alike
                    && alike <= result.agreement_bounds[1] + 1e-9
            );
            assert_eq!(result.correct.map(|share| share.hits), joint.correct);
        }
    }

    #[test]
    fn kappa_matches_a_published_example() {
        // Cohen's own kind of table: 45, 15, 25, 15 of 100: p 0.60, chance 0.54.
        let joint = JointDecisions {
            counts: vec![45, 15, 25, 15],
            ..JointDecisions::new(2)
        };
        assert_eq!(
            joint.agreement(),
            Share {
                hits: 60,
                total: 100
            }
        );
        assert!((joint.kappa().unwrap() - 0.06 / 0.46).abs() < 1e-12);
        assert_eq!(JointDecisions::new(2).kappa(), None);
        let always_first = JointDecisions {
            counts: vec![5, 0, 0, 0],
            ..JointDecisions::new(2)
        };
        assert_eq!(always_first.kappa(), None);
    }

    #[test]
    fn tables_of_other_sizes_and_empty_ones_are_not_compared() {
        assert_eq!(compare_tables([&[1, 0, 0, 1], &[1; 9]], 2), None);
        assert_eq!(compare_tables([&[1, 0, 0, 1], &[0; 4]], 2), None);
    }

    #[test]
    fn bounds_weigh_each_true_class_by_its_mean_share_of_the_trials() {
        // Of the first class 8 of 10 and 4 of 8 trials, a share of 0.65; of the second 2 of 10 and 4 of 8.
        let result = compare_tables([&[6, 2, 1, 1], &[1, 3, 1, 3]], 2).unwrap();
        // Rows (¾, ¼) and (¼, ¾) overlap by 0 to ½, rows (½, ½) and (¼, ¾) by ¼ to ¾.
        let expected = [0.35 * 0.25, 0.65 * 0.5 + 0.35 * 0.75];
        for (bound, expected) in result.agreement_bounds.into_iter().zip(expected) {
            assert!((bound - expected).abs() < 1e-12, "{bound} {expected}");
        }
        let correct = result.correct.map(|share| (share.hits, share.total));
        assert_eq!(correct, [(7, 10), (4, 8)]);
    }
}
