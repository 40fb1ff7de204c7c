//! Tests of scores by hand and of simulated networks.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SHAPE: Shape = [1, 12, 12];

/// Networks whose images are one pattern per class plus independent noise.
fn networks(count: usize, seed: u64) -> Vec<ClassImages> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut image = |class: usize| -> Option<Vec<f32>> {
        let pixel = |at: usize| ((at * (class + 3)) as f32 * 0.37).sin();
        let noise = (0..144).map(|at| pixel(at) + rng.random_range(-0.3..0.3_f32));
        Some(noise.collect())
    };
    (0..count)
        .map(|_| (0..6).map(&mut image).collect())
        .collect()
}

fn patched(mut images: ClassImages, class: ClassId) -> ClassImages {
    if let Some(image) = &mut images[class] {
        for (row, column) in (2..6).flat_map(|row| (7..11).map(move |column| (row, column))) {
            image[row * 12 + column] += 2.0;
        }
    }
    images
}

fn refs(all: &[ClassImages]) -> Vec<&ClassImages> {
    all.iter().collect()
}

/// Images of two pixels, references (3,4)/5 and (4,3)/5.
#[test]
fn the_deviation_matches_two_pixels_by_hand() {
    let network = |a: f32, b: f32| vec![Some(vec![a, b])];
    let all = [network(3.0, 4.0), network(8.0, 6.0)];
    let population = ReferencePopulation::of(&refs(&all));
    // Means 0.7, variances 0.02 (over n − 1), which is also their mean: the root is √0.02.
    let d = population.deviation(ClassId(0), &[1.0, 0.0]).unwrap();
    let root = 0.02_f32.sqrt();
    assert!((d[0] - 0.3 / root).abs() < 1e-5, "{d:?}");
    assert!((d[1] + 0.7 / root).abs() < 1e-5, "{d:?}");
}

/// References (1,0), (0,1) and (3,4)/5: means 8/15 and 3/5, variances 19/75 and 7/25 (over n − 1), of mean 4/15.
#[test]
fn the_deviation_from_three_references_matches_two_pixels_by_hand() {
    let network = |a: f32, b: f32| vec![Some(vec![a, b])];
    let all = [network(1.0, 0.0), network(0.0, 2.0), network(3.0, 4.0)];
    let population = ReferencePopulation::of(&refs(&all));
    let d = population.deviation(ClassId(0), &[6.0, 8.0]).unwrap();
    // 0.6 and 0.8 are 1/15 and 1/5 above the means, and the mean variances 0.26 and 41/150.
    let expected = [
        1.0 / 15.0 / 0.26_f32.sqrt(),
        0.2 / (41.0_f32 / 150.0).sqrt(),
    ];
    for (d, expected) in d.iter().zip(expected) {
        assert!((d - expected).abs() < 1e-5, "{d} {expected}");
    }
}

#[test]
fn an_image_without_a_finite_length_above_zero_counts_as_none() {
    let network = |a: f32, b: f32| vec![Some(vec![a, b])];
    let unusable = [[0.0; 2], [f32::INFINITY, 1.0], [f32::NAN, 1.0]];
    let mut all = vec![network(3.0, 4.0), network(8.0, 6.0)];
    let population = ReferencePopulation::of(&refs(&all));
    for image in unusable {
        assert_eq!(population.deviation(ClassId(0), &image), None, "{image:?}");
        all.push(network(image[0], image[1]));
    }
    assert_eq!(ReferencePopulation::of(&refs(&all)), population);
}

#[test]
fn one_reference_and_references_of_different_sizes_have_no_spread() {
    let all = [vec![Some(vec![3.0, 4.0])], vec![Some(vec![4.0, 3.0, 1.0])]];
    for references in [&all[..], &all[..1]] {
        let population = ReferencePopulation::of(&refs(references));
        assert_eq!(population.deviation(ClassId(0), &[1.0, 0.0]), None);
    }
}

#[test]
fn the_length_of_an_image_does_not_matter() {
    let all = networks(5, 1);
    let population = ReferencePopulation::of(&refs(&all[..4]));
    let plain = population.examine(&all[4], SHAPE, &WINDOW_SIDES);
    let doubled = |image: &Option<Vec<f32>>| -> Option<Vec<f32>> {
        Some(image.as_ref()?.iter().map(|v| 2.0 * v).collect())
    };
    let doubled: ClassImages = all[4].iter().map(doubled).collect();
    assert_eq!(population.examine(&doubled, SHAPE, &WINDOW_SIDES), plain);
}

