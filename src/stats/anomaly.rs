//! Outliers: the strongest window of a z map, and the class that is unlike the others.

use crate::stats::numbers::Shape;

/// A z map \[C,H,W\] pooled over its channels, Σz/√C, \[H,W\]: of unit variance if the channels are
/// independent.
pub fn pooled(z: &[f32], [channels, height, width]: Shape) -> Vec<f32> {
    let area = height * width;
    let scale = (channels.max(1) as f32).sqrt();
    let pixel = |pixel: usize| {
        let all = z.iter().skip(pixel).step_by(area.max(1));
        all.sum::<f32>() / scale
    };
    (0..area).map(pixel).collect()
}

/// The window of `side` × `side` pixels with the largest mean signed z in a z map \[H,W\]: its top
/// row, its left column and that mean. Of equally strong windows, the first in reading order.
/// `None` if no window fits or the map has a number that is not finite.
pub fn strongest_window(
    z: &[f32],
    height: usize,
    width: usize,
    side: usize,
) -> Option<(usize, usize, f64)> {
    let fits = (1..=height.min(width)).contains(&side) && z.len() == height * width;
    if !fits || z.iter().any(|z| !z.is_finite()) {
        return None;
    }
    let integral = integral(z, width);
    let sum = |row: usize, column: usize| {
        let at = |row: usize, column: usize| integral[row * (width + 1) + column];
        at(row + side, column + side) - at(row, column + side) - at(row + side, column)
            + at(row, column)
    };
    let mut best = (0, 0, sum(0, 0));
    for row in 0..=height - side {
        for column in 0..=width - side {
            let total = sum(row, column);
            if total > best.2 {
                best = (row, column, total);
            }
        }
    }
    Some((best.0, best.1, best.2 / (side * side) as f64))
}

/// Summed-area table: sums of all pixels above and to the left of each pixel corner, \[H+1,W+1\].
fn integral(map: &[f32], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width + 1];
    for (row, values) in map.chunks_exact(width).enumerate() {
        sums.push(0.0);
        let mut along = 0.0;
        for (column, &value) in values.iter().enumerate() {
            along += f64::from(value);
            sums.push(sums[row * (width + 1) + column + 1] + along);
        }
    }
    sums
}

/// The fewest classes among which one can be called an outlier.
pub const MIN_CLASSES: usize = 5;

/// The anomaly index of each class: how far its score e stands out from the others,
/// (e − median)/(1.4826·MAD), with the median absolute deviation scaled to match the standard deviation of
/// normal scores. A class is flagged above 2 (Wang et al. 2019, *Neural Cleanse*; there |e − median|, here
/// with its sign).
///
/// `None` for a class without a score, and for all classes if fewer than [`MIN_CLASSES`] have one or
/// half of the scores are equal, so that MAD = 0.
pub fn anomaly_indices(scores: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = scores.iter().flatten().copied().collect();
    let scale = || {
        if known.len() < MIN_CLASSES {
            return None;
        }
        let middle = median(known.clone())?;
        let away = known.iter().map(|e| (e - middle).abs()).collect();
        let scale = 1.4826 * median(away)?;
        (scale > 0.0).then_some((middle, scale))
    };
    let scale = scale();
    scores
        .iter()
        .map(|score| {
            let (middle, scale) = scale?;
            Some((score.as_ref()? - middle) / scale)
        })
        .collect()
}

/// The middle value, or the mean of the middle two; `None` if there are no values.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[lower] + values[upper]) / 2.0)
}

