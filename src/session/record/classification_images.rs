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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ids::BlockIndex;
    use crate::session::Array;
    use crate::session::record::BlockSums;

    /// Maps of two classes, under noise with dependent pixels, that are alike in even and odd blocks.
    pub(in crate::session::record) fn dependent() -> ClassificationImages {
        let plan = config::ClassificationImages {
            gammas: vec![Gamma::NOISE],
            min_trials: 1,
            ..Default::default()
        };
        let kind = TrialKind {
            noise: config::Noise::Gabor,
            ..TrialKind::plain(2, [1, 1, 2])
        };
        let mut images = ClassificationImages::with_trials(&plan, &kind);
        for block in BlockIndex::first(2) {
            images.gammas[0].add(&BlockSums {
                block,
                trials: 2,
                counts: vec![1, 0, 0, 1],
                noise: vec![(0, vec![90, 60]), (1, vec![110, 80])],
                moments: vec![200, 140, 20200, 10000],
                ..BlockSums::default()
            });
        }
        images
    }

    /// The axes of independent pixels of equal variance.
    pub(in crate::session::record) fn axes() -> NoiseAxes {
        NoiseAxes {
            variances: Array::new(&[2], vec![1.0, 1.0]),
            vectors: Array::new(&[2, 1, 1, 2], vec![1.0, 0.0, 0.0, 1.0]),
        }
    }

    /// Whether each class's map is regressed on the noise's coefficients.
    pub(in crate::session::record) fn regressed(images: &ClassificationImages) -> Vec<bool> {
        let estimate = images.gammas[0].estimate();
        let maps = estimate.classes.iter().map(|class| &class.decision);
        maps.map(|map| map.as_ref().unwrap().regression.is_some())
            .collect()
    }

    #[test]
    fn maps_are_regressed_once_the_axes_of_the_noise_are_known() {
        let mut images = dependent();
        assert_eq!(regressed(&images), [false, false]);
        images.set_axes(axes());
        assert_eq!(regressed(&images), [true, true]);
        assert!(images.axes == Some(axes()));
    }

    /// 250 trials in blocks of 100 at two γ, all done at the first.
    fn done() -> (config::ClassificationImages, Form, ClassificationImages) {
        let plan = config::ClassificationImages {
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            trials: 250,
            block: 100,
            responses: vec![Response::Decision],
            ..Default::default()
        };
        let kind = TrialKind::plain(2, [1, 1, 1]);
        let mut images = ClassificationImages::with_trials(&plan, &kind);
        let first = &mut images.gammas[0];
        (first.blocks, first.trials, first.counts[0]) = (3, 250, 250);
        (plan, Form::numbered([1, 1, 1], 2), images)
    }

    #[test]
    fn a_gamma_that_reached_its_target_has_no_trials_left() {
        let (plan, _, mut images) = done();
        assert_eq!((images.trials(), images.progress(&plan)), (250, (250, 500)));
        images.gammas[1].reached = true;
        assert_eq!(images.progress(&plan), (250, 250));
        let none = ClassificationImages::default();
        assert_eq!(none.progress(&plan), (0, 500));
        assert!(!images.has_evidence());
        images.gammas[1].record_evidence(0.5, &TrialKind::plain(2, [1, 1, 1]));
        assert!(images.has_evidence(), "at one γ");
    }

    #[test]
    fn the_trials_of_a_file_are_those_of_its_blocks() {
        let (plan, form, images) = done();
        assert!(images.fits(&plan, Some(&form)));
        assert!(!images.fits(&plan, None));
        assert!(ClassificationImages::default().fits(&plan, Some(&form)));
        // The last block is short: a shard may have that one alone.
        let mut last = images.clone();
        let first = &mut last.gammas[0];
        (first.first, first.blocks) = (2, 1);
        (first.trials, first.counts[0]) = (50, 50);
        assert!(last.fits(&plan, Some(&form)));
        let changes: &[fn(&mut ClassificationImages)] = &[
            |it| it.gammas[0].gamma = Gamma(0.5),
            |it| it.gammas[0].min_trials = 31,
            |it| it.gammas[0].blocks = 2,
            |it| it.gammas[0].blocks = 4,
            |it| it.gammas[0].first = 1,
            |it| it.gammas[0].first = 4,
            // One block more than there are.
            |it| {
                let first = &mut it.gammas[0];
                first.first = 1;
                (first.trials, first.counts[0]) = (150, 150);
            },
            |it| it.gammas[0].kind = config::Noise::Binary,
            |it| it.gammas[0].counts[0] = 249,
            |it| it.gammas.truncate(1),
            |it| {
                it.axes = Some(NoiseAxes {
                    variances: Array::zeros(&[1]),
                    vectors: Array::zeros(&[1, 1, 1, 2]),
                });
            },
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = images.clone();
            change(&mut other);
            assert!(!other.fits(&plan, Some(&form)), "change {place}");
        }
    }
}
