//! The kernels that draw and show noise, compiled for the processor: they give the host's points and stimuli bit for bit.
//!
//! `src/stimulus/kernels.cu` and the files in `src/stimulus/kernels` are also valid C++. Their harness is compiled with the
//! system's compiler; if there is none, set NOISESCOPE_WITHOUT_CXX to skip these tests.

#[path = "noise_kernel/launch.rs"]
mod launch;

use launch::{CHUNK, KernelOutput, Launch, gaussian};
use noisescope::data::Images;
use noisescope::ids::{BlockIndex, Gamma};
use noisescope::session::config::{Gaussian, Grain, Noise};
use noisescope::stimulus::{self, BlockSeed, NoiseSource, Pool};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

fn gaussian_noise(sigma: f64) -> Noise {
    Noise::Gaussian(Gaussian { sigma })
}

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

/// Of these normal numbers, about 80,000 are in a wedge of the ziggurat and 1,400 in its tail.
#[test]
fn millions_of_normal_numbers_equal_the_hosts() {
    let (launch, host) = pair(
        gaussian_noise(1.0),
        FINE,
        &images([1, 28, 28], 30),
        3500,
        &[0.0, 0.3].map(Gamma),
    );
    let Some(made) = launch.run(false) else {
        return;
    };
    assert_same(&made, &host, "millions");
    let (centre, scale) = gaussian(launch.noise);
    let far = |&&point: &&u16| (f64::from(point) - centre).abs() > 3.655 * scale;
    let in_tail = made.points.iter().filter(far).count();
    assert!((1200..1700).contains(&in_tail), "{in_tail}");
}

#[test]
fn the_counter_carries_into_its_upper_half() {
    let (trials, images) = (5, images([1, 28, 28], 0));
    let seed = BlockSeed {
        session: 1,
        analysis: 2,
        stream: 3,
        block: BlockIndex(4),
    };
    for noise in NOISES.into_iter().chain([Noise::Patch, Noise::Gabor]) {
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

/// The ziggurat algorithm as in `rand_distr`, with any tables.
fn normal(rng: &mut ChaCha8Rng, edges: &[f64], density: &[f64]) -> f64 {
    let open = |word: u64| ((word >> 12) as f64).mul_add(2.0_f64.powi(-52), 2.0_f64.powi(-53));
    loop {
        let bits = rng.next_u64();
        let layer = (bits & 0xff) as usize;
        let u = (bits >> 12) as f64 * 2.0_f64.powi(-51) - 1.0;
        let x = u * edges[layer];
        if x.abs() < edges[layer + 1] {
            return x;
        }
        if layer == 0 {
            loop {
                let beyond = open(rng.next_u64()).ln() / edges[1];
                let y = open(rng.next_u64()).ln();
                if -2.0 * y >= beyond * beyond {
                    return if u < 0.0 {
                        beyond - edges[1]
                    } else {
                        edges[1] - beyond
                    };
                }
            }
        }
        let r = (rng.next_u64() >> 11) as f64 * 2.0_f64.powi(-53);
        if density[layer + 1] + (density[layer] - density[layer + 1]) * r < (-x * x / 2.0).exp() {
            return x;
        }
    }
}

/// With these tables, two of three normal numbers take more than one word and many take a dozen, so streams that enter a
/// chunk at different words take long to coincide.
#[test]
fn chunks_are_joined_however_many_words_a_normal_takes() {
    let (trials, images) = (40, images([1, 28, 28], 0));
    let mut launch = Launch::new(gaussian_noise(0.25), FINE, &images, trials);
    launch.edges = (0..=256).map(|i| 3.0 * 0.35_f64.powi(i)).collect();
    launch.density = (0..=256).map(|i| [1.3, 0.7][i % 2]).collect();
    launch.parts *= 3;
    let seed = BlockSeed {
        session: 9,
        analysis: 0,
        stream: 0,
        block: BlockIndex(1),
    };
    let (centre, scale) = gaussian(launch.noise);
    let mut host = Vec::new();
    for position in [0_u64, 7] {
        let mut head =
            stimulus::prepare_for_kernels(seed, Gamma::NOISE, 0, trials, &Pool::new(&images))
                .kernel_input;
        head[8] = position as u32;
        launch.heads.extend(head);
        let mut rng = seed.generator();
        rng.set_word_pos(position.into());
        host.extend((0..trials * launch.points).map(|_| {
            let n = normal(&mut rng, &launch.edges, &launch.density);
            let point = (centre + scale * n).clamp(0.0, 2.0 * centre);
            let whole = point.trunc();
            whole as u16 + u16::from(point - whole >= 0.5)
        }));
    }
    for backwards in [false, true] {
        let Some(made) = launch.run(backwards) else {
            return;
        };
        assert!(!made.failed);
        let other = (0..host.len()).find(|&i| made.points[i] != host[i]);
        assert_eq!(other, None, "{backwards}");
    }
}

#[test]
fn a_failure_to_draw_is_reported() {
    let (launch, _) = pair(
        gaussian_noise(0.25),
        FINE,
        &images([1, 28, 28], 30),
        9,
        &[Gamma::NOISE; 3],
    );
    let mut few = launch.clone();
    few.parts = launch.trials * launch.points / CHUNK;
    // With probability one third, none of 28 consecutive pairs of words is accepted; there are enough chunks here.
    let mut long = launch;
    long.edges = (0..=256).map(|i| 3.0 * 0.01_f64.powi(i)).collect();
    long.density = (0..=256).map(|i| [2.0, 0.97][i % 2]).collect();
    long.parts *= 200;
    for launch in [few, long] {
        let Some(made) = launch.run(false) else {
            return;
        };
        assert!(made.failed);
    }
}
