//! Classification images: average the noise by what the network calls it (reverse correlation).
//!
//! For every γ, counts and exact sums of the noise by true and predicted class, even and odd
//! blocks apart; the maps follow from the sums in [`crate::stats::classification`].

use super::{Analysis, Job, Lab, Sums};
use crate::nets::train::log_softmax;
use crate::nets::{CLASSES, decision};
use crate::session::config;
use crate::session::record::{self, BlockSums, FedBack, GammaTrials};
use crate::stimulus::{self, Block, BlockSeed};

/// The experiment, as the plan has it.
#[derive(Debug, Clone)]
pub struct ClassificationImages {
    config: config::ClassificationImages,
    seed: u64,
    index: usize,
}

impl ClassificationImages {
    /// The experiment at `index` of the plan of a session with this `seed`.
    pub fn new(config: config::ClassificationImages, seed: u64, index: usize) -> Self {
        Self {
            config,
            seed,
            index,
        }
    }

    fn draw(&self, lab: &Lab, job: Job) -> Block {
        let seed = BlockSeed {
            session: self.seed,
            analysis: self.index as u64,
            gamma: job.part as u64,
            block: job.block,
        };
        let first = job.block * self.config.block as u64;
        let trials = self.config.trials_of(job.block);
        let gamma = self.config.gammas[job.part];
        stimulus::draw(seed, self.config.noise, gamma, first, trials, &lab.pool)
    }
}

impl Analysis for ClassificationImages {
    fn blocks(&self) -> Vec<u64> {
        vec![self.config.blocks(); self.config.gammas.len()]
    }

    fn done(&self, record: &record::Analysis) -> Vec<u64> {
        let record::Analysis::ClassificationImages(record) = record;
        record.gammas.iter().map(|gamma| gamma.blocks).collect()
    }

    fn trials(&self, record: &record::Analysis) -> (u64, u64) {
        let record::Analysis::ClassificationImages(record) = record;
        let total = self.config.trials * self.config.gammas.len() as u64;
        (total, record.trials())
    }

    fn step(&self, lab: &Lab, job: Job) -> Sums {
        let mut block = self.draw(lab, job);
        let stimuli = std::mem::take(&mut block.stimuli);
        let logits = lab.network.logits(stimuli, &lab.device);
        let decisions: Vec<usize> = logits.chunks_exact(CLASSES).map(decision).collect();
        Sums::ClassificationImages(sum(job.block, &block, &decisions, &lab.pool))
    }

    fn merge(&self, record: &mut record::Analysis, job: Job, sums: Sums) {
        let record::Analysis::ClassificationImages(record) = record;
        let Sums::ClassificationImages(sums) = sums;
        record.gammas[job.part].add(&sums);
    }

    fn refresh(&self, lab: &Lab, record: &mut record::Analysis) {
        let record::Analysis::ClassificationImages(record) = record;
        for gamma in &mut record.gammas {
            feed_back(lab, gamma);
        }
    }
}

/// Counts and exact sums of one block, given the network's decisions.
pub fn sum(index: u64, block: &Block, decisions: &[usize], pool: &stimulus::Pool) -> BlockSums {
    let classes = pool.classes();
    let pixels = pool.pixels();
    let mut counts = vec![0; classes * classes];
    // 8,192 trials of 65,535 fit 32 bits: half the memory traffic of the final 64.
    let mut noise: Vec<Vec<u32>> = vec![Vec::new(); classes * classes];
    let mut image: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (trial, (&truth, &predicted)) in block.truth.iter().zip(decisions).enumerate() {
        let cell = truth * classes + predicted;
        counts[cell] += 1;
        let shown = &block.noise[trial * pixels..(trial + 1) * pixels];
        add(&mut noise[cell], shown.iter().map(|&k| u32::from(k)));
        let shown = pool.image(block.image[trial]);
        add(&mut image[predicted], shown.iter().map(|&x| u32::from(x)));
    }
    BlockSums {
        block: index,
        trials: block.truth.len() as u64,
        counts,
        noise: widen(noise),
        image: widen(image),
    }
}

fn add(sums: &mut Vec<u32>, values: impl ExactSizeIterator<Item = u32>) {
    if sums.is_empty() {
        sums.extend(values);
    } else {
        sums.iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum += value);
    }
}

fn widen(cells: Vec<Vec<u32>>) -> Vec<(usize, Vec<i64>)> {
    let filled = cells
        .into_iter()
        .enumerate()
        .filter(|(_, sums)| !sums.is_empty());
    filled
        .map(|(cell, sums)| (cell, sums.into_iter().map(i64::from).collect()))
        .collect()
}

