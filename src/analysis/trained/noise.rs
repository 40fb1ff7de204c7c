//! The noise that trained networks are shown: its blocks, and how the responses to it are read and summed.

use super::{TrainedNetworks, TrainedSums};
use crate::analysis::classification_images::{Readout, ResponseReader};
use crate::analysis::{AnalysisError, Lab};
use crate::ids::{BlockIndex, Gamma};
use crate::nets::Subject;
use crate::session::config::{EvidenceMeasure, Weighting};
use crate::session::record::{BlockSums, GammaTrials};
use crate::stimulus::{self, DrawnBlock};

impl TrainedNetworks {
    /// How responses are read from a network's outputs at each γ, chosen from its first block of noise.
    pub fn response_readers(
        &self,
        lab: &Lab,
        part: usize,
        network: &Subject,
    ) -> Vec<ResponseReader> {
        if !self.config.trial_kind.evidence {
            return Vec::new();
        }
        let of_gamma = |gamma_index: usize| {
            let mut drawn = self.draw(lab, part, gamma_index, BlockIndex(0));
            let logits = network.logits(std::mem::take(&mut drawn.stimuli), &lab.device);
            let rows = network.rows(&logits);
            ResponseReader::calibrated(EvidenceMeasure::Logit, &self.config.trial_kind.listed, rows)
        };
        (0..self.config.gammas.len()).map(of_gamma).collect()
    }

    fn draw(&self, lab: &Lab, part: usize, gamma_index: usize, block: BlockIndex) -> DrawnBlock {
        let stream = part * self.config.gammas.len() + gamma_index;
        stimulus::draw(
            self.place.noise_seed(stream as u64, block),
            &self.source,
            self.config.gammas[gamma_index],
            block.0 * self.config.block as u64,
            self.course.trials_of(block),
            &lab.pool,
        )
    }

    /// Shows a network a block of this part's noise.
    pub fn trials(
        &self,
        lab: &Lab,
        network: &Subject,
        hearing: &[ResponseReader],
        (part, gamma_index, block): (usize, usize, BlockIndex),
    ) -> BlockSums {
        let mut drawn = self.draw(lab, part, gamma_index, block);
        let stimuli = std::mem::take(&mut drawn.stimuli);
        let logits = network.logits(stimuli, &lab.device);
        let mut readout = Readout::new(network.rows(&logits), Weighting::Equal);
        readout.responses = hearing
            .get(gamma_index)
            .map(|hearing| hearing.read(network.rows(&logits)));
        self.summer.sum(block, &drawn, &readout, &lab.pool)
    }

    /// Shows a trained network a block of noise.
    pub(super) fn show(
        &self,
        lab: &Lab,
        part: usize,
        gamma_index: usize,
        block: BlockIndex,
    ) -> Result<TrainedSums, AnalysisError> {
        let mut live = self.take(part);
        let network = match live.network.take() {
            // The previous block may have been computed on another device.
            Some(network) => network.on(&lab.device),
            None => self.network(lab, part, &live.training)?,
        };
        let sums = self.trials(lab, &network, &live.readers, (part, gamma_index, block));
        live.network = Some(network);
        self.put(part, live);
        Ok(TrainedSums::Noise { gamma_index, sums })
    }

    /// Empty trials at every γ, for a network whose responses have these units.
    pub fn empty_trials(&self, steps: &[f64]) -> Vec<GammaTrials> {
        let none = |(at, &gamma): (usize, &Gamma)| {
            let mut trials =
                GammaTrials::new(gamma, self.config.min_trials, &self.config.trial_kind);
            if let Some(&step) = steps.get(at) {
                trials.record_evidence(step, &self.config.trial_kind);
            }
            trials
        };
        self.config.gammas.iter().enumerate().map(none).collect()
    }

    /// How responses were read in existing trials.
    pub fn recorded_readers(&self, trials: &[GammaTrials]) -> Vec<ResponseReader> {
        let evidence = trials.iter().filter_map(|trials| trials.evidence.as_ref());
        let hearing = |step: f64| {
            ResponseReader::new(EvidenceMeasure::Logit, &self.config.trial_kind.listed, step)
        };
        evidence.map(|evidence| hearing(evidence.step)).collect()
    }
}
