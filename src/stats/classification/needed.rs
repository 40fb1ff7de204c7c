//! How many trials a map needs to be reliable, given that some only fit the means around which it is measured.

use super::{GammaEstimate, TrialSums};
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
        match response {
            Response::Decision => 0,
            Response::Evidence => self.fitted,
        }
    }
}

/// Trials that fit the means of evidence: above γ = 0 it is measured within true classes, those without maps together, and
/// one trial of each but the first fits its mean. Of the classes that were shown, whether their trials count or not.
pub(super) fn fitted_trials(trials: &TrialSums<'_>) -> u64 {
    let Some(responses) = trials.evidence.filter(|_| trials.gamma != Gamma::NOISE) else {
        return 0;
    };
    let by_parity = || responses.shown.chunks_exact(trials.classes.max(1));
    let shown = |class: &ClassId| by_parity().any(|counts| counts[*class] > 0);
    let shown = ClassId::all(trials.classes).filter(shown);
    let (listed, others): (Vec<ClassId>, Vec<ClassId>) =
        shown.partition(|class| trials.listed.binary_search(class).is_ok());
    let strata = listed.len() + usize::from(!others.is_empty());
    strata.saturating_sub(1) as u64
}