/// Shows the network the mean stimulus of every class that has one, and keeps what it says.
fn feed_back(lab: &Lab, gamma: &mut GammaTrials) {
    let estimate = gamma.estimate();
    let shown: Vec<(usize, &Vec<f32>)> = estimate
        .classes
        .iter()
        .enumerate()
        .filter_map(|(class, it)| Some((class, it.mean_stimulus.as_ref()?)))
        .collect();
    gamma.fed_back = vec![None; gamma.classes()];
    if shown.is_empty() {
        return;
    }
    let pixels = shown
        .iter()
        .flat_map(|(_, pixels)| pixels.iter().copied())
        .collect();
    let logits = lab.network.logits(pixels, &lab.device);
    for ((class, _), row) in shown.iter().zip(logits.chunks_exact(CLASSES)) {
        let called = decision(row);
        gamma.fed_back[*class] = Some(FedBack {
            class: called,
            confidence: log_softmax(row)[called].exp(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;
    use crate::session::config::Noise;
    use crate::stats::correlation::pearson;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn pool() -> stimulus::Pool {
        stimulus::Pool::new(&Images {
            pixels: Arc::from(vec![128; 10 * 784]),
            labels: Arc::from((0..10).collect::<Vec<u8>>()),
            height: 28,
            width: 28,
        })
    }

    fn block(index: u64, gamma: usize) -> Block {
        let seed = BlockSeed {
            session: 3,
            analysis: 0,
            gamma: gamma as u64,
            block: index,
        };
        let strength = [0.0, 0.3][gamma];
        stimulus::draw(seed, Noise::Uniform, strength, index * 64, 64, &pool())
    }

    /// An ideal observer with one template: it says 1 where noise and template agree, else 0.
    fn template() -> Vec<f32> {
        (0..784)
            .map(|i| if (i / 28 + i % 28) % 7 < 2 { 1.0 } else { -0.4 })
            .collect()
    }

    fn observe(block: &Block) -> Vec<usize> {
        let template = template();
        let agree = |z: &[u16]| -> f64 {
            z.iter()
                .zip(&template)
                .map(|(&k, &t)| (f64::from(k) - 32767.5) * f64::from(t))
                .sum()
        };
        block
            .noise
            .chunks_exact(784)
            .map(|z| usize::from(agree(z) > 0.0))
            .collect()
    }

    #[test]
    fn a_network_that_is_one_template_gives_it_back() {
        let mut trials = GammaTrials::new(0.0, 30, 10, (28, 28));
        for index in 0..2500 {
            let block = block(index, 0);
            trials.add(&sum(index, &block, &observe(&block), &pool()));
        }
        let estimate = trials.estimate();
        let class = &estimate.classes[1];
        let r = pearson(class.image.as_ref().unwrap(), &template()).unwrap();
        assert!(
            r >= 0.99,
            "correlation with the template {r} after {} trials",
            trials.trials
        );
        assert!(class.reliability.unwrap() > 0.98);
        // Two classes share all trials, so their images are opposite.
        let other = pearson(estimate.classes[0].image.as_ref().unwrap(), &template()).unwrap();
        assert!(other <= -0.99);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn blocks_merge_to_the_same_bits_in_any_order(
            order in Just((0..12_u64).collect::<Vec<_>>()).prop_shuffle(),
            decisions in prop::collection::vec(0..10_usize, 64),
        ) {
            let merged = |order: &[u64]| {
                let mut trials = GammaTrials::new(0.3, 30, 10, (28, 28));
                for &index in order {
                    let block = block(index, 1);
                    let mut decisions = decisions.clone();
                    decisions.rotate_left(index as usize);
                    trials.add(&sum(index, &block, &decisions, &pool()));
                }
                trials
            };
            let sorted: Vec<u64> = (0..12).collect();
            let (a, b) = (merged(&order), merged(&sorted));
            prop_assert_eq!(&a, &b);
            prop_assert_eq!(a.estimate(), b.estimate());
        }
    }

    #[test]
    fn counts_and_sums_hold_every_trial_once() {
        let block = block(4, 1);
        let decisions: Vec<usize> = (0..64).map(|i| i % 3).collect();
        let sums = sum(4, &block, &decisions, &pool());
        assert_eq!(sums.counts.iter().sum::<u64>(), 64);
        let total: i64 = sums.noise.iter().flat_map(|(_, sums)| sums).sum();
        assert_eq!(
            total,
            block.noise.iter().map(|&k| i64::from(k)).sum::<i64>()
        );
        let images: i64 = sums.image.iter().flat_map(|(_, sums)| sums).sum();
        assert_eq!(images, 64 * 784 * 128);
    }
}
