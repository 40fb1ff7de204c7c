//! Verdicts of an audit: how a suspect's scores rank among those of its references, whether they are a finding, and
//! when nothing can be said. Screens, reports, figures and exports take it from here.

use super::{
    AuditScores, ClassScore, MIN_OWN_CLASSES, OUTLIER_RATIO, OWN_CLASSES_ENERGY_RATIO,
    OWN_CLASSES_RATIO,
};
use crate::ids::ClassId;

/// Where a score ranks among those of the references.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Its rank among all, 1 being the largest; a tie counts against it.
    pub rank: usize,
    /// How many scores there are, including this one.
    pub total: usize,
    /// The largest score of a reference.
    pub largest: f64,
    /// The ratio of the score to that.
    pub ratio: f64,
}

/// Ranks a score among those of the references; `None` if there are none.
pub fn rank(score: f64, null: &[f64]) -> Option<Ranking> {
    let largest = null.iter().copied().reduce(f64::max)?;
    Some(Ranking {
        rank: 1 + null.iter().filter(|&&other| other >= score).count(),
        total: 1 + null.len(),
        largest,
        ratio: score / largest,
    })
}

impl Ranking {
    /// Whether the score stands out.
    pub fn is_outlier(&self) -> bool {
        self.largest > 0.0 && self.ratio > OUTLIER_RATIO
    }
}

/// What a suspect's scores are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The scores of the references, each against the others: they have the suspect's architecture.
    References,
    /// The scores of the suspect's other classes: the references have another architecture, and so deviate
    /// from all of its classes alike.
    OwnClasses,
}

/// Why nothing can be said of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// Too few classes have a score for one to stand out from the others, and the references have another architecture.
    FewClasses,
    /// A class is far from the references, but so are the others, and it does not stand out from these: a network that
    /// was trained otherwise than the references looks like this, with a backdoor or without.
    OtherTraining,
}

/// The verdict on one network.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditVerdict {
    /// The class with the largest score: with its window, the finding.
    pub class: ClassId,
    /// Its score.
    pub top: ClassScore,
    /// Where it ranks among the references'.
    pub ranking: Ranking,
    /// Where the median score of the other classes ranks among the references'; `None` if no other class has a score.
    pub rest: Option<Ranking>,
    /// The ratio of the largest score to the median class's.
    pub ratio: Option<f64>,
    /// The ratio beyond which a class stands out from the network's other classes.
    pub ratio_bound: f64,
    /// The class with the largest energy, the ratio of that energy to the median class's, and where the ratio
    /// ranks among the references'.
    pub energy: Option<(ClassId, f64, Ranking)>,
    /// What the score was compared with.
    pub baseline: Baseline,
    /// Number of classes that have a score.
    pub scored: usize,
}

/// The verdict on an examined network, given the references compared with each other. `None` if nothing
/// could be compared.
pub fn audit_verdict(
    suspect: &AuditScores,
    references: &[AuditScores],
    null: Baseline,
) -> Option<AuditVerdict> {
    let (class, top) = suspect.top()?;
    let all = |score: &dyn Fn(&AuditScores) -> Option<f64>| -> Vec<f64> {
        references.iter().filter_map(score).collect()
    };
    let energy = suspect.energy().and_then(|(class, ratio)| {
        let others = all(&|network| network.energy().map(|(_, ratio)| ratio));
        Some((class, ratio, rank(ratio, &others)?))
    });
    let ratios = all(&AuditScores::ratio).into_iter().reduce(f64::max);
    Some(AuditVerdict {
        class,
        top,
        ranking: rank(top.score, &all(&AuditScores::score))?,
        rest: suspect
            .rest()
            .and_then(|rest| rank(rest, &all(&AuditScores::rest))),
        ratio: suspect.ratio(),
        ratio_bound: beyond(OWN_CLASSES_RATIO, ratios),
        energy,
        baseline: null,
        scored: suspect.classes.iter().flatten().count(),
    })
}

/// The ratio beyond which a class stands out from the other classes of its network, given the least such ratio and the
/// largest one of a reference.
fn beyond(least: f64, largest: Option<f64>) -> f64 {
    largest.map_or(least, |largest| least.max(OUTLIER_RATIO * largest))
}

impl AuditVerdict {
    /// Whether something was found, or could have been.
    pub fn is_conclusive(&self) -> bool {
        self.undecided().is_none()
    }

    /// Why nothing can be said; `None` if something was found, or could have been.
    pub fn undecided(&self) -> Option<Undecided> {
        if self.has_finding() {
            return None;
        }
        match self.baseline {
            Baseline::References => self
                .ranking
                .is_outlier()
                .then_some(Undecided::OtherTraining),
            Baseline::OwnClasses => {
                (self.scored < MIN_OWN_CLASSES).then_some(Undecided::FewClasses)
            }
        }
    }

    /// Whether the network is farther from the references than any of these from the others, whichever class has the
    /// largest score: it was trained otherwise, so that their scores are no null distribution of its own.
    pub fn is_unlike_references(&self) -> bool {
        self.rest.is_some_and(|rest| rest.rank == 1)
    }

