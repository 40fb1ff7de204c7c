//! Tests of the kinds of noise.

use super::*;
use crate::stimulus::noise_values;
use rand::SeedableRng;

const PIXELS: usize = 12 * 12;

/// Noise-like images with a slope, so that there are principal components.
fn images() -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let count = 60;
    let mut pixels = Vec::new();
    for _ in 0..count {
        let (down, across) = (rng.random_range(-9..9), rng.random_range(-9..9));
        pixels.extend((0..12 * 12).map(|i: i32| {
            let slope = down * (i / 12 - 6) + across * (i % 12 - 6);
            (128 + slope + rng.random_range(-10..10)).clamp(0, 255) as u8
        }));
    }
    Images {
        pixels: pixels.into(),
        labels: vec![0; count].into(),
        channels: 1,
        height: 12,
        width: 12,
        classes: 1,
    }
}

fn kinds() -> [Noise; 7] {
    [
        Noise::Uniform,
        Noise::Gaussian(Gaussian::default()),
        Noise::Gaussian(Gaussian { sigma: 1.0 }),
        Noise::Binary,
        Noise::Patch,
        Noise::Gabor,
        Noise::Pca,
    ]
}

fn draw(noise: Noise, seed: u64, trials: usize) -> Vec<u16> {
    let source = NoiseSource::new(noise, &images());
    source.draw(&mut ChaCha8Rng::seed_from_u64(seed), trials)
}