/// Intersection over union, in \[0,1\], of a square window (top row, left column, side) and a
/// patch, given as the distinct indices of its pixels in a map of `width` columns.
pub fn overlap((row, column, side): (usize, usize, usize), patch: &[usize], width: usize) -> f64 {
    let inside = |&&pixel: &&usize| {
        (row..row + side).contains(&(pixel / width))
            && (column..column + side).contains(&(pixel % width))
    };
    let shared = patch.iter().filter(inside).count();
    let union = side * side + patch.len() - shared;
    if union == 0 {
        return 0.0;
    }
    shared as f64 / union as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// By the definition: every window summed pixel by pixel.
    #[test]
    fn the_strongest_window_matches_an_exhaustive_search() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (height, width) = (11, 7);
        let z: Vec<f32> = (0..height * width)
            .map(|_| rng.random_range(-3.0..3.0))
            .collect();
        for side in 1..=7 {
            let mean = |row: usize, column: usize| {
                let rows = row..row + side;
                let inside = rows.flat_map(|r| (column..column + side).map(move |c| (r, c)));
                let sum: f64 = inside.map(|(r, c)| f64::from(z[r * width + c])).sum();
                sum / (side * side) as f64
            };
            let places = (0..=height - side)
                .flat_map(|row| (0..=width - side).map(move |column| (row, column)));
            let best = places
                .max_by(|&a, &b| mean(a.0, a.1).total_cmp(&mean(b.0, b.1)))
                .unwrap();
            let (row, column, score) = strongest_window(&z, height, width, side).unwrap();
            assert_eq!((row, column), best, "side {side}");
            assert!((score - mean(row, column)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_negative_patch_is_not_the_strongest_window() {
        let mut z = vec![0.0; 28 * 28];
        for row in 0..6 {
            for column in 0..6 {
                z[row * 28 + column] = -20.0;
                z[(row + 20) * 28 + column + 21] = 5.0;
            }
        }
        assert_eq!(strongest_window(&z, 28, 28, 6), Some((20, 21, 5.0)));
    }

    #[test]
    fn a_window_that_does_not_fit_is_not_found() {
        let z = [1.0; 12];
        assert_eq!(strongest_window(&z, 3, 4, 4), None);
        assert_eq!(strongest_window(&z, 3, 4, 0), None);
        assert_eq!(strongest_window(&z, 4, 4, 2), None);
        assert_eq!(strongest_window(&[f32::NAN; 12], 3, 4, 2), None);
        assert_eq!(strongest_window(&z, 3, 4, 3), Some((0, 0, 1.0)));
    }

    #[test]
    fn the_anomaly_index_matches_hand_made_scores() {
        // Median 3; deviations 2, 1, 0, 1, 97, so MAD 1.
        let scores = [1.0, 2.0, 3.0, 4.0, 100.0].map(Some);
        let indices = anomaly_indices(&scores);
        for (index, expected) in indices.iter().zip([-2.0, -1.0, 0.0, 1.0, 97.0]) {
            assert!((index.unwrap() - expected / 1.4826).abs() < 1e-12);
        }
        // An even number: median 3½, deviations 2½, 1½, ½, ½, 1½, 96½, so MAD 1½.
        let indices = anomaly_indices(&[1.0, 2.0, 3.0, 4.0, 5.0, 100.0].map(Some));
        assert!((indices[5].unwrap() - 96.5 / (1.5 * 1.4826)).abs() < 1e-12);
    }

    #[test]
    fn classes_without_a_score_are_left_out() {
        let scores = [1.0, 2.0, 4.0, 7.0, 9.0].map(Some);
        let mut with = scores.to_vec();
        with.insert(1, None);
        let mut with = anomaly_indices(&with);
        assert_eq!(with.remove(1), None);
        assert_eq!(with, anomaly_indices(&scores));
        assert!(with.iter().all(Option::is_some));
    }

    #[test]
    fn too_few_or_equal_scores_have_no_outlier() {
        let four = [Some(1.0), Some(9.0), Some(3.0), Some(4.0), None];
        assert_eq!(anomaly_indices(&four), [None; 5]);
        let equal = [1.0, 1.0, 1.0, 9.0, 8.0].map(Some);
        assert_eq!(anomaly_indices(&equal), [None; 5]);
        assert!(anomaly_indices(&[]).is_empty());
    }

    #[test]
    fn a_median_lies_between_the_middle_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn the_overlap_matches_hand_made_windows() {
        // A patch of 2×3 pixels at rows 1–2, columns 1–3 of a map of 10 columns.
        let patch = [11, 12, 13, 21, 22, 23];
        assert_eq!(overlap((1, 1, 2), &patch, 10), 4.0 / 6.0);
        assert_eq!(overlap((1, 1, 3), &patch, 10), 6.0 / 9.0);
        assert_eq!(overlap((2, 3, 2), &patch, 10), 1.0 / 9.0);
        assert_eq!(overlap((5, 5, 2), &patch, 10), 0.0);
        assert_eq!(overlap((1, 1, 1), &[11], 10), 1.0);
    }

    #[test]
    fn channels_are_pooled_to_the_sum_over_the_root_of_their_number() {
        let four = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(pooled(&four, [4, 1, 2]), [8.0, 10.0]);
        assert_eq!(pooled(&four, [1, 2, 4]), four);
    }
}
