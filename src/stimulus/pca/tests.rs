//! Tests of PCA noise.

use super::*;
use rand::SeedableRng;

const SIZE: (usize, usize) = (17, 16);
const PIXELS: usize = SIZE.0 * SIZE.1;

fn images(all: impl IntoIterator<Item = Vec<u8>>) -> Images {
    let pixels: Vec<u8> = all.into_iter().flatten().collect();
    Images {
        labels: vec![0; pixels.len() / PIXELS].into(),
        pixels: pixels.into(),
        channels: 1,
        height: SIZE.0,
        width: SIZE.1,
        classes: 1,
    }
}

/// The components as columns, \[H·W,components\].
fn components(pca: &Pca) -> DMatrix<f32> {
    DMatrix::from_iterator(pca.mean.len(), pca.count(), pca.components.values())
}

/// Two patterns of ±1 without overlap: stripes in the upper eight rows, checks in the next
/// eight. The last row is the same in all images.
fn patterns() -> [Vec<i32>; 2] {
    let stripes = |i: usize| if i < 128 { [1, -1][i % 2] } else { 0 };
    let checks = |i: usize| {
        let inside = (128..256).contains(&i);
        if inside { [1, -1][(i + i / 16) % 2] } else { 0 }
    };
    [
        (0..PIXELS).map(stripes).collect(),
        (0..PIXELS).map(checks).collect(),
    ]
}

fn blend(grey: i32, a: i32, b: i32) -> Vec<u8> {
    let [stripes, checks] = patterns();
    let pixels = stripes.iter().zip(checks);
    pixels.map(|(s, c)| (grey + a * s + b * c) as u8).collect()
}

/// Images 100 + a·stripes + b·checks over a rectangle of (a, b).
fn rectangle() -> Images {
    images((-40..=40).flat_map(|a| (-10..=20).map(move |b| blend(100, a, b))))
}

#[test]
fn images_of_two_patterns_have_them_as_components_and_ranges() {
    let pca = Pca::new(&rectangle());
    let norm = 128.0_f32.sqrt();
    for (component, pattern) in components(&pca).column_iter().zip(patterns()) {
        let product: f32 = component
            .iter()
            .zip(&pattern)
            .map(|(c, &p)| c * p as f32)
            .sum();
        assert!((product.abs() / norm - 1.0).abs() < 1e-5, "{product}");
    }
    // The mean of b is 5, so both ranges are symmetric: ±40 and ±15 times the norm.
    for (range, reach) in pca.ranges.iter().zip([40.0, 15.0]) {
        let reach = reach * norm / 255.0;
        assert!((range.0 + reach).abs() < 1e-4 && (range.1 - reach).abs() < 1e-4);
    }
    assert!(
        pca.ranges[2..]
            .iter()
            .all(|(low, high)| low.abs().max(high.abs()) < 1e-4)
    );
    let grey = pca.mean[PIXELS - 1];
    assert!((grey - 100.0 / 255.0).abs() < 1e-6);
}

#[test]
fn noise_lies_in_the_span_of_the_components_and_fills_its_range() {
    let pca = Pca::new(&rectangle());
    let trials = 400;
    let points = pca.draw(&mut ChaCha8Rng::seed_from_u64(1), trials);
    let mut drawn = [Vec::new(), Vec::new()];
    for image in points.chunks_exact(PIXELS) {
        let value = |i: usize| (f64::from(image[i]) + 0.5) / 65536.0 * 255.0;
        let weights = [value(0) - 100.0, value(128) - 105.0];
        // Every pixel is the mean plus the patterns' contributions, up to the grid's resolution.
        for (i, (s, c)) in patterns()[0].iter().zip(&patterns()[1]).enumerate() {
            let mean = 100.0 + 5.0 * f64::from(*c);
            let expected = mean + weights[0] * f64::from(*s) + weights[1] * f64::from(*c);
            assert!(
                (value(i) - expected).abs() < 0.02,
                "{} {expected}",
                value(i)
            );
        }
        drawn[0].push(weights[0]);
        drawn[1].push(weights[1]);
    }
    for (drawn, reach) in drawn.iter().zip([40.0, 15.0]) {
        let most = drawn.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        assert!(most <= reach + 0.01 && most > 0.97 * reach, "{most}");
        // U(−r, r): variance r²/3.
        let variance = drawn.iter().map(|v| v * v).sum::<f64>() / f64::from(trials as u32);
        assert!(
            (variance / (reach * reach / 3.0) - 1.0).abs() < 0.25,
            "{variance}"
        );
    }
}

#[test]
fn values_beyond_black_and_white_are_clipped() {
    // Both patterns on the same pixels: images reach 0 and 255 along each alone, noise goes beyond.
    let pattern = |i: usize| ([1, -1][i % 2], [1, -1][i / 16 % 2]);
    let blend = |a: i32, b: i32| {
        let pixel = |i| (127 + a * pattern(i).0 + b * pattern(i).1) as u8;
        (0..PIXELS).map(pixel).collect::<Vec<u8>>()
    };
    let cross = (-12..=12).flat_map(|k| [blend(10 * k, 0), blend(0, 9 * k)]);
    let pca = Pca::new(&images(cross));
    let points = pca.draw(&mut ChaCha8Rng::seed_from_u64(2), 100);
    assert!(points.contains(&0) && points.contains(&65535));
    let clipped = points.iter().filter(|&&k| k == 0 || k == 65535).count();
    assert!(clipped > points.len() / 50, "{clipped} of {}", points.len());
}

