//! Tests of the smoothed map, its regions and their probabilities.

use super::*;
use crate::stats::interval::{bonferroni, normal_quantile};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIDE: usize = 28;

fn noise(rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..SIDE * SIDE)
        .map(|_| rng.sample::<f32, _>(rand_distr::StandardNormal))
        .collect()
}

#[test]
fn the_tail_probability_matches_the_threshold() {
    assert!((normal_quantile(TAIL) + THRESHOLD).abs() < 1e-7);
}

#[test]
fn the_smoothed_map_of_noise_has_unit_variance_everywhere() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let maps = 3000;
    let mut squares = vec![0.0; SIDE * SIDE];
    for _ in 0..maps {
        for (sum, z) in squares
            .iter_mut()
            .zip(smooth(&noise(&mut rng), [1, SIDE, SIDE]))
        {
            *sum += f64::from(z * z) / f64::from(maps);
        }
    }
    // The standard error of a variance is √(2/maps) = 0.026.
    for (pixel, variance) in squares.iter().enumerate() {
        assert!((variance - 1.0).abs() < 0.13, "pixel {pixel}: {variance}");
    }
}

#[test]
fn noise_alone_has_a_significant_cluster_in_one_map_of_twenty_at_most() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let maps = 400;
    let found = (0..maps)
        .filter(|_| {
            !clusters(&noise(&mut rng), [1, SIDE, SIDE])
                .clusters
                .is_empty()
        })
        .count();
    let rate = found as f64 / f64::from(maps);
    assert!(rate <= 0.08, "{rate}");
}

/// A disc of radius 4 where z is 1.5 on average.
fn blob(height: f32) -> Vec<f32> {
    (0..SIDE * SIDE)
        .map(|i| {
            let (row, column) = ((i / SIDE) as f32 - 10.0, (i % SIDE) as f32 - 17.0);
            if row * row + column * column <= 16.0 {
                height
            } else {
                0.0
            }
        })
        .collect()
}

#[test]
fn a_weak_blob_without_a_significant_pixel_is_found_with_its_sign() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let bound = bonferroni(SIDE * SIDE, ALPHA) as f32;
    for height in [1.5, -1.5] {
        let noise = noise(&mut rng).into_iter().map(|z| z.clamp(-2.4, 2.4));
        let z: Vec<f32> = noise.zip(blob(height)).map(|(a, b)| a + b).collect();
        assert!(z.iter().all(|z| z.abs() < bound));
        let result = clusters(&z, [1, SIDE, SIDE]);
        assert_eq!(result.clusters.len(), 1, "{:?}", result.clusters);
        let cluster = &result.clusters[0];
        assert_eq!(cluster.peak.signum(), f64::from(height.signum()));
        assert!(cluster.row.abs_diff(10) <= 2 && cluster.column.abs_diff(17) <= 2);
        assert!(cluster.p < 0.01, "{}", cluster.p);
        let peak = result.smoothed[cluster.row * SIDE + cluster.column];
        assert_eq!(f64::from(peak), cluster.peak);
    }
}

#[test]
fn neighbours_of_opposite_sign_are_two_clusters() {
    let z: Vec<f32> = (0..SIDE * SIDE)
        .map(|i| if i % SIDE < SIDE / 2 { 3.0 } else { -3.0 })
        .collect();
    let found = clusters(&z, [1, SIDE, SIDE]).clusters;
    assert_eq!(found.len(), 2);
    for cluster in found {
        let left = cluster.peak > 0.0;
        assert!(cluster.pixels.iter().all(|i| (i % SIDE < SIDE / 2) == left));
    }
}

#[test]
fn the_probability_of_a_cluster_falls_with_its_size() {
    let chances: Vec<f64> = (0..200).map(|size| chance(size, SIDE, SIDE)).collect();
    assert!(chances.is_sorted_by(|a, b| a > b));
    // At size 0: the probability that there is any cluster, 1 − exp(−2E[m]).
    let any = 1.0 - (-2.0 * expected_clusters(SIDE, SIDE)).exp();
    assert!((chances[0] - any).abs() < 1e-12);
}

#[test]
fn a_map_of_one_column_is_tested_too() {
    assert!(clusters(&[0.0; 28], [1, 28, 1]).clusters.is_empty());
    assert_eq!(
        clusters(&[9.0; 28], [1, 28, 1]).clusters[0].pixels.len(),
        28
    );
}

#[test]
fn channels_are_tested_separately_and_corrected_for_their_number() {
    let mut z = vec![0.0; 3 * SIDE * SIDE];
    z[SIDE * SIDE..2 * SIDE * SIDE].copy_from_slice(&blob(1.5));
    let result = clusters(&z, [3, SIDE, SIDE]);
    let alone = clusters(&blob(1.5), [1, SIDE, SIDE]);
    assert_eq!((result.clusters.len(), result.clusters[0].channel), (1, 1));
    assert!((result.clusters[0].p - 3.0 * alone.clusters[0].p).abs() < 1e-12);
    let area = SIDE * SIDE;
    assert!(result.clusters[0].pixels.iter().all(|&at| at / area == 1));
}

