//! Tests of blocks of trials: seeds, classes, images and blending.

use super::*;
use crate::session::config::Noise;
use std::sync::Arc;

pub(super) fn images() -> Images {
    let labels: Vec<u16> = (0..30).map(|i| i % 10).collect();
    let pixels: Vec<u8> = (0..30 * 784).map(|i| (i % 251) as u8).collect();
    Images {
        pixels: Arc::from(pixels),
        labels: Arc::from(labels),
        channels: 1,
        height: 28,
        width: 28,
        classes: 10,
    }
}

fn pool() -> Pool {
    Pool::new(&images())
}

fn uniform() -> NoiseSource {
    NoiseSource::new(Noise::Uniform, &pool().images)
}

const SEED: BlockSeed = BlockSeed {
    session: 1,
    analysis: 0,
    stream: 0,
    block: BlockIndex(5),
};

#[test]
fn a_block_is_the_same_whenever_it_is_drawn() {
    let a = draw(SEED, &uniform(), Gamma(0.3), 1280, 256, &pool());
    let b = draw(SEED, &uniform(), Gamma(0.3), 1280, 256, &pool());
    assert_eq!((a.noise, a.image, a.stimuli), (b.noise, b.image, b.stimuli));
}

#[test]
fn every_part_of_the_seed_changes_the_noise() {
    let noise = |seed| draw(seed, &uniform(), Gamma::NOISE, 0, 1, &pool()).noise;
    let base = noise(SEED);
    for other in [
        BlockSeed { session: 2, ..SEED },
        BlockSeed {
            analysis: 1,
            ..SEED
        },
        BlockSeed { stream: 1, ..SEED },
        BlockSeed {
            block: BlockIndex(6),
            ..SEED
        },
    ] {
        assert_ne!(base, noise(other), "{other:?}");
    }
}

#[test]
fn true_classes_are_shown_equally_often_across_blocks() {
    let mut shown = [0; 10];
    for block in BlockIndex::first(5) {
        let seed = BlockSeed { block, ..SEED };
        let first = block.0 * 256;
        for class in draw(seed, &uniform(), Gamma::NOISE, first, 256, &pool()).truth {
            shown[class] += 1;
        }
    }
    assert_eq!(shown, [128; 10]);
}

#[test]
fn uniform_noise_has_the_moments_of_its_definition() {
    let noise = draw(SEED, &uniform(), Gamma::NOISE, 0, 256, &pool()).stimuli;
    let n = noise.len() as f64;
    let mean = noise.iter().map(|&z| f64::from(z)).sum::<f64>() / n;
    let variance = noise
        .iter()
        .map(|&z| (f64::from(z) - mean).powi(2))
        .sum::<f64>()
        / n;
    assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "{mean}");
    assert!((variance - 1.0 / 12.0).abs() < 0.001, "{variance}");
}

#[test]
fn gamma_one_shows_the_image_itself() {
    let pool = pool();
    let block = draw(SEED, &uniform(), Gamma(1.0), 0, 10, &pool);
    for (trial, &image) in block.image.iter().enumerate() {
        let shown = &block.stimuli[trial * 784..(trial + 1) * 784];
        for (s, &x) in shown.iter().zip(pool.image(image)) {
            assert!((s - f32::from(x) / 255.0).abs() < 1e-6);
        }
    }
}

#[test]
fn an_image_has_the_class_that_was_drawn() {
    let pool = pool();
    let block = draw(SEED, &uniform(), Gamma(0.2), 3, 100, &pool);
    for (&class, &image) in block.truth.iter().zip(&block.image) {
        assert_eq!(ClassId(image % 10), class);
    }
}

/// Images of one row of two pixels.
fn pairs(pixels: &[u8], labels: &[u16], classes: usize) -> Images {
    Images {
        pixels: Arc::from(pixels),
        labels: Arc::from(labels),
        channels: 1,
        height: 1,
        width: 2,
        classes,
    }
}

