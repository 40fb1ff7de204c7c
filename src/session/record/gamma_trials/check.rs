//! Checks of the trials at one γ: their kind, their consistency and their equality.

use super::GammaTrials;
use crate::session::config::Weighting;
use crate::session::record::{EvidenceRecord, TrialKind, course, has_shape};
use crate::stats::classification::MARGINS;

impl GammaTrials {
    /// Whether its trials are of this kind.
    pub(in crate::session::record) fn is_of_kind(&self, kind: &TrialKind) -> bool {
        // Only the shape is checked: the numbers of a file are loaded later.
        let own_strata = |evidence: &EvidenceRecord| {
            (evidence.noise.shape().len() > 1) == (kind.evidence_rows() > 0)
        };
        self.kind == kind.noise
            && self.grid == kind.noise.grid()
            && self.deviation == kind.noise.deviation(kind.images)
            && self.grain == kind.grain
            && self.images == kind.images
            && self.classes() == kind.classes
            && self.listed == kind.listed
            && self.weights.is_empty() == (kind.weighting != Weighting::Confidence)
            && self.evidence.is_some() == kind.evidence
            && (self.dropped_sums || self.evidence.as_ref().is_none_or(own_strata))
            && self.on_the_way.iter().all(|sums| sums.is_of_kind(kind))
    }

    /// Whether its numbers are consistent, so that readers need not check.
    pub fn is_consistent(&self) -> bool {
        let (k, m) = (self.classes(), self.listed.len());
        let [c, h, w] = self.shape();
        let cells = 2 * k * k;
        let counted = self
            .counts
            .iter()
            .try_fold(0_u64, |sum, &n| sum.checked_add(n));
        let weighted = self.weights.len();
        let rest: &[usize] = if m < k { &[2, c, h, w] } else { &[0] };
        let moments: &[usize] = match self.deviation {
            None => &[2, c, h, w],
            Some(_) => &[0],
        };
        let sums = || {
            has_shape(&self.noise, &[2, MARGINS, m, c, h, w])
                && has_shape(&self.rest, rest)
                && has_shape(&self.image, &[m, c, h, w])
                && has_shape(&self.moments, moments)
        };
        let course = || match self.noted.is_empty() {
            // Sessions of earlier versions have no course.
            true => self.course.values().is_empty(),
            false => has_shape(&self.course, &[self.noted.len(), 2, m]),
        };
        let evidence_fits = |evidence: &EvidenceRecord| {
            evidence.is_consistent((k, m), [c, h, w], self.dropped_sums)
                && evidence.trials() == Some(self.trials)
        };
        let fed_back = self.evidence_fed_back.iter();
        self.counts.len() == cells
            && self.evidence.as_ref().is_none_or(evidence_fits)
            && course()
            && self.noted.is_sorted_by(|a, b| a < b)
            && self.on_the_way.iter().all(Self::is_consistent)
            && self.evidence_fed_back.len() == self.evidence.as_ref().map_or(0, |_| k)
            && fed_back.flatten().all(|answer| answer.class.0 < k)
            && self.null.as_ref().is_none_or(|null| null.agrees([c, h, w]))
            && self
                .fed_back
                .iter()
                .flatten()
                .all(|answer| answer.class.0 < k)
            && self.listed.is_sorted_by(|a, b| a < b)
            && self.listed.iter().all(|class| class.0 < k)
            && (self.dropped_sums || sums())
            && (weighted == 0 || weighted == cells)
            && self.squared_weights.len() == weighted
            && counted.and_then(|n| n.checked_add(self.dropped)) == Some(self.trials)
    }
}

impl PartialEq for GammaTrials {
    fn eq(&self, other: &Self) -> bool {
        self.gamma == other.gamma
            && (self.first, self.blocks) == (other.first, other.blocks)
            && self.trials == other.trials
            && self.min_trials == other.min_trials
            && self.fed_back == other.fed_back
            && self.counts == other.counts
            && self.listed == other.listed
            && self.images == other.images
            && self.grain == other.grain
            && self.noise == other.noise
            && self.rest == other.rest
            && self.image == other.image
            && self.kind == other.kind
            && self.grid == other.grid
            && self.deviation == other.deviation
            && self.moments == other.moments
            && self.weights == other.weights
            && self.squared_weights == other.squared_weights
            && self.dropped == other.dropped
            && self.evidence == other.evidence
            && self.noted == other.noted
            && course::equal_bits(self.course.values(), other.course.values())
            && self.evidence_fed_back == other.evidence_fed_back
            && self.null == other.null
            && self.reached == other.reached
            && self.on_the_way == other.on_the_way
    }
}