/// A window of mean d over s×s pixels scores d·s, and the whole patch scores highest.
#[test]
fn the_score_is_the_mean_of_the_window_times_its_side() {
    let mut map = vec![0.0; 144];
    for (row, column) in (2..7).flat_map(|row| (1..6).map(move |column| (row, column))) {
        map[row * 12 + column] = 2.0;
    }
    let found = score(&map, SHAPE, &WINDOW_SIDES).unwrap();
    assert_eq!(found.window, (2, 1, 5));
    assert!((found.score - 10.0).abs() < 1e-6);
    assert!((found.energy - 25.0 * 4.0 / 144.0).abs() < 1e-6);
    // Dark windows do not count.
    let dark: Vec<f32> = map.iter().map(|d| -d).collect();
    assert_eq!(score(&dark, SHAPE, &WINDOW_SIDES).unwrap().score, 0.0);
    // Of equally strong windows, the first of the smallest.
    let flat = score(&[0.0; 144], SHAPE, &WINDOW_SIDES).unwrap();
    assert_eq!((flat.score, flat.window), (0.0, (0, 0, 4)));
}

#[test]
fn a_patch_is_found_by_class_and_place_and_exceeds_the_null() {
    let all = networks(6, 2);
    let suspect = patched(all[5].clone(), ClassId(4));
    let references = refs(&all[..5]);
    let null = leave_one_out(&references, SHAPE, &WINDOW_SIDES);
    let null: Vec<f64> = null.iter().filter_map(AuditScores::score).collect();
    let examined = ReferencePopulation::of(&references).examine(&suspect, SHAPE, &WINDOW_SIDES);
    let (class, top) = examined.top().unwrap();
    assert_eq!((class, top.window), (ClassId(4), (2, 7, 4)));
    let standing = rank(top.score, &null).unwrap();
    assert_eq!((standing.rank, standing.total), (1, 6));
    assert!(standing.is_outlier(), "{standing:?}");
    assert_eq!(examined.energy().unwrap().0, ClassId(4));
    let index = examined.indices()[4].unwrap();
    assert!(index > 2.0, "{index}");
    // A clean network does not stand out.
    let clean = ReferencePopulation::of(&references).examine(&all[5], SHAPE, &WINDOW_SIDES);
    let clean = super::rank(clean.score().unwrap(), &null).unwrap();
    assert!(!clean.is_outlier(), "{clean:?}");
}

#[test]
fn a_class_without_an_image_has_no_score_and_too_few_references_none_at_all() {
    let mut all = networks(4, 3);
    all[3][1] = None;
    let examined = ReferencePopulation::of(&refs(&all[..3])).examine(&all[3], SHAPE, &WINDOW_SIDES);
    assert!(examined.classes[1].is_none() && examined.classes[0].is_some());
    let alone = ReferencePopulation::of(&refs(&all[..1])).examine(&all[3], SHAPE, &WINDOW_SIDES);
    assert_eq!(alone.score(), None);
    let equal = vec![all[0].clone(), all[0].clone()];
    let equal = ReferencePopulation::of(&refs(&equal)).examine(&all[3], SHAPE, &WINDOW_SIDES);
    assert_eq!(equal.score(), None);
}

#[test]
fn a_tie_counts_against_the_suspect() {
    let result = rank(3.0, &[1.0, 3.0, 5.0]).unwrap();
    assert_eq!((result.rank, result.total), (3, 4));
    assert_eq!((result.largest, result.ratio), (5.0, 0.6));
    assert_eq!(rank(1.0, &[]), None);
}

#[test]
fn windows_shrink_with_the_cells_of_the_noise() {
    assert_eq!(window_sides(1), 4..=8);
    assert_eq!(window_sides(2), 2..=4);
    assert_eq!(window_sides(3), 2..=3);
    assert_eq!(window_sides(8), 1..=1);
}

/// A network whose classes have these scores and energies.
fn scored(classes: &[(f64, f64)]) -> AuditScores {
    let class = |&(score, energy): &(f64, f64)| {
        Some(ClassScore {
            score,
            window: (0, 0, 4),
            energy,
        })
    };
    AuditScores {
        classes: classes.iter().map(class).collect(),
    }
}

#[test]
fn the_first_of_equal_classes_is_the_top_and_is_compared_with_the_median_class() {
    // The median score is 3, the median energy 2.
    let network = scored(&[(1.0, 2.0), (5.0, 6.0), (5.0, 6.0), (3.0, 1.0), (2.0, 1.0)]);
    let (class, top) = network.top().unwrap();
    assert_eq!((class, top.score), (ClassId(1), 5.0));
    assert_eq!(network.energy(), Some((ClassId(1), 3.0)));
    assert_eq!(network.ratio(), Some(5.0 / 3.0));
    // Nothing is a multiple of 0.
    let silent = scored(&[(0.0, 0.0), (4.0, 9.0), (0.0, 0.0)]);
    assert_eq!((silent.energy(), silent.ratio()), (None, None));
}