#[test]
fn a_key_is_the_seeds_four_numbers_as_little_endian_bytes() {
    let numbers = [
        0x0102_0304_0506_0708_u64,
        0x1112_1314_1516_1718,
        0x2122_2324_2526_2728,
        0x3132_3334_3536_3738,
    ];
    let seed = BlockSeed {
        session: numbers[0],
        analysis: numbers[1],
        stream: numbers[2],
        block: BlockIndex(numbers[3]),
    };
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    assert_eq!(seed.generator().get_seed().to_vec(), bytes);
    let block = prepare_for_kernels(seed, Gamma::NOISE, 0, 1, &pool());
    let words = block.kernel_input[..8].iter();
    let key: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(key, bytes);
}

#[test]
fn classes_without_images_are_never_shown_and_the_others_take_turns() {
    let images = pairs(&[10, 20, 30, 40, 50, 60], &[2, 0, 2], 4);
    let (pool, source) = (Pool::new(&images), NoiseSource::new(Noise::Binary, &images));
    assert_eq!(
        (pool.classes(), pool.pixels(), pool.is_empty()),
        (4, 2, false)
    );
    assert_eq!(pool.empty_classes(), [1, 3].map(ClassId));
    assert_eq!(
        (pool.bytes(), pool.image(1)),
        (&images.pixels[..], &[30, 40][..])
    );
    // Trial 3 is the second of its round of two.
    let block = draw(SEED, &source, Gamma(0.5), 3, 100, &pool);
    assert_eq!(block.truth[..4], [2, 0, 2, 0].map(ClassId));
    let mut shown = [0; 3];
    for (trial, (&class, &image)) in block.truth.iter().zip(&block.image).enumerate() {
        assert_eq!(class, ClassId(2 - 2 * (trial % 2)), "{trial}");
        assert_eq!(ClassId(images.label(image).into()), class, "{trial}");
        shown[image] += 1;
    }
    // 25 ± 3.5 for both images of class 2.
    assert!(shown[1] == 50 && shown[0] > 5 && shown[2] > 5, "{shown:?}");
}

#[test]
fn without_images_all_classes_take_turns() {
    let images = pairs(&[], &[], 3);
    let (pool, source) = (Pool::new(&images), NoiseSource::new(Noise::Binary, &images));
    assert!(pool.is_empty());
    assert_eq!(pool.empty_classes().len(), 3);
    let block = draw(SEED, &source, Gamma::NOISE, 4, 5, &pool);
    assert_eq!(block.truth, [1, 2, 0, 1, 2].map(ClassId));
    assert!(block.image.is_empty());
    let noise: Vec<f32> = block.noise.iter().map(|&k| f32::from(k)).collect();
    assert_eq!(block.stimuli, noise);
}

/// Black and white noise over images of 0.2, 0.8 and 1, 0.
#[test]
fn a_stimulus_is_the_weighted_mean_of_noise_and_its_image() {
    let images = pairs(&[51, 204, 255, 0], &[0, 0], 1);
    let (pool, source) = (Pool::new(&images), NoiseSource::new(Noise::Binary, &images));
    for (gamma, expected) in [
        (0.0, [0.0, 1.0, 1.0, 0.0]),
        (0.3, [0.3, 0.7, 0.76, 0.24]),
        (1.0, [1.0, 0.0, 0.2, 0.8]),
    ] {
        let shown = blend(&[0, 1, 1, 0], &source, &[1, 0], Gamma(gamma), &pool);
        assert_eq!(shown.len(), 4);
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(
                (shown - expected).abs() < 1e-6,
                "{gamma}: {shown} {expected}"
            );
        }
    }
}

#[test]
fn kernels_are_told_where_the_noise_begins_and_both_weights() {
    let block = prepare_for_kernels(SEED, Gamma(0.25), 1280, 7, &pool());
    let host = draw_noise(SEED, &uniform(), 1280, 7, &pool());
    assert_eq!((&block.truth, &block.image), (&host.truth, &host.image));
    assert!(host.stimuli.is_empty());
    let [.., low, high, noise_weight, image_weight] = block.kernel_input;
    let mut rng = SEED.generator();
    rng.set_word_pos(u128::from(high) << 32 | u128::from(low));
    assert_eq!(uniform().draw(&mut rng, 7), host.noise);
    assert_eq!(uniform().draw(&mut block.rng.clone(), 7), host.noise);
    assert_eq!(f32::from_bits(noise_weight), 0.75);
    assert!((f32::from_bits(image_weight) * 255.0 - 0.25).abs() < 1e-6);
}
