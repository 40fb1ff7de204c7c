//! The noise that trained networks are shown: its blocks, and how the responses to it are read and summed.

use super::{Sums, Trained};
use crate::analysis::classification_images::{Hearing, Said};
use crate::analysis::{AnalysisError, Lab};
use crate::nets::Subject;
use crate::session::config::{Evidence, Weighting};
use crate::session::record::{BlockSums, GammaTrials};
use crate::stimulus::{self, Block};

impl Trained {
    /// How responses are read from a network's outputs at each γ, chosen from its first block of noise.
    pub fn hearing(&self, lab: &Lab, part: usize, network: &Subject) -> Vec<Hearing> {
        if !self.plan.of.evidence {
            return Vec::new();
        }
        let of_gamma = |gamma: usize| {
            let mut drawn = self.draw(lab, part, gamma, 0);
            let logits = network.logits(std::mem::take(&mut drawn.stimuli), &lab.device);
            let rows = network.rows(&logits);
            Hearing::of(Evidence::Logit, &self.plan.of.listed, rows)
        };
        (0..self.plan.gammas.len()).map(of_gamma).collect()
    }

    fn draw(&self, lab: &Lab, part: usize, gamma: usize, block: u64) -> Block {
        let stream = part * self.plan.gammas.len() + gamma;
        stimulus::draw(
            self.place.noise(stream as u64, block),
            &self.source,
            self.plan.gammas[gamma],
            block * self.plan.block as u64,
            self.course.trials_of(block),
            &lab.pool,
        )
    }

    /// Shows a network a block of this part's noise.
    pub fn trials(
        &self,
        lab: &Lab,
        network: &Subject,
        hearing: &[Hearing],
        (part, gamma, block): (usize, usize, u64),
    ) -> BlockSums {
        let mut drawn = self.draw(lab, part, gamma, block);
        let stimuli = std::mem::take(&mut drawn.stimuli);
        let logits = network.logits(stimuli, &lab.device);
        let mut readout = Said::new(network.rows(&logits), Weighting::Equal);
        readout.heard = hearing
            .get(gamma)
            .map(|hearing| hearing.hear(network.rows(&logits)));
        self.summing.sum(block, &drawn, &readout, &lab.pool)
    }

    /// Shows a trained network a block of noise.
    pub(super) fn show(
        &self,
        lab: &Lab,
        part: usize,
        gamma: usize,
        block: u64,
    ) -> Result<Sums, AnalysisError> {
        let mut live = self.take(part);
        let network = match live.network.take() {
            // The previous block may have been computed on another device.
            Some(network) => network.on(&lab.device),
            None => self.network(lab, part, &live.training)?,
        };
        let sums = self.trials(lab, &network, &live.hearing, (part, gamma, block));
        live.network = Some(network);
        self.put(part, live);
        Ok(Sums::Noise { gamma, sums })
    }

    /// Empty trials at every γ, for a network whose responses have these units.
    pub fn no_trials(&self, steps: &[f64]) -> Vec<GammaTrials> {
        let none = |(at, &gamma): (usize, &f64)| {
            let mut trials = GammaTrials::new(gamma, self.plan.min_trials, &self.plan.of);
            if let Some(&step) = steps.get(at) {
                trials.hear(step, &self.plan.of);
            }
            trials
        };
        self.plan.gammas.iter().enumerate().map(none).collect()
    }

    /// How responses were read in existing trials.
    pub fn heard(&self, trials: &[GammaTrials]) -> Vec<Hearing> {
        let evidence = trials.iter().filter_map(|gamma| gamma.evidence.as_ref());
        let hearing = |step: f64| Hearing::new(Evidence::Logit, &self.plan.of.listed, step);
        evidence.map(|evidence| hearing(evidence.step)).collect()
    }
}
