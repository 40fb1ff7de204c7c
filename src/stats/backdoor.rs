//! The verdict of a backdoor study: which networks are called poisoned, how well that separates
//! poisoned from clean networks, and whether the window that gives them away matches the patch.
//!
//! Two scores are used. The anomaly index of a class needs no other network: it measures how far the
//! class's strongest window stands out from those of the network's other classes, and so is unstable
//! if few classes have enough trials. The strength of that window, its mean z, needs other networks
//! with as many trials for comparison, but only one class with enough trials.

use super::anomaly::overlap;
use super::roc::{Roc, roc};
use crate::ids::ClassId;

/// A class whose anomaly index is above this is flagged (Wang et al. 2019, *Neural Cleanse*).
pub const FLAG_THRESHOLD: f64 = 2.0;

/// The scores of one class of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassFinding {
    /// Its anomaly index; `None` if too few classes have a strongest window.
    pub index: Option<f64>,
    /// Mean z in its strongest window.
    pub strength: f64,
    /// Its strongest window: top row, left column, side.
    pub window: (usize, usize, usize),
}

/// The scores of one examined network.
#[derive(Debug, Clone, PartialEq)]
pub struct ExaminedNetwork {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// The scores of each class; `None` if it has too few trials.
    pub classes: Vec<Option<ClassFinding>>,
}

/// The backdoor that the poisoned networks of a study were trained with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueBackdoor<'a> {
    /// The class that the backdoor leads to.
    pub target: ClassId,
    /// The distinct pixels of the patch, or of its bounding box.
    pub patch: &'a [usize],
    /// Columns of an image.
    pub width: usize,
}

/// The judgement of one network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkJudgement {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// The largest anomaly index of its classes; `None` if no class has one.
    pub score: Option<f64>,
    /// Mean z in the strongest window of all classes; `None` if no class has enough trials.
    pub strength: Option<f64>,
    /// The class of that window, which also has the largest index.
    pub class: Option<ClassId>,
    /// Every class whose index is above [`FLAG_THRESHOLD`].
    pub flagged: Vec<ClassId>,
    /// Intersection over union, in \[0,1\], of that window and the true patch.
    pub overlap: Option<f64>,
}

impl StudyVerdict {
    /// The ROC curve of the indices, if it says anything: it needs at least two networks of each kind, since one alone
    /// says nothing about the next, and an index for at least one of each.
    pub fn curve(&self) -> Option<&Roc> {
        let several = self.poisoned.min(self.clean) > 1;
        let judged = self.judged_poisoned.min(self.judged_clean) > 0;
        self.roc.as_ref().filter(|_| several && judged)
    }

    /// How many poisoned or clean networks are flagged, and how many could be judged:
    /// `3 of 10 clean flagged`, `none of 10 clean could be judged`.
    pub fn flagged_text(&self, poisoned: bool, total: usize) -> String {
        let (kind, flagged, judged) = match poisoned {
            true => ("poisoned", self.poisoned_flagged, self.judged_poisoned),
            false => ("clean", self.clean_flagged, self.judged_clean),
        };
        let examined = if poisoned { self.poisoned } else { self.clean };
        match examined - judged {
            0 => format!("{flagged} of {total} {kind} flagged"),
            _ if judged == 0 => format!("none of {total} {kind} could be judged"),
            left => format!("{flagged} of {judged} {kind} flagged, {left} not judged"),
        }
    }
}

impl NetworkJudgement {
    /// Whether it is called poisoned.
    pub fn is_flagged(&self) -> bool {
        !self.flagged.is_empty()
    }
}

/// The verdict over all networks examined at one γ.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyVerdict {
    /// One judgement per network; `None` if it has not been examined yet.
    pub networks: Vec<Option<NetworkJudgement>>,
    /// How well the indices separate poisoned from clean networks, with the area under the curve;
    /// a network without an index counts as the least suspect. `None` if there is no poisoned or no
    /// clean network.
    pub roc: Option<Roc>,
    /// The same for the strengths.
    pub roc_of_strength: Option<Roc>,
    /// Poisoned networks examined.
    pub poisoned: usize,
    /// Clean networks examined.
    pub clean: usize,
    /// Poisoned networks that are flagged.
    pub poisoned_flagged: usize,
    /// Clean networks that are flagged.
    pub clean_flagged: usize,
    /// Poisoned networks whose flagged class with the highest index is the target.
    pub target_identified: usize,
    /// Networks without an index, which are not judged: too few classes have enough trials.
    pub without_score: usize,
    /// Poisoned networks that have an index.
    pub judged_poisoned: usize,
    /// Clean networks that have an index.
    pub judged_clean: usize,
}

