//! Comparison of two maps of the same quantity: their difference, where it is significant, and their correlation.
//!
//! z = (a − b)/√(SE_a² + SE_b²) is standard normal at every pixel where both maps estimate the same
//! value and their errors are independent. Maps from the same trials have correlated errors.

use super::classification::ImageEstimate;
use super::cluster::Cluster;
use super::correlation::pearson;
use super::interval::{ALPHA, bonferroni};
use super::null::ErrorModel;
use super::numbers::Shape;

/// Lowest reliability of both maps at which their correlation is corrected for noise: below it the
/// correction would mostly amplify errors.
pub const MIN_RELIABILITY: f64 = 0.5;

/// |z| above which pixels count as different, two-sided at 5 % for a family of pixels (Bonferroni).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignificanceBounds {
    /// For the pixels of one map.
    pub map: f64,
    /// For the pixels of all maps compared.
    pub all: f64,
}

impl SignificanceBounds {
    /// The bounds for `maps` maps of `pixels` pixels, at least one of each.
    pub fn new(maps: usize, pixels: usize) -> Self {
        let pixels = pixels.max(1);
        Self {
            map: bonferroni(pixels, ALPHA),
            all: bonferroni(maps.max(1) * pixels, ALPHA),
        }
    }
}

/// Map a minus map b, P numbers each.
#[derive(Debug, Clone, PartialEq)]
pub struct MapDifference {
    /// a − b, in the units of the maps, \[P\].
    pub difference: Vec<f32>,
    /// The difference over its standard error, \[P\]; 0 where one of the errors is unknown, which is not tested.
    pub z: Vec<f32>,
    /// Pixels tested.
    pub tested: usize,
    /// Pixels beyond the bound for one map.
    pub significant: usize,
    /// Pixels beyond the bound for all maps.
    pub significant_in_all: usize,
    /// Significant clusters of the smoothed z map; `None` if the correlation of errors is unknown.
    pub clusters: Option<Vec<Cluster>>,
    /// Pearson's r of a and b; `None` if one of them is constant.
    pub correlation: Option<f64>,
    /// r over √(R_a·R_b), in \[−1,1\]: the correlation without noise in the maps (Spearman 1904).
    /// `None` if a reliability is below [`MIN_RELIABILITY`].
    pub corrected: Option<f64>,
}

impl MapDifference {
    /// The standard error of the difference at every pixel, in the units of the maps, \[P\]; NaN where z
    /// is 0, since it cannot be recovered there.
    pub fn errors(&self) -> Vec<f32> {
        let pixels = self.difference.iter().zip(&self.z);
        pixels
            .map(|(d, z)| if *z == 0.0 { f32::NAN } else { d / z })
            .collect()
    }
}

