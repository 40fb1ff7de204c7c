//! Estimates that are sent to viewers instead of the sums: they are computed once, by the engine, and
//! are a fraction of the size.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Analysis, Record};
use crate::stats::classification::GammaEstimate;
use crate::stats::spike_triggered::LayerEstimate;

/// The estimate from the sums of one γ or of one layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename = "Estimated")]
pub enum SumsEstimate {
    /// For the trials at one γ.
    Trials(Arc<GammaEstimate>),
    /// For one layer.
    Layer(Arc<LayerEstimate>),
}

impl SumsEstimate {
    /// Whether it is the same object in memory, so that nothing has been added since.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Trials(a), Self::Trials(b)) => Arc::ptr_eq(a, b),
            (Self::Layer(a), Self::Layer(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Record {
    /// The estimates from its sums, in the order of the plan.
    pub fn estimates(&self) -> Vec<SumsEstimate> {
        let mut all = Vec::new();
        for analysis in &self.analyses {
            match analysis {
                Analysis::ClassificationImages(images) => {
                    let gammas = images.gammas.iter();
                    all.extend(gammas.map(|trials| SumsEstimate::Trials(trials.estimate())));
                }
                Analysis::SpikeTriggered(spikes) => {
                    let layers = spikes.layers.iter();
                    all.extend(layers.map(|layer| SumsEstimate::Layer(layer.estimate())));
                }
                _ => {}
            }
        }
        all
    }

    /// Drops the sums behind [`Self::estimates`] and the findings about suspects. The estimates remain.
    pub fn drop_sums(&mut self) {
        for analysis in &mut self.analyses {
            match analysis {
                Analysis::ClassificationImages(images) => {
                    images.drop_sums();
                }
                Analysis::SpikeTriggered(spikes) => {
                    spikes
                        .layers
                        .iter_mut()
                        .for_each(super::LayerResponses::drop_sums);
                    if let Some(covariance) = &mut spikes.covariance {
                        covariance.outer = super::Array::default();
                    }
                }
                Analysis::Backdoor(backdoor) => {
                    let trials = backdoor
                        .networks
                        .iter_mut()
                        .flat_map(|network| &mut network.trials);
                    trials.for_each(super::GammaTrials::drop_sums);
                }
                Analysis::Audit(audit) => {
                    let trials = audit
                        .networks
                        .iter_mut()
                        .flat_map(|network| &mut network.trials);
                    trials.for_each(super::GammaTrials::drop_sums);
                }
                _ => {}
            }
        }
    }

    /// Passes shared data to everything estimated with it, after arrays have been filled in.
    pub fn share_axes(&mut self) {
        for analysis in &mut self.analyses {
            if let Analysis::ClassificationImages(images) = analysis {
                images.share_axes();
            }
        }
    }

    /// Stores the estimates in place of the dropped sums.
    ///
    /// # Errors
    /// If they do not fit this record.
    pub fn set_estimates(&mut self, estimated: Vec<SumsEstimate>) -> Result<(), String> {
        let mut estimated = estimated.into_iter();
        let foreign = || "estimates that do not belong to this session".to_owned();
        for analysis in &mut self.analyses {
            match analysis {
                Analysis::ClassificationImages(images) => {
                    images.axes = None;
                    for trials in &mut images.gammas {
                        let Some(SumsEstimate::Trials(estimate)) = estimated.next() else {
                            return Err(foreign());
                        };
                        if !trials.set_estimate(estimate) {
                            return Err(foreign());
                        }
                    }
                }
                Analysis::SpikeTriggered(spikes) => {
                    for layer in &mut spikes.layers {
                        let Some(SumsEstimate::Layer(estimate)) = estimated.next() else {
                            return Err(foreign());
                        };
                        if !layer.set_estimate(estimate) {
                            return Err(foreign());
                        }
                    }
                }
                Analysis::Backdoor(backdoor) => {
                    let trials = backdoor
                        .networks
                        .iter_mut()
                        .flat_map(|network| &mut network.trials);
                    trials.for_each(super::GammaTrials::discard_sums);
                }
                Analysis::Audit(audit) => {
                    let trials = audit
                        .networks
                        .iter_mut()
                        .flat_map(|network| &mut network.trials);
                    trials.for_each(super::GammaTrials::discard_sums);
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