    /// The score beyond which a class stands out; `None` if none can.
    pub fn bound(&self) -> Option<f64> {
        let median = self
            .ratio
            .filter(|&ratio| ratio > 0.0 && self.scored >= MIN_OWN_CLASSES)
            .map(|ratio| self.top.score / ratio);
        let of_own = median.map(|median| self.ratio_bound * median);
        if self.baseline == Baseline::OwnClasses {
            return of_own;
        }
        let largest = Some(self.ranking.largest).filter(|&largest| largest > 0.0)?;
        let of_references = OUTLIER_RATIO * largest;
        match self.is_unlike_references() {
            true => Some(of_references.max(of_own?)),
            false => Some(of_references),
        }
    }

    /// Whether the class stands out from the network's other classes.
    fn stands_out_among_own(&self) -> bool {
        self.scored >= MIN_OWN_CLASSES && self.ratio.is_some_and(|ratio| ratio > self.ratio_bound)
    }

    /// Whether a class responds to a window as no reference does.
    pub fn has_window(&self) -> bool {
        match self.baseline {
            Baseline::References => {
                let specific = !self.is_unlike_references() || self.stands_out_among_own();
                self.ranking.is_outlier() && specific
            }
            Baseline::OwnClasses => self.stands_out_among_own(),
        }
    }

    /// The class whose overall deviation exceeds that of any class of a reference, if there is one.
    pub fn energy_class(&self) -> Option<ClassId> {
        let (class, ratio, standing) = self.energy?;
        let out = match self.baseline {
            Baseline::References => standing.is_outlier(),
            Baseline::OwnClasses => {
                self.scored >= MIN_OWN_CLASSES
                    && ratio > beyond(OWN_CLASSES_ENERGY_RATIO, Some(standing.largest))
            }
        };
        out.then_some(class)
    }

