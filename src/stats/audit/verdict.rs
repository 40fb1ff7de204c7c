//! Verdicts of an audit: how a suspect's scores rank among those of its references, whether they are a finding, and
//! when nothing can be said. Screens, reports, figures and exports take it from here.

use super::{
    AuditScores, ClassScore, LEAST_RELIABILITY, MIN_OWN_CLASSES, OUTLIER_RATIO,
    OWN_CLASSES_ENERGY_RATIO, OWN_CLASSES_RATIO,
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
    /// The images are mostly noise: there were too few trials.
    Noise,
    /// No score stands out, but the window of the highest one, pasted on images of other classes, turns most of them
    /// into its class, as the windows of other classes do not.
    Pasting,
    /// Too few classes have a score for one to stand out from the others, and the references have another architecture.
    FewClasses,
    /// A class is far from the references, by a window or as a whole, but so are the others, and it does not stand out
    /// from these: a network that was trained otherwise than the references looks like this, with a backdoor or without.
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
    /// Where the median energy of the other classes ranks among the references'; `None` if no other class has one.
    pub rest_of_energy: Option<Ranking>,
    /// What the score was compared with.
    pub baseline: Baseline,
    /// Number of classes that have a score.
    pub scored: usize,
    /// Reliability of the images, in −1..1; `None` if it is not known.
    pub reliability: Option<f64>,
    /// Whether pasting the window turns at least [`LEAST_PASTED`](super::LEAST_PASTED) of the images of other classes into
    /// its class, and those of other classes do not do as much.
    pub pasting_works: bool,
}

/// The verdict on an examined network, given the references compared with each other, as if the images were reliable
/// and nothing had been pasted. `None` if nothing could be compared.
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
        rest_of_energy: suspect
            .rest_of_energy()
            .and_then(|rest| rank(rest, &all(&AuditScores::rest_of_energy))),
        baseline: null,
        scored: suspect.classes.iter().flatten().count(),
        reliability: None,
        pasting_works: false,
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
        if self.reliability.is_some_and(|r| r < LEAST_RELIABILITY) {
            return Some(Undecided::Noise);
        }
        let of_scores = match self.baseline {
            Baseline::References => {
                let as_a_whole = self
                    .energy
                    .is_some_and(|(_, _, standing)| standing.is_outlier());
                (self.ranking.is_outlier() || as_a_whole).then_some(Undecided::OtherTraining)
            }
            Baseline::OwnClasses => {
                (self.scored < MIN_OWN_CLASSES).then_some(Undecided::FewClasses)
            }
        };
        of_scores.or_else(|| self.pasting_works.then_some(Undecided::Pasting))
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

    /// The class whose overall deviation exceeds that of the other classes as in no reference, if there is one. None if
    /// the others deviate more than those of any reference, too: energies are more unequal after another training.
    pub fn energy_class(&self) -> Option<ClassId> {
        let (class, ratio, standing) = self.energy?;
        let out = match self.baseline {
            Baseline::References => {
                let others_too = self.rest_of_energy.is_some_and(|rest| rest.rank == 1);
                standing.is_outlier() && !others_too
            }
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
mod tests;
