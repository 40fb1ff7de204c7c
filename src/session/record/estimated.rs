//! What follows from sums, told to viewers in their place: it is computed once, where the engine is,
//! and is a fraction of the size.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Analysis, Record};
use crate::stats::classification::Estimate;
use crate::stats::spike_triggered::LayerEstimate;

/// What follows from the sums of one γ or of one layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Estimated {
    /// Of the trials at one γ.
    Trials(Arc<Estimate>),
    /// Of one layer.
    Layer(Arc<LayerEstimate>),
}

impl Estimated {
    /// Whether it is the same in memory: nothing has been added since.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Trials(a), Self::Trials(b)) => Arc::ptr_eq(a, b),
            (Self::Layer(a), Self::Layer(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Record {
    /// What follows from its sums, in the order of the plan.
    pub fn estimated(&self) -> Vec<Estimated> {
        let mut all = Vec::new();
        for analysis in &self.analyses {
            match analysis {
                Analysis::ClassificationImages(it) => {
                    let gammas = it.gammas.iter();
                    all.extend(gammas.map(|gamma| Estimated::Trials(gamma.estimate())));
                }
                Analysis::SpikeTriggered(it) => {
                    let layers = it.layers.iter();
                    all.extend(layers.map(|layer| Estimated::Layer(layer.estimate())));
                }
                _ => {}
            }
        }
        all
    }

    /// Drops the sums from which [`Self::estimated`] and what was found in suspects follow. What
    /// follows from them stays.
    pub fn drop_sums(&mut self) {
        for analysis in &mut self.analyses {
            match analysis {
                Analysis::ClassificationImages(it) => {
                    it.drop_sums();
                }
                Analysis::SpikeTriggered(it) => {
                    it.layers
                        .iter_mut()
                        .for_each(super::LayerResponses::drop_sums);
                    if let Some(covariance) = &mut it.covariance {
                        covariance.outer = super::Array::default();
                    }
                }
                Analysis::Backdoor(it) => {
                    let trials = it.networks.iter_mut().flat_map(|it| &mut it.trials);
                    trials.for_each(super::GammaTrials::drop_sums);
                }
                Analysis::Audit(it) => {
                    let trials = it.networks.iter_mut().flat_map(|it| &mut it.trials);
                    trials.for_each(super::GammaTrials::drop_sums);
                }
                _ => {}
            }
        }
    }

    /// Gives what is kept once to all that is estimated with it, after arrays have been filled.
    pub fn share(&mut self) {
        for analysis in &mut self.analyses {
            if let Analysis::ClassificationImages(it) = analysis {
                it.share_axes();
            }
        }
    }

    /// Takes what follows from sums that were dropped.
    ///
    /// # Errors
    /// Where it is not that of this record.
    pub fn take_estimated(&mut self, estimated: Vec<Estimated>) -> Result<(), String> {
        let mut estimated = estimated.into_iter();
        let foreign = || "estimates of something else than the session".to_owned();
        for analysis in &mut self.analyses {
            match analysis {
                Analysis::ClassificationImages(it) => {
                    it.axes = None;
                    for gamma in &mut it.gammas {
                        let Some(Estimated::Trials(own)) = estimated.next() else {
                            return Err(foreign());
                        };
                        if !gamma.take(own) {
                            return Err(foreign());
                        }
                    }
                }
                Analysis::SpikeTriggered(it) => {
                    for layer in &mut it.layers {
                        let Some(Estimated::Layer(own)) = estimated.next() else {
                            return Err(foreign());
                        };
                        if !layer.take(own) {
                            return Err(foreign());
                        }
                    }
                }
                Analysis::Backdoor(it) => {
                    let trials = it.networks.iter_mut().flat_map(|it| &mut it.trials);
                    trials.for_each(super::GammaTrials::forget_sums);
                }
                Analysis::Audit(it) => {
                    let trials = it.networks.iter_mut().flat_map(|it| &mut it.trials);
                    trials.for_each(super::GammaTrials::forget_sums);
                }
                _ => {}
            }
        }
        match estimated.next() {
            None => Ok(()),
            Some(_) => Err(foreign()),
        }
    }
}