#[test]
fn the_250_strongest_components_are_orthonormal_and_in_order() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let image = |_| {
        (0..PIXELS)
            .map(|i| rng.random_range(0..=i.min(255) as u8))
            .collect()
    };
    let images = images((0..700).map(image).collect::<Vec<Vec<u8>>>());
    let pca = Pca::new(&images);
    let components = components(&pca);
    assert_eq!(components.shape(), (PIXELS, 250));
    let products = components.transpose() * &components;
    assert!((products - DMatrix::identity(250, 250)).amax() < 1e-5);
    let projections = components.transpose() * columns(&images.pixels, PIXELS);
    let variances: Vec<f32> = projections.row_iter().map(|row| row.variance()).collect();
    let falls = |pair: &[f32]| pair[1] <= pair[0] * 1.0001;
    assert!(variances.windows(2).all(falls));
    // None of the 22 omitted components is stronger than the weakest one used.
    let total: f32 = columns(&images.pixels, PIXELS)
        .row_iter()
        .map(|row| row.variance())
        .sum();
    let left = total - variances.iter().sum::<f32>();
    assert!(left <= 22.0 * variances[249] + total * 1e-4, "{left}");
    assert_eq!(pca, Pca::new(&images));
}

/// Compares with integer sums over single images.
#[test]
fn the_covariance_matches_its_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let count = 600;
    let all: Vec<Vec<u8>> = (0..count)
        .map(|_| (0..PIXELS).map(|_| rng.random()).collect())
        .collect();
    let moments = Moments::new(&images(all.clone()));
    let covariance = moments.covariance();
    for (a, b) in [(0, 0), (0, 271), (100, 37)] {
        let product: i64 = all.iter().map(|x| i64::from(x[a]) * i64::from(x[b])).sum();
        assert_eq!(moments.products[a * PIXELS + b], product);
        let mean = |i: usize| all.iter().map(|x| f64::from(x[i])).sum::<f64>() / count as f64;
        let expected = product as f64 / count as f64 - mean(a) * mean(b);
        assert!((covariance[a * PIXELS + b] - expected).abs() < 1e-6);
    }
}

#[test]
fn the_components_of_small_images_reproduce_each_of_them_and_no_range_is_too_wide() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let (count, pixels) = (300, 12);
    let images = Images {
        pixels: (0..count * pixels).map(|_| rng.random()).collect(),
        labels: vec![0; count].into(),
        channels: 3,
        height: 2,
        width: 2,
        classes: 1,
    };
    let pca = Pca::new(&images);
    let components = components(&pca);
    assert_eq!(components.shape(), (12, 12));
    let mut reached = vec![(0.0_f32, 0.0_f32); 12];
    for image in images.pixels.chunks_exact(pixels) {
        let offsets = image.iter().zip(&pca.mean);
        let offsets: Vec<f32> = offsets
            .map(|(&x, mean)| f32::from(x) / 255.0 - mean)
            .collect();
        let mut rebuilt = vec![0.0_f32; pixels];
        for (component, reached) in components.column_iter().zip(&mut reached) {
            let weight: f32 = component.iter().zip(&offsets).map(|(c, x)| c * x).sum();
            *reached = (reached.0.min(weight), reached.1.max(weight));
            rebuilt
                .iter_mut()
                .zip(&component)
                .for_each(|(sum, c)| *sum += weight * c);
        }
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        assert!(rebuilt.iter().zip(&offsets).all(near));
    }
    for (range, reached) in pca.ranges.iter().zip(&reached) {
        assert!((range.0 - reached.0).abs() < 1e-5 && (range.1 - reached.1).abs() < 1e-5);
    }
}

/// However many trials are drawn at once.
#[test]
fn points_are_the_mean_plus_the_components_times_uniform_coefficients() {
    let mut images_rng = ChaCha8Rng::seed_from_u64(7);
    let image = |_| (0..PIXELS).map(|_| images_rng.random()).collect();
    let pca = Pca::new(&images((0..40).map(image).collect::<Vec<Vec<u8>>>()));
    let components: Vec<f32> = pca.components.values().collect();
    assert_eq!((pca.count(), components.len()), (250, 250 * PIXELS));
    for trials in [1, 5, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 14] {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let drawn = pca.draw(&mut rng, trials);
        assert_eq!(drawn.len(), trials * PIXELS);
        let mut other = ChaCha8Rng::seed_from_u64(8);
        for (trial, drawn) in drawn.chunks_exact(PIXELS).enumerate() {
            let mut sums = [0.0_f32; PIXELS];
            for (component, (low, high)) in components.chunks_exact(PIXELS).zip(&pca.ranges) {
                let coefficient = low + (high - low) * other.random::<f32>();
                for (sum, value) in sums.iter_mut().zip(component) {
                    *sum = value.mul_add(coefficient, *sum);
                }
            }
            let point = |(sum, mean): (&f32, &f32)| ((sum + mean) * 65536.0) as u16;
            let expected = sums.iter().zip(&pca.mean).map(point);
            assert!(drawn.iter().copied().eq(expected), "{trials} {trial}");
        }
        // Both generators continue identically.
        assert_eq!(rng.random::<u64>(), other.random::<u64>());
    }
}

#[test]
fn the_kernels_constants_are_the_ranges_the_mean_and_the_components() {
    let pca = Pca::new(&rectangle());
    let words: Vec<f32> = pca.kernel_words().into_iter().map(f32::from_bits).collect();
    let (lows, rest) = words.split_at(250);
    let (widths, rest) = rest.split_at(250);
    let (mean, components) = rest.split_at(PIXELS);
    for ((low, width), range) in lows.iter().zip(widths).zip(&pca.ranges) {
        assert_eq!((*low, *width), (range.0, range.1 - range.0));
    }
    assert_eq!(mean, pca.mean);
    assert!(components.iter().copied().eq(pca.components.values()));
}
