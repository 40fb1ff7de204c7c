//! How well scores separate networks with a backdoor from clean ones, in a study that knows which is which.

use super::{AuditScores, overlaps_patch};
use crate::ids::ClassId;
use crate::stats::roc::{Roc, roc};

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
    use super::super::{ClassScore, window_pixels};
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
