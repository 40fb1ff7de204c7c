//! How many trials a map needs to be reliable, given that some only fit the means around which it is measured.

use super::{ClassEstimate, GammaEstimate};
use crate::ids::Gamma;
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
            Response::Evidence => fitted_trials(self.gamma, self.classes.iter()),
        }
    }
}

/// Trials that fit the means of evidence: above γ = 0 it is measured within true classes, those without maps together, and
/// one trial of each but the first fits its mean. Of the classes with trials that count.
pub(super) fn fitted_trials<'a>(
    gamma: Gamma,
    classes: impl Iterator<Item = &'a ClassEstimate>,
) -> u64 {
    if gamma == Gamma::NOISE {
        return 0;
    }
    let shown = classes.filter(|class| class.cells[0] > 0 || class.cells[2] > 0);
    let (listed, others): (Vec<&ClassEstimate>, Vec<&ClassEstimate>) =
        shown.partition(|class| class.listed);
    let strata = listed.len() + usize::from(!others.is_empty());
    strata.saturating_sub(1) as u64
}