#[test]
fn a_lit_pixel_becomes_a_gaussian_over_the_root_of_its_squares_inside_the_map() {
    let (height, width) = (20, 18);
    // exp(−d²/2σ²) with σ = 2, as far as 4σ along each axis.
    let weight = |a: usize, b: usize| {
        let down = (a / width).abs_diff(b / width);
        let across = (a % width).abs_diff(b % width);
        let squared = (down * down + across * across) as f64;
        match down.max(across) {
            0..=8 => (-squared / 8.0).exp(),
            _ => 0.0,
        }
    };
    let pixels = height * width;
    let root = |pixel: usize| {
        let squares = (0..pixels).map(|other| weight(pixel, other).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let roots: Vec<f64> = (0..pixels).map(root).collect();
    let middle = 9 * width + 9;
    // ∫exp(−d²/σ²) = πσ²: far from the edges the lit pixel keeps 1/(2√π).
    assert!((roots[middle] - 2.0 * std::f64::consts::PI.sqrt()).abs() < 1e-6);
    for lit in [middle, 19 * width + 5, width + 16] {
        let mut z = vec![0.0; 2 * pixels];
        z[pixels + lit] = 1.0;
        let smoothed = smooth(&z, [2, height, width]);
        let (dark, bright) = smoothed.split_at(pixels);
        assert!(dark.iter().all(|&z| z == 0.0));
        for (pixel, &found) in bright.iter().enumerate() {
            let expected = weight(pixel, lit) / roots[pixel];
            let away = (f64::from(found) - expected).abs();
            assert!(away < 1e-6, "{lit}, {pixel}: {found} {expected}");
        }
    }
}

/// Of two equal numbers, (1 + w)/√(1 + w²) with w = exp(−⅛): not its negative, which a second axis would hide.
#[test]
fn smoothing_along_one_axis_keeps_the_sign() {
    let kernel = Kernel::new(2);
    let w = (-0.125_f64).exp();
    let expected = 3.0 * (1.0 + w) / (1.0 + w * w).sqrt();
    for place in 0..2 {
        assert!((kernel.smoothed_at(place, |_| 3.0) - expected).abs() < 1e-12);
    }
}

#[test]
fn a_smoothed_map_is_divided_by_its_deviations_and_zero_where_they_are() {
    let z = standardized(vec![6.0, -6.0, 0.0, 5.0], &[4.0, 4.0, 0.0, 0.0]);
    assert_eq!(z, [1.5, -1.5, 0.0, 0.0]);
}

/// Every cluster of a smoothed map, significant or not.
fn all_clusters(smoothed: &[f32], shape: Shape) -> Vec<Cluster> {
    significant_clusters(smoothed, shape, |_| 0.0)
}

#[test]
fn the_peak_of_a_cluster_is_its_first_farthest_pixel_in_its_own_channel() {
    // The third of three channels of two rows and three columns: −3 −5 −5 above 0 −5 −4.
    let mut smoothed = [0.0; 18];
    smoothed[12..].copy_from_slice(&[-3.0, -5.0, -5.0, 0.0, -5.0, -4.0]);
    let expected = Cluster {
        pixels: vec![12, 13, 14, 16, 17],
        peak: -5.0,
        channel: 2,
        row: 0,
        column: 1,
        p: 0.0,
    };
    assert_eq!(all_clusters(&smoothed, [3, 2, 3]), [expected]);
}

#[test]
fn regions_touch_at_corners_and_end_at_the_edges_of_the_map() {
    // Four rows of five columns. Pixels 4 and 5, at opposite edges, are no neighbours.
    let mut smoothed = [0.0; 20];
    for lit in [4, 5, 11, 17] {
        smoothed[lit] = 4.0;
    }
    smoothed[19] = -4.0;
    let found = all_clusters(&smoothed, [1, 4, 5]);
    let pixels: Vec<Vec<usize>> = found.into_iter().map(|cluster| cluster.pixels).collect();
    assert_eq!(pixels, [vec![5, 11, 17], vec![4], vec![19]]);
}

#[test]
fn clusters_are_significant_up_to_alpha_and_ordered_by_size_then_peak() {
    let smoothed = [3.0, 0.0, 4.0, 4.0, 0.0, -5.0];
    let with = |single: f64| -> Vec<Vec<usize>> {
        let chance = |size: usize| if size == 1 { single } else { 0.01 };
        let found = significant_clusters(&smoothed, [1, 1, 6], chance);
        found.into_iter().map(|cluster| cluster.pixels).collect()
    };
    assert_eq!(with(ALPHA), [vec![2, 3], vec![5], vec![0]]);
    assert_eq!(with(ALPHA + 1e-6), [vec![2, 3]]);
    assert_eq!(largest_cluster_size(&smoothed, [1, 1, 6]), 2);
    // Channels end between pixels 2 and 3.
    assert_eq!(largest_cluster_size(&smoothed, [2, 1, 3]), 1);
    assert_eq!(largest_cluster_size(&[2.0; 6], [1, 1, 6]), 0);
}

/// Without widths at half maximum: t·exp(−t²/2)·HW/(2σ²(2π)^(3/2)) + exp(−t²/2)·(H+W)/(2π√2σ) + Φ(−t).
#[test]
fn the_probability_of_a_cluster_has_its_closed_form() {
    use std::f64::consts::{SQRT_2, TAU};
    let (height, width, t) = (28.0, 14.0, 2.7_f64);
    let bell = (-t * t / 2.0).exp();
    let area = t * bell * height * width / (8.0 * TAU * TAU.sqrt());
    let expected = area + bell * (height + width) / (TAU * SQRT_2 * 2.0) + TAIL;
    assert!((expected_clusters(28, 14) - expected).abs() < 1e-12);
    let as_large = (-5.0 * expected / (height * width * TAIL)).exp();
    let found = chance(5, 28, 14);
    assert!((found - (1.0 - (-2.0 * expected * as_large).exp())).abs() < 1e-12);
    assert!((found - 0.181_082_363_862).abs() < 1e-9, "{found}");
}