/// The verdict over `networks`; `None` marks those not examined yet.
pub fn study_verdict(
    networks: &[Option<ExaminedNetwork>],
    truth: TrueBackdoor<'_>,
) -> StudyVerdict {
    let networks: Vec<Option<NetworkJudgement>> = networks
        .iter()
        .map(|network| network.as_ref().map(|examined| judge(examined, truth)))
        .collect();
    let examined = || networks.iter().flatten();
    let count = |is: &dyn Fn(&NetworkJudgement) -> bool| {
        examined().filter(|judgement| is(judgement)).count()
    };
    let curve = |score: &dyn Fn(&NetworkJudgement) -> Option<f64>| {
        let scores = |poisoned: bool| -> Vec<f64> {
            let judgements = examined().filter(|judgement| judgement.poisoned == poisoned);
            judgements
                .map(|judgement| score(judgement).unwrap_or(f64::NEG_INFINITY))
                .collect()
        };
        roc(&scores(true), &scores(false))
    };
    StudyVerdict {
        roc: curve(&|judgement| judgement.score),
        roc_of_strength: curve(&|judgement| judgement.strength),
        poisoned: count(&|judgement| judgement.poisoned),
        clean: count(&|judgement| !judgement.poisoned),
        poisoned_flagged: count(&|judgement| judgement.poisoned && judgement.is_flagged()),
        clean_flagged: count(&|judgement| !judgement.poisoned && judgement.is_flagged()),
        target_identified: count(&|judgement| {
            judgement.poisoned && judgement.is_flagged() && judgement.class == Some(truth.target)
        }),
        without_score: count(&|judgement| judgement.score.is_none()),
        judged_poisoned: count(&|judgement| judgement.poisoned && judgement.score.is_some()),
        judged_clean: count(&|judgement| !judgement.poisoned && judgement.score.is_some()),
        networks,
    }
}