/// Compares two maps of this shape under this model of their errors. `None` if the maps do not have
/// this shape.
pub fn difference(
    [a, b]: [&ImageEstimate; 2],
    shape: Shape,
    model: ErrorModel<'_>,
    bounds: SignificanceBounds,
) -> Option<MapDifference> {
    let pixels: usize = shape.iter().product();
    if !(a.fits(pixels) && b.fits(pixels)) {
        return None;
    }
    let difference: Vec<f32> = a.image.iter().zip(&b.image).map(|(a, b)| a - b).collect();
    let mut tested = 0;
    let errors = a.errors().into_iter().zip(b.errors());
    let z_of = |(difference, (a, b)): (&f32, (f32, f32))| {
        let error = f64::from(a).hypot(f64::from(b));
        let z = f64::from(*difference) / error;
        // NaN where an error is unknown.
        if !z.is_finite() {
            return 0.0;
        }
        tested += 1;
        z as f32
    };
    let z: Vec<f32> = difference.iter().zip(errors).map(z_of).collect();
    let past = |bound: f64| z.iter().filter(|z| f64::from(z.abs()) > bound).count();
    let correlation = pearson(&a.image, &b.image);
    let reliable = |map: &ImageEstimate| map.reliability.filter(|r| *r >= MIN_RELIABILITY);
    let corrected = || {
        let noise = (reliable(a)? * reliable(b)?).sqrt();
        Some((correlation? / noise).clamp(-1.0, 1.0))
    };
    Some(MapDifference {
        tested,
        significant: past(bounds.map),
        significant_in_all: past(bounds.all),
        clusters: model.clusters(&z, shape),
        correlation,
        corrected: corrected(),
        difference,
        z,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SHAPE: Shape = [1, 8, 8];
    const PIXELS: usize = 64;

    /// A map whose standard error is `error` everywhere.
    fn map(image: Vec<f32>, error: f32, reliability: Option<f64>) -> ImageEstimate {
        ImageEstimate {
            z: image.iter().map(|c| c / error).collect(),
            image,
            reliability,
            reliability_interval: None,
            snr: 1.0,
            snr_interval: None,
            needed: None,
            significant: 0,
            clusters: None,
            regression: None,
        }
    }

    fn noise(seed: u64, error: f32) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = |_| error * rng.sample::<f32, _>(rand_distr::StandardNormal);
        (0..PIXELS).map(draw).collect()
    }

    fn compared(a: &ImageEstimate, b: &ImageEstimate) -> MapDifference {
        difference(
            [a, b],
            SHAPE,
            ErrorModel::Independent,
            SignificanceBounds::new(1, PIXELS),
        )
        .unwrap()
    }

    #[test]
    fn z_is_the_difference_over_the_root_of_both_variances() {
        // Errors 3 and 4 have a difference of error 5.
        let (a, b) = (
            map(vec![12.0; PIXELS], 3.0, None),
            map(vec![2.0; PIXELS], 4.0, None),
        );
        let result = compared(&a, &b);
        assert!(result.difference.iter().all(|d| (d - 10.0).abs() < 1e-5));
        assert!(result.z.iter().all(|z| (z - 2.0).abs() < 1e-5));
        assert_eq!(
            (result.tested, result.significant, result.correlation),
            (PIXELS, 0, None)
        );
        let errors = result.errors();
        assert_eq!(errors.len(), PIXELS);
        assert!(errors.iter().all(|error| (error - 5.0).abs() < 1e-5));
        assert!(compared(&a, &a).errors().iter().all(|error| error.is_nan()));
    }

    #[test]
    fn a_map_does_not_differ_from_itself() {
        for seed in 0..20 {
            let same = map(noise(seed, 0.1), 0.1, Some(0.9));
            let result = compared(&same, &same);
            assert!(result.difference.iter().chain(&result.z).all(|v| *v == 0.0));
            assert_eq!((result.significant, result.significant_in_all), (0, 0));
            assert!(result.clusters.unwrap().is_empty());
            assert!((result.correlation.unwrap() - 1.0).abs() < 1e-12);
            assert_eq!(result.corrected, Some(1.0));
        }
    }

    #[test]
    fn exchanging_the_maps_only_flips_the_sign() {
        let (a, b) = (map(noise(1, 0.5), 0.5, None), map(noise(2, 0.2), 0.2, None));
        let (result, other) = (compared(&a, &b), compared(&b, &a));
        assert!(result.z.iter().zip(&other.z).all(|(a, b)| *a == -b));
        assert_eq!(result.correlation, other.correlation);
    }

    #[test]
    fn maps_of_one_signal_exceed_the_bound_in_one_of_twenty_at_most() {
        let bounds = SignificanceBounds::new(1, PIXELS);
        let found = (0..400).filter(|seed| {
            let noisy = |seed, error| map(noise(seed, error), error, None);
            let (a, b) = (noisy(2 * seed, 0.3), noisy(2 * seed + 1, 0.7));
            difference([&a, &b], SHAPE, ErrorModel::Independent, bounds)
                .unwrap()
                .significant
                > 0
        });
        // 20 are expected; three standard deviations more are 33.
        assert!(found.count() <= 33);
    }

    #[test]
    fn one_pixel_that_differs_is_found_and_counted() {
        let (mut a, b) = (vec![0.01; PIXELS], map(vec![0.01; PIXELS], 0.1, None));
        a[9] = 2.0;
        let result = compared(&map(a, 0.1, None), &b);
        assert_eq!((result.significant, result.significant_in_all), (1, 1));
        assert!((f64::from(result.z[9]) - 1.99 / 0.02_f64.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn a_pixel_at_a_bound_is_not_beyond_it() {
        let [a, b] = [2.5, 1.0].map(|c| map(vec![c; PIXELS], 0.5, None));
        let z = f64::from(compared(&a, &b).z[0]);
        let bounds = SignificanceBounds {
            map: 0.9 * z,
            all: z,
        };
        let result = difference([&a, &b], SHAPE, ErrorModel::Independent, bounds).unwrap();
        let beyond = (result.significant, result.significant_in_all);
        assert_eq!(beyond, (PIXELS, 0));
    }

    #[test]
    fn a_pixel_without_an_error_is_not_tested() {
        let mut a = map(vec![1.0; PIXELS], 0.1, None);
        (a.image[3], a.z[3]) = (0.0, 0.0);
        let result = compared(&a, &map(vec![5.0; PIXELS], 0.1, None));
        assert_eq!((result.tested, result.z[3]), (PIXELS - 1, 0.0));
        assert_eq!(result.significant, PIXELS - 1);
    }

    #[test]
    fn a_correlation_is_corrected_for_noise_only_if_the_maps_are_reliable() {
        let ramp: Vec<f32> = (0..PIXELS).map(|i| i as f32).collect();
        let other: Vec<f32> = (0..PIXELS).map(|i| (i % 8) as f32 + i as f32).collect();
        let r = pearson(&ramp, &other).unwrap();
        let ramp_map = |r| map(ramp.clone(), 1.0, r);
        let with = |r| compared(&ramp_map(Some(r)), &map(other.clone(), 1.0, Some(1.0))).corrected;
        assert!((with(1.0).unwrap() - r).abs() < 1e-12);
        // Never above 1.
        assert_eq!(with(0.5), Some(1.0));
        assert_eq!(with(0.49), None);
        assert_eq!(
            compared(&ramp_map(None), &ramp_map(Some(1.0))).corrected,
            None
        );
    }

    /// Of two independent bits, the first alone and the sum of both: r = √½.
    #[test]
    fn a_correlation_is_corrected_by_the_reliabilities_of_both_maps() {
        let bit = |pixel: usize, at: u32| (pixel >> at & 1) as f32;
        let first = (0..PIXELS).map(|pixel| bit(pixel, 0)).collect();
        let both = (0..PIXELS).map(|pixel| bit(pixel, 0) + bit(pixel, 1));
        let (a, b) = (
            map(first, 1.0, Some(0.9)),
            map(both.collect(), 1.0, Some(0.8)),
        );
        // √½ over √0.72 is 5/6.
        for result in [compared(&a, &b), compared(&b, &a)] {
            assert!((result.correlation.unwrap() - 0.5_f64.sqrt()).abs() < 1e-12);
            assert!((result.corrected.unwrap() - 5.0 / 6.0).abs() < 1e-12);
        }
    }

    #[test]
    fn maps_of_another_shape_are_not_compared() {
        let (a, b) = (
            map(vec![1.0; PIXELS], 1.0, None),
            map(vec![1.0; 63], 1.0, None),
        );
        assert_eq!(
            difference(
                [&a, &b],
                SHAPE,
                ErrorModel::Independent,
                SignificanceBounds::new(1, PIXELS)
            ),
            None
        );
    }

    #[test]
    fn more_maps_raise_the_bound_of_all() {
        let (one, ten) = (
            SignificanceBounds::new(1, 784),
            SignificanceBounds::new(10, 784),
        );
        assert_eq!((one.map, one.all), (ten.map, one.map));
        assert!((ten.map - 4.0).abs() < 0.01 && (ten.all - 4.51).abs() < 0.02);
    }
}
