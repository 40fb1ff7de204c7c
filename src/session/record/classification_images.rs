//! Counts and sums of the noise trials, for every γ of a plan.

use serde::{Deserialize, Serialize};

use super::{GammaTrials, NoiseAxes, TrialKind, arrays};
use crate::session::config::{self, Response};
use crate::session::form::Form;

/// Counts and sums of the noise trials, for every γ of the plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationImages {
    /// In the order of `gammas` in the configuration; empty before it has begun.
    pub gammas: Vec<GammaTrials>,
    /// The axes of the noise's covariance, for regressions on its coefficients; `None` of noise that has none, of
    /// large maps, and in sessions of earlier versions.
    #[serde(default)]
    pub axes: Option<NoiseAxes>,
}

impl ClassificationImages {
    pub(super) fn new(_: &config::ClassificationImages) -> Self {
        Self::default()
    }

    /// Nothing measured yet, at every γ of the plan, of trials of this kind.
    pub fn begun(plan: &config::ClassificationImages, kind: &TrialKind) -> Self {
        let of_gamma = |&gamma: &f64| GammaTrials::new(gamma, plan.min_trials, kind);
        Self {
            gammas: plan.gammas.iter().map(of_gamma).collect(),
            axes: None,
        }
    }

    /// Takes the axes of the noise's covariance.
    pub fn take_axes(&mut self, axes: NoiseAxes) {
        self.axes = Some(axes);
        self.share_axes();
    }

    /// Gives the axes, once they have their numbers, to the trials at every γ.
    pub(super) fn share_axes(&mut self) {
        for gamma in &mut self.gammas {
            gamma.share_axes(self.axes.as_ref());
        }
    }

    /// Drops the sums from which estimates follow, and what they are estimated with.
    pub(super) fn drop_sums(&mut self) {
        self.gammas.iter_mut().for_each(GammaTrials::drop_sums);
        self.axes = None;
    }

    /// Whether it is a record of evidence too.
    pub fn has_evidence(&self) -> bool {
        self.gammas.iter().any(|gamma| gamma.evidence.is_some())
    }

    pub(super) fn fits(&self, plan: &config::ClassificationImages, form: Option<&Form>) -> bool {
        let Some(form) = form.filter(|_| !self.gammas.is_empty()) else {
            return self.gammas.is_empty() && self.axes.is_none();
        };
        let Ok(listed) = plan.listed(form) else {
            return false;
        };
        let kind = TrialKind {
            noise: plan.noise,
            grain: plan.grain(),
            weighting: plan.weighting,
            classes: form.count(),
            listed,
            images: form.shape(),
            evidence: plan.has(Response::Evidence),
        };
        let fits = |(own, &gamma): (&GammaTrials, &f64)| {
            own.gamma == gamma
                && own.min_trials == plan.min_trials
                && own.is(&kind)
                && own.agrees()
                && own.first <= plan.blocks_at(gamma)
                && own.blocks <= plan.blocks_at(gamma) - own.first
                && own.trials
                    == plan.trials_before(gamma, own.first + own.blocks)
                        - plan.trials_before(gamma, own.first)
        };
        let axes = self.axes.as_ref();
        axes.is_none_or(|it| it.agrees(plan.grain().grid(form.shape())))
            && self.gammas.len() == plan.gammas.len()
            && self.gammas.iter().zip(&plan.gammas).all(fits)
    }

    /// Trials done over all γ.
    pub fn trials(&self) -> u64 {
        self.gammas.iter().map(|gamma| gamma.trials).sum()
    }

    /// Trials done and trials to do. A γ that reached its target reliability has no more to do.
    pub fn progress(&self, plan: &config::ClassificationImages) -> (u64, u64) {
        if self.gammas.is_empty() {
            return (0, plan.trials_in_all());
        }
        let of_gamma = |it: &GammaTrials| match it.reached {
            true => it.trials,
            false => plan.trials_at(it.gamma),
        };
        let total = self.gammas.iter().map(of_gamma);
        (self.trials(), total.fold(0, u64::saturating_add))
    }
}

arrays!(ClassificationImages: gammas, axes);
