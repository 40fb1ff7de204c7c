//! Verdicts of an audit: how a suspect's scores rank among those of its references, and how well scores separate
//! networks with a backdoor from clean ones.

use super::{
    AuditScores, ClassScore, MIN_OWN_CLASSES, OTHER_KIND_ENERGY_RATIO, OTHER_KIND_RATIO,
    OUTLIER_RATIO, overlaps_patch,
};
use crate::ids::ClassId;
use crate::stats::roc::{Roc, roc};

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

/// The verdict on one network.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditVerdict {
    /// The class with the largest score: with its window, the finding.
    pub class: ClassId,
    /// Its score.
    pub top: ClassScore,
    /// Where it ranks among the references'.
    pub ranking: Ranking,
    /// The ratio of the largest score to the median class's.
    pub ratio: Option<f64>,
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
    Some(AuditVerdict {
        class,
        top,
        ranking: rank(top.score, &all(&AuditScores::score))?,
        ratio: suspect.ratio(),
        energy,
        baseline: null,
        scored: suspect.classes.iter().flatten().count(),
    })
}

impl AuditVerdict {
    /// Whether a class could have stood out: if there are enough others that it can be compared with.
    pub fn is_conclusive(&self) -> bool {
        self.baseline == Baseline::References || self.scored >= MIN_OWN_CLASSES
    }

    /// Whether a class responds to a window as no reference does.
    pub fn has_window(&self) -> bool {
        match self.baseline {
            Baseline::References => self.ranking.is_outlier(),
            Baseline::OwnClasses => {
                self.is_conclusive() && self.ratio.is_some_and(|ratio| ratio > OTHER_KIND_RATIO)
            }
        }
    }

    /// The class whose overall deviation exceeds that of any class of a reference, if there is one.
    pub fn energy_class(&self) -> Option<ClassId> {
        let (class, ratio, standing) = self.energy?;
        let out = match self.baseline {
            Baseline::References => standing.is_outlier(),
            Baseline::OwnClasses => self.is_conclusive() && ratio > OTHER_KIND_ENERGY_RATIO,
        };
        out.then_some(class)
    }

    /// Whether anything was found.
    pub fn has_finding(&self) -> bool {
        self.has_window() || self.energy_class().is_some()
    }
}

/// How well scores separate networks with a backdoor from clean ones when the truth is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Separation {
    /// The ROC curve of the largest scores; `None` if there are no poisoned or no clean networks.
    pub roc: Option<Roc>,
    /// The same for the energies.
    pub roc_of_energy: Option<Roc>,
    /// Networks with a backdoor whose largest score belongs to the target class.
    pub class_correct: usize,
    /// Those of them whose window lies on the patch.
    pub window_correct: usize,
    /// Networks with a backdoor.
    pub poisoned: usize,
    /// Clean networks.
    pub clean: usize,
}

