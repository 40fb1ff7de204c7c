//! The noise that trained networks are shown: its blocks, and how the responses to it are read and summed.

use super::{TrainedNetworks, TrainedSums};
use crate::analysis::classification_images::{Readout, ResponseReader};
use crate::analysis::{AnalysisError, Lab};
use crate::ids::{BlockIndex, Gamma};
use crate::nets::{Subject, coalesce};
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
    ///
    /// # Errors
    /// If some of its outputs are NaN.
    pub fn trials(
        &self,
        lab: &Lab,
        network: &Subject,
        readers: &[ResponseReader],
        (part, gamma_index, block): (usize, usize, BlockIndex),
    ) -> Result<BlockSums, AnalysisError> {
        let mut drawn = self.draw(lab, part, gamma_index, block);
        let stimuli = std::mem::take(&mut drawn.stimuli);
        let logits = network.logits(stimuli, &lab.device);
        let logits = network.decidable(logits);
        let logits = logits.map_err(|error| self.place.analysis_error(error))?;
        Ok(self.sum(
            lab,
            network,
            readers,
            (gamma_index, block),
            (&drawn, &logits),
        ))
    }

    /// The sums of a block, from its noise and its logits.
    fn sum(
        &self,
        lab: &Lab,
        network: &Subject,
        readers: &[ResponseReader],
        (gamma_index, block): (usize, BlockIndex),
        (drawn, logits): (&DrawnBlock, &[f32]),
    ) -> BlockSums {
        let mut readout = Readout::new(network.rows(logits), Weighting::Equal);
        readout.responses = readers
            .get(gamma_index)
            .map(|reader| reader.read(network.rows(logits)));
        self.summer.sum(block, drawn, &readout, &lab.pool)
    }

    /// Shows a network a launch of this part's noise in one call: the blocks from this one to the next multiple of
    /// `blocks`. Images of a launch that is not full are padded, so that all launches have the same shape.
    ///
    /// # Errors
    /// If some of its outputs are NaN.
    fn launch(
        &self,
        lab: &Lab,
        network: &Subject,
        readers: &[ResponseReader],
        (part, gamma_index, first): (usize, usize, BlockIndex),
        blocks: usize,
    ) -> Result<Vec<BlockSums>, AnalysisError> {
        let area: usize = lab.form.shape().iter().product();
        let each = blocks as u64;
        let end = BlockIndex((first.0 / each + 1) * each).min(self.course.noise_blocks());
        let mut drawn: Vec<DrawnBlock> = first
            .until(end)
            .map(|block| self.draw(lab, part, gamma_index, block))
            .collect();
        let counts: Vec<usize> = drawn.iter().map(|block| block.stimuli.len()).collect();
        let mut stimuli = Vec::with_capacity(self.config.block * blocks * area);
        for block in &mut drawn {
            stimuli.append(&mut block.stimuli);
        }
        stimuli.resize(self.config.block * blocks * area, 0.5);
        let logits = network.logits(stimuli, &lab.device);
        let logits = network.decidable(logits);
        let logits = logits.map_err(|error| self.place.analysis_error(error))?;
        let mut rest = &logits[..];
        let mut sums = Vec::with_capacity(drawn.len());
        for ((block, drawn), count) in first.until(end).zip(&drawn).zip(counts) {
            let (mine, others) = rest.split_at(count / area * lab.classes());
            rest = others;
            sums.push(self.sum(lab, network, readers, (gamma_index, block), (drawn, mine)));
        }
        Ok(sums)
    }

    /// Shows a trained network a block of noise; on a device that takes launches, a launch of them, whose other blocks are
    /// kept until it is their turn.
    pub(super) fn show(
        &self,
        lab: &Lab,
        part: usize,
        gamma_index: usize,
        block: BlockIndex,
    ) -> Result<TrainedSums, AnalysisError> {
        let mut live = self.take(part);
        if let Some(sums) = live.ahead.remove(&(gamma_index, block)) {
            self.put(part, live);
            return Ok(TrainedSums::Noise { gamma_index, sums });
        }
        let network = match live.network.take() {
            // The previous block may have been computed on another device.
            Some(network) => network.on(&lab.device),
            None => self.network(lab, part, &live.training)?,
        };
        let place = (part, gamma_index, block);
        let blocks = coalesce::blocks_per_launch();
        if blocks > 1 {
            let computed = self.launch(lab, &network, &live.readers, place, blocks)?;
            let indices = (block.0..).map(|index| (gamma_index, BlockIndex(index)));
            live.ahead.extend(indices.zip(computed));
        }
        let computed = live.ahead.remove(&(gamma_index, block));
        let sums = match computed {
            Some(sums) => sums,
            None => self.trials(lab, &network, &live.readers, place)?,
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::template_lab;
    use crate::analysis::trained::PopulationConfig;
    use crate::analysis::{AnalysisPlace, Lab};
    use crate::nets::Network;
    use crate::session::config::{Analysis, Audit, Config, NetworkKind, TrainingConfig};
    use crate::session::record::{TrainingRecord, TrialKind};

    /// Networks like that of the lab, with seven blocks of noise, the last one short.
    fn networks(lab: &Lab) -> TrainedNetworks {
        let plan = PopulationConfig {
            kind: NetworkKind::Logistic,
            training: TrainingConfig::default(),
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            trials: 330,
            min_trials: 30,
            block: 50,
            trial_kind: TrialKind::plain(10, [1, 28, 28]),
        };
        let config = Config {
            analyses: vec![Analysis::Audit(Audit::default())],
            ..Config::default()
        };
        let networks = TrainedNetworks::new(plan, AnalysisPlace::for_analysis(&config, 0), lab);
        let shape = lab.network.network_shape();
        let network = Network::new(NetworkKind::Logistic, shape, 1, &lab.device);
        networks.put_training(
            0,
            TrainingRecord {
                best: network.weights(),
                finished: true,
                ..TrainingRecord::default()
            },
        );
        networks
    }

    fn sums(networks: &TrainedNetworks, lab: &Lab, gamma_index: usize, block: u64) -> String {
        let shown = networks
            .show(lab, 0, gamma_index, BlockIndex(block))
            .unwrap();
        format!("{shown:?}")
    }

    #[test]
    fn a_launch_computes_the_blocks_up_to_its_end() {
        let lab = template_lab();
        let (alone, launched) = (networks(&lab), networks(&lab));
        let ahead = || -> Vec<(usize, u64)> {
            let live = launched.live.lock().unwrap();
            live[&0]
                .ahead
                .keys()
                .map(|&(gamma, block)| (gamma, block.0))
                .collect()
        };
        let show = |gamma_index: usize, block: u64| {
            let expected = sums(&alone, &lab, gamma_index, block);
            let found = coalesce::run_alone(4, || sums(&launched, &lab, gamma_index, block));
            assert!(found == expected, "block {block} of γ {gamma_index}");
        };
        // Resumed in the middle of a launch.
        show(0, 1);
        assert_eq!(ahead(), [(0, 2), (0, 3)]);
        show(1, 1);
        assert_eq!(ahead(), [(0, 2), (0, 3), (1, 2), (1, 3)]);
        for block in 2..7 {
            show(0, block);
            show(1, block);
        }
        assert_eq!(ahead(), []);
    }
}