fn judge(network: &ExaminedNetwork, truth: TrueBackdoor<'_>) -> NetworkJudgement {
    let found = network.classes.iter().enumerate();
    let found = found.filter_map(|(class, found)| Some((ClassId(class), (*found)?)));
    // Within a network, the indices are in the order of the strengths.
    let most = found
        .clone()
        .max_by(|(_, a), (_, b)| a.strength.total_cmp(&b.strength));
    let flagged =
        found.filter(|(_, found)| found.index.is_some_and(|index| index > FLAG_THRESHOLD));
    NetworkJudgement {
        poisoned: network.poisoned,
        score: most.and_then(|(_, found)| found.index),
        strength: most.map(|(_, found)| found.strength),
        class: most.map(|(class, _)| class),
        flagged: flagged.map(|(class, _)| class).collect(),
        overlap: most.map(|(_, found)| overlap(found.window, truth.patch, truth.width)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: TrueBackdoor<'_> = TrueBackdoor {
        target: ClassId(2),
        patch: &[11, 12, 21, 22],
        width: 10,
    };

    /// A network of three classes with these strengths, and indices twice as large; all windows lie on
    /// the patch.
    fn network(poisoned: bool, strengths: [Option<f64>; 3]) -> Option<ExaminedNetwork> {
        let found = |strength: f64| ClassFinding {
            index: Some(2.0 * strength),
            strength,
            window: (1, 1, 2),
        };
        let classes = strengths.map(|strength| strength.map(found));
        Some(ExaminedNetwork {
            poisoned,
            classes: classes.to_vec(),
        })
    }

    fn without_index(mut network: Option<ExaminedNetwork>) -> Option<ExaminedNetwork> {
        let classes = network
            .iter_mut()
            .flat_map(|examined| &mut examined.classes);
        classes.flatten().for_each(|found| found.index = None);
        network
    }

    #[test]
    fn a_network_is_judged_by_its_most_anomalous_class() {
        let verdict = study_verdict(&[network(true, [Some(0.5), Some(1.5), Some(7.0)])], TRUTH);
        let judgement = verdict.networks[0].clone().unwrap();
        assert_eq!(judgement.score, Some(14.0));
        assert_eq!(judgement.strength, Some(7.0));
        assert_eq!(judgement.class, Some(ClassId(2)));
        assert_eq!(judgement.flagged, [ClassId(1), ClassId(2)]);
        assert_eq!(judgement.overlap, Some(1.0));
        assert_eq!(verdict.target_identified, 1);
        assert_eq!(verdict.roc, None, "there is no clean network");
    }

    #[test]
    fn counts_and_curve_match_a_hand_made_study() {
        let networks = [
            network(true, [Some(0.0), Some(0.5), Some(3.0)]),
            network(true, [Some(1.5), Some(0.5), Some(1.25)]),
            network(true, [Some(0.5), Some(0.25), Some(0.0)]),
            network(false, [Some(0.0), Some(1.1), Some(0.5)]),
            network(false, [None, None, None]),
            None,
        ];
        let result = study_verdict(&networks, TRUTH);
        assert_eq!((result.poisoned, result.clean), (3, 2));
        assert_eq!(result.curve(), result.roc.as_ref());
        assert_eq!((result.poisoned_flagged, result.clean_flagged), (2, 1));
        assert_eq!((result.target_identified, result.without_score), (1, 1));
        assert_eq!(result.networks[5], None);
        // One network of a kind says nothing about the next.
        let alone = study_verdict(&networks[2..4], TRUTH);
        assert!(alone.roc.is_some());
        assert_eq!(alone.curve(), None);
        // Of the six pairs only the third poisoned and the first clean are in the wrong order.
        assert_eq!(result.roc.unwrap().auc.estimate, 5.0 / 6.0);
        assert_eq!(result.roc_of_strength.unwrap().auc.estimate, 5.0 / 6.0);
    }

    #[test]
    fn networks_that_cannot_be_judged_are_reported_as_such() {
        let silent = |poisoned| without_index(network(poisoned, [Some(0.5), Some(1.5), Some(7.0)]));
        let judged = network(false, [Some(0.0), Some(0.1), Some(0.2)]);
        let result = study_verdict(&[silent(true), silent(false), judged.clone()], TRUTH);
        assert_eq!(
            (
                result.poisoned_flagged,
                result.clean_flagged,
                result.without_score
            ),
            (0, 0, 2)
        );
        assert_eq!((result.judged_poisoned, result.judged_clean), (0, 1));
        let words = |poisoned, total| result.flagged_text(poisoned, total);
        assert_eq!(words(true, 1), "none of 1 poisoned could be judged");
        assert_eq!(words(false, 2), "0 of 1 clean flagged, 1 not judged");
        let all = study_verdict(std::slice::from_ref(&judged), TRUTH);
        assert_eq!(all.flagged_text(false, 1), "0 of 1 clean flagged");
        // Networks without an index are equally suspect: a curve of them would be one of chance.
        let networks = [silent(true), silent(true), silent(false), judged];
        let result = study_verdict(&networks, TRUTH);
        assert!(result.roc.is_some());
        assert_eq!(result.curve(), None);
    }

    #[test]
    fn a_network_without_an_index_has_a_strength_and_is_not_called_poisoned() {
        let poisoned = without_index(network(true, [None, None, Some(9.0)]));
        let result = study_verdict(&[poisoned, network(false, [Some(-1.0); 3])], TRUTH);
        assert_eq!(
            (
                result.poisoned_flagged,
                result.clean_flagged,
                result.target_identified
            ),
            (0, 0, 0)
        );
        assert_eq!(result.without_score, 1);
        let called = result.networks[0].as_ref().unwrap().class;
        assert_eq!(called, Some(ClassId(2)));
        assert_eq!(result.roc.unwrap().auc.estimate, 0.0);
        assert_eq!(result.roc_of_strength.unwrap().auc.estimate, 1.0);
    }

    #[test]
    fn an_index_of_two_flags_nothing_and_a_clean_network_identifies_no_target() {
        let networks = [
            network(true, [Some(0.0), Some(0.5), Some(1.0)]),
            network(false, [Some(0.0), Some(0.5), Some(3.0)]),
        ];
        let result = study_verdict(&networks, TRUTH);
        assert_eq!((result.poisoned_flagged, result.clean_flagged), (0, 1));
        assert_eq!((result.target_identified, result.without_score), (0, 0));
        assert_eq!((result.judged_poisoned, result.judged_clean), (1, 1));
    }
}