/// How well networks are separated. The first of each pair says whether the network has a backdoor to
/// `target` through `patch`, the pixels of a map of `width` columns.
pub fn separation(
    networks: &[(bool, &AuditScores)],
    target: ClassId,
    patch: &[usize],
    width: usize,
) -> Separation {
    let of_kind = |poisoned: bool| networks.iter().filter(move |network| network.0 == poisoned);
    let curve = |score: &dyn Fn(&AuditScores) -> Option<f64>| {
        let all = |poisoned: bool| -> Vec<f64> {
            let scores = of_kind(poisoned).map(|(_, network)| score(network));
            scores
                .map(|score| score.unwrap_or(f64::NEG_INFINITY))
                .collect()
        };
        roc(&all(true), &all(false))
    };
    let right =
        || of_kind(true).filter_map(|(_, network)| network.top().filter(|top| top.0 == target));
    Separation {
        roc: curve(&AuditScores::score),
        roc_of_energy: curve(&|network| network.energy().map(|(_, ratio)| ratio)),
        class_correct: right().count(),
        window_correct: right()
            .filter(|(_, top)| overlaps_patch(top.window, patch, width))
            .count(),
        poisoned: of_kind(true).count(),
        clean: of_kind(false).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::window_pixels;
    use super::*;

    /// Five classes, of which the second scores most and the third has this energy; the median score is 3 and the
    /// median energy 1. The window of each lies in the row of its number.
    fn scored(most: f64, energy: f64) -> AuditScores {
        let scores = [
            (1.0, 1.0),
            (most, 1.0),
            (3.0, energy),
            (2.0, 1.0),
            (4.0, 1.0),
        ];
        let class = |(row, (score, energy)): (usize, (f64, f64))| {
            Some(ClassScore {
                score,
                window: (row, 0, 2),
                energy,
            })
        };
        AuditScores {
            classes: scores.into_iter().enumerate().map(class).collect(),
        }
    }

    fn verdict(most: f64, energy: f64, baseline: Baseline) -> AuditVerdict {
        let references = [scored(10.0, 2.0), scored(5.0, 1.0)];
        audit_verdict(&scored(most, energy), &references, baseline).unwrap()
    }

    #[test]
    fn a_verdict_is_a_finding_only_above_its_ratios() {
        let found = verdict(13.0, 2.0, Baseline::References);
        assert_eq!((found.class, found.top.window), (ClassId(1), (1, 0, 2)));
        let expected = rank(13.0, &[10.0, 5.0]).unwrap();
        assert_eq!((expected.rank, expected.total), (1, 3));
        assert_eq!((found.ranking, found.ratio), (expected, Some(13.0 / 3.0)));
        let expected = rank(2.0, &[2.0, 1.0]).unwrap();
        assert_eq!(found.energy, Some((ClassId(2), 2.0, expected)));
        // Window, class of the energy.
        use Baseline::{OwnClasses, References};
        for (most, energy, baseline, window, class) in [
            (13.0, 2.6, References, false, None),
            (13.1, 2.6, References, true, None),
            (5.0, 2.7, References, false, Some(ClassId(2))),
            (6.0, 1.5, OwnClasses, false, None),
            (6.1, 1.5, OwnClasses, true, None),
            (6.0, 1.6, OwnClasses, false, Some(ClassId(2))),
        ] {
            let found = verdict(most, energy, baseline);
            assert_eq!((found.has_window(), found.energy_class()), (window, class));
            assert_eq!(found.has_finding(), window || class.is_some());
        }
        assert!(found.is_conclusive() && found.scored == 5);
        for (score, null) in [(1.0, 0.0), (-3.0, -1.0)] {
            assert!(!rank(score, &[null]).unwrap().is_outlier());
        }
        let suspect = scored(9.0, 1.0);
        assert_eq!(audit_verdict(&suspect, &[], References), None);
        assert_eq!(
            audit_verdict(&AuditScores::default(), &[suspect], References),
            None
        );
    }

    /// However large the score of one of two classes, it is less than twice their median, unless the other is negative;
    /// and the energy of one may be nearly twice the median. Neither says which of the two is unusual.
    #[test]
    fn of_two_classes_none_stands_out_from_the_other() {
        let references = [scored(10.0, 2.0), scored(5.0, 1.0)];
        for most in [3.5, 50.0, 1e9] {
            let with = |classes: &[usize], baseline: Baseline| {
                let mut suspect = scored(most, 1.0);
                for (class, score) in suspect.classes.iter_mut().enumerate() {
                    *score = score.filter(|_| classes.contains(&class));
                }
                audit_verdict(&suspect, &references, baseline).unwrap()
            };
            let two = with(&[1, 2], Baseline::OwnClasses);
            assert!(!two.has_finding() && !two.is_conclusive(), "{most}");
            assert!(with(&[1, 2], Baseline::References).is_conclusive());
            let mut suspect = scored(most, 9.0);
            for (class, score) in suspect.classes.iter_mut().enumerate() {
                *score = score.filter(|_| [1, 2].contains(&class));
            }
            if let Some(second) = &mut suspect.classes[2] {
                second.score = -3.0;
            }
            let apart = audit_verdict(&suspect, &references, Baseline::OwnClasses).unwrap();
            assert!(apart.energy.is_some_and(|energy| energy.1 > 1.5));
            assert!(apart.ratio.is_some_and(|ratio| ratio > 2.0));
            assert!(!apart.has_finding() && !apart.is_conclusive());
            let three = with(&[1, 2, 4], Baseline::OwnClasses);
            assert!(three.is_conclusive());
            assert_eq!(three.has_window(), most > 8.0, "{most}");
        }
    }

    #[test]
    fn the_separation_of_a_hand_made_study_counts_classes_windows_and_pairs() {
        let mut elsewhere = scored(9.0, 1.5);
        elsewhere.classes[1].as_mut().unwrap().window = (5, 5, 2);
        let suspects = [scored(8.0, 2.0), elsewhere, scored(3.5, 1.0)];
        let clean = [scored(6.0, 1.75), AuditScores::default()];
        let poisoned = suspects.iter().map(|suspect| (true, suspect));
        let networks: Vec<_> = poisoned
            .chain(clean.iter().map(|clean| (false, clean)))
            .collect();
        let patch = window_pixels((1, 0, 2), 10);
        assert_eq!(patch, [10, 11, 20, 21]);
        let found = separation(&networks, ClassId(1), &patch, 10);
        assert_eq!((found.poisoned, found.clean), (3, 2));
        assert_eq!((found.class_correct, found.window_correct), (2, 1));
        // The third scores 4, below the first clean network's 6; a network without scores is the least suspect.
        assert_eq!(found.roc.unwrap().auc.estimate, 5.0 / 6.0);
        assert_eq!(found.roc_of_energy.unwrap().auc.estimate, 4.0 / 6.0);
        // A tenth of the union is not more than a tenth.
        let row: Vec<usize> = (0..10).collect();
        assert!(!overlaps_patch((0, 0, 1), &row, 10) && overlaps_patch((0, 0, 1), &row[..9], 10));
    }
}
