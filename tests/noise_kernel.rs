//! The kernels that draw and show noise, compiled for the processor: they give the host's points and stimuli bit for bit.
//!
//! `src/stimulus/kernels.cu` and the files in `src/stimulus/kernels` are also valid C++. Their harness is compiled with the
//! system's compiler; if there is none, set NOISESCOPE_WITHOUT_CXX to skip these tests.

#[path = "noise_kernel/launch.rs"]
mod launch;
#[path = "noise_kernel/normals.rs"]
mod normals;

use launch::{KernelOutput, Launch};
use noisescope::data::Images;
use noisescope::ids::{BlockIndex, Gamma};
use noisescope::session::config::{Gaussian, Grain, Noise};
use noisescope::stimulus::{self, BlockSeed, NoiseSource, Pool};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `count` images of `shape` in three classes.
fn images([channels, height, width]: [usize; 3], count: usize) -> Images {
    let pixels = channels * height * width * count;
    Images {
        pixels: (0..pixels).map(|i| (i * 7 % 256) as u8).collect(),
        labels: (0..count).map(|i| (i % 3) as u16).collect(),
        channels,
        height,
        width,
        classes: 3,
    }
}

/// A launch with the images of a pool and one block per γ, and the host's result for it.
fn pair(
    noise: Noise,
    grain: Grain,
    images: &Images,
    trials: usize,
    gammas: &[Gamma],
) -> (Launch, KernelOutput) {
    let (pool, source) = (
        Pool::new(images),
        NoiseSource::with_grain(noise, grain, images),
    );
    let mut launch = Launch::new(noise, grain, images, trials);
    launch.bytes = pool.bytes().to_vec();
    let (mut points, mut stimuli) = (Vec::new(), Vec::new());
    for (i, &gamma) in (0..).zip(gammas) {
        let seed = BlockSeed {
            session: u64::MAX - 6,
            analysis: 1,
            stream: i % 2,
            block: BlockIndex(3 + i),
        };
        let first = i * trials as u64;
        let undrawn = stimulus::prepare_for_kernels(seed, gamma, first, trials, &pool);
        let host = stimulus::draw(seed, &source, gamma, first, trials, &pool);
        assert_eq!((&undrawn.truth, &undrawn.image), (&host.truth, &host.image));
        launch.add_block(&source, seed, undrawn.kernel_input);
        launch.image.extend(undrawn.image);
        points.extend(host.noise);
        stimuli.extend(host.stimuli);
    }
    let host = KernelOutput {
        failed: false,
        points,
        stimuli,
    };
    (launch, host)
}

fn assert_same(made: &KernelOutput, host: &KernelOutput, case: &str) {
    assert!(!made.failed, "{case}");
    assert_eq!(made.points.len(), host.points.len(), "{case}");
    let other = (0..made.points.len()).find(|&i| made.points[i] != host.points[i]);
    assert_eq!(other, None, "first point that differs: {case}");
    assert_eq!(made.stimuli.len(), host.stimuli.len(), "{case}");
    let bits = |made: &KernelOutput, i: usize| made.stimuli[i].to_bits();
    let other = (0..made.stimuli.len()).find(|&i| bits(made, i) != bits(host, i));
    assert_eq!(other, None, "first number that differs: {case}");
}

fn compare(noise: Noise, grain: Grain, images: &Images, trials: usize, gammas: &[Gamma]) {
    let (launch, host) = pair(noise, grain, images, trials, gammas);
    for backwards in [false, true] {
        let Some(made) = launch.run(backwards) else {
            return;
        };
        let case = format!(
            "{noise:?} {grain:?} {:?} {trials} {gammas:?} {backwards}",
            images.shape()
        );
        assert_same(&made, &host, &case);
    }
}

const NOISES: [Noise; 5] = [
    Noise::Uniform,
    Noise::Binary,
    Noise::Gaussian(Gaussian { sigma: 0.01 }),
    Noise::Gaussian(Gaussian { sigma: 0.25 }),
    Noise::Gaussian(Gaussian { sigma: 1.0 }),
];

const FINE: Grain = Grain {
    cell: 1,
    grey: false,
};

const GREY: Grain = Grain {
    cell: 1,
    grey: true,
};

#[test]
fn a_block_equals_the_hosts_wherever_its_noise_begins() {
    for noise in NOISES {
        // Choosing each trial's image takes one word of the generator, so noise begins at every word of a ChaCha block.
        for trials in 1..=17 {
            compare(
                noise,
                FINE,
                &images([1, 3, 5], 30),
                trials,
                &[0.0, 0.3, 0.0].map(Gamma),
            );
        }
        compare(
            noise,
            FINE,
            &images([1, 28, 28], 30),
            7,
            &[0.3, 0.0, 1.0, 0.3].map(Gamma),
        );
        compare(noise, FINE, &images([1, 1, 1], 3), 1, &[Gamma::NOISE]);
        compare(noise, FINE, &images([1, 9, 9], 5), 101, &[Gamma(0.3); 3]);
        // Noise without images.
        compare(noise, FINE, &images([1, 28, 28], 0), 33, &[Gamma::NOISE; 2]);
    }
}

