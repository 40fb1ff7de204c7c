use super::*;
use crate::data::Images;
use crate::session::config::Noise;
use crate::stats::correlation::pearson;
use crate::stimulus::BlockSeed;
use proptest::prelude::*;
use std::sync::Arc;

fn pool() -> stimulus::Pool {
    stimulus::Pool::new(&images())
}

fn uniform() -> Source {
    Source::new(Noise::Uniform, &images())
}

fn said(decisions: Vec<usize>) -> Said {
    Said {
        decisions,
        weights: None,
    }
}

fn images() -> Images {
    Images {
        pixels: Arc::from(vec![128; 10 * 784]),
        labels: Arc::from((0..10).collect::<Vec<u8>>()),
        height: 28,
        width: 28,
    }
}

fn block(index: u64, gamma: usize) -> Block {
    let seed = BlockSeed {
        session: 3,
        analysis: 0,
        gamma: gamma as u64,
        block: index,
    };
    let strength = [0.0, 0.3][gamma];
    stimulus::draw(seed, &uniform(), strength, index * 64, 64, &pool())
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
        trials.add(&sum(
            index,
            &block,
            &said(observe(&block)),
            &pool(),
            &uniform(),
        ));
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
                trials.add(&sum(index, &block, &said(decisions), &pool(), &uniform()));
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
    let sums = sum(4, &block, &said(decisions), &pool(), &uniform());
    assert_eq!(sums.counts.iter().sum::<u64>(), 64);
    let total: i64 = sums.noise.iter().flat_map(|(_, sums)| sums).sum();
    assert_eq!(
        total,
        block.noise.iter().map(|&k| i64::from(k)).sum::<i64>()
    );
    let images: i64 = sums.image.iter().flat_map(|(_, sums)| sums).sum();
    assert_eq!(images, 64 * 784 * 128);
}
