//! Tests of the Gabor filters and their tiles.

use super::*;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

const SIDE: usize = 28;

fn gabor() -> Gabor {
    Gabor::new([1, SIDE, SIDE])
}

fn sum(gabor: &Gabor, coefficients: &[Octet]) -> Vec<f32> {
    let mut image = vec![0.0; SIDE * SIDE];
    gabor.sum(coefficients, &mut image);
    image
}

/// One filter alone.
fn basis(gabor: &Gabor, index: usize) -> Vec<f32> {
    let mut coefficients = vec![[0.0; FILTERS]; gabor.tiles];
    coefficients.as_flattened_mut()[index] = 1.0;
    sum(gabor, &coefficients)
}

/// Index of a filter: the tiles of a size are numbered row by row, after those of the previous
/// sizes.
fn index(size: usize, row: usize, column: usize, filter: usize) -> usize {
    let across = SIZES.map(|side| SIDE.div_ceil(side));
    let before: usize = across[..size].iter().map(|n| n * n).sum();
    (before + row * across[size] + column) * FILTERS + filter
}

#[test]
fn there_are_960_filters_and_none_is_empty_or_duplicated() {
    let gabor = gabor();
    assert_eq!(gabor.tiles * FILTERS, 960);
    let mut bases: Vec<Vec<u32>> = (0..960)
        .map(|i| basis(&gabor, i).iter().map(|v| v.to_bits()).collect())
        .collect();
    let norm = |basis: &Vec<u32>| {
        basis
            .iter()
            .map(|&v| f32::from_bits(v).powi(2))
            .sum::<f32>()
    };
    assert!(bases.iter().map(norm).all(|norm| norm > 1e-3));
    bases.sort();
    bases.dedup();
    assert_eq!(bases.len(), 960);
}

#[test]
fn a_filter_stays_inside_its_tile() {
    let gabor = gabor();
    // The second tile of seven pixels in the third row: rows 14 to 20, columns 7 to 13.
    let filter = basis(&gabor, index(1, 2, 1, 4));
    for (pixel, &value) in filter.iter().enumerate() {
        let inside = (14..21).contains(&(pixel / SIDE)) && (7..14).contains(&(pixel % SIDE));
        assert!(inside || value == 0.0, "pixel {pixel}");
    }
    assert_eq!(filter[17 * SIDE + 10], 1.0, "a cosine is 1 at its centre");
    // Tiles of side three extend beyond the image by one pixel, so the first centre is pixel 0.
    assert_eq!(basis(&gabor, index(0, 0, 0, 0))[0], 1.0);
    assert_eq!(basis(&gabor, index(0, 9, 9, 0))[784 - 1], 1.0);
}

/// A cosine is unchanged by a rotation of 180° about its centre; a sine is negated, so its
/// mean is zero.
#[test]
fn phases_are_even_and_odd_about_the_centre() {
    for side in SIZES {
        let filters = filters(side);
        for (pixel, values) in filters.iter().enumerate() {
            let opposite = filters[side * side - 1 - pixel];
            for filter in 0..FILTERS {
                let sign = [1.0, -1.0][filter % 2];
                assert!((values[filter] - sign * opposite[filter]).abs() < 1e-6);
            }
        }
    }
}

/// The response to gratings of the filter's wavelength is largest at its orientation.
#[test]
fn a_filter_prefers_the_grating_of_its_orientation() {
    for side in [7, 15] {
        let filters = filters(side);
        let energy = |pair: usize, orientation: usize| {
            let angle = std::f64::consts::PI * orientation as f64 / ORIENTATIONS as f64;
            let centre = (side as f64 - 1.0) / 2.0;
            let mut response = [0.0; 2];
            for (pixel, values) in filters.iter().enumerate() {
                let (y, x) = (
                    (pixel / side) as f64 - centre,
                    (pixel % side) as f64 - centre,
                );
                let along = x * angle.cos() + y * angle.sin();
                let phase = std::f64::consts::TAU * along / (side as f64 / 2.0);
                response[0] += f64::from(values[2 * pair]) * phase.cos();
                response[1] += f64::from(values[2 * pair + 1]) * phase.sin();
            }
            response[0].powi(2) + response[1].powi(2)
        };
        for pair in 0..ORIENTATIONS {
            for other in (0..ORIENTATIONS).filter(|&other| other != pair) {
                assert!(
                    energy(pair, pair) > 3.0 * energy(pair, other),
                    "{pair} {other}"
                );
            }
        }
    }
}

