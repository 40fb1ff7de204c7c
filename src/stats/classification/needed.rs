//! How many trials a map needs to be reliable, given that some only fit the means around which it is measured.

use super::GammaEstimate;
use crate::ids::{ClassId, Gamma};
use crate::stats::correlation::trials_needed_beyond;
use crate::stats::numbers::Response;

impl GammaEstimate {
    /// Trials at which a map of this response that has this reliability after `shown` trials would reach `target`;
    /// `None` as in [`trials_needed`](crate::stats::correlation::trials_needed).
    pub fn trials_needed(
        &self,
        response: Response,
        shown: u64,
        reliability: f64,
        target: f64,
    ) -> Option<u64> {
        trials_needed_beyond(self.fitted_trials(response), shown, reliability, target)
    }

    /// Trials of which maps of this response are not made, since they fit the means around which these are measured.
    pub fn fitted_trials(&self, response: Response) -> u64 {
        let is_listed = |class: ClassId| self.classes[class].listed;
        match response {
            Response::Decision => 0,
            Response::Evidence => fitted_trials(self.gamma, &self.counts, is_listed),
        }
    }
}

/// Trials that fit the means of evidence: above γ = 0 it is measured within true classes, those without maps together, and
/// one trial of each but the first fits its mean. By trials that count, of true and predicted class, \[K,K\].
pub(super) fn fitted_trials(
    gamma: Gamma,
    counts: &[u64],
    is_listed: impl Fn(ClassId) -> bool,
) -> u64 {
    if gamma == Gamma::NOISE {
        return 0;
    }
    let classes = counts.len().isqrt().max(1);
    let rows = ClassId::all(classes).zip(counts.chunks_exact(classes));
    let shown = rows.filter(|(_, row)| row.iter().any(|&count| count > 0));
    let (listed, others): (Vec<ClassId>, Vec<ClassId>) = shown
        .map(|(class, _)| class)
        .partition(|&class| is_listed(class));
    let strata = listed.len() + usize::from(!others.is_empty());
    strata.saturating_sub(1) as u64
}
