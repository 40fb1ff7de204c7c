//! The record of classification images: counts and sums of the noise trials, for every γ of a plan.

use serde::{Deserialize, Serialize};

use super::{GammaTrials, NoiseAxes, TrialKind, arrays};
use crate::ids::Gamma;
use crate::session::config::{self, Response};
use crate::session::form::Form;

/// Counts and sums of the noise trials, for every γ of the plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationImages {
    /// In the order of `gammas` in the configuration; empty before it has begun.
    pub gammas: Vec<GammaTrials>,
    /// The axes of the noise's covariance, for regressions on its coefficients; `None` for noise without
    /// coefficients, for large maps, and in sessions of earlier versions.
    #[serde(default)]
    pub axes: Option<NoiseAxes>,
}

impl ClassificationImages {
    pub(super) fn new(_: &config::ClassificationImages) -> Self {
        Self::default()
    }

    /// A record without trials, for every γ of the plan and trials of this kind.
    pub fn with_trials(plan: &config::ClassificationImages, kind: &TrialKind) -> Self {
        let of_gamma = |&gamma: &Gamma| GammaTrials::new(gamma, plan.min_trials, kind);
        Self {
            gammas: plan.gammas.iter().map(of_gamma).collect(),
            axes: None,
        }
    }

    /// Stores the axes of the noise's covariance.
    pub fn set_axes(&mut self, axes: NoiseAxes) {
        self.axes = Some(axes);
        self.share_axes();
    }

    /// Passes the axes, once their numbers are loaded, to the trials at every γ.
    pub(super) fn share_axes(&mut self) {
        for trials in &mut self.gammas {
            trials.share_axes(self.axes.as_ref());
        }
    }

    /// Drops the sums behind the estimates, and the axes.
    pub(super) fn drop_sums(&mut self) {
        self.gammas.iter_mut().for_each(GammaTrials::drop_sums);
        self.axes = None;
    }

    /// Whether evidence is recorded.
    pub fn has_evidence(&self) -> bool {
        self.gammas.iter().any(|trials| trials.evidence.is_some())
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
            classes: form.class_count(),
            listed,
            images: form.shape(),
            evidence: plan.has(Response::Evidence),
        };
        let fits = |(trials, &gamma): (&GammaTrials, &Gamma)| {
            trials.gamma == gamma
                && trials.min_trials == plan.min_trials
                && trials.is_of_kind(&kind)
                && trials.is_consistent()
                && trials.first <= plan.blocks_at(gamma)
                && trials.blocks <= plan.blocks_at(gamma) - trials.first
                && trials.trials
                    == plan.trials_before(gamma, trials.first + trials.blocks)
                        - plan.trials_before(gamma, trials.first)
        };
        let axes = self.axes.as_ref();
        axes.is_none_or(|axes| axes.is_consistent(plan.grain().grid(form.shape())))
            && self.gammas.len() == plan.gammas.len()
            && self.gammas.iter().zip(&plan.gammas).all(fits)
    }

    /// Trials done, over all γ.
    pub fn trials(&self) -> u64 {
        self.gammas.iter().map(|trials| trials.trials).sum()
    }

    /// Trials done and trials in total. A γ that reached its target reliability has none left.
    pub fn progress(&self, plan: &config::ClassificationImages) -> (u64, u64) {
        if self.gammas.is_empty() {
            return (0, plan.trials_in_all());
        }
        let of_gamma = |trials: &GammaTrials| match trials.reached {
            true => trials.trials,
            false => plan.trials_at(trials.gamma),
        };
        let total = self.gammas.iter().map(of_gamma);
        (self.trials(), total.fold(0, u64::saturating_add))
    }
}

arrays!(ClassificationImages: gammas, axes);