#[test]
fn the_sum_equals_that_of_single_filters() {
    let gabor = gabor();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut coefficients = vec![[0.0_f32; FILTERS]; gabor.tiles];
    for coefficient in coefficients.as_flattened_mut() {
        *coefficient = StandardNormal.sample(&mut rng);
    }
    let mut expected = vec![0.0_f64; SIDE * SIDE];
    for (index, &coefficient) in coefficients.as_flattened().iter().enumerate() {
        for (sum, value) in expected.iter_mut().zip(basis(&gabor, index)) {
            *sum += f64::from(coefficient) * f64::from(value);
        }
    }
    for (a, b) in sum(&gabor, &coefficients).iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() < 1e-5);
    }
}

#[test]
fn every_image_spans_the_whole_grid() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for image in gabor().draw(&mut rng, 50).chunks_exact(SIDE * SIDE) {
        assert_eq!(image.iter().min(), Some(&0));
        assert_eq!(image.iter().max(), Some(&65535));
    }
}

#[test]
fn an_image_of_one_grey_is_not_divided_by_its_range() {
    let mut points = Vec::new();
    scale(&[0.3; 4], &mut points);
    assert_eq!(points, [0; 4]);
}

/// The pixel one to the left of the centre of a tile of three: σ = 3/7, so that 1/2σ² = 49/18, and λ = 3/2.
#[test]
fn the_values_beside_a_centre_are_those_of_the_formula() {
    let [c0, s0, c45, s45, c90, s90, c135, s135] = filters(3)[3].map(f64::from);
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-6, "{value}");
    // Across the stripes u = −1 and v = 0: cos −4π/3 and sin −4π/3.
    let bell = (-49.0 / 18.0_f64).exp();
    near(c0, -0.5 * bell);
    near(s0, 0.75_f64.sqrt() * bell);
    // Along them u = 0 and v = ±1.
    near(c90, (-49.0 / 72.0_f64).exp());
    near(s90, 0.0);
    // u² + ¼v² = ½ + ⅛.
    let bell = (-0.625 * 49.0 / 18.0_f64).exp();
    near(c45, bell * 169.705_627_f64.to_radians().cos());
    near(s45, -bell * 169.705_627_f64.to_radians().sin());
    near(c135, c45);
    near(s135, -s45);
}

/// An image of two pixels, the second of which is the centre of the one tile of each size.
#[test]
fn the_kernels_words_are_tiles_and_values_by_size_and_filter() {
    let gabor = Gabor::new([3, 1, 2]);
    assert_eq!(gabor.normals(), 3 * 3 * FILTERS);
    let words = gabor.kernel_words();
    assert_eq!(words.len(), 3 * 9 * 2);
    for (size, words) in words.chunks_exact(9 * 2).enumerate() {
        assert_eq!(words[..2], [size as u32; 2]);
        let (side, values) = (SIZES[size], &words[2..]);
        let left = filters(side)[side * side / 2 - 1];
        for filter in 0..FILTERS {
            assert_eq!(values[2 * filter], left[filter].to_bits());
            let centre = f32::from_bits(values[2 * filter + 1]);
            assert_eq!(centre, [1.0, 0.0][filter % 2], "{side} {filter}");
        }
    }
}

#[test]
fn tiles_are_numbered_row_by_row_and_centred_on_the_image() {
    // Two rows of three tiles: 6×9 pixels, of which 4×7 are the image.
    let tiling = Tiling::new(3, 4, 7, 10);
    assert_eq!(
        (tiling.down, tiling.across, tiling.overhang),
        (2, 3, (1, 1))
    );
    assert_eq!(tiling.locate(0, 0), (10, 4));
    assert_eq!(tiling.locate(2, 1), (13, 2));
    assert_eq!(tiling.locate(3, 6), (15, 4));
}