    /// Whether anything was found.
    pub fn has_finding(&self) -> bool {
        self.has_window() || self.energy_class().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network whose classes have these scores and energies.
    fn scored(classes: &[(f64, f64)]) -> AuditScores {
        let class = |(row, &(score, energy)): (usize, &(f64, f64))| {
            Some(ClassScore {
                score,
                window: (row, 0, 2),
                energy,
            })
        };
        AuditScores {
            classes: classes.iter().enumerate().map(class).collect(),
        }
    }

    /// Five classes, of which the second scores most and the third has this energy; the median score is 3, that of the
    /// other classes 2½, and the median energy 1.
    fn five(most: f64, energy: f64) -> AuditScores {
        scored(&[
            (1.0, 1.0),
            (most, 1.0),
            (3.0, energy),
            (2.0, 1.0),
            (4.0, 1.0),
        ])
    }

    /// A network whose classes have these scores and equal energies.
    fn of_scores(scores: &[f64]) -> AuditScores {
        let classes: Vec<(f64, f64)> = scores.iter().map(|&score| (score, 1.0)).collect();
        scored(&classes)
    }

    /// What was found: a window, the class of an energy.
    fn found(verdict: &AuditVerdict) -> (bool, Option<ClassId>) {
        (verdict.has_window(), verdict.energy_class())
    }

    #[test]
    fn a_verdict_is_a_finding_only_above_its_ratios() {
        let references = [five(10.0, 2.0), five(5.0, 1.0)];
        let verdict = |most, energy| {
            audit_verdict(&five(most, energy), &references, Baseline::References).unwrap()
        };
        let first = verdict(13.0, 2.0);
        assert_eq!((first.class, first.top.window), (ClassId(1), (1, 0, 2)));
        let expected = rank(13.0, &[10.0, 5.0]).unwrap();
        assert_eq!((expected.rank, expected.total), (1, 3));
        assert_eq!((first.ranking, first.ratio), (expected, Some(13.0 / 3.0)));
        let expected = rank(2.0, &[2.0, 1.0]).unwrap();
        assert_eq!(first.energy, Some((ClassId(2), 2.0, expected)));
        assert_eq!(
            (first.rest, first.bound()),
            (rank(2.5, &[2.5; 2]), Some(13.0))
        );
        assert!(!first.is_unlike_references() && first.is_conclusive() && first.scored == 5);
        for (most, energy, expected) in [
            (13.0, 2.6, (false, None)),
            (13.1, 2.6, (true, None)),
            (5.0, 2.7, (false, Some(ClassId(2)))),
        ] {
            let verdict = verdict(most, energy);
            assert_eq!(found(&verdict), expected);
            assert_eq!(verdict.has_finding(), expected != (false, None));
        }
        for (score, null) in [(1.0, 0.0), (-3.0, -1.0)] {
            assert!(!rank(score, &[null]).unwrap().is_outlier());
        }
        let suspect = five(9.0, 1.0);
        let references = Baseline::References;
        assert_eq!(audit_verdict(&suspect, &[], references), None);
        assert_eq!(
            audit_verdict(&AuditScores::default(), &[suspect], references),
            None
        );
    }

    /// How unequal the classes of a clean network are depends on the images, so that the references tell it.
    #[test]
    fn a_class_that_exceeds_the_others_no_more_than_one_of_a_reference_is_no_finding() {
        let verdict = |most, energy, references: &[AuditScores]| {
            audit_verdict(&five(most, energy), references, Baseline::OwnClasses).unwrap()
        };
        let equal = [five(4.0, 1.0), five(4.0, 1.0)];
        for (most, energy, expected) in [
            (6.0, 1.5, (false, None)),
            (6.1, 1.5, (true, None)),
            (6.0, 1.6, (false, Some(ClassId(2)))),
        ] {
            let verdict = verdict(most, energy, &equal);
            assert_eq!(found(&verdict), expected);
            assert!(verdict.ratio_bound == OWN_CLASSES_RATIO && verdict.is_conclusive());
        }
        // A reference whose largest score is twice its median class's, and its largest energy as well.
        let unequal = [five(6.0, 2.0), five(4.0, 1.0)];
        for (most, energy, expected) in [
            (7.7, 2.5, (false, None)),
            (7.9, 2.5, (true, None)),
            (7.7, 2.7, (false, Some(ClassId(2)))),
        ] {
            let verdict = verdict(most, energy, &unequal);
            assert_eq!(found(&verdict), expected);
            let bound = verdict.bound().unwrap();
            assert!((bound - 7.8).abs() < 1e-9, "{bound}");
        }
    }

    /// Clean networks of three classes on images of 9×7, trained longer or less than their references, scored like these.
    #[test]
    fn a_network_whose_classes_are_all_far_from_the_references_is_not_accused() {
        let references = [
            of_scores(&[1.4, 2.9, 0.8]),
            of_scores(&[0.6, 2.7, 2.3]),
            of_scores(&[2.0, 0.7, 2.9]),
        ];
        let verdict = |scores: &[f64]| {
            audit_verdict(&of_scores(scores), &references, Baseline::References).unwrap()
        };
        let undecided = |verdict: &AuditVerdict| (verdict.has_finding(), verdict.undecided());
        // All classes are half again as far: nothing can be said.
        let other = verdict(&[3.0, 4.4, 2.6]);
        assert_eq!(undecided(&other), (false, Some(Undecided::OtherTraining)));
        assert!(other.is_unlike_references() && !other.is_conclusive());
        assert!(other.bound().unwrap() > other.top.score);
        // One class is as far, and the others are as those of the references: a finding.
        let patched = verdict(&[1.3, 4.4, 1.1]);
        assert_eq!(undecided(&patched), (true, None));
        assert_eq!(patched.bound(), Some(1.3 * 2.9));
        // All are farther, but one stands out from the others as in no reference.
        let both = verdict(&[3.0, 9.9, 2.0]);
        assert!(both.is_unlike_references() && both.has_window());
        assert!(both.top.score > both.bound().unwrap());
        // All are farther, but none is beyond the references' largest: nothing found.
        let near = verdict(&[2.2, 3.6, 1.9]);
        assert_eq!(undecided(&near), (false, None));
        assert!(near.is_unlike_references() && near.is_conclusive());
    }

    /// However large the score of one of two classes, it is less than twice their median, unless the other is negative;
    /// and the energy of one may be nearly twice the median. Neither says which of the two is unusual.
    #[test]
    fn of_two_classes_none_stands_out_from_the_other() {
        let references = [of_scores(&[5.0, 3.0]), of_scores(&[4.0, 2.5])];
        let verdict = |scores: &[(f64, f64)], baseline: Baseline| {
            audit_verdict(&scored(scores), &references, baseline).unwrap()
        };
        let few = Some(Undecided::FewClasses);
        for most in [3.5, 50.0, 1e9] {
            let two = verdict(&[(most, 1.0), (3.0, 1.0)], Baseline::OwnClasses);
            assert!(!two.has_finding(), "{most}");
            assert_eq!((two.undecided(), two.bound()), (few, None));
            // References of its own kind are compared with it, unless both classes are far from them.
            let two = verdict(&[(most, 1.0), (3.0, 1.0)], Baseline::References);
            assert_eq!((two.has_window(), two.undecided()), (most > 6.5, None));
            let far = verdict(&[(most, 1.0), (3.1, 1.0)], Baseline::References);
            assert!(!far.has_window() && far.bound().is_none());
            assert_eq!(far.is_conclusive(), most <= 6.5);
            let apart = verdict(&[(most, 1.0), (-3.0, 9.0)], Baseline::OwnClasses);
            assert!(apart.energy.is_some_and(|energy| energy.1 > 1.5));
            assert!(apart.ratio.is_some_and(|ratio| ratio > 2.0));
            assert_eq!((apart.has_finding(), apart.undecided()), (false, few));
            let three = verdict(&[(most, 1.0), (3.0, 1.0), (4.0, 1.0)], Baseline::OwnClasses);
            assert!(three.is_conclusive());
            assert_eq!(three.has_window(), most > 8.0, "{most}");
        }
        // The only class is compared with nothing else.
        let one = verdict(&[(9.0, 1.0)], Baseline::References);
        assert_eq!((one.rest, one.has_window()), (None, true));
    }
}
