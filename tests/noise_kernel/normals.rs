//! The kernels for normal numbers: chunks of words, the ziggurat's rare cases, and failures.

use noisescope::ids::{BlockIndex, Gamma};
use noisescope::session::config::{Gaussian, Noise};
use noisescope::stimulus::{self, BlockSeed, Pool};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::launch::{CHUNK, Launch, gaussian};
use super::{FINE, assert_same, images, pair};

fn gaussian_noise(sigma: f64) -> Noise {
    Noise::Gaussian(Gaussian { sigma })
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