/// Patches are 4×4 on a grid of 4, so the first two shapes have only one position.
#[test]
fn patches_equal_the_hosts() {
    for shape in [
        [1, 4, 4],
        [3, 7, 5],
        [1, 4, 29],
        [1, 17, 23],
        [1, 28, 28],
        [3, 32, 32],
    ] {
        for trials in [1, 2, 5, 16] {
            compare(
                Noise::Patch,
                FINE,
                &images(shape, 0),
                trials,
                &[Gamma::NOISE; 3],
            );
            let gammas = [0.3, 0.0, 1.0, 0.3].map(Gamma);
            compare(Noise::Patch, FINE, &images(shape, 30), trials, &gammas);
        }
    }
    compare(
        Noise::Patch,
        GREY,
        &images([3, 9, 13], 12),
        7,
        &[0.0, 0.3].map(Gamma),
    );
}

#[test]
fn gabor_images_equal_the_hosts() {
    for shape in [
        // Images of one pixel, grey and in colour.
        [1, 1, 1],
        [3, 1, 1],
        [1, 2, 40],
        [1, 17, 23],
        [1, 28, 28],
        [3, 32, 32],
        // Exactly as many numbers as the kernel keeps in shared memory, and more.
        [1, 64, 64],
        [1, 65, 67],
        [3, 40, 41],
    ] {
        for trials in [1, 2, 5] {
            compare(
                Noise::Gabor,
                FINE,
                &images(shape, 0),
                trials,
                &[Gamma::NOISE; 3],
            );
            let gammas = [0.3, 0.0, 1.0, 0.3].map(Gamma);
            compare(Noise::Gabor, FINE, &images(shape, 30), trials, &gammas);
        }
    }
    compare(
        Noise::Gabor,
        GREY,
        &images([3, 9, 13], 12),
        7,
        &[0.0, 0.3].map(Gamma),
    );
    compare(
        Noise::Gabor,
        FINE,
        &images([1, 28, 28], 30),
        700,
        &[Gamma(0.3); 2],
    );
}

/// `count` images of random pixels in three classes: noise in their principal components varies every pixel, and is often
/// clipped.
fn random_images(shape: [usize; 3], count: usize) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let area: usize = shape.iter().product();
    Images {
        pixels: (0..area * count).map(|_| rng.next_u32() as u8).collect(),
        ..images(shape, count)
    }
}

#[test]
fn pca_noise_equals_the_hosts() {
    for shape in [
        // One component and one pixel; fewer pixels than threads; in colour.
        [1, 1, 1],
        [1, 2, 3],
        [3, 5, 4],
        // 250 components, of 250 pixels, of more, and in colour.
        [1, 10, 25],
        [1, 16, 17],
        [3, 11, 12],
    ] {
        let images = random_images(shape, 40);
        // A thread block draws eight trials. Choosing each trial's image takes one word, so the noise begins at
        // different words of a ChaCha block.
        for trials in [1, 8, 9, 18] {
            compare(
                Noise::Pca,
                FINE,
                &images,
                trials,
                &[0.0, 0.3, 0.0].map(Gamma),
            );
        }
    }
    compare(
        Noise::Pca,
        FINE,
        &random_images([1, 28, 28], 300),
        20,
        &[0.3, 1.0].map(Gamma),
    );
    // Without images the ranges are empty, and every point is 0.
    compare(Noise::Pca, FINE, &images([1, 2, 3], 0), 9, &[Gamma::NOISE]);
}

#[test]
fn colours_and_grains_equal_the_hosts() {
    for noise in NOISES {
        for (cell, grey) in [(1, false), (1, true), (2, false), (3, true), (40, true)] {
            let grain = Grain { cell, grey };
            compare(
                noise,
                grain,
                &images([3, 13, 17], 12),
                5,
                &[0.0, 0.3].map(Gamma),
            );
            compare(noise, grain, &images([3, 32, 32], 0), 3, &[Gamma::NOISE]);
        }
    }
}

#[test]
fn the_counter_carries_into_its_upper_half() {
    let trials = 5;
    let seed = BlockSeed {
        session: 1,
        analysis: 2,
        stream: 3,
        block: BlockIndex(4),
    };
    let others = [Noise::Patch, Noise::Gabor, Noise::Pca];
    for noise in NOISES.into_iter().chain(others) {
        let images = match noise {
            Noise::Pca => random_images([1, 16, 16], 30),
            _ => images([1, 28, 28], 0),
        };
        let (pool, source) = (Pool::new(&images), NoiseSource::new(noise, &images));
        let mut launch = Launch::new(noise, FINE, &images, trials);
        let mut host = Vec::new();
        for position in [((1_u64 << 32) - 1) * 16 - 3, (1 << 36) - 200, 5 << 40] {
            let mut head =
                stimulus::prepare_for_kernels(seed, Gamma::NOISE, 0, trials, &pool).kernel_input;
            (head[8], head[9]) = (position as u32, (position >> 32) as u32);
            launch.add_block(&source, seed, head);
            let mut rng = seed.generator();
            rng.set_word_pos(position.into());
            host.extend(source.draw(&mut rng, trials));
        }
        let Some(made) = launch.run(false) else {
            return;
        };
        let stimuli = source.shown_values(&host);
        let host = KernelOutput {
            failed: false,
            points: host,
            stimuli,
        };
        assert_same(&made, &host, &format!("{noise:?}"));
    }
}
