//! The verdict over a study of backdoors: which networks are called poisoned, how well that tells
//! the poisoned ones from the clean ones, and whether the window that gives them away is where the
//! patch was.
//!
//! Two scores are weighed. The anomaly index of a class stands by itself: it asks how far the
//! class's strongest window stands out of those of the other classes of the same network, and so
//! is unsteady where few classes have enough trials. The strength of that window, its mean z, needs
//! other networks of as many trials to compare with, and one class with enough trials.

use super::anomaly::overlap;
use super::roc::{Roc, roc};

/// A class whose anomaly index lies above this is flagged (Wang et al. 2019, *Neural Cleanse*).
pub const FLAGGED: f64 = 2.0;

/// What was found of one class of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its anomaly index; `None` where too few classes have a strongest window.
    pub index: Option<f64>,
    /// Mean z in its strongest window.
    pub strength: f64,
    /// Its strongest window: top row, left column, side.
    pub window: (usize, usize, usize),
}

/// One network, as it was examined.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// What was found of each class; `None` where it has too few trials.
    pub classes: Vec<Option<Found>>,
}

/// What the poisoned networks of a study were taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth<'a> {
    /// The class that the backdoor leads to.
    pub target: usize,
    /// The distinct pixels of the patch, or of the box that it spans.
    pub patch: &'a [usize],
    /// Columns of an image.
    pub width: usize,
}

/// What is said of one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Whether it was trained on poisoned images.
    pub poisoned: bool,
    /// The largest anomaly index of its classes; `None` where no class has one.
    pub score: Option<f64>,
    /// Mean z in the strongest window of all classes; `None` where no class has enough trials.
    pub strength: Option<f64>,
    /// The class of that window, which is also that of the largest index.
    pub class: Option<usize>,
    /// Every class whose index lies above [`FLAGGED`].
    pub flagged: Vec<usize>,
    /// Intersection over union, in \[0,1\], of that window and the true patch.
    pub overlap: Option<f64>,
}

impl Verdict {
    /// How many networks of a kind are flagged, in words that say how many could be judged:
    /// `3 of 10 clean flagged`, `none of 10 clean could be judged`.
    pub fn flagged_in_words(&self, poisoned: bool, of: usize) -> String {
        let (kind, flagged, judged) = match poisoned {
            true => ("poisoned", self.caught, self.judged_poisoned),
            false => ("clean", self.accused, self.judged_clean),
        };
        let examined = if poisoned { self.poisoned } else { self.clean };
        match examined - judged {
            0 => format!("{flagged} of {of} {kind} flagged"),
            _ if judged == 0 => format!("none of {of} {kind} could be judged"),
            left => format!("{flagged} of {judged} {kind} flagged, {left} not judged"),
        }
    }
}

impl Judgement {
    /// Whether it is called poisoned.
    pub fn is_flagged(&self) -> bool {
        !self.flagged.is_empty()
    }
}

/// What is said of all networks that have been examined at one γ.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// One judgement a network; `None` where it has not been examined yet.
    pub networks: Vec<Option<Judgement>>,
    /// How well the indices tell poisoned networks from clean ones, with the area under the curve;
    /// a network without one counts as the least suspect. `None` while a kind is missing.
    pub roc: Option<Roc>,
    /// The same of the strengths.
    pub roc_of_strength: Option<Roc>,
    /// Poisoned networks examined.
    pub poisoned: usize,
    /// Clean networks examined.
    pub clean: usize,
    /// Poisoned networks that are flagged.
    pub caught: usize,
    /// Clean networks that are flagged.
    pub accused: usize,
    /// Poisoned networks whose flagged class of highest index is the target.
    pub target_named: usize,
    /// Networks that have no index: too few classes have enough trials. They are not judged.
    pub without_score: usize,
    /// Poisoned networks that have an index.
    pub judged_poisoned: usize,
    /// Clean networks that have an index.
    pub judged_clean: usize,
}

/// The verdict over `networks`; `None` are those that have not been examined.
pub fn verdict(networks: &[Option<Examined>], truth: Truth<'_>) -> Verdict {
    let networks: Vec<Option<Judgement>> = networks
        .iter()
        .map(|network| network.as_ref().map(|it| judge(it, truth)))
        .collect();
    let examined = || networks.iter().flatten();
    let count = |is: &dyn Fn(&Judgement) -> bool| examined().filter(|it| is(it)).count();
    let curve = |score: &dyn Fn(&Judgement) -> Option<f64>| {
        let of = |poisoned: bool| -> Vec<f64> {
            let own = examined().filter(|it| it.poisoned == poisoned);
            own.map(|it| score(it).unwrap_or(f64::NEG_INFINITY))
                .collect()
        };
        roc(&of(true), &of(false))
    };
    Verdict {
        roc: curve(&|it| it.score),
        roc_of_strength: curve(&|it| it.strength),
        poisoned: count(&|it| it.poisoned),
        clean: count(&|it| !it.poisoned),
        caught: count(&|it| it.poisoned && it.is_flagged()),
        accused: count(&|it| !it.poisoned && it.is_flagged()),
        target_named: count(&|it| it.poisoned && it.is_flagged() && it.class == Some(truth.target)),
        without_score: count(&|it| it.score.is_none()),
        judged_poisoned: count(&|it| it.poisoned && it.score.is_some()),
        judged_clean: count(&|it| !it.poisoned && it.score.is_some()),
        networks,
    }
}