fn drawn(noise: Noise, trials: usize) -> Vec<f64> {
    let points = draw(noise, 3, trials);
    noise_values(&points, noise.grid())
        .into_iter()
        .map(f64::from)
        .collect()
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[test]
fn every_kind_depends_on_its_seed_alone() {
    for noise in kinds() {
        let first = draw(noise, 5, 40);
        assert_eq!(first.len(), 40 * PIXELS);
        assert_eq!(first, draw(noise, 5, 40), "{noise:?}");
        assert_ne!(first, draw(noise, 6, 40), "{noise:?}");
    }
}

#[test]
fn every_kind_whose_deviation_is_known_has_it() {
    for noise in kinds() {
        let (_, measured) = moments(&drawn(noise, 2000));
        if let Some(deviation) = noise.deviation([1, 12, 12])
            && noise != Noise::Patch
        {
            // A standard error of a deviation of 288,000 values is at most 0.2 %.
            assert!(
                (measured / deviation - 1.0).abs() < 0.01,
                "{noise:?} {measured}"
            );
        }
        assert!(measured > 0.01, "{noise:?}");
    }
}

#[test]
fn every_kind_but_patch_and_pca_is_grey_on_average() {
    for noise in kinds() {
        let expected = match noise {
            // One square of the 3×3 in these images.
            Noise::Patch => 1.0 / 9.0,
            Noise::Pca => continue,
            _ => 0.5,
        };
        let (mean, deviation) = moments(&drawn(noise, 2000));
        // Gabor images have about a dozen independent pixels each.
        let error = deviation / (2000.0 * 12.0_f64).sqrt();
        assert!((mean - expected).abs() < 5.0 * error, "{noise:?} {mean}");
    }
}

#[test]
fn values_lie_where_the_kind_says() {
    for noise in kinds() {
        let (low, high) = match noise {
            Noise::Gaussian(plan) => (0.5 - 6.0 * plan.sigma, 0.5 + 6.0 * plan.sigma),
            _ => (0.0, 1.0),
        };
        let inside = |&v: &f64| (low..=high).contains(&v);
        assert!(drawn(noise, 500).iter().all(inside), "{noise:?}");
    }
}

#[test]
fn a_value_is_exactly_its_grid_point() {
    for noise in kinds() {
        let grid = noise.grid();
        let points: Vec<u16> = (0..=u16::MAX).collect();
        for (&k, value) in points.iter().zip(noise_values(&points, grid)) {
            assert_eq!(value, grid.value(f64::from(k)) as f32);
        }
    }
}

#[test]
fn only_white_noise_has_independent_neighbours() {
    for noise in kinds() {
        let values = drawn(noise, 500);
        let (mean, deviation) = moments(&values);
        let pairs = values.chunks_exact(2);
        let count = pairs.len() as f64;
        let product: f64 = pairs.map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let r = product / count / deviation.powi(2);
        let bound = 5.0 / count.sqrt();
        assert_eq!(r.abs() < bound, noise.is_white(), "{noise:?}: {r}");
    }
}

#[test]
fn gaussian_noise_is_clipped_at_six_deviations() {
    for sigma in [0.01, 0.25, 1.0] {
        let grid = Noise::Gaussian(Gaussian { sigma }).grid();
        let centre = ((0.5 - grid.offset) / grid.step).round();
        let point = |n| gaussian_point(n, centre, sigma / grid.step);
        assert_eq!(grid.value(f64::from(point(0.0))), 0.5);
        assert_eq!((point(-6.5), point(-99.0)), (0, 0));
        assert_eq!(f64::from(point(99.0)), 2.0 * centre);
        let high = grid.value(f64::from(point(6.5)));
        assert!(high <= 0.5 + 6.0 * sigma && high > 0.5 + 6.0 * sigma - grid.step);
    }
}

#[test]
fn binary_noise_is_black_or_white() {
    let points = draw(Noise::Binary, 1, 500);
    assert!(points.iter().all(|&k| k < 2));
    let values = drawn(Noise::Binary, 10);
    assert!(values.iter().all(|&v| v == 0.0 || v == 1.0));
}

#[test]
fn patch_noise_is_one_white_square_in_any_of_49_places() {
    let points = patch(&mut ChaCha8Rng::seed_from_u64(2), 1000, [1, 28, 28]);
    let mut places = std::collections::BTreeMap::new();
    for image in points.chunks_exact(784) {
        let white: Vec<usize> = (0..784).filter(|&i| image[i] == 1).collect();
        assert_eq!(white.len(), 16);
        assert_eq!(image.iter().filter(|&&k| k == 0).count(), 768);
        let (row, column) = (white[0] / 28, white[0] % 28);
        assert_eq!((row % 4, column % 4), (0, 0));
        assert_eq!(white[15], white[0] + 3 * 28 + 3);
        *places.entry(white[0]).or_insert(0) += 1;
    }
    let (mean, deviation) = moments(&points.iter().map(|&k| f64::from(k)).collect::<Vec<_>>());
    assert!((mean - 1.0 / 49.0).abs() < 1e-12);
    assert!((deviation - Noise::Patch.deviation([1, 28, 28]).unwrap()).abs() < 1e-9);
    assert_eq!(places.len(), 49);
    // 1000/49 = 20.4 ± 4.5 each.
    assert!(places.values().all(|&n| (3..45).contains(&n)), "{places:?}");
}

/// Sessions of earlier versions must continue with the same trials.
#[test]
fn uniform_noise_is_the_same_as_in_earlier_versions() {
    let points = uniform(&mut ChaCha8Rng::seed_from_u64(7), 2000);
    assert_eq!(points[..4], [17339, 9175, 21300, 10341]);
    // The two halves of each generator word, the lower one first.
    let mut words = ChaCha8Rng::seed_from_u64(7);
    for pair in points.chunks_exact(2) {
        let word = words.next_u32();
        assert_eq!(pair, [word as u16, (word >> 16) as u16]);
    }
}

/// Points of every kind as version 0.1.0 drew them: a dependency that draws others would make a run
/// continue with other trials than it began with. (first points, CRC-32 of three images)
#[test]
fn every_kind_of_noise_is_the_same_as_in_version_0_1_0() {
    for (noise, (first, crc)) in kinds().into_iter().zip(ALWAYS) {
        let points = draw(noise, 11, 3);
        let bytes: Vec<u8> = points.iter().flat_map(|k| k.to_le_bytes()).collect();
        let found = crc32fast::hash(&bytes);
        if noise == Noise::Pca {
            // The components differ in their last bits between processors.
            let near = points.iter().zip(first).all(|(&a, b)| a.abs_diff(b) <= 2);
            assert!(near, "{noise:?}: {:?}", &points[..4]);
        } else {
            assert_eq!((&points[..4], found), (&first[..], crc), "{noise:?}");
        }
    }
}

const ALWAYS: [([u16; 4], u32); 7] = [
    ([53528, 21141, 17181, 23374], 0x7467_7ebd),
    ([5401, 4634, 5729, 6293], 0xb4f2_a5f9),
    ([21605, 18538, 22916, 25172], 0xd637_2e9e),
    ([0, 0, 0, 1], 0x14af_a526),
    ([0, 0, 0, 0], 0xa736_9ca6),
    ([26371, 23334, 22340, 32775], 0xaa47_fdff),
    ([28446, 27467, 28074, 30301], 0xb680_4a4c),
];

/// No images of this shape.
fn blank([channels, height, width]: Shape) -> Images {
    Images {
        pixels: [].into(),
        labels: [].into(),
        channels,
        height,
        width,
        classes: 1,
    }
}

#[test]
fn gaussian_noise_is_rounded_to_the_nearest_point_and_halves_up() {
    let point = |n| gaussian_point(n, 10.0, 2.0);
    assert_eq!((point(0.24), point(0.25)), (10, 11));
    assert_eq!((point(-0.25), point(-0.26)), (10, 9));
    assert_eq!((point(5.0), point(5.1)), (20, 20));
    assert_eq!((point(-4.9), point(-5.1)), (0, 0));
}

#[test]
fn binary_noise_is_the_generators_bits_from_the_lowest() {
    for count in [1, 31, 32, 77] {
        let points = binary(&mut ChaCha8Rng::seed_from_u64(8), count);
        assert_eq!(points.len(), count);
        let mut words = ChaCha8Rng::seed_from_u64(8);
        for points in points.chunks(32) {
            let word = words.next_u32();
            for (bit, &point) in points.iter().enumerate() {
                assert_eq!(u32::from(point), (word >> bit) & 1, "{count} {bit}");
            }
        }
    }
}

#[test]
fn each_channel_has_its_square_where_the_places_say() {
    let source = NoiseSource::new(Noise::Patch, &blank([3, 9, 14]));
    let rng = || ChaCha8Rng::seed_from_u64(9);
    let places = source.draw_patch_places(&mut rng(), 40).unwrap();
    let points = source.draw(&mut rng(), 40);
    assert_eq!((places.len(), points.len()), (40 * 3, 40 * 3 * 9 * 14));
    for (channel, place) in points.chunks_exact(9 * 14).zip(&places) {
        let (top, left) = (place / 14, place % 14);
        assert!([0, 4].contains(&top) && [0, 4, 8].contains(&left));
        for (pixel, &point) in (0_u32..).zip(channel) {
            let inside =
                (top..top + 4).contains(&(pixel / 14)) && (left..left + 4).contains(&(pixel % 14));
            assert_eq!(point, u16::from(inside), "{place} {pixel}");
        }
    }
    let mut different = places;
    different.sort_unstable();
    different.dedup();
    assert_eq!(different, [0, 4, 8, 56, 60, 64]);
    let uniform = NoiseSource::new(Noise::Uniform, &blank([3, 9, 14]));
    assert_eq!(uniform.draw_patch_places(&mut rng(), 40), None);
}

#[test]
fn only_gaussian_and_gabor_noise_take_normal_numbers() {
    let coarse = Grain {
        cell: 2,
        grey: false,
    };
    for (noise, grain, normals) in [
        (Noise::Uniform, coarse, 0),
        (Noise::Binary, coarse, 0),
        (Noise::Patch, Grain::default(), 0),
        // One for each cell of each channel.
        (Noise::Gaussian(Gaussian::default()), coarse, 2 * 3 * 6),
        // Eight for each of the tiles of 3, 7 and 15 pixels of each channel.
        (Noise::Gabor, Grain::default(), 2 * 8 * (2 * 4 + 2 + 1)),
    ] {
        let source = NoiseSource::with_grain(noise, grain, &blank([2, 5, 11]));
        assert_eq!((source.noise(), source.normals()), (noise, normals));
        assert_eq!(source.kernel_constants().is_some(), noise == Noise::Gabor);
        assert_eq!(source.cells().is_some(), grain == coarse);
    }
}

#[test]
fn only_gabor_and_pca_noise_have_constants_for_their_kernels() {
    // Tiles of 3, 7 and 15 pixels, with eight filters each.
    let gabor = 3 * 9 * PIXELS;
    // As many components as pixels.
    let pca = 2 * PIXELS + (1 + PIXELS) * PIXELS;
    for noise in kinds() {
        let source = NoiseSource::new(noise, &images());
        let (components, words) = match noise {
            Noise::Gabor => (0, Some(gabor)),
            Noise::Pca => (PIXELS, Some(pca)),
            _ => (0, None),
        };
        assert_eq!(source.components(), components, "{noise:?}");
        let constants = source.kernel_constants();
        assert_eq!(constants.map(|words| words.len()), words, "{noise:?}");
    }
}

#[test]
fn noise_has_the_points_of_its_grains_grid() {
    for (cell, grey, grid) in [
        (1, false, [2, 5, 11]),
        (2, false, [2, 3, 6]),
        (4, true, [1, 2, 3]),
    ] {
        let (grain, images) = (Grain { cell, grey }, blank([2, 5, 11]));
        let source = NoiseSource::with_grain(Noise::Binary, grain, &images);
        assert_eq!(source.grid(), grid);
        let drawn = source.draw(&mut ChaCha8Rng::seed_from_u64(1), 3);
        assert_eq!(drawn.len(), 3 * grid.iter().product::<usize>());
    }
}

#[test]
fn no_trials_are_no_points() {
    for noise in kinds() {
        assert!(draw(noise, 5, 0).is_empty(), "{noise:?}");
    }
}
