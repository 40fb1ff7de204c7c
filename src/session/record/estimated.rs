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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::Config;
    use crate::session::record::classification_images::tests::{axes, dependent, regressed};
    use crate::session::record::{
        Audit, AuditRole, AuditedNetwork, Backdoor, ClassificationImages, GammaTrials,
        LayerResponses, SpikeTriggered, Suspect, TrialKind,
    };

    /// Classification images of one γ, a layer, and an audit and a backdoor study in which a network has been shown noise.
    fn record(classes: usize) -> Record {
        let trials = || GammaTrials::new(Gamma::NOISE, 30, &TrialKind::plain(classes, [1, 1, 2]));
        let mut suspect = AuditedNetwork::new(AuditRole::Suspect, 1);
        suspect.trials = vec![trials()];
        let mut record = Record::new(&Config::default());
        record.analyses = vec![
            Analysis::ClassificationImages(ClassificationImages {
                gammas: vec![trials()],
                axes: None,
            }),
            Analysis::SpikeTriggered(SpikeTriggered {
                layers: vec![LayerResponses::new("fc1", 1, [1, 1, 2], false, None)],
                ..SpikeTriggered::default()
            }),
            Analysis::Audit(Audit {
                networks: vec![suspect],
                ..Audit::default()
            }),
            Analysis::Backdoor(Backdoor {
                networks: vec![Suspect {
                    trials: vec![trials()],
                    ..Suspect::untrained(true, 1)
                }],
                ..Backdoor::default()
            }),
        ];
        record
    }

    /// The numbers of the sums that viewers do without.
    fn sums(record: &Record) -> [usize; 4] {
        let images = record.first::<ClassificationImages>().unwrap();
        let layers = &record.first::<SpikeTriggered>().unwrap().layers;
        let audit = record.first::<Audit>().unwrap();
        let backdoor = record.first::<Backdoor>().unwrap();
        [
            images.gammas[0].noise.values().len(),
            layers[0].noise.weighted.values().len(),
            audit.networks[0].trials[0].noise.values().len(),
            backdoor.networks[0].trials[0].noise.values().len(),
        ]
    }

    #[test]
    fn estimates_replace_the_sums_of_the_same_plan_only() {
        let whole = record(2);
        let all = whole.estimates();
        assert_eq!(all.len(), 2);
        let shared = |one: &[SumsEstimate], other: &[SumsEstimate]| -> Vec<bool> {
            let pairs = one.iter().zip(other);
            pairs
                .map(|(one, other)| one.is_shared_with(other))
                .collect()
        };
        assert_eq!(shared(&all, &whole.estimates()), [true, true]);
        assert_eq!(shared(&all, &record(2).estimates()), [false, false]);
        assert!(!all[0].is_shared_with(&all[1]));
        // Two parities, three margins, two classes and two pixels; two parities and two pixels.
        assert_eq!(sums(&whole), [24, 4, 24, 24]);
        let mut light = whole.clone();
        light.drop_sums();
        assert_eq!(sums(&light), [0; 4]);
        assert_eq!(shared(&all, &light.estimates()), [true, true]);
        let mut other = record(2);
        other.set_estimates(all.clone()).unwrap();
        assert_eq!(sums(&other), [0; 4]);
        assert_eq!(shared(&all, &other.estimates()), [true, true]);
        let refused = |estimates: Vec<SumsEstimate>| record(2).set_estimates(estimates).is_err();
        assert!(refused(vec![all[1].clone(), all[0].clone()]));
        assert!(refused(all[..1].to_vec()));
        assert!(refused([all.clone(), all.clone()].concat()));
        assert!(record(3).set_estimates(all).is_err());
    }

    #[test]
    fn axes_read_from_a_file_reach_the_estimates() {
        let mut record = Record::new(&Config::default());
        record.analyses = vec![Analysis::ClassificationImages(ClassificationImages {
            axes: Some(axes()),
            ..dependent()
        })];
        record.share_axes();
        let images = record.first::<ClassificationImages>().unwrap();
        assert_eq!(regressed(images), [true, true]);
    }
}