fn judge(network: &Examined, truth: Truth<'_>) -> Judgement {
    let found = network.classes.iter().enumerate();
    let found = found.filter_map(|(class, found)| Some((class, (*found)?)));
    // Of one network, the indices are in the order of the strengths.
    let most = found
        .clone()
        .max_by(|(_, a), (_, b)| a.strength.total_cmp(&b.strength));
    let flagged = found.filter(|(_, found)| found.index.is_some_and(|index| index > FLAGGED));
    Judgement {
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

    const TRUTH: Truth<'_> = Truth {
        target: 2,
        patch: &[11, 12, 21, 22],
        width: 10,
    };

    /// A network of three classes with these strengths, and indices twice as large; all windows on
    /// the patch.
    fn network(poisoned: bool, strengths: [Option<f64>; 3]) -> Option<Examined> {
        let found = |strength: f64| Found {
            index: Some(2.0 * strength),
            strength,
            window: (1, 1, 2),
        };
        let classes = strengths.map(|strength| strength.map(found));
        Some(Examined {
            poisoned,
            classes: classes.to_vec(),
        })
    }

    fn without_index(mut network: Option<Examined>) -> Option<Examined> {
        let classes = network.iter_mut().flat_map(|it| &mut it.classes);
        classes.flatten().for_each(|found| found.index = None);
        network
    }

    #[test]
    fn a_network_is_judged_by_its_most_anomalous_class() {
        let verdict = verdict(&[network(true, [Some(0.5), Some(1.5), Some(7.0)])], TRUTH);
        let judgement = verdict.networks[0].clone().unwrap();
        assert_eq!(judgement.score, Some(14.0));
        assert_eq!(judgement.strength, Some(7.0));
        assert_eq!(judgement.class, Some(2));
        assert_eq!(judgement.flagged, [1, 2]);
        assert_eq!(judgement.overlap, Some(1.0));
        assert_eq!(verdict.roc, None, "there is no clean network");
    }

    #[test]
    fn counts_and_curve_of_a_study_made_by_hand() {
        let networks = [
            network(true, [Some(0.0), Some(0.5), Some(3.0)]),
            network(true, [Some(1.5), Some(0.5), Some(1.25)]),
            network(true, [Some(0.5), Some(0.25), Some(0.0)]),
            network(false, [Some(0.0), Some(1.1), Some(0.5)]),
            network(false, [None, None, None]),
            None,
        ];
        let it = verdict(&networks, TRUTH);
        assert_eq!((it.poisoned, it.clean), (3, 2));
        assert_eq!((it.caught, it.accused), (2, 1));
        assert_eq!((it.target_named, it.without_score), (1, 1));
        assert_eq!(it.networks[5], None);
        // Of the six pairs only the third poisoned and the first clean are in the wrong order.
        assert_eq!(it.roc.unwrap().auc.estimate, 5.0 / 6.0);
        assert_eq!(it.roc_of_strength.unwrap().auc.estimate, 5.0 / 6.0);
    }

    #[test]
    fn networks_that_cannot_be_judged_are_told_as_such() {
        let silent = |poisoned| without_index(network(poisoned, [Some(0.5), Some(1.5), Some(7.0)]));
        let judged = network(false, [Some(0.0), Some(0.1), Some(0.2)]);
        let it = verdict(&[silent(true), silent(false), judged.clone()], TRUTH);
        assert_eq!((it.caught, it.accused, it.without_score), (0, 0, 2));
        assert_eq!((it.judged_poisoned, it.judged_clean), (0, 1));
        let words = |poisoned, of| it.flagged_in_words(poisoned, of);
        assert_eq!(words(true, 1), "none of 1 poisoned could be judged");
        assert_eq!(words(false, 2), "0 of 1 clean flagged, 1 not judged");
        let all = verdict(&[judged], TRUTH);
        assert_eq!(all.flagged_in_words(false, 1), "0 of 1 clean flagged");
    }

    #[test]
    fn a_network_without_an_index_has_a_strength_yet_and_is_not_called_poisoned() {
        let poisoned = without_index(network(true, [None, None, Some(9.0)]));
        let it = verdict(&[poisoned, network(false, [Some(-1.0); 3])], TRUTH);
        assert_eq!((it.caught, it.accused, it.target_named), (0, 0, 0));
        assert_eq!(it.without_score, 1);
        assert_eq!(it.networks[0].as_ref().unwrap().class, Some(2));
        assert_eq!(it.roc.unwrap().auc.estimate, 0.0);
        assert_eq!(it.roc_of_strength.unwrap().auc.estimate, 1.0);
    }
}
